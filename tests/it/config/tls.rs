//! Certificates: the one that we show, and those that we believe.

use insta::assert_snapshot;

use super::{SMALLEST, Written};
use crate::support::{Authority, Issued};

/// A configuration whose listener shows this pair.
fn showing(certificate: &str, key: &str) -> Written {
    let tls = "[server]\ntls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }";
    Written::new(&SMALLEST.replace("[server]", tls))
        .with("cert.pem", certificate)
        .with("key.pem", key)
}

fn issued() -> Issued {
    Authority::new().issue(&["builds.example.com"])
}

#[test]
fn a_pair_is_taken() {
    let Issued { certificate, key } = issued();
    let written = showing(&certificate, &key);
    let config = written.load(&[]).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.server.tls.unwrap().key, written.path("key.pem"));
}

#[test]
fn what_is_no_pair_is_named() {
    let (pair, other) = (issued(), issued());
    assert_snapshot!(showing(&pair.certificate, &other.key).refused(&[]), @r"
    linkgate.toml:3:33: server.tls.key_file: the private key is not the certificate's
        write the key that the certificate was made for
    ");
    assert_snapshot!(showing(&pair.key, &pair.key).refused(&[]), @r#"
    linkgate.toml:3:9: server.tls.cert_file: there is no certificate in it
        write a PEM file with "-----BEGIN CERTIFICATE-----", your own first, its issuers below
    "#);
    assert_snapshot!(showing(&pair.certificate, &pair.certificate).refused(&[]), @r#"
    linkgate.toml:3:33: server.tls.key_file: there is no private key in it
        write the PEM file with "-----BEGIN PRIVATE KEY-----"
    "#);
    let encrypted = pair.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_snapshot!(showing(&pair.certificate, &encrypted).refused(&[]), @r"
    linkgate.toml:3:33: server.tls.key_file: the private key is encrypted
        write it without a password, readable by linkgate's user alone
    ");
    let broken = pair.certificate.replace("MII", "MIIA");
    assert_snapshot!(showing(&broken, &pair.key).refused(&[]), @r"
    linkgate.toml:3:9: server.tls.cert_file: its certificate cannot be read
        copy the PEM file again, whole
    ");
    let nowhere = "[server]\ntls = { cert_file = \"nowhere.pem\", key_file = \"nowhere.key\" }";
    assert_snapshot!(Written::new(&SMALLEST.replace("[server]", nowhere)).refused(&[]), @r"
    linkgate.toml:3:9: server.tls.cert_file: nowhere.pem does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    linkgate.toml:3:36: server.tls.key_file: nowhere.key does not exist
        create it, or write another path; a relative one starts at the directory of the configuration
    ");
    let half = SMALLEST.replace("[server]", "[server]\ntls = { cert_file = \"nowhere.pem\" }");
    assert_snapshot!(Written::new(&half).refused(&[]), @r#"
    linkgate.toml:3:1: server.tls.key_file: it is missing
        tls = { cert_file = "fullchain.pem", key_file = "privkey.pem" }
    "#);
}

#[test]
fn what_consumers_would_not_believe_is_said() {
    let authority = Authority::new();
    let warned = |issued: Issued| showing(&issued.certificate, &issued.key).warned();
    assert_snapshot!(warned(authority.issue_for(&["builds.example.com"], 2020, 2021)), @r"
    linkgate.toml:3:9: server.tls.cert_file: the certificate has expired
        renew it; linkgate reads the new one by itself
    ");
    assert_snapshot!(warned(authority.issue_for(&["other.example.com"], 2090, 2100)), @r"
    linkgate.toml:3:9: server.tls.cert_file: the certificate is not valid yet
        wait, or look at this machine's clock
    linkgate.toml:3:9: server.tls.cert_file: the certificate is not for builds.example.com, the host of server.public_url
        write one that is, or consumers and browsers will not trust it
    ");
}

#[test]
fn an_application_has_a_certificate_when_its_url_is_https() {
    let with = |lines: &str, url: &str| {
        let text = SMALLEST.replace("http://127.0.0.1:9090\"", &format!("{url}\"\n{lines}"));
        Written::new(&text)
            .with("ca.pem", &Authority::new().pem)
            .with("empty.pem", "none")
    };
    let https = "https://127.0.0.1:9090";
    let lines = "ca_file = \"ca.pem\"\nserver_name = \"builds.internal\"";
    let upstream = with(lines, https).load(&[]).unwrap().upstream;
    assert!(upstream.ca_file.is_some());
    assert_eq!(upstream.server_name.unwrap().to_str(), "builds.internal");
    let system = with("", https).load(&[]).unwrap().upstream;
    assert!(system.ca_file.is_none() && system.server_name.is_none());
    assert_snapshot!(with(lines, "http://127.0.0.1:9090").refused(&[]), @r"
    linkgate.toml:6:1: upstream.ca_file: upstream.url is http, which has no certificates
        write https://host:port as upstream.url, or leave it out
    linkgate.toml:7:1: upstream.server_name: upstream.url is http, which has no certificates
        write https://host:port as upstream.url, or leave it out
    ");
    assert_snapshot!(with("ca_file = \"empty.pem\"\nserver_name = \"a b\"", https).refused(&[]), @r#"
    linkgate.toml:6:1: upstream.ca_file: empty.pem: there is no certificate in it
        write the issuer's, a PEM file with "-----BEGIN CERTIFICATE-----"
    linkgate.toml:7:1: upstream.server_name: "a b" cannot be used
        write a name or an address that stands in its certificate
    "#);
}
