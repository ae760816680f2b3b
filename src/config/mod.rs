//! The configuration: a TOML file, environment variables over it, and one validated value.
//!
//! 1. `source`: parses the file, applies the environment (`variables`), reads the files of secrets, and deserializes; what
//!    does not fit is reported, left out, and the rest is tried again, so that one run names every mistake;
//! 2. the sections: each is the struct of the module that uses it; those without such a module are in `server`,
//!    `applinks` and `consumers`; `values` has the grammar of the values of [`oauth`](crate::oauth);
//! 3. `check`: the rules between values, and the warnings;
//! 4. `problem`: what is wrong, where, and what to write instead; `reference` finds the line of `config/linkgate.toml`.

#![expect(missing_docs, reason = "config/linkgate.toml says what each key means")]

mod applinks;
mod check;
mod consumers;
mod key;
mod problem;
mod reference;
mod server;
mod source;
mod values;
mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;

use crate::branding::Branding;
use crate::gateway::{IdentityConfig, Route, UpstreamConfig};
use crate::links::LinkConfig;
use crate::login::LoginConfig;
use crate::model::Consumer;
use crate::oauth::{ConsumerKey, Timestamp};
use crate::provider::{ImpersonationConfig, TokenConfig};
use crate::store::StoreConfig;
use crate::telemetry::LogConfig;

pub use self::applinks::{AppLinksConfig, ListenAt};
pub use self::consumers::{ConsumerConfig, PublicKeyConfig};
pub use self::problem::{ConfigError, ConfigProblem, Location};
pub use self::server::{AdminConfig, KeyConfig, ServerConfig};
#[cfg(feature = "cli")]
pub(crate) use self::values::{parse_consumer_key, parse_public_key};

use self::source::ConfigSource;

/// The validated configuration, with the defaults filled in.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: ServerConfig,
    pub upstream: UpstreamConfig,
    #[serde(default)]
    pub store: StoreConfig,
    #[serde(default)]
    pub keys: KeyConfig,
    pub login: LoginConfig,
    #[serde(default, rename = "consumers")]
    consumer_configs: Vec<ConsumerConfig>,
    /// The consumers.
    #[serde(skip)]
    pub consumers: Vec<Consumer>,
    /// The files of the consumers' shared secrets, as they are written.
    #[serde(skip)]
    pub secret_files: BTreeMap<ConsumerKey, String>,
    #[serde(default)]
    pub impersonation: ImpersonationConfig,
    #[serde(default)]
    pub identity: IdentityConfig,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub tokens: TokenConfig,
    #[serde(default)]
    pub branding: Branding,
    #[serde(default)]
    pub admin: AdminConfig,
    #[serde(default)]
    pub log: LogConfig,
    #[serde(default)]
    pub applinks: AppLinksConfig,
    #[serde(default)]
    pub links: Vec<LinkConfig>,
    /// What works and may yet be a mistake.
    #[serde(skip)]
    pub warnings: Vec<ConfigProblem>,
}

impl Config {
    /// Reads a file and the files that it names, with environment variables over it. `now` decides which certificates have
    /// expired. The error names everything that is wrong.
    pub fn load(
        file: &Path,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        let mut source = ConfigSource::read(file, variables)?;
        let config: Option<Self> = source.deserialize();
        let (directory, mut report) = (source.directory, source.report);
        let Some(mut config) = config.filter(|_| report.problems.is_empty()) else {
            return Err(report.into_error());
        };
        config.fill_in(&directory);
        check::check(&mut config, &mut report, now);
        if !report.problems.is_empty() {
            return Err(report.into_error());
        }
        config.warnings = report.warnings;
        Ok(config)
    }

    /// Whether every public URL is `https`.
    pub fn is_https_only(&self) -> bool {
        let mut urls = std::iter::once(&self.server.public_url).chain(&self.server.public_urls);
        urls.all(crate::oauth::PublicUrl::is_secure)
    }

    /// Fills in the defaults that depend on other values.
    fn fill_in(&mut self, directory: &Path) {
        let host = self.server.public_url.host();
        let database = self.store.sqlite_file().map(|file| directory.join(file));
        if let Some(file) = &database {
            self.store.set_sqlite_file(file);
        }
        if self.keys.secret_key_file.as_os_str().is_empty() {
            let beside = database.as_deref().and_then(Path::parent).unwrap_or(directory);
            self.keys.secret_key_file = beside.join("linkgate.key");
        }
        let upstream_name = self.upstream.name.as_deref();
        if self.branding.name.is_empty() {
            upstream_name.unwrap_or(host).clone_into(&mut self.branding.name);
        }
        if self.identity.assertion_audience.is_empty() {
            let public_url = self.server.public_url.as_str();
            public_url.clone_into(&mut self.identity.assertion_audience);
        }
        if let Some(ldap) = &mut self.login.ldap {
            ldap.fill_in();
        }
        self.applinks.fill_in(host, directory);
        self.tokens.session_lifetime = Some(self.tokens.session_lifetime());
        for link in &mut self.links {
            if link.title.is_empty() {
                link.title.clone_from(&link.name);
            }
        }
    }
}

#[cfg(test)]
mod tests;
