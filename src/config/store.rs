//! `[store]` and `[keys]`: the database, and the secret key, which is kept outside of it.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::oauth::Secret;
use crate::setting::{duration, seconds};

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct StoreConfig {
    #[cfg_attr(test, schemars(with = "String"))]
    url: DatabaseUrl,
    pub password: Option<Secret>,
    pub max_connections: NonZeroU32,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// The file of an SQLite database; `None` for PostgreSQL, and in memory.
    #[serde(skip)]
    pub sqlite_file: Option<PathBuf>,
}

/// The secret key.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct KeyConfig {
    pub secret_key_file: PathBuf,
}

/// The URL of a database without the password, and the password.
#[derive(Clone)]
struct DatabaseUrl {
    url: String,
    password: Option<Secret>,
}

impl StoreConfig {
    /// `sqlite:///absolute/path` or `postgres://...`, without a password.
    pub fn url(&self) -> &str {
        &self.url.url
    }

    /// Whether this is PostgreSQL, which several replicas share. All of them need the same secret key.
    pub fn is_postgres(&self) -> bool {
        self.url.url.starts_with("postgres")
    }

    /// Whether the URL contains a password.
    pub(super) fn has_password_in_url(&self) -> bool {
        self.url.password.is_some()
    }

    /// Makes the path of an SQLite database absolute, and takes the password out of the URL.
    pub(super) fn resolve(&mut self, directory: &Path) {
        if self.password.is_none() {
            self.password.clone_from(&self.url.password);
        }
        let Some(path) = self.url.url.strip_prefix("sqlite://") else {
            return;
        };
        let (file, options) = path.split_once('?').unwrap_or((path, ""));
        if file == ":memory:" || options.split('&').any(|option| option == "mode=memory") {
            return;
        }
        let file = directory.join(&*percent_decode_str(file).decode_utf8_lossy());
        let question = if options.is_empty() { "" } else { "?" };
        self.url.url = format!("{}{question}{options}", sqlite_url(&file));
        self.sqlite_file = Some(file);
    }
}

/// The URL of an SQLite database.
pub(crate) fn sqlite_url(file: &Path) -> String {
    let encoded = file.display().to_string().replace('%', "%25").replace('?', "%3F");
    format!("sqlite://{encoded}")
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: DatabaseUrl {
                url: "sqlite://linkgate.db".to_owned(),
                password: None,
            },
            password: None,
            max_connections: SIXTEEN,
            timeout: seconds::<5>(),
            sqlite_file: None,
        }
    }
}

/// The options may contain secrets.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.split('?').next().unwrap_or_default())
    }
}

/// The text may contain a password, and no message repeats it.
impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl DatabaseUrl {
    fn parse(text: &str) -> Result<Self, String> {
        const REMEDY: &str = "write \"sqlite://linkgate.db\" or \"postgres://user@host/database\"";
        let after = |schemes: [&str; 2]| schemes.into_iter().find_map(|scheme| text.strip_prefix(scheme));
        if let Some(path) = after(["sqlite://", "sqlite:"]) {
            if path.split('?').next() == Some("") && !path.contains("mode=memory") {
                return Err(format!("the path is missing\n{REMEDY}"));
            }
            let url = format!("sqlite://{path}");
            return Ok(Self { url, password: None });
        }
        let rest = after(["postgres://", "postgresql://"])
            .ok_or_else(|| format!("this is not the URL of a database that linkgate knows\n{REMEDY}"))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if tail.contains('@') {
            let wrong = "the user name or the password has a character that ends it: /, ? or #\n\
                         percent-encode it, or write the password into a file, and its path as password_file";
            return Err(wrong.to_owned());
        }
        let split = authority.rsplit_once('@').and_then(|(user, host)| {
            let (name, password) = user.split_once(':')?;
            Some((name, password, host))
        });
        Ok(match split {
            Some((name, password, host)) => Self {
                url: format!("postgres://{name}@{host}{tail}"),
                password: Some(Secret::new(&*percent_decode_str(password).decode_utf8_lossy())),
            },
            None => Self {
                url: format!("postgres://{rest}"),
                password: None,
            },
        })
    }
}

const SIXTEEN: NonZeroU32 = NonZeroU32::new(16).expect("it is not zero");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_leaves_the_url() {
        let text = "postgresql://gate:p%40ss:w@db:5433/linkgate?sslmode=require";
        let Ok(DatabaseUrl { url, password }) = DatabaseUrl::parse(text) else {
            panic!("it is a PostgreSQL URL");
        };
        assert_eq!(url, "postgres://gate@db:5433/linkgate?sslmode=require");
        assert_eq!(password.unwrap().expose(), "p@ss:w");
    }
}
