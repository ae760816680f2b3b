use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

#[test]
fn what_is_derived_is_letters_and_digits_and_stays_the_same() {
    let mut rng = rng();
    let keyring = Keyring::generate(&mut rng);
    for _ in 0..200 {
        let token = keyring.new_token(&mut rng);
        let secret = keyring.token_secret(&token).unwrap();
        assert_eq!(secret.expose().len(), 2 * SECRET_BYTES);
        let verifier = keyring.verifier(&token, "alice").unwrap();
        assert_eq!(verifier.expose().len(), 2 * VERIFIER_BYTES);
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
    assert_ne!(
        secret.expose(),
        keyring.session_handle(a.as_str()).unwrap().expose()
    );
    assert_ne!(&secret.expose()[..2 * VERIFIER_BYTES], verifier.expose());
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

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}
