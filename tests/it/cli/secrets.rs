//! `linkgate user hash` and `linkgate key generate`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use linkgate::oauth::PrivateKey;
use linkgate::store::Keyring;

use super::Here;
use crate::support::Text as _;

#[test]
fn a_password_becomes_a_hash() {
    let here = Here::new();
    for input in ["correct horse\n", "correct horse", "correct horse\r\n"] {
        let answer = here.run_with("user hash", input, &[]);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""));
        answer.out.begins("$argon2id$v=19$m=19456,t=2,p=1$");
        let hash = PasswordHash::new(answer.out.trim_end()).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &hash).is_ok());
    }
    let empty = here.run_with("user hash", "\n", &[]);
    let found = (empty.code, empty.err.as_str());
    assert_eq!(found, (1, "error: the password is empty\n"));
}

#[test]
fn keys_are_made_for_their_owner_alone() {
    let here = Here::new();
    let shown = here.run("key generate");
    assert_eq!(shown.code, 0);
    assert!(Keyring::read(&shown.out).is_ok());

    here.run("key generate --out secret.key").succeeds();
    let mode = fs::metadata(here.path("secret.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = fs::read_to_string(here.path("secret.key")).unwrap();
    assert!(Keyring::read(&first).is_ok());

    let again = here.run("key generate --out secret.key");
    assert_eq!(again.code, 1);
    assert_eq!(
        again.err,
        "error: secret.key exists already, and is left as it is\n"
    );
    assert_eq!(fs::read_to_string(here.path("secret.key")).unwrap(), first);
}

#[test]
fn rsa_keys_are_made_with_their_public_half() {
    let here = Here::new();
    let answer = here.run("key generate --rsa --out link.pem");
    assert_eq!(answer.code, 0);
    let key = PrivateKey::from_pem(&fs::read_to_string(here.path("link.pem")).unwrap()).unwrap();
    assert_eq!(key.public_key().bits(), 2048);
    assert!(answer.err.contains(&key.public_key().to_base64()));
    assert_eq!(here.run("key generate --rsa 512").code, 2);
}
