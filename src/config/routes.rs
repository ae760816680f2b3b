//! `[[routes]]`: which paths ask for OAuth.

use http::Method;

use super::choice::choice;
use super::remark::Wrong;
use super::section::Section;

/// A rule for some paths. The first that matches decides; without one, [`RouteAuth::OAuthOrPassthrough`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// A path: `/exact`, `/one/*/segment`, `/everything/below/**`.
    pub path: String,
    /// The methods; empty: all.
    pub methods: Vec<Method>,
    /// What a request there must bring.
    pub auth: RouteAuth,
}

/// What a request must bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAuth {
    /// A valid signature.
    OAuth,
    /// A valid signature, or none at all: then it goes through with its identity headers removed.
    OAuthOrPassthrough,
    /// Nothing: signatures are not looked at.
    None,
}

impl Route {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        section.needs(
            "path",
            "write a path, or one with everything under it: path = \"/api/**\"",
        );
        section.needs(
            "auth",
            "write auth = \"oauth\", \"oauth-or-passthrough\" or \"none\"",
        );
        let path = section.parsed("path", parse_path);
        let methods = section.parsed_list("methods", parse_method);
        let auth = choice(
            section,
            "auth",
            &[
                ("oauth", RouteAuth::OAuth),
                ("oauth-or-passthrough", RouteAuth::OAuthOrPassthrough),
                ("none", RouteAuth::None),
            ],
        );
        Some(Self {
            path: path?,
            methods,
            auth: auth?,
        })
    }
}

fn parse_path(text: &str) -> Result<String, Wrong> {
    let refuse = |sentence: &str| Err(Wrong::unusable(text, sentence));
    let Some(path) = text.strip_prefix('/') else {
        return refuse("begin it with a slash: \"/api/**\"");
    };
    if path.contains(['?', '#', '\\', ';', '%']) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("write the plain path, without query, white space or percent-encoding");
    }
    let above = if path == "**" {
        ""
    } else {
        path.strip_suffix("/**").unwrap_or(path)
    };
    if above
        .split('/')
        .any(|segment| segment.contains('*') && segment != "*")
    {
        return refuse(
            "a star is a whole segment, \"/api/*/log\", and two are everything below, \"/api/**\"",
        );
    }
    if above.split('/').any(|segment| matches!(segment, "." | "..")) {
        return refuse("write the path itself, without dot segments");
    }
    if text.contains("//") {
        return refuse("write one slash, not two");
    }
    Ok(text.to_owned())
}

fn parse_method(text: &str) -> Result<Method, Wrong> {
    let is_upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = is_upper
        .then(|| Method::from_bytes(text.as_bytes()).ok())
        .flatten();
    method.ok_or_else(|| Wrong::unusable(text, "write a method in capitals: \"GET\""))
}
