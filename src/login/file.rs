//! A password file: `[[users]]` with `name`, `display_name`, `password` (argon2id) and `sign_in`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use tokio::sync::Semaphore;

use super::SignInError;
use super::users::Users;
use crate::model::{User, UserStatus};
use crate::oauth::{Secret, Timestamp};

/// The users of a password file, read once and again on [`FileLogin::reload`].
#[derive(Debug)]
pub struct FileLogin {
    path: PathBuf,
    users: RwLock<Arc<Users>>,
    hashing: Arc<Semaphore>,
}

/// Why a password file cannot be used: where, what, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {why}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct FileLoginError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from one.
    pub line: Option<usize>,
    /// A sentence for the administrator.
    pub why: String,
}

impl FileLogin {
    /// Reads a password file.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, FileLoginError> {
        let path = path.into();
        let users = read(&path)?;
        Ok(Self {
            path,
            users: RwLock::new(Arc::new(users)),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        })
    }

    /// Reads the file again. The error leaves the users as they were.
    pub fn reload(&self) -> Result<(), FileLoginError> {
        let users = read(&self.path)?;
        *self.users.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(users);
        Ok(())
    }

    /// Decides on a name and a password.
    ///
    /// The work is the same whether or not the name exists. It runs on a blocking thread, two at once: an argon2 hash
    /// takes 19 MiB and a good part of a core, and a stranger can ask for it.
    pub async fn verify(&self, name: &str, password: Secret, now: Timestamp) -> Result<User, SignInError> {
        let users = self.current();
        let Some((hash, user)) = users.candidate(name) else {
            return Err(SignInError::Wrong);
        };
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.hashing).acquire_owned())
            .await
            .map_err(|_| unavailable("too many passwords are being checked"))?
            .map_err(|_| unavailable("shutting down"))?;
        let matches = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Argon2::default()
                .verify_password(password.expose().as_bytes(), &hash)
                .is_ok()
        })
        .await
        .map_err(|_| unavailable("the check of a password broke off"))?;
        match user {
            Some(display_name) if matches => Ok(User {
                subject: name.to_owned(),
                display_name,
                proved_by: "file".to_owned(),
                proved_at: now,
            }),
            _ => Err(SignInError::Wrong),
        }
    }

    /// Says whether a name stands in the file. One with `sign_in = false` does: it is a name for two-legged calls.
    pub fn user_status(&self, subject: &str) -> UserStatus {
        self.current()
            .display_name(subject)
            .map_or(UserStatus::NotFound, |display_name| UserStatus::Active {
                display_name: display_name.to_owned(),
            })
    }

    /// How many names there are, and how many of them may sign in.
    pub fn count(&self) -> (usize, usize) {
        self.current().count()
    }

    fn current(&self) -> Arc<Users> {
        Arc::clone(&self.users.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn unavailable(why: &str) -> SignInError {
    SignInError::Unavailable(why.to_owned())
}

fn read(path: &Path) -> Result<Users, FileLoginError> {
    let fail = |line, why| FileLoginError {
        path: path.to_owned(),
        line,
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        fail(
            None,
            format!("cannot be read ({error}). Write it, or change login.file.path."),
        )
    })?;
    let users = Users::parse(&text).map_err(|(at, why)| fail(at.map(|at| line_of(&text, at)), why))?;
    if users.count().0 == 0 {
        return Err(fail(
            None,
            "has no users. Write one, or change login.file.path.".to_owned(),
        ));
    }
    Ok(users)
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// An argon2 hash is wanted to be heavy: this many run at once, the others wait in line.
const HASHES_AT_ONCE: usize = 2;

/// How long to wait in that line.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = r#"
[[users]]
name = "alice"
display_name = "Alice Example"
password = "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w$pQd53gk92cKU+g+NUjFDCNK2LP9ooRZpRVI0SVGdWwA"

[[users]]
name = "svc-bitbucket"
sign_in = false
"#;

    fn written(text: &str) -> (tempfile::TempDir, FileLogin) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, text).unwrap();
        (folder, FileLogin::read(path).unwrap())
    }

    #[tokio::test]
    async fn only_the_right_name_and_password_make_a_user() {
        let (_folder, login) = written(USERS);
        let now = Timestamp::from_seconds(7);
        let verify =
            |name: &'static str, password: &'static str| login.verify(name, Secret::new(password), now);

        let alice = verify("alice", "alice-password").await.unwrap();
        assert_eq!(
            (alice.subject.as_str(), alice.display_name.as_str()),
            ("alice", "Alice Example")
        );
        assert_eq!((alice.proved_by.as_str(), alice.proved_at), ("file", now));
        for (name, password) in [
            ("alice", "alice-passwor"),
            ("alice", ""),
            ("Alice", "alice-password"),
            ("nobody", "alice-password"),
            ("svc-bitbucket", "alice-password"),
        ] {
            assert_eq!(
                verify(name, password).await,
                Err(SignInError::Wrong),
                "{name} {password}"
            );
        }
    }

    #[test]
    fn a_name_for_two_legged_calls_is_known_and_a_missing_one_is_gone() {
        let (_folder, login) = written(USERS);
        let known = |name: &str| UserStatus::Active {
            display_name: name.to_owned(),
        };
        assert_eq!(login.user_status("alice"), known("Alice Example"));
        assert_eq!(login.user_status("svc-bitbucket"), known("svc-bitbucket"));
        assert_eq!(login.user_status("nobody"), UserStatus::NotFound);
    }

    #[test]
    fn a_bad_file_leaves_the_users_as_they_were() {
        let (folder, login) = written(USERS);
        std::fs::write(folder.path().join("users.toml"), "[[users]]\nnam = 1").unwrap();
        assert_eq!(login.reload().unwrap_err().line, Some(2));
        assert_ne!(login.user_status("alice"), UserStatus::NotFound);
        // A file that is being written may be empty for a moment; every token of every user would be dropped.
        std::fs::write(folder.path().join("users.toml"), "").unwrap();
        let error = login.reload().unwrap_err().to_string();
        assert!(error.contains("has no users"), "{error}");
        assert_ne!(login.user_status("alice"), UserStatus::NotFound);
        std::fs::write(
            folder.path().join("users.toml"),
            "[[users]]\nname = \"bob\"\nsign_in = false\n",
        )
        .unwrap();
        login.reload().unwrap();
        assert_eq!(login.user_status("alice"), UserStatus::NotFound);
    }

    #[test]
    fn a_missing_file_is_named_with_the_remedy() {
        let error = FileLogin::read("nowhere/users.toml").unwrap_err().to_string();
        assert!(
            error.starts_with("nowhere/users.toml: cannot be read ("),
            "{error}"
        );
    }
}
