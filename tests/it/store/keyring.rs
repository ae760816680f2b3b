//! Secret keys: what they derive and seal, and the file that they are in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Text as _;
use linkgate::oauth::{Secret, Token};
use linkgate::store::{KeyFileError, Keyring, KeyringError, StoreError};
use rand::SeedableRng;
use rand::rngs::StdRng;

#[test]
fn what_is_derived_is_letters_and_digits_and_stays_the_same() {
    let mut rng = rng();
    let keyring = Keyring::generate(&mut rng);
    for _ in 0..200 {
        let token = keyring.new_token(&mut rng);
        let secret = keyring.token_secret(&token).unwrap();
        assert_eq!(secret.expose().len(), 48);
        let verifier = keyring.verifier(&token, "alice").unwrap();
        assert_eq!(verifier.expose().len(), 20);
        for text in [token.as_str(), secret.expose(), verifier.expose()] {
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_eq!(keyring.token_secret(&token).unwrap(), secret);
        assert_eq!(keyring.verifier(&token, "alice").unwrap(), verifier);
    }
}

/// The values are those of another implementation of RFC 5869.
#[test]
fn what_is_derived_is_fixed_for_ever() {
    let keyring = Keyring::read("AbC1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
    let token = Token::parse("AbC1tokentokentokentokentokentok").unwrap();
    insta::assert_snapshot!(keyring.token_secret(&token).unwrap().expose(), @"33926786b50f20cc4310a26e451bfcb609ff1898ecedda78");
    insta::assert_snapshot!(keyring.verifier(&token, "alice").unwrap().expose(), @"c5d822787b086869e953");
    insta::assert_snapshot!(keyring.session_handle(token.as_str()).unwrap().expose(), @"d0609fce8913f5ecf78635f5633f33baa4fadc8901367338");
    assert_eq!(format!("{keyring:?}"), r#"["AbC1"]"#);
}

#[test]
fn purposes_users_and_tokens_are_kept_apart() {
    let mut rng = rng();
    let keyring = Keyring::generate(&mut rng);
    let (a, b) = (keyring.new_token(&mut rng), keyring.new_token(&mut rng));
    let secret = keyring.token_secret(&a).unwrap();
    let verifier = keyring.verifier(&a, "alice").unwrap();
    assert_ne!(secret, keyring.token_secret(&b).unwrap());
    let found = secret.expose();
    assert_ne!(found, keyring.session_handle(a.as_str()).unwrap().expose());
    assert_ne!(&secret.expose()[..20], verifier.expose());
    assert_ne!(verifier, keyring.verifier(&a, "bob").unwrap());
    assert_ne!(verifier, keyring.verifier(&b, "alice").unwrap());
}

#[test]
fn a_token_of_an_unknown_key_has_no_secrets() {
    let mut rng = rng();
    let keyring = Keyring::generate(&mut rng);
    let foreign = Keyring::generate(&mut rng).new_token(&mut rng);
    for text in [foreign.as_str(), "abc", "äöü", "€uro-token", "ab€"] {
        let token = Token::parse(text).unwrap();
        assert_eq!(keyring.token_secret(&token), None, "{text}");
        assert_eq!(keyring.verifier(&token, "alice"), None, "{text}");
        assert_eq!(keyring.session_handle(text), None, "{text}");
    }
}

#[test]
fn a_rotated_keyring_still_derives_for_old_tokens() {
    let mut rng = rng();
    let keyring = Keyring::generate(&mut rng);
    let token = keyring.new_token(&mut rng);
    let secret = keyring.token_secret(&token);
    let mac = keyring.mac("cookie", &[b"value"]);

    let rotated = keyring.with_next(&mut rng).rotated();
    let rotated = Keyring::read(rotated.to_text().expose()).unwrap();
    assert_eq!(rotated.token_secret(&token), secret);
    assert!(rotated.mac_matches("cookie", &[b"value"], &mac));
    assert_ne!(rotated.mac("cookie", &[b"value"]), mac);
    let new = rotated.new_token(&mut rng);
    assert_ne!(new.as_str()[..4], token.as_str()[..4]);
    assert!(rotated.token_secret(&new).is_some());
}

#[test]
fn a_code_matches_only_its_purpose_and_parts() {
    let keyring = Keyring::generate(&mut rng());
    let mac = keyring.mac("form", &[b"ab", b"c"]);
    assert!(keyring.mac_matches("form", &[b"ab", b"c"], &mac));
    for (purpose, parts) in [
        ("form", &[&b"a"[..], b"bc"][..]),
        ("form", &[b"ab", b"c", b""]),
        ("form", &[b"abc"]),
        ("cookie", &[b"ab", b"c"]),
    ] {
        assert!(!keyring.mac_matches(purpose, parts, &mac), "{purpose} {parts:?}");
    }
    assert!(!keyring.mac_matches("form", &[b"ab", b"c"], &mac[..31]));
    assert!(!keyring.mac_matches("form", &[b"ab", b"c"], b""));
}

#[test]
fn a_text_that_is_no_keyring_is_refused_by_line() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let refused = |text: &str| Keyring::read(text).unwrap_err();
    assert_eq!(refused(""), KeyringError::Empty);
    assert_eq!(refused("# only a comment\n\n"), KeyringError::Empty);
    for line in [
        key.to_owned(),
        format!("abc:{key}"),
        format!("ab/1:{key}"),
        format!("abc1:{key}="),
        format!("abc1:{}", &key[..42]),
        "abc1:".to_owned(),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
    ] {
        let error = refused(&format!("# keys\n{line}\n"));
        assert_eq!(error, KeyringError::NotAKey { line: 2 }, "{line}");
        assert!(!error.to_string().contains(key));
    }
    let twice = format!("abc1:{key}\r\n\r\nabc1:{key}\r\n");
    assert_eq!(refused(&twice), KeyringError::Repeated { line: 3 });
}

#[test]
fn what_is_sealed_opens_for_its_name_alone() {
    let keyring = Keyring::generate(&mut rng());
    let secret = Secret::new("correct horse € battery");
    let sealed = keyring.seal(&secret, "a");
    assert_eq!(keyring.open(&sealed, "a").unwrap(), secret);
    assert!(matches!(
        keyring.open(&sealed, "b"),
        Err(StoreError::Sealed { .. })
    ));
    assert!(!sealed.windows(7).any(|window| window == b"correct"));
    assert_ne!(keyring.seal(&secret, "a"), sealed, "each time with another nonce");
}

#[test]
fn a_changed_blob_is_refused_wherever_it_was_changed() {
    let keyring = Keyring::generate(&mut rng());
    let sealed = keyring.seal(&Secret::new("s"), "a");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(keyring.open(&changed, "a").is_err(), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(keyring.open(&sealed[..length], "a").is_err(), "{length} bytes");
    }
}

#[test]
fn a_rotated_keyring_opens_old_blobs_and_a_foreign_one_names_its_key() {
    let (keyring, mut rng) = (Keyring::generate(&mut rng()), StdRng::seed_from_u64(2));
    let sealed = keyring.seal(&Secret::new("s"), "a");
    let id = std::str::from_utf8(&sealed[..4]).unwrap().to_owned();
    let rotated = keyring.with_next(&mut rng).rotated();
    assert_eq!(rotated.open(&sealed, "a").unwrap(), Secret::new("s"));
    let error = Keyring::generate(&mut rng).open(&sealed, "a").unwrap_err();
    assert!(error.to_string().contains(&format!("no key `{id}`")), "{error}");
}

#[test]
fn a_missing_file_is_made_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let mut rng = StdRng::seed_from_u64(1);
    let first = Keyring::open_or_create(&path, &mut rng).unwrap();
    assert!(first.created && !first.world_readable);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let second = Keyring::open_or_create(&path, &mut rng).unwrap();
    assert!(!second.created);
    assert_eq!(second.keyring.to_text(), first.keyring.to_text());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Keyring::open_file(&path).unwrap().world_readable);
    let found = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(found, 1, "nothing is left behind");
}

#[test]
fn of_two_makers_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let texts: Vec<_> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..8)
            .map(|seed| {
                let path = &path;
                scope.spawn(move || Keyring::open_or_create(path, &mut StdRng::seed_from_u64(seed)))
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap().unwrap().keyring.to_text())
            .collect()
    });
    assert!(texts.iter().all(|text| *text == texts[0]));
}

#[test]
fn an_unusable_file_is_refused_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, "").unwrap();
    let error = Keyring::open_or_create(&path, &mut StdRng::seed_from_u64(1)).unwrap_err();
    assert!(matches!(
        error,
        KeyFileError::Content {
            source: KeyringError::Empty,
            ..
        }
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "");

    let missing = folder.path().join("no such folder/keys");
    let error = Keyring::open_or_create(&missing, &mut StdRng::seed_from_u64(1)).unwrap_err();
    error.to_string().begins("cannot make the key file");
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}
