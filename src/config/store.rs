//! `[store]`: the database.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::oauth::Secret;

use super::remark::Wrong;
use super::secret::secret;
use super::section::Section;

/// The database.
#[derive(Clone)]
pub struct Store {
    /// `sqlite:///absolute/path` or `postgres://...`, without a password.
    pub url: String,
    /// The password for PostgreSQL.
    pub password: Option<Secret>,
    /// How many connections are kept at most.
    pub max_connections: u32,
    /// The file of an SQLite database; `None` for PostgreSQL, and in memory.
    pub sqlite_file: Option<PathBuf>,
}

impl Store {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let url = if section.has("url") {
            section.parsed("url", Url::parse)
        } else {
            Some(Url::Sqlite("linkgate.db".to_owned()))
        };
        let given = secret(section, "password");
        let max_connections = section.or("max_connections", 16);
        let mut store = Self {
            url: String::new(),
            password: None,
            max_connections,
            sqlite_file: None,
        };
        match url? {
            Url::Sqlite(path) => store.take_sqlite(&path, section.directory()),
            Url::Postgres { url, password } => {
                if given.is_some() && password.is_some() {
                    let wrong = "the URL has a password, and password or password_file has one too";
                    section.wrong("url", wrong, "keep one; a file is best");
                }
                store.url = url;
                store.password = given.clone().or(password);
            }
        }
        if given.is_some() && !store.is_postgres() {
            section.wrong("password", "SQLite has no password", "leave it out");
        }
        Some(store)
    }

    /// Whether this is PostgreSQL, which several replicas share.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    fn take_sqlite(&mut self, path: &str, directory: &Path) {
        let (file, options) = path.split_once('?').unwrap_or((path, ""));
        if file == ":memory:" || options.split('&').any(|option| option == "mode=memory") {
            self.url = format!("sqlite://{path}");
            return;
        }
        let file = directory.join(percent_decoded(file));
        let question = if options.is_empty() { "" } else { "?" };
        let encoded = file.display().to_string().replace('%', "%25").replace('?', "%3F");
        self.url = format!("sqlite://{encoded}{question}{options}");
        self.sqlite_file = Some(file);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("url", &self.url.split('?').next())
            .field("password", &self.password)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// What a database URL says.
enum Url {
    /// The path, and options after a question mark.
    Sqlite(String),
    /// The URL without its password, and the password.
    Postgres { url: String, password: Option<Secret> },
}

impl Url {
    fn parse(text: &str) -> Result<Self, Wrong> {
        let after = |scheme| text.strip_prefix(scheme);
        if let Some(path) = after("sqlite://").or_else(|| after("sqlite:")) {
            return match path.split('?').next() {
                Some("") if !path.contains("mode=memory") => Err(Wrong::new("the path is missing", REMEDY)),
                _ => Ok(Self::Sqlite(path.to_owned())),
            };
        }
        match after("postgres://").or_else(|| after("postgresql://")) {
            Some(rest) => Ok(Self::postgres(rest)),
            // The text may hold a password: it is not repeated.
            None => Err(Wrong::new(
                "this is not the URL of a database that linkgate knows",
                REMEDY,
            )),
        }
    }

    fn postgres(rest: &str) -> Self {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let split = authority.rsplit_once('@').and_then(|(user, host)| {
            let (user, password) = user.split_once(':')?;
            Some((user, password, host))
        });
        match split {
            Some((user, password, host)) => Self::Postgres {
                url: format!("postgres://{user}@{host}{tail}"),
                password: Some(Secret::new(percent_decoded(password))),
            },
            None => Self::Postgres {
                url: format!("postgres://{rest}"),
                password: None,
            },
        }
    }
}

/// Decodes `%XX`, and leaves alone what is no escape.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

const REMEDY: &str = "write \"sqlite://linkgate.db\" or \"postgres://user@host/database\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_leaves_the_url() {
        let Ok(Url::Postgres { url, password }) =
            Url::parse("postgresql://gate:p%40ss:w@db:5433/linkgate?sslmode=require")
        else {
            panic!("it is a PostgreSQL URL");
        };
        assert_eq!(url, "postgres://gate@db:5433/linkgate?sslmode=require");
        assert_eq!(password.unwrap().expose(), "p@ss:w");
    }

    #[test]
    fn refuses_other_databases_without_repeating_them() {
        let Err(wrong) = Url::parse("mysql://gate:hunter2@db/linkgate") else {
            panic!("nobody speaks MySQL here");
        };
        assert!(!wrong.wrong.contains("hunter2"));
    }
}
