//! A directory (LDAP, RFC 4511): the user is searched for, and then bound as, with the password that was entered.

use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Deserializer};
#[cfg(feature = "ldap")]
use {
    super::{Check, Method, SignInError, StatusCache, WRONG, is_user_name, rejected, user},
    crate::model::{User, UserStatus},
    crate::oauth::Timestamp,
    crate::tls::{RootsError, client_config},
    ldap3::{LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions, ldap_escape},
    std::sync::Arc,
    tokio_rustls::rustls::ClientConfig,
};

use crate::oauth::Secret;
use crate::setting::{self, FromFile, duration, seconds, yes};
use crate::tls::Roots;

/// `[login.ldap]`: a directory, and where its users are.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    #[serde(deserialize_with = "directory_url")]
    pub url: String,
    #[serde(default = "yes")]
    pub start_tls: bool,
    pub ca_file: Option<FromFile<Roots>>,
    pub bind_dn: Option<String>,
    pub bind_password: Option<Secret>,
    pub base_dn: String,
    #[serde(default, deserialize_with = "user_filter")]
    pub user_filter: String,
    #[serde(default = "uid")]
    pub user_attribute: String,
    #[serde(default = "cn")]
    pub display_attribute: String,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<5>", deserialize_with = "duration")]
    pub timeout: Duration,
}

impl LdapConfig {
    /// Whether passwords are sent over TLS.
    pub fn is_secure(&self) -> bool {
        self.url.starts_with("ldaps:") || self.start_tls
    }

    /// Without a filter, `user_attribute` is compared.
    pub fn fill_in(&mut self) {
        if self.user_filter.is_empty() {
            self.user_filter = format!("({}={{name}})", self.user_attribute);
        }
    }
}

fn uid() -> String {
    "uid".to_owned()
}

fn cn() -> String {
    "cn".to_owned()
}

fn directory_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        let fits = text.parse::<Uri>().is_ok_and(|url| {
            matches!(url.scheme_str(), Some("ldap" | "ldaps"))
                && url.host().is_some_and(|host| !host.is_empty())
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && !text.contains('@')
        });
        fits.then(|| text.trim_end_matches('/').to_owned())
            .ok_or("write scheme and host, and a port if it is another one: \"ldaps://ldap.example.com\"")
    })
}

fn user_filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        let fits = text.starts_with('(') && text.ends_with(')') && text.contains("{name}");
        fits.then(|| text.to_owned()).ok_or(
            "write a filter in parentheses, with {name} for what was typed: \"(&(objectClass=person)(uid={name}))\"",
        )
    })
}

/// Searches and binds in a directory.
#[cfg(feature = "ldap")]
#[derive(Debug)]
pub struct Ldap {
    config: LdapConfig,
    tls: Option<Arc<ClientConfig>>,
    cache: StatusCache,
}

/// The entry of a user.
#[cfg(feature = "ldap")]
struct Entry {
    dn: String,
    subject: String,
    display_name: String,
}

/// Why a search does not find the entry of one user.
#[cfg(feature = "ldap")]
#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error("no entry")]
    NotFound,
    #[error("several entries")]
    Several,
    #[error("{0} has no usable user_attribute")]
    Nameless(String),
    #[error(transparent)]
    Directory(#[from] LdapError),
}

#[cfg(feature = "ldap")]
impl Ldap {
    /// Takes the configuration. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, and the connection needs them.
    pub fn new(config: LdapConfig) -> Result<Self, RootsError> {
        let roots = config
            .is_secure()
            .then(|| Roots::or_system(config.ca_file.as_ref()));
        Ok(Self {
            tls: roots.transpose()?.map(client_config),
            cache: StatusCache::new(),
            config,
        })
    }

    /// Verifies a name and a password.
    ///
    /// # Errors
    ///
    /// The name or the password is wrong, or the directory did not answer.
    pub async fn verify(&self, name: &str, password: Secret, now: Timestamp) -> Result<User, SignInError> {
        // A directory takes a bind with an empty password for an anonymous one, and lets it succeed (RFC 4513, section 5.1.2).
        if password.expose().is_empty() || !is_user_name(name) {
            return rejected(WRONG);
        }
        let unavailable = |error: LdapError| SignInError::Unavailable(format!("the directory: {error}"));
        let entry = match self.within(self.search(name)).await {
            Ok(entry) => entry,
            Err(SearchError::Directory(error)) => return Err(unavailable(error)),
            Err(SearchError::NotFound) => return rejected(WRONG),
            Err(error @ (SearchError::Several | SearchError::Nameless(_))) => {
                tracing::warn!("login.ldap cannot sign a user in: the search for the name found {error}");
                return rejected(WRONG);
            }
        };
        let is_bound = self.within(self.bind_as(&entry.dn, &password)).await;
        if !is_bound.map_err(unavailable)? {
            return rejected(WRONG);
        }
        Ok(user(Method::Ldap, entry.subject, Some(entry.display_name), now))
    }

