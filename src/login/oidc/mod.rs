//! An identity provider (OpenID Connect Core 1.0): the authorization code flow, always with PKCE S256 (RFC 7636).
//!
//! The `state` is the id of the [`LoginFlow`](super::LoginFlow), and `web` completes each flow once. Nothing is requested at start: linkgate
//! serves while the provider is down.

#[cfg(feature = "oidc")]
mod client;

use std::time::Duration;

use serde::Deserialize;

use crate::oauth::Secret;
use crate::setting::{FromFile, duration, seconds};
use crate::tls::Roots;

use super::HttpUrl;

#[cfg(feature = "oidc")]
pub use client::Oidc;

/// `[login.oidc]`: an identity provider, and linkgate as its client.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    pub issuer: HttpUrl,
    pub client_id: String,
    pub client_secret: Secret,
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    #[serde(default = "user_claim")]
    pub user_claim: String,
    #[serde(default = "display_claim")]
    pub display_claim: String,
    pub ca_file: Option<FromFile<Roots>>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<10>", deserialize_with = "duration")]
    pub timeout: Duration,
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

fn user_claim() -> String {
    "preferred_username".to_owned()
}

fn display_claim() -> String {
    "name".to_owned()
}
