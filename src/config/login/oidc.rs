//! `[login.oidc]`: an identity provider is asked.

use std::time::Duration;

use crate::config::secret::required_secret;
use crate::config::section::Section;
use crate::oauth::Secret;
use crate::tls::Roots;

use super::{Login, ca_file, parse_http};

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
    /// Whom to believe; `None`: whom the operating system does.
    pub roots: Option<Roots>,
    /// How long each of its answers may take.
    pub timeout: Duration,
}

impl Oidc {
    pub(super) fn read(section: &Section<'_>) -> Option<Login> {
        section.needs(
            "issuer",
            "write the provider's issuer: issuer = \"https://id.example.com\"",
        );
        section.needs("client_id", "write the name that the provider knows linkgate by");
        let issuer = section.parsed("issuer", |text| parse_http(text).map(|_| text.to_owned()));
        let client_id = section.get("client_id");
        let client_secret = required_secret(
            section,
            "client_secret",
            "write a file with the secret that the provider gave",
        );
        let scopes = if section.has("scopes") {
            section.list("scopes")
        } else {
            vec!["profile".to_owned()]
        };
        let user_claim = section.or("user_claim", "preferred_username".to_owned());
        let display_claim = section.or("display_claim", "name".to_owned());
        let roots = ca_file(section);
        let timeout = section.or("timeout", Duration::from_secs(10));
        Some(Login::Oidc(Box::new(Self {
            issuer: issuer?,
            client_id: client_id?,
            client_secret: client_secret?,
            scopes,
            user_claim,
            display_claim,
            roots,
            timeout,
        })))
    }
}
