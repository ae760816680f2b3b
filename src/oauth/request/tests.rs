use std::sync::LazyLock;

use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::oauth::{Call, PrivateKey, Signer, SigningKey, header};

pub(super) const SIGNED: [(&str, &str); 5] = [
    ("oauth_consumer_key", "k"),
    ("oauth_signature_method", "HMAC-SHA1"),
    ("oauth_signature", "s"),
    ("oauth_timestamp", "1700000000"),
    ("oauth_nonce", "n"),
];

pub(super) static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(1024, &mut StdRng::seed_from_u64(7)).unwrap());

pub(super) fn parse(
    headers: &[&[u8]],
    query: &str,
    form: Option<&[u8]>,
) -> Result<Option<SignedRequest>, Problem> {
    let url = PublicUrl::parse("https://h").unwrap();
    SignedRequest::parse(&RequestView {
        method: "POST",
        url: &url,
        secure: true,
        path: "/p",
        query: Some(query),
        authorization: headers,
        form,
    })
}

/// Parses a request whose header has these pairs in place of the usual ones, or beside them.
fn with(pairs: &[(&str, &str)], query: &str) -> Result<SignedRequest, Problem> {
    let usual = SIGNED
        .iter()
        .filter(|(name, _)| pairs.iter().all(|(other, _)| other != name));
    let header = header::authorization(usual.chain(pairs).copied(), None);
    parse(&[header.as_bytes()], query, None).map(Option::unwrap)
}

fn authentic(request: SignedRequest) -> VerifiedRequest {
    VerifiedRequest { request }
}

#[test]
fn every_required_parameter_is_asked_for() {
    for (absent, _) in SIGNED {
        let rest = SIGNED.iter().filter(|(name, _)| *name != absent).copied();
        let problem = parse(&[header::authorization(rest, None).as_bytes()], "", None).unwrap_err();
        assert_eq!(problem, Problem::ParameterAbsent(vec![absent]));
    }
    let all = Problem::ParameterAbsent(SignedRequest::REQUIRED.to_vec());
    for header in ["OAuth", "OAuth ", "oauth realm=\"r\"", "OAuth xoauth_token=\"t\""] {
        assert_eq!(
            parse(&[header.as_bytes()], "", None).unwrap_err(),
            all,
            "{header}"
        );
    }
    assert!(parse(&[], "", None).unwrap().is_none());
}

#[test]
fn only_version_one_is_spoken() {
    assert!(with(&[("oauth_version", "1.0")], "").is_ok());
    for version in ["", "1", "1.00", "1.0a", "2.0", "NaN", " 1.0"] {
        assert_eq!(
            with(&[("oauth_version", version)], "").unwrap_err(),
            Problem::VersionRejected,
            "{version}"
        );
    }
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for (name, value, problem) in [
        ("oauth_signature_method", "hmac-sha1", "signature_method_rejected"),
        (
            "oauth_signature_method",
            "HMAC-SHA1-Accessor",
            "signature_method_rejected",
        ),
        ("oauth_signature_method", "RSA-MD5", "signature_method_rejected"),
        ("oauth_signature_method", "none", "signature_method_rejected"),
        ("oauth_signature_method", "", "signature_method_rejected"),
        ("oauth_timestamp", "", "parameter_rejected"),
        ("oauth_timestamp", "abc", "parameter_rejected"),
        ("oauth_timestamp", "-1", "parameter_rejected"),
        ("oauth_timestamp", "0", "parameter_rejected"),
        ("oauth_timestamp", "1.5", "parameter_rejected"),
        ("oauth_timestamp", "1e9", "parameter_rejected"),
        ("oauth_timestamp", "+1700000000", "parameter_rejected"),
        ("oauth_timestamp", " 1700000000", "parameter_rejected"),
        ("oauth_timestamp", "01700000000", "parameter_rejected"),
        ("oauth_timestamp", "17000000001700000000", "parameter_rejected"),
        ("oauth_nonce", "", "parameter_rejected"),
        ("oauth_nonce", "a\nb", "parameter_rejected"),
        ("oauth_consumer_key", "", "parameter_rejected"),
        ("oauth_consumer_key", "a\0b", "parameter_rejected"),
        ("oauth_token", "a\r\nb", "token_rejected"),
        ("oauth_body_hash", "short", "parameter_rejected"),
    ] {
        assert_eq!(
            with(&[(name, value)], "").unwrap_err().name(),
            problem,
            "{name}={value}"
        );
    }
}

