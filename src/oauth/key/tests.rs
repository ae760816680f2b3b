use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::{SeedableRng, rngs::StdRng};
use rsa::BoxedUint;
use rsa::pkcs1::{RsaPublicKeyRef, UintRef};
use rsa::pkcs8::DecodePublicKey;
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use rsa::traits::PublicKeyParts;
use x509_cert::der::Encode;
use x509_cert::der::asn1::{BitStringRef, ObjectIdentifier};

use super::*;
use crate::oauth::{SignatureMethod, Timestamp};

fn now(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// The sentence with which a text is refused.
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

/// A key of another algorithm, in base64.
fn other(oid: &str) -> String {
    let key: SubjectPublicKeyInfoRef<'_> = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid: ObjectIdentifier::new(oid).unwrap(),
            parameters: None,
        },
        subject_public_key: BitStringRef::from_bytes(&[4; 32]).unwrap(),
    };
    STANDARD.encode(key.to_der().unwrap())
}

fn bare(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("---")).collect()
}

#[test]
fn every_pasted_form_is_one_key() {
    let key = PublicKey::parse(SPKI).unwrap();
    assert_eq!(key.bits(), 1024);
    assert_eq!(key.to_base64(), bare(SPKI));
    for text in [
        PKCS1.to_owned(),
        CERTIFICATE.to_owned(),
        bare(SPKI),
        bare(PKCS1),
        bare(CERTIFICATE),
        bare(SPKI).trim_end_matches('=').to_owned(),
        SPKI.lines()
            .filter(|line| !line.starts_with("---"))
            .collect::<Vec<_>>()
            .join("\n"),
        SPKI.replace('\n', "\r\n"),
        SPKI.replace('\n', "\\n"),
        SPKI.replace('\n', "\\r\\n"),
        SPKI.replace('\n', " "),
        format!("\u{feff}\n \t{SPKI}\n\n"),
        format!("\"{}\"", SPKI.replace('\n', "\\n")),
        format!("Bag Attributes\n    friendlyName: bitbucket\n{CERTIFICATE}{CERTIFICATE}"),
        SPKI.replace("PUBLIC", "RSA PUBLIC"),
    ] {
        assert_eq!(PublicKey::parse(&text).as_ref(), Ok(&key), "{text}");
    }
}

#[test]
fn a_key_is_shown_by_its_fingerprint() {
    let key = PublicKey::parse(SPKI).unwrap();
    assert_eq!(
        key.fingerprint(),
        "SHA256:KBk6bEwAuywr8z2SRCm6Bs8bXG41bp1EZnK+alNzuxw"
    );
    assert_eq!(
        format!("{key:?}"),
        format!("PublicKey(1024 bits, {})", key.fingerprint())
    );
}

#[test]
fn other_things_are_called_by_their_names() {
    let generated = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(1)).unwrap();
    let private = generated.to_pem();
    let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    for (text, word) in [
        (private.expose().to_owned(), "private key"),
        (bare(private.expose()), "private key"),
        (format!("{CERTIFICATE}{}", private.expose()), "private key"),
        (block("RSA PRIVATE KEY"), "private key"),
        (block("EC PRIVATE KEY"), "private key"),
        (block("ENCRYPTED PRIVATE KEY"), "private key"),
        (block("OPENSSH PRIVATE KEY"), "private key"),
        (STANDARD.encode(b"\x30\x77\x02\x01\x01\x04\x20key"), "private key"),
        (EC.to_owned(), "elliptic-curve"),
        (bare(EC), "elliptic-curve"),
        (block("EC PARAMETERS"), "elliptic-curve"),
        (block("DSA PARAMETERS"), "DSA"),
        (other("1.2.840.10040.4.1"), "DSA"),
        (other("1.3.101.112"), "Ed25519"),
        (other("1.2.840.113549.1.1.10"), "RSA-PSS"),
        (other("1.2.840.113549.1.3.1"), "1.2.840.113549.1.3.1"),
        (other("1.2.840.113549.1.1.1"), "none inside"),
        (REQUEST.to_owned(), "certificate request"),
        (bare(REQUEST), "certificate request"),
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCk me@host".to_owned(),
            "OpenSSH",
        ),
        ("AAAAB3NzaC1yc2EAAAADAQABAAAAgQCk".to_owned(), "OpenSSH"),
        ("ssh-ed25519 AAAA me@host".to_owned(), "OpenSSH"),
        (block("PGP PUBLIC KEY BLOCK"), "PGP"),
        (block("PKCS7"), "neither a public key nor a certificate"),
        (
            "<consumer><publicKey>MIG</publicKey></consumer>".to_owned(),
            "publicKey element",
        ),
        ("{\"kty\":\"RSA\"}".to_owned(), "JWK"),
        (SPKI.replace("-----END PUBLIC KEY-----", ""), "END"),
        (SPKI.replace("-----BEGIN PUBLIC KEY-----", ""), "BEGIN"),
        (SPKI.replace("MIGf", "M!Gf"), "not base64"),
        (bare(SPKI)[..80].to_owned(), "complete"),
        (String::new(), "no key here"),
        ("\n \t".to_owned(), "no key here"),
        ("correct horse battery staple".to_owned(), "neither"),
        ("x".repeat(1 << 17), "too long"),
    ] {
        let sentence = refused(&text);
        assert!(sentence.contains(word), "{text}: {sentence}");
        assert!(!sentence.contains(private.expose()));
    }
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
    let warnings = |text: &str, at: i64| PublicKey::parse(text).unwrap().warnings_at(now(at));
    assert_eq!(warnings(&pkcs1(&odd, &[1, 0, 1]), 0), []);
    assert_eq!(
        warnings(&pkcs1(&odd, &[3]), 0),
        [KeyWarning::SmallExponent { exponent: 3 }]
    );
    let short = KeyWarning::Short { bits: 1024 };
    assert_eq!(warnings(SPKI, i64::MAX), [short]);
    assert_eq!(warnings(CERTIFICATE, 1_827_012_374), [short]);
    assert_eq!(
        warnings(CERTIFICATE, 1_827_012_375),
        [short, KeyWarning::CertificateExpired]
    );
    assert!(short.to_string().contains("1024 bits"));
}

