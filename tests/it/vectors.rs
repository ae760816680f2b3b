//! Does the protocol agree with the world? Published and derived cases, as data in `vectors/`, one file for each kind.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linkgate::oauth::base_string::base_string_uri;
use linkgate::oauth::encoding::{Encoding, decode, decode_utf8, encode, normalize};
use linkgate::oauth::{
    AllowedCallback, BodyHash, Callback, PrivateKey, Problem, PublicKey, Secret, SignatureMethod, Timestamp,
    VerificationKey, authorization_header,
};

use crate::published::{
    Case, cases, check_signature, method, normalised, parsed, published_key, published_keys, received,
    second_opinion, sent, signed_pairs, verification_key,
};
use crate::support::Text as _;

#[test]
fn percent_encoding() {
    for case in cases(include_str!("vectors/percent_encoding.toml"), 15) {
        assert_eq!(encode(&case.input), case.output, "{}", case.id);
        let output = case.output.as_bytes();
        let found = decode(output, Encoding::Percent).unwrap();
        assert_eq!(found, case.input.as_bytes(), "{}", case.id);
        let found = normalize(output, Encoding::Percent).unwrap();
        assert_eq!(*found, *output, "{}", case.id);
    }
}

#[test]
fn form_decode_normalize() {
    for case in cases(include_str!("vectors/form_decode_normalize.toml"), 20) {
        assert_eq!(
            normalised(case.form.as_deref().unwrap()),
            case.output,
            "{}",
            case.id
        );
    }
}

#[test]
fn base_string_uris() {
    for case in cases(include_str!("vectors/base_string_uri.toml"), 24) {
        assert_eq!(
            base_string_uri(&case.url).as_deref(),
            Ok(case.output.as_str()),
            "{}",
            case.id
        );
    }
}

#[test]
fn requests() {
    let mut whole = 0;
    for case in cases(include_str!("vectors/requests.toml"), 49) {
        let expected = case.base_string.as_deref().unwrap();
        assert_eq!(sent(&case), expected, "{}: as the consumer sends it", case.id);
        assert_eq!(received(&case), expected, "{}: as it arrives", case.id);
        let Some(signature) = &case.signature else {
            continue;
        };
        check_signature(&case, expected);
        match parsed(&case, signature) {
            Ok(request) => {
                whole += 1;
                assert_eq!(request.base_string(), expected, "{}", case.id);
                let verified =
                    request.verify(&[verification_key(&case)], Some(&Secret::new(case.token_secret)));
                assert!(verified.is_ok(), "{}: {verified:?}", case.id);
            }
            Err(problem) => {
                // Arithmetic alone: two clients were tested with a word for a timestamp, and one without OAuth parameters.
                let expected = match case.id.as_str() {
                    "ruby-cli" | "oauthlib-c-utf8-2" => "parameter_rejected",
                    "league-hs1" | "league-hs1-port" => "parameter_absent",
                    other => panic!("{other}: {problem}"),
                };
                assert_eq!(problem.name(), expected, "{}", case.id);
            }
        }
    }
    assert_eq!(whole, 42);
}

#[test]
fn signatures() {
    for case in cases(include_str!("vectors/signatures.toml"), 10) {
        check_signature(&case, case.base_string.as_deref().unwrap());
    }
}

#[test]
fn plaintext() {
    for mut case in cases(include_str!("vectors/plaintext.toml"), 7) {
        case.signature_method = Some("PLAINTEXT".to_owned());
        check_signature(&case, "");
    }
}

#[test]
fn body_hashes() {
    for case in cases(include_str!("vectors/body_hash.toml"), 3) {
        let method = match case.algorithm.as_str() {
            "SHA-1" => SignatureMethod::HmacSha1,
            "SHA-256" => SignatureMethod::HmacSha256,
            other => panic!("{other}"),
        };
        let body = case.body.unwrap();
        let found = BodyHash::new(body.as_bytes(), method.hash()).to_base64();
        assert_eq!(found, case.output, "{}", case.id);
        let hash = BodyHash::parse(&case.output, method.hash()).unwrap();
        assert_eq!(hash.verify(body.as_bytes()), Ok(()), "{}", case.id);
        assert!(hash.verify(format!("{body} ").as_bytes()).is_err(), "{}", case.id);
    }
}

