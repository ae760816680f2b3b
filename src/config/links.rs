//! `[[links]]`: whom the application may call through us, and in whose name.

use std::time::Duration;

use crate::oauth::PublicUrl;
use crate::tls::{Roots, RootsError};

use super::choice::choice;
use super::remark::Wrong;
use super::section::Section;

/// Another side that the application calls through us.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name in paths of ours.
    pub name: String,
    /// Its name on pages.
    pub title: String,
    /// Its base URL.
    pub url: PublicUrl,
    /// What becomes of a call that names a user.
    pub users: LinkUsers,
    /// Whether a call that names nobody is made as ourselves.
    pub itself: bool,
    /// The issuers that are believed; `None`: those of the operating system.
    pub roots: Option<Roots>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the head of an answer may take.
    pub response_timeout: Duration,
}

/// What becomes of a call that names a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkUsers {
    /// It carries the token that this user gave us.
    Connect,
    /// It names the user, and the other side believes us.
    Impersonate,
    /// It is refused.
    None,
}

/// Reads every link; two of one name are a mistake.
pub(super) fn read(root: &Section<'_>) -> Vec<Link> {
    let mut seen: Vec<String> = Vec::new();
    root.sections("links", |section| {
        let name = read_name(section);
        if let Some(name) = &name {
            if seen.contains(name) {
                section.wrong(
                    "name",
                    format!("another link has the name {name:?} too"),
                    "each needs a name of its own",
                );
            }
            seen.push(name.clone());
        }
        read_one(section, name)
    })
}

fn read_one(section: &Section<'_>, name: Option<String>) -> Option<Link> {
    section.needs(
        "url",
        "write the other side's base URL: url = \"https://bitbucket.example.com\"",
    );
    let url = section.parsed("url", |text| {
        PublicUrl::parse(text).map_err(|why| Wrong::unusable(text, why))
    });
    let title = section.get("title");
    let users = choice(
        section,
        "users",
        &[
            ("connect", LinkUsers::Connect),
            ("impersonate", LinkUsers::Impersonate),
            ("none", LinkUsers::None),
        ],
    );
    let users = users.unwrap_or(LinkUsers::Connect);
    let itself = section.or("itself", false);
    if users == LinkUsers::None && !itself {
        section.wrong(
            "users",
            "no call could be made: none that names a user, and none as linkgate itself",
            "write itself = true, or users = \"connect\"",
        );
    }
    let roots = roots(section);
    let connect_timeout = section.or("connect_timeout", Duration::from_secs(5));
    let response_timeout = section.or("response_timeout", Duration::from_mins(1));
    let (name, url) = (name?, url?);
    if !url.is_secure() && !is_local(&url) {
        section.warn(
            "url",
            "it is http: whoever is in between reads what the application reads",
            "write the other side's https URL",
        );
    }
    Some(Link {
        title: title.unwrap_or_else(|| name.clone()),
        name,
        url,
        users,
        itself,
        roots,
        connect_timeout,
        response_timeout,
    })
}

/// The issuers in `ca_file`.
pub(super) fn roots(section: &Section<'_>) -> Option<Roots> {
    let roots = Roots::parse(section.file("ca_file")?.as_bytes());
    let refuse = |error: RootsError| section.wrong_as_said("ca_file", &error.to_string());
    roots.map_err(refuse).ok()
}

fn read_name(section: &Section<'_>) -> Option<String> {
    section.needs("name", "write the link's name in paths: name = \"bitbucket\"");
    section.parsed("name", |text| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err(Wrong::unusable(text, "write 1 to 40 of a-z, 0-9 and -"))
        }
    })
}

fn is_local(url: &PublicUrl) -> bool {
    let host = url.host();
    host.starts_with("127.") || host == "localhost" || host == "[::1]"
}