    /// Returns whether the directory has a user of exactly this name.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        if !is_user_name(subject) {
            return UserStatus::NotFound;
        }
        let search = async {
            match self.within(self.search(subject)).await {
                Ok(entry) if entry.subject == subject => Ok(UserStatus::Active {
                    display_name: entry.display_name,
                }),
                Ok(_) | Err(SearchError::NotFound) => Ok(UserStatus::NotFound),
                Err(error) => Err(format!("the directory: {error}")),
            }
        };
        self.cache.get(subject, Box::pin(search)).await
    }

    /// Connects, binds as the searcher, and searches for a name.
    pub async fn diagnose(&self, name: &str) -> Vec<Check> {
        let config = &self.config;
        let security = match (config.url.starts_with("ldaps:"), config.start_tls) {
            (true, _) => " over TLS",
            (false, true) => " with StartTLS",
            (false, false) => " in clear",
        };
        let check = format!("connect to {}{security}", config.url);
        let mut ldap = match self.within(self.connect()).await {
            Ok(ldap) => ldap,
            Err(error) => {
                let help = "look at login.ldap.url, start_tls and ca_file";
                return vec![Check::new(check, error.to_string(), Some(help))];
            }
        };
        let mut checks = vec![Check::ok(check, "connected")];
        let searcher = config.bind_dn.as_deref();
        let check = searcher.map_or_else(|| "bind anonymously".to_owned(), |dn| format!("bind as {dn}"));
        if let Err(error) = self.within(self.bind_searcher(&mut ldap)).await {
            let help = "look at login.ldap.bind_dn and its password";
            checks.push(Check::new(check, error.to_string(), Some(help)));
            return checks;
        }
        checks.push(Check::ok(check, "accepted"));
        let check = format!("search {} below {}", self.filter(name), config.base_dn);
        let (seen, help) = match self.within(self.search_on(&mut ldap, name)).await {
            Ok(Entry {
                dn,
                subject,
                display_name,
            }) => (
                format!("one entry, {dn}: {subject:?}, shown as {display_name:?}"),
                None,
            ),
            Err(error) => (
                error.to_string(),
                Some(match error {
                    SearchError::NotFound => {
                        "is the name in the directory? Look at login.ldap.base_dn and user_filter, and at what bind_dn may read"
                    }
                    SearchError::Several => "login.ldap.user_filter must find one entry for one name",
                    SearchError::Nameless(_) => "look at login.ldap.user_attribute",
                    SearchError::Directory(_) => "look at login.ldap.base_dn and user_filter",
                }),
            ),
        };
        checks.push(Check::new(check, seen, help));
        checks
    }

    async fn search(&self, name: &str) -> Result<Entry, SearchError> {
        let mut ldap = self.connect().await?;
        self.bind_searcher(&mut ldap).await?;
        let entry = self.search_on(&mut ldap, name).await;
        let _ = ldap.unbind().await;
        entry
    }

    async fn search_on(&self, ldap: &mut ldap3::Ldap, name: &str) -> Result<Entry, SearchError> {
        let config = &self.config;
        let attributes = [config.user_attribute.as_str(), &config.display_attribute];
        let result = ldap
            .with_search_options(SearchOptions::new().sizelimit(2))
            .search(&config.base_dn, Scope::Subtree, &self.filter(name), attributes)
            .await?;
        // sizeLimitExceeded (RFC 4511, section 4.1.9)
        if result.1.rc == 4 {
            return Err(SearchError::Several);
        }
        let (entries, _) = result.success()?;
        let mut entries = entries
            .into_iter()
            .filter(|entry| !entry.is_ref() && !entry.is_intermediate());
        match (entries.next(), entries.next()) {
            (None, _) => Err(SearchError::NotFound),
            (Some(_), Some(_)) => Err(SearchError::Several),
            (Some(entry), None) => self.entry(SearchEntry::construct(entry)),
        }
    }

    fn entry(&self, entry: SearchEntry) -> Result<Entry, SearchError> {
        let first = |attribute: &str| {
            let mut values = entry
                .attrs
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
            let value = values.next().and_then(|(_, values)| values.first());
            value.filter(|value| is_user_name(value)).cloned()
        };
        let Some(subject) = first(&self.config.user_attribute) else {
            return Err(SearchError::Nameless(entry.dn));
        };
        Ok(Entry {
            display_name: first(&self.config.display_attribute).unwrap_or_else(|| subject.clone()),
            subject,
            dn: entry.dn,
        })
    }

    /// Whether the directory accepts a password.
    async fn bind_as(&self, dn: &str, password: &Secret) -> Result<bool, LdapError> {
        // A bind without a name is an anonymous one, with any password.
        if dn.is_empty() {
            return Ok(false);
        }
        let mut ldap = self.connect().await?;
        let result = ldap.simple_bind(dn, password.expose()).await?;
        let _ = ldap.unbind().await;
        // Result codes (RFC 4511, section 4.1.9).
        match result.rc {
            0 => Ok(true),
            // invalidCredentials
            49 => Ok(false),
            // constraintViolation, inappropriateAuthentication, insufficientAccessRights, unwillingToPerform: the account is
            // locked, expired, or must change its password.
            19 | 48 | 50 | 53 => {
                tracing::info!(rc = result.rc, "the directory does not let this user bind");
                Ok(false)
            }
            _ => result.success().map(|_| true),
        }
    }

    async fn bind_searcher(&self, ldap: &mut ldap3::Ldap) -> Result<(), LdapError> {
        if let (Some(dn), Some(password)) = (&self.config.bind_dn, &self.config.bind_password) {
            ldap.simple_bind(dn, password.expose()).await?.success()?;
        }
        Ok(())
    }

    async fn connect(&self) -> Result<ldap3::Ldap, LdapError> {
        let config = &self.config;
        let start_tls = config.start_tls && !config.url.starts_with("ldaps:");
        let mut settings = LdapConnSettings::new().set_starttls(start_tls);
        if let Some(tls) = &self.tls {
            settings = settings.set_config(Arc::clone(tls));
        }
        let (connection, ldap) = LdapConnAsync::with_settings(settings, &config.url).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a connection to the directory ended early");
            }
        });
        Ok(ldap)
    }

    async fn within<T, E: From<LdapError>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let result = tokio::time::timeout(self.config.timeout, work).await;
        result.map_err(LdapError::from)?
    }

    /// The filter for a name, which is always a value in it (RFC 4515, section 3).
    fn filter(&self, name: &str) -> String {
        self.config.user_filter.replace("{name}", &ldap_escape(name))
    }
}
