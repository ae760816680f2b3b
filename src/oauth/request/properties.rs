//! What holds for inputs that nobody thought of.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::tests::{KEY, SIGNED, parse, signer, signing_key};
use super::*;
use crate::oauth::{Call, header};

fn verification_key(method: SignatureMethod) -> VerificationKey {
    if method.is_rsa() {
        VerificationKey::Rsa(KEY.public_key())
    } else {
        VerificationKey::Hmac(Secret::new("s"))
    }
}

fn hashed_methods() -> impl Strategy<Value = SignatureMethod> {
    let hashed = SignatureMethod::ALL
        .into_iter()
        .filter(|method| *method != SignatureMethod::Plaintext);
    proptest::sample::select(hashed.collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn the_order_of_parameters_never_changes_the_base_string(
        pieces in proptest::collection::vec("[a-c%5=+é ]{0,3}".prop_map(|text| text.replace('%', "%41")), 0..8)
            .prop_flat_map(|pieces| (Just(pieces.clone()), Just(pieces).prop_shuffle())),
        header in Just(SIGNED.to_vec()).prop_shuffle(),
    ) {
        let (pieces, shuffled) = pieces;
        let one = parse(&[header::authorization(SIGNED, None).as_bytes()], &pieces.join("&"), None).unwrap().unwrap();
        let other = parse(&[header::authorization(header, None).as_bytes()], &shuffled.join("&"), None).unwrap().unwrap();
        prop_assert_eq!(one.base_string(), other.base_string());
    }

    #[test]
    fn a_flipped_bit_of_the_signature_never_verifies(method in hashed_methods(), at in any::<proptest::sample::Index>()) {
        let text = "GET&https%3A%2F%2Fh%2F&a%3Db";
        let key = verification_key(method);
        let signature = signing_key(method).sign(method, text, None).unwrap();
        prop_assert!(key.verify(method, text, &signature, None));
        let mut raw = STANDARD.decode(&signature).unwrap();
        let bit = at.index(raw.len() * 8);
        raw[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!key.verify(method, text, &STANDARD.encode(raw), None));
    }

    #[test]
    fn a_flipped_bit_of_the_request_never_verifies(method in hashed_methods(), at in any::<proptest::sample::Index>()) {
        let pairs = signer(method).sign(&Call::new("POST", "https://h/p?a=b%2Fc&d"), Timestamp::from_seconds(1), "n").unwrap();
        let sent = parse(&[header::authorization(pairs.clone(), None).as_bytes()], "a=b%2Fc&d", None).unwrap().unwrap();
        let mut raw = b"a=b%2Fc&d".to_vec();
        let bit = at.index(raw.len() * 8);
        raw[bit / 8] ^= 1 << (bit % 8);
        let url = PublicUrl::parse("https://h").unwrap();
        let header = header::authorization(pairs, None);
        let query = String::from_utf8_lossy(&raw);
        let view = RequestView {
            method: "POST", url: &url, secure: true, path: "/p", query: Some(&query), authorization: &[header.as_bytes()], form: None,
        };
        if let Ok(Some(request)) = SignedRequest::parse(&view) {
            // `%2F` and `%2f` are the same: the claim is the same, and so it is as true.
            let same = request.base_string() == sent.base_string();
            prop_assert_eq!(request.verify(&[verification_key(method)], None).is_ok(), same);
        }
    }

    #[test]
    fn parsing_never_panics(
        header in proptest::collection::vec(any::<u8>(), 0..60),
        query in "\\PC{0,40}",
        form in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let oauth = [b"OAuth ".as_slice(), &header].concat();
        for fields in [&[header.as_slice()][..], &[&oauth], &[&header, &oauth], &[]] {
            let _ = parse(fields, &query, Some(&form));
        }
    }

    #[test]
    fn parsing_what_looks_like_oauth_never_panics(
        parts in proptest::collection::vec(proptest::sample::select(&[
            "oauth_nonce", "oauth_timestamp", "oauth_signature", "oauth_token", "realm", "=", "\"", ",", "%", "%ff", "%2", "&", "+", " ", "\\", "x", "1",
        ][..]), 0..30),
    ) {
        let text = parts.concat();
        let oauth = format!("OAuth {text}");
        for (header, query) in [(Some(oauth.as_bytes()), text.as_str()), (None, &text), (Some(text.as_bytes()), "")] {
            let _ = parse(header.as_slice(), query, Some(text.as_bytes()));
        }
    }
}
