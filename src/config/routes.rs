//! `[[routes]]`: which paths ask for OAuth.

use http::Method;

use super::choice::choice;
use super::section::Section;

/// A rule for some paths. The first that matches decides; without one, [`RouteAuth::OAuthOrPassthrough`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// A path: exact, or a prefix that ends in `/**`.
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
        if !section.has("path") {
            section.missing(
                "path",
                "write a path, or one with everything under it: path = \"/api/**\"",
            );
        }
        if !section.has("auth") {
            section.missing(
                "auth",
                "write auth = \"oauth\", \"oauth-or-passthrough\" or \"none\"",
            );
        }
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

fn parse_path(text: &str) -> Result<String, String> {
    let prefix = text.strip_suffix("/**").unwrap_or(text);
    if !text.starts_with('/') {
        return Err(format!("{text:?} does not begin with a slash; write \"/{text}\""));
    }
    if prefix.contains(['*', '?', '#', ' ']) {
        return Err(format!(
            "{text:?} is not a path; write \"/api/whoami\" for one, or \"/api/**\" for everything under it"
        ));
    }
    Ok(text.to_owned())
}

fn parse_method(text: &str) -> Result<Method, String> {
    let is_upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let method = is_upper
        .then(|| Method::from_bytes(text.as_bytes()).ok())
        .flatten();
    method.ok_or_else(|| format!("{text:?} is not a method; write it in capitals: \"GET\""))
}
