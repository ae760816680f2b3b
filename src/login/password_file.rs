//! A password file: `[[users]]` with `name`, `display_name`, `password` (argon2id) and `sign_in`.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{ARGON2ID_IDENT, Argon2, Params};
use parking_lot::RwLock;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::blocking::{Busy, PASSWORDS};
use crate::model::{User, UserStatus};
use crate::oauth::{Secret, Timestamp};
use crate::setting::{existing_file, yes};

use super::{Check, Method, SignInError, WRONG, is_user_name, rejected, user};

/// `[login.file]`: a password file.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordFileConfig {
    #[serde(deserialize_with = "existing_file")]
    pub path: PathBuf,
}

/// The users of a password file, read once and again on [`PasswordFile::reload`].
pub struct PasswordFile {
    path: PathBuf,
    users: RwLock<Arc<Users>>,
}

type Users = HashMap<String, Account>;

/// Why a password file cannot be used: where, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {why}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PasswordFileError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from one.
    pub line: Option<usize>,
    /// A sentence for the administrator.
    pub why: String,
}

impl PasswordFile {
    /// Reads a password file, which must have users.
    ///
    /// # Errors
    ///
    /// It cannot be read, has a mistake, or has no users.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, PasswordFileError> {
        let path = path.into();
        let users = RwLock::new(Arc::new(read(&path)?));
        Ok(Self { path, users })
    }

    /// Reads the file again. After an error, the users stay as they were.
    pub fn reload(&self) -> Result<(), PasswordFileError> {
        let users = read(&self.path)?;
        *self.users.write() = Arc::new(users);
        Ok(())
    }

    /// Verifies a name and a password.
    ///
    /// The work is the same whether or not the name exists. It is limited, since anyone may ask for it: a long queue is an
    /// error, too.
    ///
    /// # Errors
    ///
    /// The name or the password is wrong, or the queue is too long.
    pub async fn verify(&self, name: &str, password: Secret, now: Timestamp) -> Result<User, SignInError> {
        let users = self.users.read().clone();
        let Some((account, hash)) = candidate(&users, name) else {
            return rejected(WRONG);
        };
        let verify = move || Argon2::default().verify_password(password.expose().as_bytes(), &hash);
        let matches = PASSWORDS.run(move || verify().is_ok()).await;
        let matches = matches
            .map_err(|Busy| SignInError::Unavailable("too many passwords are being verified".to_owned()))?;
        match account {
            Some(Account { display_name, .. }) if matches => {
                Ok(user(Method::File, name.to_owned(), display_name.clone(), now))
            }
            _ => rejected(WRONG),
        }
    }

    /// Returns whether the file has a name. One with `sign_in = false` exists, too: it is for two-legged calls.
    pub fn user_status(&self, subject: &str) -> UserStatus {
        let users = self.users.read().clone();
        let account = users.get(subject);
        account.map_or(UserStatus::NotFound, |account| UserStatus::Active {
            display_name: account.display_name.as_deref().unwrap_or(subject).to_owned(),
        })
    }

    /// Counts the users.
    pub fn diagnose(&self) -> Vec<Check> {
        let users = self.users.read().clone();
        let may_sign_in = users
            .values()
            .filter(|account| account.password.is_some())
            .count();
        let check = "read the password file";
        let seen = format!("{} users, of whom {may_sign_in} may sign in", users.len());
        let help = "add [[users]] with name and password; `linkgate user hash` makes the hash";
        vec![Check::new(check, seen, (may_sign_in == 0).then_some(help))]
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PasswordFile").field(&self.path).finish()
    }
}

/// The account that signs in with a name, and the hash to verify. An unknown name has the hash of another account, so that
/// the verification takes the same time. `None` if no account can sign in.
fn candidate<'a>(users: &'a Users, name: &str) -> Option<(Option<&'a Account>, PasswordHash)> {
    let account = users.get(name).filter(|account| account.password.is_some());
    let mut accounts = account.into_iter().chain(users.values());
    let hash = accounts.find_map(|account| account.password.clone())?;
    Some((account, hash))
}

fn read(path: &Path) -> Result<Users, PasswordFileError> {
    let fail = |line, why| PasswordFileError {
        path: path.to_owned(),
        line,
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let why = format!("cannot be read ({error}). Write it, or change login.file.path.");
        fail(None, why)
    })?;
    parse(&text).map_err(|(line, why)| fail(line, why))
}

/// Parses the text of a file. The error is the line of a mistake, and a sentence.
fn parse(text: &str) -> Result<Users, (Option<usize>, String)> {
    let line = |at: usize| 1 + text[..at].matches('\n').count();
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| line(span.start));
        (at, error.message().to_owned())
    })?;
    let mut users = Users::new();
    for mut account in file.users {
        let at = line(account.name.span().start);
        let fail = |why: &str| Err((Some(at), why.to_owned()));
        let name = account.name.get_ref().clone();
        if !is_user_name(&name) {
            return fail("a name has 1 to 255 characters, none of them a control character.");
        }
        if account.sign_in && account.password.is_none() {
            return fail(
                "this user has no password. Write one (`linkgate user hash` makes it), or sign_in = false.",
            );
        }
        if !account.sign_in {
            account.password = None;
        }
        if users.insert(name, account).is_some() {
            return fail("this name stands twice.");
        }
    }
    if users.is_empty() {
        let why = "has no users. Write one, or change login.file.path.";
        return Err((None, why.to_owned()));
    }
    Ok(users)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    name: Spanned<String>,
    display_name: Option<String>,
    /// `None`: this user cannot sign in.
    #[serde(default, deserialize_with = "hash")]
    password: Option<PasswordHash>,
    #[serde(default = "yes")]
    sign_in: bool,
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PasswordHash>, D::Error> {
    let hash = PasswordHash::new(&String::deserialize(deserializer)?).ok();
    let hash = hash.filter(|hash| {
        hash.algorithm == ARGON2ID_IDENT
            && hash.salt.is_some()
            && hash.hash.is_some()
            && Params::try_from(hash).is_ok_and(|params| params.m_cost() <= MAX_MEMORY_KIB)
    });
    let why = "password must be an argon2id hash ($argon2id$...) of at most 1 GiB. `linkgate user hash` reads a password \
               and prints one.";
    hash.map(Some).ok_or_else(|| D::Error::custom(why))
}

/// A hash that needs more memory is a typing mistake that would stop the machine.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_verified_against_another_hash() {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w$pQd53gk92cKU+g+NUjFDCNK2LP9ooRZpRVI0SVGdWwA";
        let users = parse(&format!("[[users]]\nname = \"a\"\npassword = \"{hash}\"\n")).unwrap();
        let (account, known) = candidate(&users, "a").unwrap();
        assert!(account.is_some());
        let (account, hash) = candidate(&users, "b").unwrap();
        assert!(account.is_none() && hash == known);
        assert!(candidate(&Users::new(), "a").is_none());
    }
}
