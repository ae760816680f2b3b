//! What is said of consumers: their keys, methods and callbacks.

use insta::assert_snapshot;
use linkgate::oauth::SignatureMethod;

use super::{CURVE_KEY, SHORT_KEY, SMALLEST, Written, refused};

#[test]
fn a_secret_is_given_in_one_place() {
    let both = "[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\nshared_secret_file = \"secret\"\n";
    assert_snapshot!(refused(both), @r"
    linkgate.toml:13:1: consumers[0].shared_secret_file: shared_secret is given as well
        keep shared_secret or shared_secret_file, not both
    ");
    let empty = Written::smallest_and("[[consumers]]\nkey = \"ck\"\nshared_secret_file = \"secret\"\n")
        .with("secret", "\n");
    assert_snapshot!(empty.refused(&[]), @r"
    linkgate.toml:12:1: consumers[0].shared_secret_file: the file is empty
        write the secret into it, on one line, and nothing else
    ");
}

#[test]
fn what_consumers_do_with_a_secret_is_remarked() {
    let text = "[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef+/=\"\n";
    let warned = Written::smallest_and(text).warned();
    assert!(warned.contains("forget to percent-encode"), "{warned}");
    assert!(!warned.contains("0123"), "{warned}");
    let blank = "[[consumers]]\nkey = \" ck \"\nshared_secret = \"0123456789abcdef\"\n";
    assert!(refused(blank).contains("no white space around them"));
}

#[test]
fn consumers_that_are_half_configured() {
    assert_snapshot!(refused("[[consumers]]\n[[consumers]]\nkey = \"\"\nshared_secret = \"0123456789abcdef\"\n"), @r#"
    linkgate.toml:10:1: consumers[0].key: it is missing
        key = "Stash:8277239845" # the consumer key, as the consumer has it
    linkgate.toml:12:1: consumers[1].key: it is empty
        write a text, or leave the key out
    "#);
    let families = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
public_key_file = "bitbucket-old.pem"
public_keys = [{ file = "bitbucket-old.pem", pem = "x" }, {}]
"#;
    assert_snapshot!(refused(families), @r"
    linkgate.toml:15:46: consumers[0].public_keys[0].pem: this is neither PEM nor base64
        paste the consumer's RSA public key or its certificate
    ");
    let rules = families.replace("pem = \"x\"", &format!("pem = \"{SHORT_KEY}\""));
    assert_snapshot!(refused(&rules), @r#"
    linkgate.toml:13:1: consumers[0].shared_secret: the consumer has a public key as well
        keep one; a consumer that signs in both ways is two consumers, each with a key of its own
    linkgate.toml:15:1: consumers[0].public_keys: public_key_file is given as well
        put all of the consumer's keys into public_keys
    linkgate.toml:15:18: consumers[0].public_keys[0].file: pem is given as well
        write one table for each key
    linkgate.toml:15:274: consumers[0].public_keys[1].file: it is missing
        write { file = "bitbucket.pem" } or { pem = "..." }
    "#);
    let twice = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
[[consumers]]
key = "ck"
public_key_file = "bitbucket-old.pem"
two_legged_user = "svc"
default_callback = "https://bitbucket.example.com/back"
"#;
    assert_snapshot!(refused(twice), @r#"
    linkgate.toml:15:1: consumers[1].key: consumers[0] has the key "ck" too
        write each consumer once; during a rotation, both of its keys go into public_keys
    linkgate.toml:17:1: consumers[1].two_legged_user: the consumer may not call as itself
        write two_legged = true too, or leave it out
    linkgate.toml:18:1: consumers[1].default_callback: callbacks does not allow it
        add its origin to callbacks
    "#);
}

#[test]
fn signature_methods_fit_the_key_and_the_url() {
    let text = r#"
[[consumers]]
key = "form"
shared_secret = "0123456789abcdef"
signature_methods = ["HMAC-SHA1", "RSA-SHA1", "hmac-sha256", "PLAIN"]
[[consumers]]
key = "own"
public_key_file = "bitbucket-old.pem"
signature_methods = ["RSA-SHA256", "PLAINTEXT"]
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml:14:47: consumers[0].signature_methods[2]: "hmac-sha256" is not known here
        did you mean "HMAC-SHA256"?
    linkgate.toml:14:62: consumers[0].signature_methods[3]: "PLAIN" is not known here
        write one of "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"
    "#);
    let known = text.replace(", \"hmac-sha256\", \"PLAIN\"", "");
    assert_snapshot!(refused(&known), @r#"
    linkgate.toml:14:35: consumers[0].signature_methods[1]: RSA-SHA1 does not go with a shared secret
        write "HMAC-SHA1", or leave signature_methods out
    linkgate.toml:18:36: consumers[1].signature_methods[1]: PLAINTEXT does not go with a public key
        write "RSA-SHA1", or leave signature_methods out
    "#);
    let plain = "[[consumers]]\nkey = \"ck\"\nshared_secret = \"0123456789abcdef\"\nsignature_methods = [\"PLAINTEXT\"]\n";
    let config = Written::smallest_and(plain).load(&[]).unwrap();
    assert!(config.consumers[0].methods.contains(&SignatureMethod::Plaintext));
    let http = SMALLEST.replace("https://builds.example.com", "http://127.0.0.1:9080");
    assert_snapshot!(Written::new(&format!("{http}{plain}")).refused(&[]), @r"
    linkgate.toml:13:22: consumers[0].signature_methods[0]: PLAINTEXT sends the secret itself, and a public URL is http
        write https URLs as server.public_url and public_urls, or leave PLAINTEXT out
    ");
}

#[test]
fn keys_that_are_none() {
    let text = format!(
        r#"
[[consumers]]
key = "private"
public_key_file = "private.pem"
[[consumers]]
key = "pasted"
public_key = """
-----BEGIN RSA PRIVATE KEY-----
MIIE
-----END RSA PRIVATE KEY-----
"""
[[consumers]]
key = "curve"
public_keys = [{{ file = "bitbucket-old.pem" }}, {{ pem = "{CURVE_KEY}" }}]
[[consumers]]
key = "cut"
public_key = "{}"
"#,
        &SHORT_KEY[..100]
    );
    let private = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    let written = Written::smallest_and(&text).with("private.pem", private);
    assert_snapshot!(written.refused(&[]), @r"
    linkgate.toml:13:1: consumers[0].public_key_file: private.pem: this is a private key, and nobody but its owner may have it
        paste the public key, and replace this key pair if the private key went through other hands
    linkgate.toml:16:1: consumers[1].public_key: this is a private key, and nobody but its owner may have it
        paste the public key, and replace this key pair if the private key went through other hands
    linkgate.toml:23:50: consumers[2].public_keys[1].pem: this is an elliptic-curve key
        OAuth 1.0 signs with RSA, so paste an RSA public key
    linkgate.toml:26:1: consumers[3].public_key: this is base64, but of nothing that looks like an RSA public key or a certificate
        is it complete?
    ");
}

#[test]
fn a_file_has_one_key() {
    let begin = "-----BEGIN PUBLIC KEY-----";
    let key = format!("{begin}\n{SHORT_KEY}\n-----END PUBLIC KEY-----\n");
    let text = "[[consumers]]\nkey = \"ck\"\npublic_key_file = \"two.pem\"\n";
    let two = Written::smallest_and(text).with("two.pem", &format!("{key}{key}"));
    assert_snapshot!(two.refused(&[]), @r"
    linkgate.toml:12:1: consumers[0].public_key_file: two.pem: there is more than one key in it
        write each into a file of its own, and name all of them in public_keys
    ");
    let one = Written::smallest_and(text).with("two.pem", &key);
    assert_eq!(one.load(&[]).unwrap().consumers[0].keys.len(), 1);
}

#[test]
fn callbacks_that_are_none() {
    let text = r#"
[[consumers]]
key = "ck"
shared_secret = "0123456789abcdef"
callbacks = ["https://*.example.com", "bitbucket.example.com", "https://bitbucket.example.com", "javascript:alert(1)"]
default_callback = "ftp://bitbucket.example.com"
"#;
    assert_snapshot!(refused(text), @r#"
    linkgate.toml:14:14: consumers[0].callbacks[0]: "https://*.example.com" cannot be used
        only the port may be *: name the host, and leave out what may vary at the end of the path
    linkgate.toml:14:39: consumers[0].callbacks[1]: "bitbucket.example.com" cannot be used
        it must be an absolute URL that begins with https:// or http://
    linkgate.toml:14:97: consumers[0].callbacks[3]: "javascript:alert(1)" cannot be used
        it must be an absolute URL that begins with https:// or http://
    linkgate.toml:15:1: consumers[0].default_callback: "ftp://bitbucket.example.com" cannot be used
        it must begin with https:// or http://
    "#);
}

#[test]
fn lists_that_are_empty() {
    let text = "[[consumers]]\nkey = \"ck\"\npublic_keys = []\nsignature_methods = []\n";
    assert_snapshot!(refused(text), @r#"
    linkgate.toml:12:1: consumers[0].public_keys: the list is empty
        write { file = "bitbucket.pem" } or { pem = "..." } for each key
    linkgate.toml:13:1: consumers[0].signature_methods: the list is empty
        name a method, or leave it out
    "#);
}
