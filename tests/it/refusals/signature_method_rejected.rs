//! The signature methods (RFC 5849, sections 3.4.2 to 3.4.4): the key decides, the peer does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkgate::clock::Clock;
use linkgate::config::Config;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::support::{CALLBACK, Key, Linkgate, Peer, Setup, private_key, public_key};

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let linkgate = Linkgate::start().await;
    let key = private_key().to_public_key();
    let pem = key.to_public_key_pem(LineEnding::LF).unwrap();
    let der = key.to_public_key_der().unwrap();
    for secret in [
        pem.clone(),
        pem.trim_end().to_owned(),
        pem.replace('\n', "\r\n"),
        public_key(),
        der.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
        "secret".to_owned(),
        // What old clients sign with that mean RSA: keys of "&" and "&tokensecret".
        String::new(),
    ] {
        for token_secret in ["", "tokensecret"] {
            for method in ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"] {
                let mut call = Peer::rsa()
                    .call(&linkgate, "GET", "/api/x")
                    .keyed(Key::Hmac(secret.clone()));
                token_secret.clone_into(&mut call.token_secret);
                let sent = call.oauth("oauth_signature_method", method);
                let answer = sent.refused(&linkgate, "signature_method_rejected").await;
                let advice = answer.value("oauth_problem_advice").unwrap();
                assert!(advice.ends_with("sign with RSA-SHA1."), "{advice}");
            }
        }
    }
}

#[tokio::test]
async fn a_method_that_was_not_registered_is_rejected() {
    let linkgate = Linkgate::start().await;
    let call = || Peer::robot().call(&linkgate, "GET", "/api/x");
    for method in [
        "PLAINTEXT",
        "HMAC-SHA256",
        "HMAC-SHA512",
        "RSA-SHA1",
        "RSA-SHA256",
        "hmac-sha1",
        "HMAC-SHA1 ",
        "HMAC-SHA1-Accessor",
        "PLAINTEXT-Accessor",
        "HMAC-MD5",
        "RSA-MD5",
        "none",
        "",
    ] {
        let call = call().oauth("oauth_signature_method", method);
        for request in [
            call.request(&linkgate),
            call.request_with("a-robot-needs-a-secret&"),
        ] {
            let answer = request
                .refused(linkgate.address, "signature_method_rejected")
                .await;
            let advice = answer.value("oauth_problem_advice").unwrap();
            let names = match method {
                "PLAINTEXT" => "PLAINTEXT is off for this consumer",
                "HMAC-SHA256" | "HMAC-SHA512" => "another hash only",
                "RSA-SHA1" | "RSA-SHA256" => "sign with HMAC-SHA1",
                _ => "linkgate knows HMAC-SHA1",
            };
            assert!(advice.contains(names), "{method}: {advice}");
        }
    }
    // Absent, it has no default.
    let sent = call().without("oauth_signature_method");
    sent.refused(&linkgate, "parameter_absent").await;
}

#[tokio::test]
async fn plaintext_needs_a_switch_and_https_and_a_fresh_nonce() {
    let linkgate = Setup::new()
        .base("https://builds.example.com")
        .more(PLAINTEXT)
        .start()
        .await;
    let call = || {
        Peer::of("plain", "")
            .call(&linkgate, "GET", "/api/x")
            .oauth("oauth_signature_method", "PLAINTEXT")
    };
    let send = async |call: crate::support::Call, signature: &str| {
        call.request_with(signature).send(linkgate.address).await
    };
    for wrong in [
        "",
        "&",
        "plain secret & more&",
        "plain%20secret%20%26%20more",
        "plain%20secret%20%26%20more&x",
    ] {
        send(call(), wrong).await.assert_refused("signature_invalid");
    }
    let right = "plain%20secret%20%26%20more&";
    for name in ["oauth_timestamp", "oauth_nonce"] {
        send(call().without(name), right)
            .await
            .assert_refused("parameter_absent");
    }
    let first = call();
    assert_eq!(send(first.clone(), right).await.status, 200);
    send(first, right).await.assert_refused("nonce_used");
    // The methods that were not named are not there.
    let hmac = Peer::of("plain", "plain secret & more")
        .call(&linkgate, "GET", "/api/x")
        .send(&linkgate)
        .await;
    hmac.assert_refused("signature_method_rejected");
}

/// Behind a proxy that takes http as well, the scheme is the one that the proxy saw.
#[tokio::test]
async fn plaintext_over_http_is_refused_behind_a_proxy_too() {
    let server = "trusted_proxies = [\"127.0.0.0/8\"]";
    let linkgate = Setup::new()
        .base("https://builds.example.com")
        .server(server)
        .more(PLAINTEXT)
        .start()
        .await;
    for (proto, status) in [("http", 400), ("https", 200)] {
        for (name, value) in [
            ("X-Forwarded-Proto", proto.to_owned()),
            ("Forwarded", format!("proto={proto}")),
        ] {
            let call = Peer::of("plain", "")
                .call(&linkgate, "GET", "/api/x")
                .oauth("oauth_signature_method", "PLAINTEXT");
            let request = call
                .request_with("plain%20secret%20%26%20more&")
                .header(name, value);
            let answer = request.send(linkgate.address).await;
            assert_eq!(answer.status, status, "{name} {proto}: {answer:?}");
            if status == 400 {
                answer.assert_refused("signature_method_rejected");
            }
        }
    }
}

