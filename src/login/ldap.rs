//! A directory (LDAP, RFC 4511): the user is searched for, and then bound as, with the password that was typed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions, ldap_escape};
use moka::future::Cache;
use tokio_rustls::rustls::ClientConfig;

use crate::model::{User, UserStatus};
use crate::oauth::{Secret, Timestamp};
use crate::tls::{Roots, RootsError, client_config};

use super::examine::Step;
use super::{LdapConfig, SignInError, is_name};

/// A directory, and where its users are.
pub struct Ldap {
    config: LdapConfig,
    tls: Option<Arc<ClientConfig>>,
    /// Who exists: a guarded call asks, and a directory is far away.
    known: Cache<String, UserStatus>,
}

/// One entry of the directory.
#[derive(Debug)]
struct Found {
    dn: String,
    subject: String,
    display_name: String,
}

/// What a search for a name brings.
#[derive(Debug)]
enum Search {
    Nobody,
    One(Found),
    Several,
    /// An entry without a usable `user_attribute`.
    Nameless(String),
}

impl Ldap {
    /// Takes the configuration. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, and the connection needs them.
    pub fn new(mut config: LdapConfig) -> Result<Self, RootsError> {
        let is_ldaps = config.is_ldaps();
        config.start_tls &= !is_ldaps;
        let is_secure = is_ldaps || config.start_tls;
        let roots = is_secure
            .then(|| Roots::or_system(config.ca_file.as_ref()))
            .transpose()?;
        Ok(Self {
            tls: roots.map(client_config),
            known: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build(),
            config,
        })
    }

    /// Decides on a name and a password.
    ///
    /// An empty password is refused before it is sent: a directory takes a bind with none for an anonymous one, and lets
    /// it succeed (RFC 4513, section 5.1.2).
    pub async fn verify(&self, name: &str, password: Secret, now: Timestamp) -> Result<User, SignInError> {
        if password.expose().is_empty() || !is_name(name) {
            return Err(SignInError::Wrong);
        }
        let unavailable = |error: LdapError| SignInError::Unavailable(format!("the directory: {error}"));
        let found = match self.within(self.search(name)).await.map_err(unavailable)? {
            Search::One(found) => found,
            Search::Nobody => return Err(SignInError::Wrong),
            Search::Several => {
                tracing::warn!(
                    "login.ldap.user_filter finds several entries for one name: nobody is signed in"
                );
                return Err(SignInError::Wrong);
            }
            Search::Nameless(dn) => {
                tracing::warn!(
                    dn,
                    "an entry has no usable login.ldap.user_attribute: nobody is signed in"
                );
                return Err(SignInError::Wrong);
            }
        };
        let bound = self.within(self.bind_as(&found.dn, &password)).await;
        if !bound.map_err(unavailable)? {
            return Err(SignInError::Wrong);
        }
        Ok(User {
            subject: found.subject,
            display_name: found.display_name,
            proved_by: "ldap".to_owned(),
            proved_at: now,
        })
    }

