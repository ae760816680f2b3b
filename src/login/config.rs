//! `[login]`: the method, sessions, and a table for each method.

use std::num::NonZeroU32;

use serde::Deserialize;

use crate::setting::whole_seconds;

use super::{Handoff, LdapConfig, OidcConfig, PasswordFileConfig, ProbeConfig, TrustedHeader};

/// `[login]`: how users are authenticated. One method, with a table of its own; the other tables are validated, too.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    pub method: Method,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<43_200>", deserialize_with = "whole_seconds")]
    pub session_idle: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<604_800>", deserialize_with = "whole_seconds")]
    pub session_lifetime: i64,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "whole::<43_200>", deserialize_with = "whole_seconds")]
    pub recheck_after: i64,
    #[serde(default = "times::<10>")]
    pub attempts_per_account: NonZeroU32,
    #[serde(default = "times::<30>")]
    pub attempts_per_address: NonZeroU32,
    pub file: Option<PasswordFileConfig>,
    pub ldap: Option<LdapConfig>,
    pub probe: Option<ProbeConfig>,
    pub handoff: Option<Handoff>,
    pub oidc: Option<OidcConfig>,
    #[serde(default, rename = "trusted-header", alias = "trusted_header")]
    pub trusted_header: TrustedHeader,
}

/// A login method.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    File,
    Ldap,
    Probe,
    Handoff,
    Oidc,
    TrustedHeader,
}

impl Method {
    /// The name, in the configuration and beside every user whom it authenticated.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl LoginConfig {
    /// What decides which users exist; `None` if nothing does.
    pub fn user_directory(&self) -> Option<&'static str> {
        match self.method {
            Method::File => Some("the password file"),
            Method::Ldap => Some("the directory"),
            Method::Probe => {
                let url = &self.probe.as_ref()?.user_lookup_url;
                url.as_ref().map(|_| "login.probe.user_lookup_url")
            }
            _ => None,
        }
    }
}

const fn whole<const SECONDS: i64>() -> i64 {
    SECONDS
}

const fn times<const N: u32>() -> NonZeroU32 {
    NonZeroU32::new(N).expect("it is not zero")
}
