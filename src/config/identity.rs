//! `[identity]`: how the application is told who calls.

use http::HeaderName;

use crate::oauth::PublicUrl;

use super::choice::choice;
use super::remark::Wrong;
use super::section::Section;

/// How the application is told who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The headers that name the user.
    pub headers: IdentityHeaders,
    /// Whether `X-Linkgate-Assertion` is written, a signed statement of the same.
    pub assertion: bool,
    /// For whom the assertion is.
    pub assertion_audience: String,
}

/// The headers that name the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityHeaders {
    /// `Remote-User`.
    RemoteUser,
    /// As oauth2-proxy writes them: `X-Forwarded-User` and its kin.
    Oauth2Proxy,
    /// Names of the application's own.
    Own {
        /// The user's name for the application.
        user: HeaderName,
        /// The user's name for people.
        name: Option<HeaderName>,
        /// The consumer's key.
        consumer: Option<HeaderName>,
    },
}

impl Identity {
    pub(super) fn read(section: &Section<'_>, public_url: Option<&PublicUrl>) -> Self {
        let presets = [
            ("remote-user", IdentityHeaders::RemoteUser),
            ("oauth2-proxy", IdentityHeaders::Oauth2Proxy),
        ];
        let preset = choice(section, "preset", &presets);
        if section.has("headers") && section.has("preset") {
            section.wrong(
                "headers",
                "preset is given as well",
                "keep preset or headers, not both",
            );
        }
        let own = section.section("headers", |headers| {
            headers.is_written().then(|| read_headers(headers)).flatten()
        });
        let audience = public_url.map_or_else(String::new, |url| url.as_str().to_owned());
        Self {
            headers: own.or(preset).unwrap_or(IdentityHeaders::RemoteUser),
            assertion: section.or("assertion", false),
            assertion_audience: section.or("assertion_audience", audience),
        }
    }
}

fn read_headers(section: &Section<'_>) -> Option<IdentityHeaders> {
    section.needs(
        "user",
        "write the header that the application reads: user = \"X-My-User\"",
    );
    let mut seen = Vec::new();
    let mut read = |key| {
        let name = section.parsed(key, parse_name)?;
        if let Some((other, _)) = seen.iter().find(|(_, earlier)| *earlier == name) {
            section.wrong(
                key,
                format!("{other} has the same name"),
                "write a header of its own",
            );
        }
        seen.push((key, name.clone()));
        Some(name)
    };
    let (user, name, consumer) = (read("user"), read("name"), read("consumer"));
    Some(IdentityHeaders::Own {
        user: user?,
        name,
        consumer,
    })
}

fn parse_name(text: &str) -> Result<HeaderName, Wrong> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| Wrong::unusable(text, "write letters, digits and dashes: \"X-My-User\""))?;
    let plain = name.as_str().replace('_', "-");
    if TAKEN.contains(&plain.as_str()) || plain.starts_with("x-linkgate-") {
        return Err(Wrong::unusable(
            text,
            "it has another meaning: write a name of your own, \"X-My-User\"",
        ));
    }
    Ok(name)
}

/// Headers that mean something else, to HTTP or to proxies.
const TAKEN: [&str; 18] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];
