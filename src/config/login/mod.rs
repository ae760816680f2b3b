//! `[login]`: how the person at the browser is known. One method, with a table of its own; `probe`, `oidc` and `ldap`
//! have more to say than the others. `sessions` is what all methods share.

mod ldap;
mod oidc;
mod probe;
mod sessions;

use std::path::PathBuf;

use http::{HeaderName, Uri};

use crate::oauth::Secret;
use crate::tls::{Roots, RootsError};

use super::choice::choice;
use super::remark::Wrong;
use super::secret::required_secret;
use super::section::Section;
use super::server::Server;

pub use ldap::Ldap;
pub use oidc::Oidc;
pub use probe::{Probe, Reject, UserLookup};
pub use sessions::Sessions;

/// How the person at the browser is known. One method, with what it needs.
#[derive(Clone, Debug)]
pub enum Login {
    /// A password file.
    File {
        /// The file with `[[users]]`.
        path: PathBuf,
    },
    /// A directory.
    Ldap(Box<Ldap>),
    /// The application is asked whom the browser's cookies belong to.
    Probe(Box<Probe>),
    /// A signed round trip through the application.
    Handoff {
        /// The application's page that answers.
        login_url: String,
        /// What both sides sign with.
        secret: Secret,
    },
    /// An identity provider.
    Oidc(Box<Oidc>),
    /// A proxy in front of us that is known by its address.
    TrustedHeader {
        /// The header with the user's name for the application.
        header: HeaderName,
        /// The header with the user's name for people.
        display_header: Option<HeaderName>,
        /// Where a browser signs out of the proxy.
        logout_url: Option<String>,
    },
}

impl Login {
    /// The method's name, as in `login.method`.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Ldap(_) => "ldap",
            Self::Probe(_) => "probe",
            Self::Handoff { .. } => "handoff",
            Self::Oidc(_) => "oidc",
            Self::TrustedHeader { .. } => "trusted-header",
        }
    }

    /// Who says for sure which users exist; `None`: nobody does.
    pub fn knows_its_users(&self) -> Option<&'static str> {
        match self {
            Self::File { .. } => Some("the password file"),
            Self::Ldap(_) => Some("the directory"),
            Self::Probe(probe) if probe.user_lookup.is_some() => Some("login.probe.user_lookup_url"),
            _ => None,
        }
    }

    /// Reads the section: every table that is there, and of these the one that `method` names.
    pub(super) fn read(section: &Section<'_>, server: Option<&Server>) -> Option<(Self, Sessions)> {
        let sessions = Sessions::read(section);
        section.needs(
            "method",
            "write method = \"probe\" to ask the application, or \"file\" for a password file",
        );
        let method = choice(section, "method", &METHODS.map(|(name, _)| (name, name)));
        let mut chosen = None;
        for (name, read) in METHODS {
            let is_chosen = method == Some(name);
            section.section(name, |table| {
                if is_chosen {
                    chosen = read(table);
                } else if table.is_written() {
                    read(table);
                }
            });
        }
        if method == Some("trusted-header") && server.is_some_and(|server| server.trusted_proxies.is_empty())
        {
            section.wrong(
                "method",
                "server.trusted_proxies is empty, so nobody's header would be believed",
                "write the proxy's address into [server]: trusted_proxies = [\"127.0.0.1\"]",
            );
        }
        if method == Some("ldap") {
            check_build(section, cfg!(feature = "ldap"));
        }
        Some((chosen?, sessions))
    }
}

/// Remarks that this build cannot do what is asked of it, when that is so.
fn check_build(section: &Section<'_>, asks_directories: bool) {
    if !asks_directories {
        section.wrong(
            "method",
            "this build of linkgate cannot ask a directory",
            "use a build with the feature: cargo build --release --features ldap; the container image has it",
        );
    }
}

fn read_file(section: &Section<'_>) -> Option<Login> {
    section.needs(
        "path",
        "write the password file's path: path = \"users.toml\"; `linkgate user hash` makes its hashes",
    );
    // Its users are the login's business; that it is there is ours.
    section.file("path")?;
    section.path("path").map(|path| Login::File { path })
}

fn read_handoff(section: &Section<'_>) -> Option<Login> {
    section.needs(
        "login_url",
        "write the application's page: login_url = \"https://builds.example.com/linkgate-login\"",
    );
    let login_url = section.parsed("login_url", |text| parse_http(text).map(|_| text.to_owned()));
    let secret = required_secret(
        section,
        "secret",
        "write a file with the secret that the application has too",
    );
    Some(Login::Handoff {
        login_url: login_url?,
        secret: secret?,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "all methods are read by functions of one type"
)]
fn read_trusted_header(section: &Section<'_>) -> Option<Login> {
    let parse = |text: &str| {
        HeaderName::from_bytes(text.as_bytes())
            .map_err(|_| Wrong::unusable(text, "write the name of a header: \"Remote-User\""))
    };
    let header = section.parsed("header", parse);
    let display_header = section.parsed("display_header", parse);
    let logout_url = section.parsed("logout_url", |text| parse_http(text).map(|_| text.to_owned()));
    Some(Login::TrustedHeader {
        header: header.unwrap_or(HeaderName::from_static("remote-user")),
        display_header,
        logout_url,
    })
}

fn parse_http(text: &str) -> Result<Uri, Wrong> {
    let url = text.parse::<Uri>().ok();
    let fits = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
    url.filter(fits)
        .ok_or_else(|| Wrong::unusable(text, "write it whole: \"http://127.0.0.1:8080/api/me\""))
}

/// The issuers in a `ca_file`, when there is one.
fn ca_file(section: &Section<'_>) -> Option<Roots> {
    let text = section.file("ca_file")?;
    let refuse = |error: RootsError| section.wrong_as_said("ca_file", &error.to_string());
    Roots::parse(text.as_bytes()).map_err(refuse).ok()
}

type Read = fn(&Section<'_>) -> Option<Login>;

const METHODS: [(&str, Read); 6] = [
    ("file", read_file),
    ("ldap", Ldap::read),
    ("probe", Probe::read),
    ("handoff", read_handoff),
    ("oidc", Oidc::read),
    ("trusted-header", read_trusted_header),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::file::parse;
    use crate::config::reading::Reading;
    use crate::oauth::Timestamp;

    use super::*;

    #[test]
    fn a_build_without_the_feature_says_which_one_has_it() {
        let said = |asks_directories| {
            let file = Path::new("/linkgate.toml");
            let table = parse(file, "[login]\nmethod = \"ldap\"\n").unwrap();
            let reading = Reading::new(file, Timestamp::from_seconds(0));
            Section::read_root(file, &table, &reading, |root| {
                root.section("login", |section| check_build(section, asks_directories));
            });
            let (mistakes, _) = reading.into_remarks();
            mistakes
                .into_iter()
                .map(|mistake| mistake.to_string())
                .collect::<String>()
        };
        assert_eq!(
            said(false),
            "/linkgate.toml:2:10: login.method: this build of linkgate cannot ask a directory\n    \
             use a build with the feature: cargo build --release --features ldap; the container image has it"
        );
        assert!(!said(true).contains("this build"));
    }
}
