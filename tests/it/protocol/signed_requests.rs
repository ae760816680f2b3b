//! Signed requests from end to end: signed by the client side of the protocol, parsed, verified. Most of it by properties.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use linkgate::oauth::authorization_header::authorization;
use linkgate::oauth::encoding::form_body;
use linkgate::oauth::hash::Hash;
use linkgate::oauth::{
    BodyHash, ConsumerKey, PrivateKey, Problem, PublicUrl, RequestSigner, RequestView, Secret,
    SignatureMethod, SignedRequest, SigningKey, Timestamp, Token, UnsignedRequest, VerificationKey,
    VerifiedRequest,
};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const SIGNED: [(&str, &str); 5] = [
    ("oauth_consumer_key", "k"),
    ("oauth_signature_method", "HMAC-SHA1"),
    ("oauth_signature", "s"),
    ("oauth_timestamp", "1700000000"),
    ("oauth_nonce", "n"),
];

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(1024, &mut StdRng::seed_from_u64(7)).unwrap());

fn parse(headers: &[&[u8]], query: &str, form: Option<&[u8]>) -> Result<Option<SignedRequest>, Problem> {
    SignedRequest::parse(&RequestView {
        method: "POST",
        url: &PublicUrl::parse("https://h").unwrap(),
        secure: true,
        path: "/p",
        query: Some(query),
        authorization: headers,
        form,
        has_other_body: false,
    })
}

fn verification_key(method: SignatureMethod) -> VerificationKey {
    if method.is_rsa() {
        VerificationKey::Rsa(KEY.public_key())
    } else {
        VerificationKey::Hmac(Secret::new("s"))
    }
}

fn sign(method: SignatureMethod, request: &UnsignedRequest) -> Vec<(String, String)> {
    let signer = RequestSigner {
        consumer_key: ConsumerKey::parse("k").unwrap(),
        key: signing_key(method),
        method,
    };
    signer.sign(request, Timestamp::from_seconds(1), "n").unwrap()
}

fn signing_key(method: SignatureMethod) -> SigningKey {
    if method.is_rsa() {
        SigningKey::Rsa(KEY.clone())
    } else {
        SigningKey::Hmac(Secret::new("s"))
    }
}

#[test]
fn the_key_decides_the_family_of_methods() {
    let secret = VerificationKey::Hmac(Secret::new("s"));
    let public = VerificationKey::Rsa(KEY.public_key());
    for method in SignatureMethod::ALL {
        let verify = |keys: &[VerificationKey]| {
            let pairs = SIGNED.map(|(name, value)| match name {
                "oauth_signature_method" => (name, method.name()),
                _ => (name, value),
            });
            let request = parse(&[authorization(pairs, None).as_bytes()], "", None)
                .unwrap()
                .unwrap();
            request.verify(keys, None).unwrap_err().name()
        };
        let (own, other) = if method.is_rsa() {
            (&public, &secret)
        } else {
            (&secret, &public)
        };
        assert_eq!(verify(std::slice::from_ref(own)), "signature_invalid");
        assert_eq!(verify(std::slice::from_ref(other)), "signature_method_rejected");
        assert_eq!(verify(&[]), "signature_method_rejected");
    }
}

#[test]
fn any_active_key_verifies_during_a_rotation() {
    let pairs = sign(
        SignatureMethod::RsaSha1,
        &UnsignedRequest::new(Method::POST, "https://h/p"),
    );
    let header = authorization(pairs, None);
    let new = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(8)).unwrap();
    let keys = [
        VerificationKey::Hmac(Secret::new("s")),
        VerificationKey::Rsa(new.public_key()),
        VerificationKey::Rsa(KEY.public_key()),
    ];
    for (keys, is_verified) in [(&keys[..], true), (&keys[..2], false)] {
        let request = parse(&[header.as_bytes()], "", None).unwrap().unwrap();
        assert_eq!(request.verify(keys, None).is_ok(), is_verified);
    }
}

#[test]
fn the_three_sources_are_signed_alike() {
    let key = [verification_key(SignatureMethod::HmacSha1)];
    let form = b"b=1+2";
    let request = UnsignedRequest::new(Method::POST, "https://h/p?a=%ff").form(&form[..]);
    let pairs = sign(SignatureMethod::HmacSha1, &request);
    let (header, more) = (authorization(pairs.clone(), None), form_body(pairs));
    let body = format!("{more}&b=1+2");
    for request in [
        parse(&[header.as_bytes()], "a=%ff", Some(form)),
        parse(&[], &format!("a=%FF&{more}"), Some(form)),
        parse(&[], "a=%ff", Some(body.as_bytes())),
    ] {
        let request = request.unwrap().unwrap().verify(&key, None).unwrap();
        assert_eq!(request.consumer_key.as_str(), "k");
    }
}

