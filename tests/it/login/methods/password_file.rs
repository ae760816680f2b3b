//! A password file.

use std::fs;

use crate::support::Text as _;
use linkgate::login::{PasswordFile, PasswordFileError, SignInError};
use linkgate::model::UserStatus;
use linkgate::oauth::{Secret, Timestamp};
use tempfile::TempDir;

const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w$pQd53gk92cKU+g+NUjFDCNK2LP9ooRZpRVI0SVGdWwA";
const ALICE: &str = "[[users]]\nname = \"alice\"\ndisplay_name = \"Alice Example\"\npassword = \"{hash}\"\n";
const SERVICE: &str = "[[users]]\nname = \"svc\"\nsign_in = false\n";

fn read(text: &str) -> (TempDir, Result<PasswordFile, PasswordFileError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    fs::write(&path, text.replace("{hash}", HASH)).unwrap();
    (folder, PasswordFile::read(path))
}

fn active(display_name: &str) -> UserStatus {
    let display_name = display_name.to_owned();
    UserStatus::Active { display_name }
}

#[tokio::test]
async fn only_the_right_name_and_password_make_a_user() {
    let (_folder, users) = read(&format!("{ALICE}{SERVICE}"));
    let (users, now) = (users.unwrap(), Timestamp::from_seconds(7));
    let alice = users
        .verify("alice", Secret::new("alice-password"), now)
        .await
        .unwrap();
    let found = (&*alice.subject, &*alice.display_name);
    assert_eq!(found, ("alice", "Alice Example"));
    assert_eq!((&*alice.proved_by, alice.proved_at), ("file", now));
    for (name, password) in [
        ("alice", "alice-passwor"),
        ("alice", ""),
        ("Alice", "alice-password"),
        ("unknown", "alice-password"),
        ("svc", "alice-password"),
    ] {
        let user = users.verify(name, Secret::new(password), now).await;
        assert!(matches!(user, Err(SignInError::Rejected(_))), "{name} {password}");
    }
}

#[test]
fn a_bad_file_leaves_the_users_as_they_were() {
    let (folder, users) = read(&format!("{ALICE}{SERVICE}"));
    let users = users.unwrap();
    let reload = |text: &str| {
        fs::write(folder.path().join("users.toml"), text).unwrap();
        users.reload().map_err(|error| error.to_string())
    };
    reload("[[users]]\nnam = 1").unwrap_err().has("users.toml:2: ");
    // A file that is being written may be empty for a moment; every token of every user would be dropped.
    assert!(reload("").unwrap_err().contains("has no users"));
    assert_eq!(users.user_status("alice"), active("Alice Example"));
    assert_eq!(users.user_status("svc"), active("svc"));
    assert_eq!(users.user_status("unknown"), UserStatus::NotFound);
    reload("[[users]]\nname = \"bob\"\nsign_in = false\n").unwrap();
    assert_eq!(users.user_status("alice"), UserStatus::NotFound);
    let missing = PasswordFile::read("nowhere/users.toml").unwrap_err().to_string();
    missing.begins("nowhere/users.toml: cannot be read (");
}

#[test]
fn a_mistake_is_named_with_its_line_and_the_remedy() {
    let hashed = |hash: &str| format!("[[users]]\nname = \"a\"\npassword = \"{hash}\"\n");
    let hash = "linkgate user hash";
    let misspelt = format!("{SERVICE}pasword = \"x\"\n");
    let nameless = "[[users]]\nname = \"\"\nsign_in = false\n";
    let bcrypt = hashed("$2y$10$abcdefghijklmnopqrstuuJ1fS1kT1W1oV1uF1x1n1g1a1q1w1e1r");
    let cut = hashed("$argon2id$v=19$m=19456,t=2,p=1$KbAq1NW2DCDyz9IUH8Qz4w");
    for (text, line, remedy) in [
        (&*misspelt, 4, "unknown field `pasword`"),
        ("[user]\n", 1, "unknown field `user`"),
        ("\n[[users]]\nname = \"a\"\n", 3, hash),
        (nameless, 2, "1 to 255 characters"),
        (&format!("{SERVICE}{SERVICE}"), 5, "this name stands twice."),
        (&hashed("alice-password"), 3, hash),
        (&bcrypt, 3, hash),
        (&hashed(&HASH.replace("argon2id", "argon2i")), 3, hash),
        (&hashed(&HASH.replace("m=19456", "m=4294967295")), 3, hash),
        (&cut, 3, hash),
    ] {
        let error = read(text).1.unwrap_err();
        assert!(error.line == Some(line), "{text} {error}");
        assert!(error.why.contains(remedy), "{text} {error}");
        error.why.lacks("$2y");
        error.why.lacks("m=19456");
    }
}
