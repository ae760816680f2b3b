//! `[login.probe]`: the application is asked whom the browser's cookies belong to.

use std::time::Duration;

use http::Uri;
use serde_json::Value as Json;

use crate::config::remark::Wrong;
use crate::config::section::Section;
use crate::tls::Roots;

use super::{Login, ca_file, parse_http};

/// How the application is asked whom the browser's cookies belong to.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The application's "who am I".
    pub url: Uri,
    /// The cookies that are shown to it, by name.
    pub cookies: Vec<String>,
    /// JSON pointer (RFC 6901) to the user's name for the application.
    pub user_pointer: String,
    /// JSON pointer to the user's name for people.
    pub display_pointer: Option<String>,
    /// Answers that mean nobody, although their status is 200.
    pub reject: Vec<Reject>,
    /// Where a browser signs in; `{return_to}` stands for the way back.
    pub login_url: String,
    /// Where a browser signs out.
    pub logout_url: Option<String>,
    /// Whom to believe; `None`: whom the operating system does.
    pub roots: Option<Roots>,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Where the application says whether a user exists.
    pub user_lookup: Option<UserLookup>,
}

/// Where the application says whether a user exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLookup {
    /// A URL in which `{user}` stands for the name.
    pub url: String,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// An answer of the application that means nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Reject {
    /// JSON pointer into the answer.
    pub pointer: String,
    /// The value there.
    pub equals: Json,
}

impl Probe {
    pub(super) fn read(section: &Section<'_>) -> Option<Login> {
        section.needs(
            "url",
            "write the application's \"who am I\": url = \"http://127.0.0.1:8080/api/me\"",
        );
        section.needs(
            "cookies",
            "write the names of the application's session cookies: cookies = [\"session\"]",
        );
        section.needs(
            "user_pointer",
            "write where the answer has the user's name: user_pointer = \"/name\"",
        );
        section.needs(
            "login_url",
            "write where a browser signs in: login_url = \"https://builds.example.com/login?from={return_to}\"",
        );
        let url = section.parsed("url", parse_http);
        let cookies = section.parsed_list("cookies", parse_cookie);
        section.needs_entries("cookies", "write the names of the application's session cookies");
        let user_pointer = section.parsed("user_pointer", parse_pointer);
        let display_pointer = section.parsed("display_pointer", parse_pointer);
        let reject = section.sections("reject", Reject::read);
        let login_url = section.parsed("login_url", parse_login_url);
        let logout_url = section.parsed("logout_url", |text| parse_http(text).map(|_| text.to_owned()));
        let roots = ca_file(section);
        let timeout = section.or("timeout", Duration::from_secs(3));
        let lookup_url = section.parsed("user_lookup_url", parse_lookup_url);
        let lookup_timeout = section.or("user_lookup_timeout", Duration::from_secs(2));
        Some(Login::Probe(Box::new(Self {
            url: url?,
            cookies,
            user_pointer: user_pointer?,
            display_pointer,
            reject,
            login_url: login_url?,
            logout_url,
            roots,
            timeout,
            user_lookup: lookup_url.map(|url| UserLookup {
                url,
                timeout: lookup_timeout,
            }),
        })))
    }
}

impl Reject {
    fn read(section: &Section<'_>) -> Option<Self> {
        const REMEDY: &str = "write { pointer = \"/anonymous\", equals = true }";
        section.needs("pointer", REMEDY);
        section.needs("equals", REMEDY);
        let pointer = section.parsed("pointer", parse_pointer);
        let equals = section.get("equals");
        Some(Self {
            pointer: pointer?,
            equals: equals?,
        })
    }
}

/// A cookie's name is a token of HTTP (RFC 6265, section 4.1.1).
fn parse_cookie(text: &str) -> Result<String, Wrong> {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    if !text.bytes().all(is_token) {
        return Err(Wrong::unusable(
            text,
            "write the cookie's name alone: \"session\"",
        ));
    }
    Ok(text.to_owned())
}

fn parse_pointer(text: &str) -> Result<String, Wrong> {
    if !text.starts_with('/') {
        let remedy = format!("write a JSON pointer, which begins with a slash: \"/{text}\"");
        return Err(Wrong::unusable(text, &remedy));
    }
    Ok(text.to_owned())
}

fn parse_lookup_url(text: &str) -> Result<String, Wrong> {
    let named = |name| parse_http(&text.replace("{user}", name));
    let (one, other) = (named("a")?, named("b")?);
    if text.matches("{user}").count() != 1 || one.authority() != other.authority() {
        let remedy = "put {user} once into its path or its query: \"http://127.0.0.1:8080/api/users/{user}\"";
        return Err(Wrong::unusable(text, remedy));
    }
    Ok(text.to_owned())
}

fn parse_login_url(text: &str) -> Result<String, Wrong> {
    if text.matches("{return_to}").count() != 1 {
        let remedy = "put {return_to} once where the application expects the way back: \
                      \"https://builds.example.com/login?from={return_to}\"";
        return Err(Wrong::unusable(text, remedy));
    }
    parse_http(&text.replace("{return_to}", "x")).map(|_| text.to_owned())
}
