//! `[identity]`: how the application is told who calls.

use http::HeaderName;
use http::header;

use crate::oauth::PublicUrl;

use super::choice::choice;
use super::remark::Wrong;
use super::section::Section;

/// How the application is told who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The header with the user's name for the application.
    pub user: HeaderName,
    /// The header with the user's name for people.
    pub name: Option<HeaderName>,
    /// The header with the consumer's key.
    pub consumer: Option<HeaderName>,
    /// Whether `X-Linkgate-Assertion` is written, a signed statement of the same.
    pub assertion: bool,
    /// For whom the assertion is.
    pub assertion_audience: String,
}

impl Identity {
    pub(super) fn read(section: &Section<'_>, public_url: Option<&PublicUrl>) -> Self {
        let preset = choice(
            section,
            "preset",
            &[("remote-user", REMOTE_USER), ("oauth2-proxy", OAUTH2_PROXY)],
        );
        let [user, name] = preset.unwrap_or(REMOTE_USER);
        let own = section.section("headers", |headers| {
            headers.is_written().then(|| read_headers(headers))
        });
        if own.is_some() && section.has("preset") {
            section.wrong(
                "headers",
                "preset is given as well",
                "keep preset or headers, not both",
            );
        }
        let (user, name, consumer) = own.unwrap_or((
            HeaderName::from_static(user),
            Some(HeaderName::from_static(name)),
            None,
        ));
        let audience = public_url.map_or_else(String::new, |url| url.as_str().to_owned());
        Self {
            user,
            name,
            consumer,
            assertion: section.or("assertion", false),
            assertion_audience: section.or("assertion_audience", audience),
        }
    }
}

type Headers = (HeaderName, Option<HeaderName>, Option<HeaderName>);

fn read_headers(section: &Section<'_>) -> Headers {
    if !section.has("user") {
        section.missing(
            "user",
            "write the header that the application reads: user = \"X-My-User\"",
        );
    }
    let user = section.parsed("user", parse_name);
    let name = section.parsed("name", parse_name);
    let consumer = section.parsed("consumer", parse_name);
    let given: Vec<_> = [("user", &user), ("name", &name), ("consumer", &consumer)]
        .into_iter()
        .filter_map(|(key, name)| Some((key, name.as_ref()?)))
        .collect();
    for (at, (key, name)) in given.iter().enumerate() {
        if let Some((other, _)) = given[..at].iter().find(|(_, earlier)| earlier == name) {
            section.wrong(
                key,
                format!("{other} has the same name"),
                "write a header of its own",
            );
        }
    }
    let user = user.unwrap_or(HeaderName::from_static(REMOTE_USER[0]));
    (user, name, consumer)
}

fn parse_name(text: &str) -> Result<HeaderName, Wrong> {
    const REMEDY: &str = "write letters, digits and dashes: \"X-My-User\"";
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| Wrong::new(format!("{text:?} is not the name of a header"), REMEDY))?;
    if OF_HTTP.contains(&name) {
        return Err(Wrong::new(
            format!("{text} has a meaning of its own in HTTP"),
            "write a name of your own: \"X-My-User\"",
        ));
    }
    Ok(name)
}

/// User and name, as reverse proxies with a login of their own write them.
const REMOTE_USER: [&str; 2] = ["remote-user", "remote-name"];
/// User and name, as oauth2-proxy writes them.
const OAUTH2_PROXY: [&str; 2] = ["x-forwarded-user", "x-forwarded-preferred-username"];

const OF_HTTP: [HeaderName; 14] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::FORWARDED,
    header::HOST,
    header::ORIGIN,
    header::REFERER,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
