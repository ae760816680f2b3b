//! Signatures and body hashes: one spelling, one key, one hash.

use linkgate::oauth::hash::Hash;
use linkgate::oauth::{BodyHash, Secret, SignatureMethod, SigningKey, VerificationKey};

const BASE_STRING: &str = "GET&https%3A%2F%2Fh%2F&a%3Db";

fn signed(method: SignatureMethod) -> (VerificationKey, String) {
    let key = SigningKey::Hmac(Secret::new("cs"));
    let signature = key.sign(method, BASE_STRING, None).unwrap();
    (VerificationKey::Hmac(Secret::new("cs")), signature)
}

#[test]
fn base64_is_strict() {
    let method = SignatureMethod::HmacSha1;
    let (key, signature) = signed(method);
    assert!(key.verify(method, BASE_STRING, &signature, None));
    let (body, _) = signature.split_at(signature.len() - 1);
    let url_safe = signature.replace('+', "-").replace('/', "_");
    let mut wrong = vec![
        body.to_owned(),
        format!("{signature}="),
        format!(" {signature}"),
        format!("{signature}\n"),
        format!("{}\r\n{}", &signature[..4], &signature[4..]),
        String::new(),
        "=".to_owned(),
        "\u{e9}".to_owned(),
        "A".repeat(1 << 20),
    ];
    wrong.extend((url_safe != signature).then_some(url_safe));
    for text in wrong {
        assert!(!key.verify(method, BASE_STRING, &text, None), "{text}");
    }
}

#[test]
fn a_signature_has_one_spelling() {
    let method = SignatureMethod::HmacSha1;
    let (key, signature) = signed(method);
    // The last character before the padding holds two bits that mean nothing.
    let at = signature.len() - 2;
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".chars() {
        let text = format!("{}{last}=", &signature[..at]);
        assert_eq!(key.verify(method, BASE_STRING, &text, None), text == signature);
    }
}

#[test]
fn an_absent_and_an_empty_token_secret_are_the_same() {
    for method in SignatureMethod::ALL.into_iter().filter(|method| !method.is_rsa()) {
        let (key, signature) = signed(method);
        assert!(key.verify(method, BASE_STRING, &signature, Some(&Secret::new(""))));
        assert!(!key.verify(method, BASE_STRING, &signature, Some(&Secret::new("ts"))));
        assert!(!key.verify(method, BASE_STRING, &signature[1..], None));
    }
}

#[test]
fn a_key_signs_with_its_own_family_only() {
    let key = SigningKey::Hmac(Secret::new("cs"));
    assert_eq!(key.sign(SignatureMethod::RsaSha1, BASE_STRING, None), None);
    assert!(!VerificationKey::Hmac(Secret::new("cs")).fits(SignatureMethod::RsaSha1));
}

#[test]
fn another_body_and_another_hash_are_rejected() {
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
        let body_hash = BodyHash::parse(&BodyHash::new(b"body", hash).to_base64(), hash).unwrap();
        assert_eq!(body_hash.verify(b"body"), Ok(()));
        assert_eq!(body_hash.verify(b"bodz").unwrap_err().name(), "signature_invalid");
    }
    let sha256 = BodyHash::new(b"", Hash::Sha256).to_base64();
    for text in [
        &sha256,
        "",
        "abc",
        "2jmj7l5rSw0yVb/vlWAYkK/YBwk",
        "2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
    ] {
        let problem = BodyHash::parse(text, Hash::Sha1).unwrap_err();
        assert_eq!(problem.name(), "parameter_rejected", "{text}");
    }
}