#[tokio::test]
async fn plaintext_without_https_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("linkgate.toml");
    let text = format!(
        "[server]\npublic_url = \"http://builds.example.com\"\n[upstream]\nurl = \"http://127.0.0.1:1\"\n\
         [login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n{PLAINTEXT}"
    );
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("users.toml"), "").unwrap();
    let refused = Config::load(&file, [], Clock::System.now())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("PLAINTEXT sends the secret itself"), "{refused}");
    assert!(!refused.contains("plain secret"), "{refused}");
}

#[tokio::test]
async fn an_rsa_signature_has_one_value() {
    let linkgate = Linkgate::start().await;
    let call = Peer::rsa().call(&linkgate, "GET", "/api/x");
    let right = STANDARD.decode(call.signature(&linkgate.base)).unwrap();
    let modulus = private_key().n().to_be_bytes_trimmed_vartime().to_vec();
    assert_eq!(right.len(), modulus.len());
    let mut flipped = right.clone();
    flipped[100] ^= 1;
    let mut minus_one = modulus.clone();
    *minus_one.last_mut().unwrap() -= 1;
    let mut one = vec![0; right.len()];
    *one.last_mut().unwrap() = 1;
    for wrong in [
        flipped,
        right[1..].to_vec(),
        right[..right.len() - 1].to_vec(),
        [&[0], right.as_slice()].concat(),
        [right.as_slice(), &[0]].concat(),
        sum(&right, &modulus),
        vec![0; right.len()],
        one,
        vec![1],
        Vec::new(),
        minus_one,
        modulus,
        vec![0xff; right.len()],
        vec![0xff; 10_000],
    ] {
        call.request_with(&STANDARD.encode(wrong))
            .refused(linkgate.address, "signature_invalid")
            .await;
    }
    call.request_with(&STANDARD.encode(right))
        .passes(linkgate.address)
        .await;
}

/// Signed with the right key over the right text, and padded wrongly (RFC 8017, section 9.2).
#[tokio::test]
async fn an_rsa_signature_has_one_padding() {
    let linkgate = Linkgate::start().await;
    let call = Peer::rsa().call(&linkgate, "GET", "/api/x");
    let text = call.base_string(&linkgate.base);
    let (sha1, sha256) = (Sha1::digest(&text), Sha256::digest(&text));
    let info_without_null = [b"\x30\x1f\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x14", &sha1[..]].concat();
    let info_with_rest = [
        b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
        &sha1[..],
        b"\0\0",
    ]
    .concat();
    for (padding, message) in [
        (Pkcs1v15Sign::new_unprefixed(), sha1.to_vec()),
        (Pkcs1v15Sign::new_unprefixed(), info_without_null),
        (Pkcs1v15Sign::new_unprefixed(), info_with_rest),
        (Pkcs1v15Sign::new_unprefixed(), text.as_bytes()[..100].to_vec()),
        (Pkcs1v15Sign::new::<Sha256>(), sha256.to_vec()),
    ] {
        let wrong = private_key().sign(padding, &message).unwrap();
        call.request_with(&STANDARD.encode(wrong))
            .refused(linkgate.address, "signature_invalid")
            .await;
    }
    let right = private_key().sign(Pkcs1v15Sign::new::<Sha1>(), &sha1).unwrap();
    call.request_with(&STANDARD.encode(right))
        .passes(linkgate.address)
        .await;
}

#[tokio::test]
async fn an_unknown_consumer_is_unknown_whatever_it_signs_with() {
    let linkgate = Linkgate::start().await;
    for key in [
        "http://anything",
        "nobody",
        "Bitbucket-Form",
        "bitbucket-form ",
        "*",
        "%",
        "' or 1=1 --",
        "\u{fc}",
    ] {
        for secret in ["secret", "", "correct-horse-battery-staple"] {
            for path in ["/api/x", "/oauth/request-token", "/oauth/access-token"] {
                let call = Peer::of(key, secret)
                    .call(&linkgate, "POST", path)
                    .oauth("oauth_callback", CALLBACK);
                call.refused(&linkgate, "consumer_key_unknown").await;
            }
        }
    }
    for key in [
        String::new(),
        "k".repeat(256),
        "a\0b".to_owned(),
        "a\r\nb".to_owned(),
    ] {
        let call = Peer::of(&key, "secret").call(&linkgate, "GET", "/api/x");
        call.refused(&linkgate, "parameter_rejected").await;
    }
}

#[tokio::test]
async fn a_refusal_tells_nothing_that_helps_to_sign() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac()
        .call(&linkgate, "GET", "/api/x?q=remarkable")
        .token(&token);
    let (right, text) = (call.signature(&linkgate.base), call.base_string(&linkgate.base));
    for wrong in ["AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "", "x"] {
        let sent = call.request_with(wrong);
        let answer = sent.refused(linkgate.address, "signature_invalid").await;
        let said = format!("{:?} {} {:?}", answer.headers, answer.body, answer.pairs());
        for secret in [
            right.as_str(),
            text.as_str(),
            "remarkable",
            token.token.as_str(),
            token.secret.as_str(),
            "correct-horse",
        ] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
}

/// The sum of two numbers, big-endian.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = Vec::new();
    for (a, b) in one.iter().rev().zip(other.iter().rev()) {
        let [high, low] = (u16::from(*a) + u16::from(*b) + carry).to_be_bytes();
        digits.push(low);
        carry = u16::from(high);
    }
    if carry > 0 {
        digits.push(1);
    }
    digits.reverse();
    digits
}

const PLAINTEXT: &str = r#"
[[consumers]]
key = "plain"
shared_secret = "plain secret & more"
signature_methods = ["PLAINTEXT"]
callbacks = ["https://bitbucket.example.com"]
two_legged = true
"#;
