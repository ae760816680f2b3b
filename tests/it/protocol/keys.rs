//! RSA keys: sizes, exponents, warnings, and which number is a signature. Pasted forms are in `rows`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linkgate::oauth::hash::Hash;
use linkgate::oauth::public_key::KeyWarning;
use linkgate::oauth::{PrivateKey, PublicKey, Timestamp};
use rand::{SeedableRng, rngs::StdRng};
use rsa::BoxedUint;
use rsa::pkcs1::{RsaPublicKeyRef, UintRef};
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use x509_cert::der::Encode;

const HASHES: [Hash; 3] = [Hash::Sha1, Hash::Sha256, Hash::Sha512];

/// The sentence with which a text is rejected.
fn refused(text: &str) -> String {
    PublicKey::parse(text).unwrap_err().to_string()
}

/// PKCS#1 in base64, of whatever numbers.
fn pkcs1(modulus: &[u8], exponent: &[u8]) -> String {
    let key = RsaPublicKeyRef {
        modulus: UintRef::new(modulus).unwrap(),
        public_exponent: UintRef::new(exponent).unwrap(),
    };
    STANDARD.encode(key.to_der().unwrap())
}

#[test]
fn a_key_is_shown_by_its_fingerprint() {
    let key = PublicKey::parse(SPKI).unwrap();
    let found = key.fingerprint();
    assert_eq!(found, "SHA256:KBk6bEwAuywr8z2SRCm6Bs8bXG41bp1EZnK+alNzuxw");
    assert_eq!(
        format!("{key:?}"),
        format!("PublicKey(1024 bits, {})", key.fingerprint())
    );
}

#[test]
fn sizes_are_bounded() {
    let e = [1, 0, 1];
    for (bytes, first, word) in [
        (64, 0xff, "512 bits"),
        (128, 0x7f, "1023 bits"),
        (1025, 1, "8193 bits"),
        (2048, 0xff, "16384 bits"),
    ] {
        let mut n = vec![0xff; bytes];
        n[0] = first;
        assert!(refused(&pkcs1(&n, &e)).contains(word), "{word}");
    }
    for bytes in [128, 256, 1024] {
        let n = vec![0xff; bytes];
        assert_eq!(PublicKey::parse(&pkcs1(&n, &e)).unwrap().bits(), 8 * bytes);
    }
}

#[test]
fn keys_whose_signatures_anybody_can_make_are_refused() {
    let odd = vec![0xff; 256];
    let mut even = odd.clone();
    even[255] = 0xfe;
    assert!(refused(&pkcs1(&even, &[1, 0, 1])).contains("even"));
    for exponent in [&[1][..], &[0], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1], &[0x7f; 16]] {
        assert!(
            refused(&pkcs1(&odd, exponent)).contains("exponent"),
            "{exponent:?}"
        );
    }
}

#[test]
fn what_is_only_dubious_is_remarked_on() {
    let odd = vec![0xff; 256];
    let warnings = |text: &str, at: i64| {
        PublicKey::parse(text)
            .unwrap()
            .warnings_at(Timestamp::from_seconds(at))
    };
    assert_eq!(warnings(&pkcs1(&odd, &[1, 0, 1]), 0), []);
    let found = warnings(&pkcs1(&odd, &[3]), 0);
    assert_eq!(found, [KeyWarning::SmallExponent { exponent: 3 }]);
    let short = KeyWarning::SmallModulus { bits: 1024 };
    assert_eq!(warnings(SPKI, i64::MAX), [short]);
    assert_eq!(warnings(CERTIFICATE, 1_827_012_374), [short]);
    let found = warnings(CERTIFICATE, 1_827_012_375);
    assert_eq!(found, [short, KeyWarning::CertificateExpired]);
    assert!(short.to_string().contains("1024 bits"));
}

#[test]
fn a_generated_key_signs_with_every_rsa_method() {
    let key = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(2)).unwrap();
    let public = key.public_key();
    for hash in HASHES {
        let signature = key.sign(hash, b"message").unwrap();
        for other in HASHES {
            assert_eq!(public.verify(other, b"message", &signature), other == hash);
        }
        assert!(!public.verify(hash, b"massage", &signature));
    }
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
}