#[test]
fn a_generated_key_signs_with_every_rsa_method() {
    let key = PrivateKey::generate(1024, &mut StdRng::seed_from_u64(2)).unwrap();
    let public = key.public_key();
    for method in SignatureMethod::ALL {
        let Some(signature) = key.sign(method, b"message") else {
            assert!(!method.is_rsa());
            continue;
        };
        for claimed in SignatureMethod::ALL {
            assert_eq!(public.verify(claimed, b"message", &signature), claimed == method);
        }
        assert!(!public.verify(method, b"massage", &signature));
    }
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
}

#[test]
fn only_the_one_number_below_the_modulus_is_a_signature() {
    let method = SignatureMethod::RsaSha1;
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
        EC,
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

const PKCS1: &str = "\
-----BEGIN RSA PUBLIC KEY-----
MIGJAoGBAKTSXPkNsmdG4inhfXORQwp5I+mSY64YDvuLmmC6WC4XTfNfuBc7IQHW
lanrx1TDJFPM3p580C62t3Uu2MSFfQmo1zRSD+3n690IaUdj0Opp1Mc7b/CegJYl
cnBj5g5aRsYJXcTnPcwOiSIJBbllNanLAZvof2TLLa929DU4kIcRAgMBAAE=
-----END RSA PUBLIC KEY-----
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

const REQUEST: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIIBVzCBwQIBADAYMRYwFAYDVQQDDA1saW5rZ2F0ZS10ZXN0MIGfMA0GCSqGSIb3
DQEBAQUAA4GNADCBiQKBgQCk0lz5DbJnRuIp4X1zkUMKeSPpkmOuGA77i5pgulgu
F03zX7gXOyEB1pWp68dUwyRTzN6efNAutrd1LtjEhX0JqNc0Ug/t5+vdCGlHY9Dq
adTHO2/wnoCWJXJwY+YOWkbGCV3E5z3MDokiCQW5ZTWpywGb6H9kyy2vdvQ1OJCH
EQIDAQABoAAwDQYJKoZIhvcNAQELBQADgYEAmrKXkQvQGn6mTaPiaf+qjU5krMsQ
SQXIP47mESVmLCjXrHs0t920+SYODMR0TSuPLwBAPx5GegInw9EVsNwxkxFD9VgD
9aCrvD8YszEv4FP9Q5aFSjoFQULYZO6DijSEVZVURs/6Wn45ATvuKrvK+A5uZxMP
3yBFyrgj2Em9Cxc=
-----END CERTIFICATE REQUEST-----
";

const EC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGBlq81TYkym76QQLllSaZScr+Pd6
fwdURRO751REwTV0Kh6daXkSyauAuWHD9We8Ah0IrOxQnVNuFGURyOmPAg==
-----END PUBLIC KEY-----
";