#[test]
fn milliseconds_are_read_and_left_to_the_window() {
    assert_eq!(
        with(&[("oauth_timestamp", "1700000000000")], "")
            .unwrap()
            .timestamp()
            .seconds(),
        1_700_000_000_000
    );
}

#[test]
fn an_empty_token_is_none_and_stays_in_the_base_string() {
    let empty = with(&[("oauth_token", "")], "").unwrap();
    let absent = with(&[], "").unwrap();
    assert_eq!((empty.token(), absent.token()), (None, None));
    assert!(empty.base_string().contains("%26oauth_token%3D"));
    assert!(!absent.base_string().contains("oauth_token"));
}

#[test]
fn a_plus_in_a_header_is_a_plus() {
    let header = header::authorization(SIGNED, None).replace("\"n\"", "\"a+b\"");
    let request = parse(&[header.as_bytes()], "q=a+b", None).unwrap().unwrap();
    assert_eq!(request.nonce().as_str(), "a+b");
    assert!(request.base_string().ends_with("q%3Da%2520b"));
}

#[test]
fn what_an_endpoint_needs_is_decoded_once() {
    let pairs = [
        ("oauth_callback", "https://h/cb?a=%2525"),
        ("oauth_verifier", "v"),
        ("oauth_session_handle", "h"),
        ("oauth_token", "t"),
    ];
    let request = authentic(with(&pairs, "").unwrap());
    assert_eq!(request.callback(), Some("https://h/cb?a=%2525"));
    assert_eq!(request.verifier().map(Secret::expose), Some("v"));
    assert_eq!(request.session_handle().map(Secret::expose), Some("h"));
    assert_eq!(request.token().map(Token::as_str), Some("t"));
    assert_eq!(request.source(), Source::Header);
    assert_eq!(request.requestor_id(), None);
    let shown = format!("{request:?}");
    assert!(
        !shown.contains("signature:") && !shown.contains("verifier") && !shown.contains("base_string"),
        "{shown}"
    );
}

#[test]
fn text_that_is_not_utf8_is_no_protocol_parameter() {
    let header = format!("{}, oauth_callback=\"%ff\"", header::authorization(SIGNED, None));
    let problem = parse(&[header.as_bytes()], "", None).unwrap_err();
    assert_eq!(problem.pairs()[1].1, "oauth_callback");
}

#[test]
fn a_two_legged_call_names_its_user_once_in_the_query() {
    let requestor = |query: &str| {
        authentic(with(&[], query).unwrap())
            .requestor_id()
            .map(str::to_owned)
    };
    assert_eq!(
        requestor("xoauth_requestor_id=alice%40h"),
        Some("alice@h".to_owned())
    );
    assert_eq!(requestor("a=b"), None);
    for query in [
        "xoauth_requestor_id=a&xoauth_requestor_id=b",
        "xoauth_requestor_id=a&xoauth_requestor_id=a",
        "xoauth_requestor_id=",
        "xoauth_requestor_id=%00",
        "xoauth_requestor_id=%ff",
    ] {
        let problem = with(&[], query).unwrap_err();
        assert_eq!(problem.pairs()[1].1, "xoauth_requestor_id", "{query}");
    }
    let header = header::authorization(SIGNED, None);
    for query in ["xoauth_requestor_id=a", ""] {
        let problem = parse(&[header.as_bytes()], query, Some(b"xoauth_requestor_id=a")).unwrap_err();
        assert_eq!(problem.name(), "parameter_rejected", "{query}");
    }
    let in_header = with(&[("xoauth_requestor_id", "a")], "").unwrap();
    assert!(in_header.base_string().ends_with("xoauth_requestor_id%3Da"));
    assert_eq!(authentic(in_header).requestor_id(), None);
}

