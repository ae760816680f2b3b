//! `[login]`: how the person at the browser is known.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, Uri};
use serde_json::Value as Json;

use crate::oauth::Secret;

use super::choice::choice;
use super::remark::Wrong;
use super::secret::secret;
use super::section::Section;
use super::server::Server;

/// How the person at the browser is known. One method, with what it needs.
#[derive(Clone, Debug)]
pub enum Login {
    /// A password file.
    File {
        /// The file with `[[users]]`.
        path: PathBuf,
    },
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
    },
}

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

/// How an identity provider is asked.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// The issuer, which names the discovery document.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: Secret,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim with the user's name for the application.
    pub user_claim: String,
    /// The claim with the user's name for people.
    pub display_claim: String,
}

impl Login {
    /// The method's name, as in `login.method`.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Probe(_) => "probe",
            Self::Handoff { .. } => "handoff",
            Self::Oidc(_) => "oidc",
            Self::TrustedHeader { .. } => "trusted-header",
        }
    }

    /// Reads the section: every table that is there, and of these the one that `method` names.
    pub(super) fn read(section: &Section<'_>, server: Option<&Server>) -> Option<Self> {
        let methods = METHODS.map(|name| (name, name));
        if !section.has("method") {
            section.missing("method", "write method = \"file\" for a password file");
        }
        let method = choice(section, "method", &methods);
        let wanted = |name| method == Some(name);
        let table = |name, read: fn(&Section<'_>) -> Option<Self>| {
            section.section(name, |table| {
                (wanted(name) || table.is_written())
                    .then(|| read(table))
                    .flatten()
            })
        };
        let mut read = [
            table("file", read_file),
            table("probe", Probe::read),
            table("handoff", read_handoff),
            table("oidc", Oidc::read),
            table("trusted-header", read_trusted_header),
        ];
        if wanted("trusted-header") && server.is_some_and(|server| server.trusted_proxies.is_empty()) {
            section.wrong(
                "method",
                "server.trusted_proxies is empty, so nobody's header would be believed",
                "write the proxy's address: trusted_proxies = [\"127.0.0.1\"] in [server]",
            );
        }
        if let Some(name) = method.filter(|name| *name != "file") {
            section.warn(
                "method",
                format!("this version of linkgate reads the method {name:?} and cannot serve with it yet"),
                "write method = \"file\" to serve",
            );
        }
        let at = METHODS.iter().position(|name| wanted(name))?;
        read[at].take()
    }
}

fn read_file(section: &Section<'_>) -> Option<Login> {
    let remedy =
        "write the password file's path: path = \"users.toml\"; `linkgate user hash` makes its hashes";
    if !section.has("path") {
        section.missing("path", remedy);
    }
    let path = section.path("path");
    // Its users are the login's business; that it is there is ours.
    section.file("path")?;
    Some(Login::File { path: path? })
}

fn read_handoff(section: &Section<'_>) -> Option<Login> {
    let login_url = section.parsed("login_url", parse_page);
    if login_url.is_none() && !section.has("login_url") {
        section.missing(
            "login_url",
            "write the application's page: \"https://builds.example.com/linkgate-login\"",
        );
    }
    let secret = secret(section, "secret");
    if !section.has("secret") && !section.has("secret_file") {
        section.missing(
            "secret_file",
            "write a file with the secret that the application has too",
        );
    }
    Some(Login::Handoff {
        login_url: login_url?,
        secret: secret?,
    })
}

fn read_trusted_header(section: &Section<'_>) -> Option<Login> {
    let header = |text: &str| {
        HeaderName::from_bytes(text.as_bytes())
            .map_err(|_| Wrong::unusable(text, "write the name of a header: \"Remote-User\""))
    };
    let user = section.parsed("header", header);
    let display_header = section.parsed("display_header", header);
    Some(Login::TrustedHeader {
        header: user.unwrap_or(HeaderName::from_static("remote-user")),
        display_header,
    })
}