#[test]
fn authorization_headers() {
    for case in cases(include_str!("vectors/authorization_header.toml"), 6) {
        let credentials = authorization_header::credentials(&[case.header.as_bytes()]).unwrap();
        let read: Result<Vec<_>, Problem> =
            authorization_header::parameters(credentials.unwrap_or_default()).collect();
        if !case.valid {
            // Not our scheme, nothing in it, or not the grammar.
            assert!(read.is_err() || read == Ok(Vec::new()), "{}", case.id);
            continue;
        }
        let decoded = |raw: Cow<'_, [u8]>| decode_utf8(&raw, Encoding::Percent).unwrap();
        let read: Vec<_> = read
            .unwrap()
            .into_iter()
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        // The realm is never signed, and so never handed out.
        let expected: Vec<_> = case
            .params
            .into_iter()
            .filter(|(name, _)| name != "realm")
            .collect();
        assert_eq!(read, expected, "{}", case.id);
        let written = authorization_header::authorization(read.clone(), Some("R"));
        let found = authorization_header::parameters(&written.as_bytes()[5..]).count();
        assert_eq!(found, read.len(), "{}", case.id);
    }
}

#[test]
fn keys() {
    for case in published_keys() {
        let key = PublicKey::parse(&case.public_spki_pem).unwrap();
        assert_eq!(key.bits(), case.bits, "{}", case.name);
        let bare: String = case
            .public_spki_pem
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        assert_eq!(key.to_base64(), bare, "{}", case.name);
        assert_eq!(PublicKey::parse(&bare).unwrap(), key, "{}", case.name);
        for text in [&case.public_pem, &case.certificate_pem].into_iter().flatten() {
            assert_eq!(PublicKey::parse(text).unwrap(), key, "{}", case.name);
        }
        if let Some(pem) = &case.private_pem {
            let private = PrivateKey::from_pem(pem).unwrap();
            assert_eq!(private.public_key(), key, "{}", case.name);
            let found = PrivateKey::from_pem(private.to_pem().expose())
                .unwrap()
                .public_key();
            assert_eq!(found, key, "{}", case.name);
            let refused = PublicKey::parse(pem).unwrap_err().to_string();
            assert!(refused.contains("private key"), "{}: {refused}", case.name);
        }
        if let Some(end) = case.certificate_not_after {
            assert_eq!(end, "2038-12-31T08:00:00+00:00");
            let key = PublicKey::parse(&case.certificate_pem.unwrap()).unwrap();
            let warnings = |seconds| key.warnings_at(Timestamp::from_seconds(seconds)).len();
            let found = (warnings(2_177_395_200), warnings(2_177_395_201));
            assert_eq!(found, (1, 2), "{}", case.name);
        }
    }
}

#[test]
fn flagged() {
    let mut why = BTreeMap::<_, usize>::new();
    for case in cases(include_str!("vectors/flagged.toml"), 10) {
        let reason = if let Some(computed) = &case.computed_output {
            // A misprint of the normalised form.
            let ours = normalised(case.form.as_deref().unwrap());
            assert!(ours == *computed && ours != case.output, "{}", case.id);
            "output"
        } else if let Some(computed) = &case.computed_base_string {
            // A base string URI without its path, or a value encoded once instead of twice.
            assert!(received(&case) == *computed, "{}", case.id);
            assert!(sent(&case) == *computed, "{}", case.id);
            let found = case.base_string.as_deref();
            assert_ne!(found, Some(computed.as_str()), "{}", case.id);
            "base string"
        } else if let Some(computed) = &case.computed_signature {
            // The base string is right and the signature is not, so it is refused.
            let expected = case.base_string.as_deref().unwrap();
            assert_eq!(received(&case), expected, "{}", case.id);
            let secret = Secret::new(case.token_secret.as_str());
            let (key, method) = (verification_key(&case), method(&case));
            let published = case.signature.as_deref().unwrap();
            let holds = !key.verify(method, expected, published, Some(&secret));
            assert!(holds, "{}", case.id);
            let holds = key.verify(method, expected, computed, Some(&secret));
            assert!(holds, "{}", case.id);
            "signature"
        } else {
            // An example's decoration: neither the secrets nor, for two of them, the request were ever published.
            assert!(case.url.is_empty() && case.base_string.is_none(), "{}", case.id);
            let found = STANDARD.decode(case.signature.unwrap()).unwrap().len();
            assert_eq!(found, 20, "{}", case.id);
            "nothing to verify"
        };
        *why.entry(reason).or_default() += 1;
    }
    assert_eq!(
        why,
        BTreeMap::from([
            ("output", 1),
            ("base string", 3),
            ("signature", 3),
            ("nothing to verify", 3)
        ])
    );
}