#[test]
fn a_body_hash_beside_a_form_is_refused() {
    let hash = BodyHash::of(b"", SignatureMethod::HmacSha1);
    let pairs = [("oauth_body_hash", hash.to_base64())];
    let request = with(&[(pairs[0].0, &pairs[0].1)], "").unwrap();
    assert_eq!(authentic(request).body_hash(), Some(&hash));
    let all = SIGNED
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .chain(pairs);
    let header = header::authorization(all, None);
    let problem = parse(&[header.as_bytes()], "", Some(b"")).unwrap_err();
    assert_eq!(problem.pairs()[1].1, "oauth_body_hash");
}

#[test]
fn a_nonce_digest_tells_all_four_parts_apart() {
    let digest = |pairs: &[(&str, &str)]| with(pairs, "").unwrap().nonce_digest();
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
    assert_eq!(
        digest(&[("oauth_token", ""), ("oauth_signature", "other")]),
        all[0]
    );
}

#[test]
fn a_nonce_digest_is_what_earlier_releases_kept() {
    let request = with(&[("oauth_token", "tok")], "").unwrap();
    let kept = 0xdee0_d1e6_c66b_108d_6843_e027_597e_dc2d_u128;
    assert_eq!(request.nonce_digest(), kept.to_be_bytes());
}

#[test]
fn the_key_decides_the_family_of_methods() {
    let verify = |method: &str, keys: &[VerificationKey]| {
        let request = with(&[("oauth_signature_method", method)], "").unwrap();
        request.verify(keys, None).unwrap_err().name()
    };
    let secret = VerificationKey::Hmac(Secret::new("s"));
    let public = VerificationKey::Rsa(KEY.public_key());
    for method in SignatureMethod::ALL {
        let (own, other) = if method.is_rsa() {
            (&public, &secret)
        } else {
            (&secret, &public)
        };
        assert_eq!(
            verify(method.name(), std::slice::from_ref(own)),
            "signature_invalid"
        );
        assert_eq!(
            verify(method.name(), std::slice::from_ref(other)),
            "signature_method_rejected"
        );
        assert_eq!(verify(method.name(), &[]), "signature_method_rejected");
    }
}

#[test]
fn any_live_key_verifies_during_a_rotation() {
    let signer = signer(SignatureMethod::RsaSha1);
    let pairs = signer
        .sign(&Call::new("POST", "https://h/p"), Timestamp::from_seconds(1), "n")
        .unwrap();
    let header = header::authorization(pairs, None);
    let new = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(8))
        .unwrap()
        .public_key();
    let keys = [
        VerificationKey::Hmac(Secret::new("s")),
        VerificationKey::Rsa(new),
        VerificationKey::Rsa(KEY.public_key()),
    ];
    for (keys, verified) in [(&keys[..], true), (&keys[..2], false)] {
        let request = parse(&[header.as_bytes()], "", None).unwrap().unwrap();
        assert_eq!(request.verify(keys, None).is_ok(), verified);
    }
}

#[test]
fn the_three_places_are_signed_alike() {
    let key = [VerificationKey::Hmac(Secret::new("s"))];
    let form = b"b=1+2";
    let call = Call::new("POST", "https://h/p?a=%ff").with_form(form);
    let pairs = signer(SignatureMethod::HmacSha1)
        .sign(&call, Timestamp::from_seconds(1), "n")
        .unwrap();
    let (header, more) = (
        header::authorization(pairs.clone(), None),
        header::form_body(pairs),
    );
    let body = format!("{more}&b=1+2");
    for (source, request) in [
        (Source::Header, parse(&[header.as_bytes()], "a=%ff", Some(form))),
        (Source::Query, parse(&[], &format!("a=%FF&{more}"), Some(form))),
        (Source::Form, parse(&[], "a=%ff", Some(body.as_bytes()))),
    ] {
        let request = request.unwrap().unwrap().verify(&key, None).unwrap();
        assert_eq!(request.source(), source);
    }
}

pub(super) fn signer(method: SignatureMethod) -> Signer {
    Signer::new(ConsumerKey::parse("k").unwrap(), signing_key(method), method)
}

pub(super) fn signing_key(method: SignatureMethod) -> SigningKey {
    if method.is_rsa() {
        SigningKey::Rsa(KEY.clone())
    } else {
        SigningKey::Hmac(Secret::new("s"))
    }
}