impl Probe {
    fn read(section: &Section<'_>) -> Option<Login> {
        let needs = |key, remedy| {
            if !section.has(key) {
                section.missing(key, remedy);
            }
        };
        needs(
            "url",
            "write the application's \"who am I\": url = \"http://127.0.0.1:8080/api/me\"",
        );
        needs(
            "cookies",
            "write the names of the application's session cookies: cookies = [\"session\"]",
        );
        needs(
            "user_pointer",
            "write where the answer has the user's name: user_pointer = \"/name\"",
        );
        needs(
            "login_url",
            "write where a browser signs in: login_url = \"https://builds.example.com/login?from={return_to}\"",
        );
        let url = section.parsed("url", parse_http);
        let cookies: Vec<String> = section.list("cookies");
        if section.has("cookies") && cookies.is_empty() {
            section.wrong(
                "cookies",
                "it names no cookie",
                "write the names of the application's session cookies",
            );
        }
        let user_pointer = section.parsed("user_pointer", parse_pointer);
        let display_pointer = section.parsed("display_pointer", parse_pointer);
        let reject = section.sections("reject", Reject::read);
        let login_url = section.parsed("login_url", parse_login_url);
        let timeout = section.or("timeout", Duration::from_secs(3));
        Some(Login::Probe(Box::new(Self {
            url: url?,
            cookies,
            user_pointer: user_pointer?,
            display_pointer,
            reject,
            login_url: login_url?,
            timeout,
        })))
    }
}

impl Reject {
    fn read(section: &Section<'_>) -> Option<Self> {
        const REMEDY: &str = "write { pointer = \"/anonymous\", equals = true }";
        for key in ["pointer", "equals"] {
            if !section.has(key) {
                section.missing(key, REMEDY);
            }
        }
        let pointer = section.parsed("pointer", parse_pointer);
        let equals = section.get("equals");
        Some(Self {
            pointer: pointer?,
            equals: equals?,
        })
    }
}

impl Oidc {
    fn read(section: &Section<'_>) -> Option<Login> {
        let issuer = section.required::<String>("issuer", "write the issuer: \"https://id.example.com\"");
        let client_id =
            section.required::<String>("client_id", "write the name that the provider knows linkgate by");
        let client_secret = secret(section, "client_secret");
        if !section.has("client_secret") && !section.has("client_secret_file") {
            section.missing(
                "client_secret_file",
                "write a file with the secret that the provider gave",
            );
        }
        let scopes = match section.has("scopes") {
            true => section.list("scopes"),
            false => vec!["profile".to_owned()],
        };
        let user_claim = section.or("user_claim", "preferred_username".to_owned());
        let display_claim = section.or("display_claim", "name".to_owned());
        Some(Login::Oidc(Box::new(Self {
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret?,
            scopes,
            user_claim,
            display_claim,
        })))
    }
}

fn parse_http(text: &str) -> Result<Uri, Wrong> {
    let url = text.parse::<Uri>().ok();
    let fits = |url: &Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.authority().is_some();
    url.filter(fits).ok_or_else(|| {
        let wrong = format!("{text:?} is not an http URL");
        Wrong::new(wrong, "write it whole: \"http://127.0.0.1:8080/api/me\"")
    })
}

fn parse_page(text: &str) -> Result<String, Wrong> {
    parse_http(&text.replace("{return_to}", "x")).map(|_| text.to_owned())
}

fn parse_login_url(text: &str) -> Result<String, Wrong> {
    if !text.contains("{return_to}") {
        return Err(Wrong::new(
            "it does not say where the way back goes",
            "put {return_to} where the application expects it: \"https://builds.example.com/login?from={return_to}\"",
        ));
    }
    parse_page(text)
}

fn parse_pointer(text: &str) -> Result<String, Wrong> {
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    let wrong = format!("{text:?} is not a JSON pointer");
    Err(Wrong::new(wrong, format!("begin with a slash: \"/{text}\"")))
}

const METHODS: [&str; 5] = ["file", "probe", "handoff", "oidc", "trusted-header"];