/// A verified request with these parameters in its header instead of the usual ones, or in addition. PLAINTEXT signs nothing.
fn verified(set: &[(&str, &str)], query: &str) -> VerifiedRequest {
    let plaintext = [("oauth_signature_method", "PLAINTEXT"), ("oauth_signature", "s&")];
    let usual = SIGNED
        .into_iter()
        .filter(|(name, _)| plaintext.iter().chain(set).all(|(other, _)| other != name));
    let header = authorization(usual.chain(plaintext).chain(set.iter().copied()), None);
    let request = parse(&[header.as_bytes()], query, None).unwrap().unwrap();
    request
        .verify(&[VerificationKey::Hmac(Secret::new("s"))], None)
        .unwrap()
}

#[test]
fn every_parameter_is_decoded_once() {
    let hash = BodyHash::new(b"", Hash::Sha1);
    let set = [
        ("oauth_callback", "https://h/cb?a=%2525"),
        ("oauth_verifier", "v"),
        ("oauth_session_handle", "h"),
        ("oauth_token", "t"),
        ("oauth_version", "1.0"),
        ("oauth_timestamp", "1700000000000"),
        ("oauth_nonce", "a+b"),
        ("oauth_body_hash", &hash.to_base64()),
    ];
    let request = verified(&set, "xoauth_requestor_id=alice%40h&q=a+b");
    assert_eq!(request.callback.as_deref(), Some("https://h/cb?a=%2525"));
    assert_eq!(request.verifier.as_ref().map(Secret::expose), Some("v"));
    assert_eq!(request.session_handle.as_ref().map(Secret::expose), Some("h"));
    assert_eq!(request.token.as_ref().map(Token::as_str), Some("t"));
    let found = (request.timestamp.seconds(), request.nonce.as_str());
    assert_eq!(found, (1_700_000_000_000, "a+b"));
    assert_eq!(request.body_hash, Some(hash));
    assert_eq!(request.requestor_id.as_deref(), Some("alice@h"));
    assert!(request.base_string().contains("%26q%3Da%2520b%26"));
    let debug = format!("{request:?}");
    assert!(!debug.contains("signature:") && !debug.contains("verifier") && !debug.contains("base_string"));
}

#[test]
fn an_empty_token_is_signed() {
    let (empty, absent) = (verified(&[("oauth_token", "")], ""), verified(&[], ""));
    assert_eq!((&empty.token, &absent.token), (&None, &None));
    assert!(empty.base_string().contains("%26oauth_token%3D"));
    assert!(!absent.base_string().contains("oauth_token"));
}

#[test]
fn a_nonce_digest_covers_all_four_parts_and_never_changes() {
    let digest = |set: &[(&str, &str)]| verified(set, "").nonce_digest();
    let all = [
        digest(&[]),
        digest(&[("oauth_consumer_key", "kn")]),
        digest(&[("oauth_token", "k")]),
        digest(&[("oauth_timestamp", "1700000001")]),
        digest(&[("oauth_nonce", "n1")]),
        digest(&[("oauth_consumer_key", "kt"), ("oauth_token", "o")]),
        digest(&[("oauth_consumer_key", "k"), ("oauth_token", "to")]),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[..at].contains(one), "{at}");
    }
    assert_eq!(digest(&[("oauth_token", ""), ("q", "other")]), all[0]);
    // A digest of earlier releases, which is stored.
    let stored = 0xdee0_d1e6_c66b_108d_6843_e027_597e_dc2d_u128;
    assert_eq!(digest(&[("oauth_token", "tok")]), stored.to_be_bytes());
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
        let one = parse(&[authorization(SIGNED, None).as_bytes()], &pieces.join("&"), None).unwrap().unwrap();
        let other = parse(&[authorization(header, None).as_bytes()], &shuffled.join("&"), None).unwrap().unwrap();
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
        let pairs = sign(method, &UnsignedRequest::new(Method::POST, "https://h/p?a=b%2Fc&d"));
        let header = authorization(pairs, None);
        let sent = parse(&[header.as_bytes()], "a=b%2Fc&d", None).unwrap().unwrap();
        let mut raw = b"a=b%2Fc&d".to_vec();
        let bit = at.index(raw.len() * 8);
        raw[bit / 8] ^= 1 << (bit % 8);
        if let Ok(Some(request)) = parse(&[header.as_bytes()], &String::from_utf8_lossy(&raw), None) {
            // `%2F` and `%2f` are the same request, and its signature is valid.
            let is_same = request.base_string() == sent.base_string();
            prop_assert_eq!(request.verify(&[verification_key(method)], None).is_ok(), is_same);
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