    /// Says whether the directory has a user of this name. An answer is kept for some seconds, silence is not.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        if !is_name(subject) {
            return UserStatus::NotFound;
        }
        if let Some(standing) = self.known.get(subject).await {
            return standing;
        }
        let standing = self.ask_user_status(subject).await;
        if standing != UserStatus::Unknown {
            self.known.insert(subject.to_owned(), standing.clone()).await;
        }
        standing
    }

    async fn ask_user_status(&self, subject: &str) -> UserStatus {
        match self.within(self.search(subject)).await {
            Ok(Search::One(found)) if found.subject == subject => UserStatus::Active {
                display_name: found.display_name,
            },
            Ok(Search::Several | Search::Nameless(_)) => UserStatus::Unknown,
            Ok(Search::One(_) | Search::Nobody) => UserStatus::NotFound,
            Err(error) => {
                tracing::warn!(%error, "the directory cannot say who is there");
                UserStatus::Unknown
            }
        }
    }

    /// The steps of a sign-in: connect and TLS, bind, search, count.
    pub async fn examine(&self, name: &str) -> Vec<Step> {
        let what = format!("connect to {}{}", self.config.url, self.security());
        let remedy = "look at login.ldap.url, start_tls and ca_file";
        let mut ldap = match self.within(self.connect()).await {
            Ok(ldap) => ldap,
            Err(error) => return vec![Step::failed(what, error.to_string(), remedy)],
        };
        let mut steps = vec![Step::ok(what, "connected")];
        let bind_dn = self.config.bind_dn.as_ref();
        let what = bind_dn.map_or_else(|| "bind as nobody".to_owned(), |dn| format!("bind as {dn}"));
        match self.within(self.bind_searcher(&mut ldap)).await {
            Ok(()) => steps.push(Step::ok(what, "taken")),
            Err(error) => {
                let remedy = "look at login.ldap.bind_dn and its password";
                steps.push(Step::failed(what, error.to_string(), remedy));
                return steps;
            }
        }
        let what = format!("search {} below {}", self.filter(name), self.config.base_dn);
        let step = match self.within(self.search_on(&mut ldap, name)).await {
            Ok(Search::One(found)) => Step::ok(
                what,
                format!(
                    "one entry, {}: {:?}, shown as {:?}",
                    found.dn, found.subject, found.display_name
                ),
            ),
            Ok(Search::Nobody) => Step::failed(
                what,
                "no entry",
                "is the name in the directory? Look at login.ldap.base_dn and user_filter, and at what bind_dn may read",
            ),
            Ok(Search::Several) => Step::failed(
                what,
                "several entries",
                "login.ldap.user_filter must find one entry for one name",
            ),
            Ok(Search::Nameless(dn)) => Step::failed(
                what,
                format!("{dn} has no usable {}", self.config.user_attribute),
                "look at login.ldap.user_attribute",
            ),
            Err(error) => Step::failed(
                what,
                error.to_string(),
                "look at login.ldap.base_dn and user_filter",
            ),
        };
        steps.push(step);
        steps
    }

    fn security(&self) -> &'static str {
        match (self.config.url.starts_with("ldaps:"), self.config.start_tls) {
            (true, _) => " over TLS",
            (false, true) => " with StartTLS",
            (false, false) => " in clear",
        }
    }

    async fn search(&self, name: &str) -> Result<Search, LdapError> {
        let mut ldap = self.connect().await?;
        self.bind_searcher(&mut ldap).await?;
        let found = self.search_on(&mut ldap, name).await?;
        let _ = ldap.unbind().await;
        Ok(found)
    }

    async fn search_on(&self, ldap: &mut ldap3::Ldap, name: &str) -> Result<Search, LdapError> {
        let config = &self.config;
        let attributes = [config.user_attribute.as_str(), &config.display_attribute];
        let answer = ldap
            .with_search_options(SearchOptions::new().sizelimit(2))
            .search(&config.base_dn, Scope::Subtree, &self.filter(name), attributes)
            .await?;
        if answer.1.rc == SIZE_LIMIT {
            return Ok(Search::Several);
        }
        let (entries, _) = answer.success()?;
        let mut entries = entries
            .into_iter()
            .filter(|entry| !entry.is_ref() && !entry.is_intermediate());
        Ok(match (entries.next(), entries.next()) {
            (None, _) => Search::Nobody,
            (Some(_), Some(_)) => Search::Several,
            (Some(entry), None) => self.found(SearchEntry::construct(entry)),
        })
    }

    fn found(&self, entry: SearchEntry) -> Search {
        let first = |attribute: &str| {
            let mut values = entry
                .attrs
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
            let value = values.next().and_then(|(_, values)| values.first());
            value.filter(|value| is_name(value)).cloned()
        };
        let Some(subject) = first(&self.config.user_attribute) else {
            return Search::Nameless(entry.dn);
        };
        let display_name = first(&self.config.display_attribute).unwrap_or_else(|| subject.clone());
        Search::One(Found {
            dn: entry.dn,
            subject,
            display_name,
        })
    }

    /// Whether the directory lets somebody bind with this password.
    async fn bind_as(&self, dn: &str, password: &Secret) -> Result<bool, LdapError> {
        // A bind without a name is an anonymous one, whatever its password.
        if dn.is_empty() {
            return Ok(false);
        }
        let mut ldap = self.connect().await?;
        let result = ldap.simple_bind(dn, password.expose()).await?;
        let _ = ldap.unbind().await;
        match result.rc {
            0 => Ok(true),
            INVALID_CREDENTIALS => Ok(false),
            // The account is locked, expired, or must change its password: the directory knows why, and says no.
            INAPPROPRIATE | CONSTRAINT | UNWILLING | INSUFFICIENT => {
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
        let mut settings = LdapConnSettings::new().set_starttls(self.config.start_tls);
        if let Some(tls) = &self.tls {
            settings = settings.set_config(Arc::clone(tls));
        }
        let (connection, ldap) = LdapConnAsync::with_settings(settings, &self.config.url).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a connection to the directory ended early");
            }
        });
        Ok(ldap)
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, LdapError>>) -> Result<T, LdapError> {
        tokio::time::timeout(self.config.timeout, work).await?
    }

    /// What was typed is a value in the filter and never a part of it (RFC 4515, section 3).
    fn filter(&self, name: &str) -> String {
        self.config.user_filter.replace("{name}", &ldap_escape(name))
    }
}

impl fmt::Debug for Ldap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ldap").field(&self.config).finish()
    }
}

/// How long an answer about who exists is good.
const KEPT: Duration = Duration::from_secs(10);

/// Result codes (RFC 4511, section 4.1.9).
const SIZE_LIMIT: u32 = 4;
const CONSTRAINT: u32 = 19;
const INAPPROPRIATE: u32 = 48;
const INVALID_CREDENTIALS: u32 = 49;
const INSUFFICIENT: u32 = 50;
const UNWILLING: u32 = 53;