#[test]
fn only_the_one_number_below_the_modulus_is_a_signature() {
    let method = Hash::Sha1;
    let private = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(3)).unwrap();
    let public = private.public_key();
    let spki = STANDARD.decode(public.to_base64()).unwrap();
    let n = rsa::PublicKey::from_public_key_der(&spki).unwrap().n().clone();
    // RFC 8017, section 8.2.2: s + n opens to the same message and must not pass.
    let signed = |number: u32| {
        let message = number.to_be_bytes();
        let signature = private.sign(method, &message).unwrap();
        assert!(public.verify(method, &message, &signature));
        let raised = BoxedUint::from_be_slice_vartime(&signature).wrapping_add(&*n);
        (raised > *n).then(|| (message, signature, raised.to_be_bytes()))
    };
    let (message, signature, raised) = (0..).find_map(signed).unwrap();
    assert_eq!(raised.len(), signature.len());
    let modulus = n.to_be_bytes();
    for forged in [
        &raised[..],
        &[&[0], &*signature].concat(),
        &signature[1..],
        &[],
        &modulus,
    ] {
        assert!(!public.verify(method, &message, forged));
    }
    for octet in 0..signature.len() {
        let mut forged = signature.clone();
        forged[octet] ^= 0x10;
        assert!(!public.verify(method, &message, &forged), "{octet}");
    }
}

#[test]
fn private_keys_are_read_from_pem_alone() {
    for text in [
        SPKI,
        CERTIFICATE,
        "",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
    ] {
        assert!(PrivateKey::from_pem(text).is_err(), "{text}");
    }
    assert!(PrivateKey::generate(512, &mut StdRng::seed_from_u64(3)).is_err());
}

const SPKI: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCk0lz5DbJnRuIp4X1zkUMKeSPp
kmOuGA77i5pgulguF03zX7gXOyEB1pWp68dUwyRTzN6efNAutrd1LtjEhX0JqNc0
Ug/t5+vdCGlHY9DqadTHO2/wnoCWJXJwY+YOWkbGCV3E5z3MDokiCQW5ZTWpywGb
6H9kyy2vdvQ1OJCHEQIDAQAB
-----END PUBLIC KEY-----
";

const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIICDDCCAXWgAwIBAgIUMQiFmw38errmaygqnhviz2xR2swwDQYJKoZIhvcNAQEL
BQAwGDEWMBQGA1UEAwwNbGlua2dhdGUtdGVzdDAeFw0yNjExMjMyMzI2MTRaFw0y
NzExMjMyMzI2MTRaMBgxFjAUBgNVBAMMDWxpbmtnYXRlLXRlc3QwgZ8wDQYJKoZI
hvcNAQEBBQADgY0AMIGJAoGBAKTSXPkNsmdG4inhfXORQwp5I+mSY64YDvuLmmC6
WC4XTfNfuBc7IQHWlanrx1TDJFPM3p580C62t3Uu2MSFfQmo1zRSD+3n690IaUdj
0Opp1Mc7b/CegJYlcnBj5g5aRsYJXcTnPcwOiSIJBbllNanLAZvof2TLLa929DU4
kIcRAgMBAAGjUzBRMB0GA1UdDgQWBBTKhg4jYvJH5OmVVZNlRIvpd8+/9jAfBgNV
HSMEGDAWgBTKhg4jYvJH5OmVVZNlRIvpd8+/9jAPBgNVHRMBAf8EBTADAQH/MA0G
CSqGSIb3DQEBCwUAA4GBAF9ll0V/CbNJjyaSklZUcZCt9kFUm2Y3r9kHwsDXpBbE
OtDqcfzmoGJs7zX8Qa34VZb9bFPjTRhlJcUjLwh885J0TbHPZ50Vzfms3nojnrb+
/DdHdMF3+PyrPy86orjvofQDvjMPLj9t1Tl7QJyTci2naag+t4blECPi2VioeoO+
-----END CERTIFICATE-----
";