#[test]
fn forged_signatures() {
    let rsa = VerificationKey::Rsa(published_key("wiki-rsa-1024"));
    let (forgeries, _) = negative();
    assert_eq!(forgeries.len(), 10);
    for case in forgeries {
        assert_eq!(case.expect, "401 signature_invalid");
        assert_eq!(case.key.as_deref(), Some("wiki-rsa-1024"));
        let text = case.base_string.as_deref().unwrap();
        let signature = case.signature.as_deref().unwrap();
        assert!(
            !rsa.verify(method(&case), text, signature, None),
            "{}: {}",
            case.id,
            case.attack
        );
        assert!(!second_opinion(&case, text), "{}: {}", case.id, case.attack);
    }
}

#[test]
fn downgraded_methods() {
    let rsa = VerificationKey::Rsa(published_key("wiki-rsa-1024"));
    let (_, downgrades) = negative();
    assert_eq!(downgrades.len(), 28);
    for mut case in downgrades {
        case.expect.begins("400 signature_method_rejected");
        case.consumer.begins("registered for RSA-SHA1");
        let signature = case.signature.clone().unwrap();
        let secret = Secret::new(case.token_secret_used.as_str());
        if let Some(text) = case.base_string.clone() {
            // The attack is a real one: with a registered secret like this it would succeed.
            let key = VerificationKey::Hmac(Secret::new(case.consumer_secret_used.as_str()));
            let holds = key.verify(method(&case), &text, &signature, Some(&secret));
            assert!(holds, "{}", case.id);
            case.oauth_params = signed_pairs(&text);
        } else {
            (case.url, case.method) = ("https://app.example.com/rest".to_owned(), "GET".to_owned());
            let fixed = [
                ("consumer_key", "k"),
                ("timestamp", "1"),
                ("nonce", "n"),
                ("signature_method", "PLAINTEXT"),
            ];
            case.oauth_params = fixed
                .map(|(name, value)| (format!("oauth_{name}"), value.to_owned()))
                .to_vec();
        }
        let request = parsed(&case, &signature).unwrap();
        let holds = case.base_string.is_none_or(|text| text == request.base_string());
        assert!(holds, "{}", case.id);
        let refused = request
            .verify(std::slice::from_ref(&rsa), Some(&secret))
            .unwrap_err();
        assert_eq!(
            refused.name(),
            "signature_method_rejected",
            "{}: {}",
            case.id,
            case.attack
        );
    }
}

/// The cases of `negative.toml`: forged RSA signatures, and true signatures of a method that was not registered.
fn negative() -> (Vec<Case>, Vec<Case>) {
    let cases = cases(include_str!("vectors/negative.toml"), 38);
    cases.into_iter().partition(|case| case.key.is_some())
}

#[test]
fn callback_match() {
    let mut stricter = Vec::new();
    for case in cases(include_str!("vectors/callback_match.toml"), 38) {
        let pattern = AllowedCallback::parse(&case.registered);
        let ours = match (&pattern, Callback::parse(&case.requested)) {
            (Ok(pattern), Ok(Callback::Url(url))) => pattern.allows(&url),
            _ => false,
        };
        assert!(
            case.r#match || !ours,
            "{} allows {}: {}",
            case.registered,
            case.requested,
            case.why
        );
        if case.r#match != ours {
            assert_eq!(case.policy, "mediawiki-prefix");
            stricter.push((case.registered, case.requested));
        }
    }
    let expected = [
        // A scheme is part of the origin: another one is another peer, also when it is the safer one.
        ("http://host:1234", "https://host:1234"),
        // Port 1 is that policy's word for any port. Ours is `*`, so that port 1 can mean port 1.
        ("https://host:1", "https://host:1234"),
        ("https://host:1", "https://host"),
        // A pattern has no query: nothing that a query says makes a callback safer.
        ("https://host/path?query", "https://host/path?query"),
    ];
    assert_eq!(
        stricter,
        expected.map(|(registered, requested)| (registered.to_owned(), requested.to_owned()))
    );
    assert!(AllowedCallback::parse("https://host:*").is_ok());
}
