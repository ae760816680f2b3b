//! The documents of Application Links: written, parsed again, and what a hostile remote application may send.

use crate::support::Text as _;
use linkgate::applinks::{ApplicationId, AuthType, ConsumerInfo, DocumentFormat, Manifest, RemoteManifest};

fn info() -> ConsumerInfo {
    ConsumerInfo {
        key: "Stash:8277239845".into(),
        name: "Bitbucket & \"Söhne\" <b>".into(),
        public_key: "MIIBIjANBgkq+/==".into(),
        description: Some("Builds".into()),
        callback: None,
    }
}

fn manifest() -> Manifest {
    Manifest::new(
        ApplicationId::from_random([7; 16]),
        "Build & board".into(),
        "https://builds.example.com",
        "https://builds.example.com/icon.svg".into(),
        AuthType::ALL.to_vec(),
        vec![AuthType::ThreeLegged],
    )
}

fn parse_xml(xml: &str) -> Result<ConsumerInfo, String> {
    ConsumerInfo::parse(Some("application/xml"), xml.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn consumer_info_is_written_and_parsed() {
    let xml = info().to_xml();
    assert_eq!(parse_xml(&xml), Ok(info()));
    xml.begins("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<consumer>\n  <key>");
    assert!(!xml.contains("callback"), "{xml}");
    let xml = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x --><a:consumer xmlns:a=\"u\" key=\"attribute\">\n  \
               <a:key>Stash:1</a:key>\n  <name> Bit&#98;<![CDATA[uck]]>et </name>\n  <publicKey>MIIB\n    Ijan</publicKey>\n  \
               <description>\u{202e}x</description><other><key>x</key></other></a:consumer>\n";
    let read = ConsumerInfo::parse(Some("application/XML; charset=UTF-8"), xml.as_bytes()).unwrap();
    assert_eq!((read.key.as_str(), read.name.as_str()), ("Stash:1", "Bitbucket"));
    assert_eq!((read.public_key.as_str(), read.description), ("MIIBIjan", None));
}

#[test]
fn both_formats_of_a_manifest_are_alike() {
    let [json, xml] = [DocumentFormat::Json, DocumentFormat::Xml].map(|format| {
        let text = manifest().to_text(format);
        RemoteManifest::parse(Some(format.content_type()), text.as_bytes()).unwrap()
    });
    assert_eq!(json, xml);
    assert_eq!(json.id, "07070707-0707-4707-8707-070707070707");
    let found = (json.name.as_str(), json.type_id.as_str());
    assert_eq!(found, ("Build & board", "generic"));
    assert_eq!(json.url.as_deref(), Some("https://builds.example.com"));
    let xml = manifest().to_text(DocumentFormat::Xml);
    for (name, count) in [
        ("inboundAuthenticationTypes", 3),
        ("outboundAuthenticationTypes", 1),
    ] {
        let element = format!("<{name}>com.atlassian.applinks.api.auth.types.");
        assert_eq!(xml.matches(&element).count(), count, "{xml}");
    }
}

#[test]
fn other_documents_are_rejected() {
    let good = info().to_xml();
    for (kind, body) in [
        (None, good.as_str()),
        (Some("text/html"), good.as_str()),
        (Some("application/json"), "{}"),
    ] {
        assert!(
            ConsumerInfo::parse(kind, body.as_bytes()).is_err(),
            "{kind:?} {body}"
        );
    }
    let (json, xml) = (Some("application/json"), Some("application/xml"));
    for (kind, body) in [
        (None, "{}"),
        (Some("text/html"), "<manifest/>"),
        (json, "{}"),
        (json, "[1]"),
        (json, r#"{"id":1,"name":"n","typeId":"t"}"#),
        (json, r#"{"id":" ","name":"n","typeId":"t"}"#),
        (json, "<manifest/>"),
        (xml, "<manifest/>"),
        (xml, "{}"),
        (xml, "<m><id>1</id><name>n</name><typeId>t</typeId></m>"),
    ] {
        let parsed = RemoteManifest::parse(kind, body.as_bytes());
        assert!(parsed.is_err(), "{kind:?} {body}");
    }
    let deep = "[".repeat(100_000);
    assert!(RemoteManifest::parse(Some("application/json"), deep.as_bytes()).is_err());
    let plus_xml = RemoteManifest::parse(
        Some("application/vnd.x+xml"),
        b"<manifest><id>1</id><name>n</name><typeId>t</typeId></manifest>",
    );
    assert!(plus_xml.is_ok());
}

#[test]
fn hostile_xml_is_rejected() {
    let good = "<consumer><key>KEY</key><name>NAME</name><publicKey>MIIB</publicKey></consumer>";
    assert!(parse_xml(good).is_ok());
    for (doctype, body) in [
        ("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>", "&x;"),
        ("<!DOCTYPE a SYSTEM \"http://evil.example/a.dtd\">", "n"),
        ("<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]>", "&y;"),
        ("<!doctype html>", "n"),
    ] {
        let xml = format!("{doctype}{}", good.replace("NAME", body));
        let error = parse_xml(&xml).unwrap_err();
        assert!(error.contains("document type"), "{xml}: {error}");
    }
    for (text, replacement) in [
        ("KEY", "&nbsp;"),
        ("KEY", "&#0;"),
        ("KEY", " "),
        ("KEY", "k&#27;[2J"),
        ("NAME", "a\u{202e}b"),
        ("<name>NAME</name>", ""),
        ("<name>NAME</name>", "<name>n</name><name>m</name>"),
        ("KEY", "<b>k</b>"),
        ("</consumer>", ""),
        ("</consumer>", "</other>"),
        ("</consumer>", "</consumer>x"),
        ("</consumer>", "</consumer><consumer/>"),
        ("</consumer>", "<!DOCTYPE a></consumer>"),
        ("<consumer>", "x<consumer>"),
        ("<consumer>", "<consumer/><consumer>"),
        ("<consumer>", "<consumers>"),
        ("MIIB", &"M".repeat(9000)),
    ] {
        let xml = good.replacen(text, replacement, 1);
        assert!(parse_xml(&xml).is_err(), "{xml}");
    }
    for xml in [
        "",
        "plain",
        "{\"json\":1}",
        "<consumer>",
        "<html><body>Sign in</body></html>",
        &"<consumer>".repeat(10_000),
    ] {
        assert!(parse_xml(xml).is_err(), "{xml}");
    }
    assert!(ConsumerInfo::parse(Some("text/xml"), b"<consumer>\xff</consumer>").is_err());
}

#[test]
fn an_application_id_is_a_uuid_in_one_notation() {
    for (bytes, expected) in [
        (0xff, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
        (0, "00000000-0000-4000-8000-000000000000"),
    ] {
        let id = ApplicationId::from_random([bytes; 16]);
        assert_eq!(id.as_str(), expected);
        assert_eq!(ApplicationId::parse(&expected.to_ascii_uppercase()), Some(id));
    }
    assert!(ApplicationId::parse("5F0C7A52-5c0f-3b0e-9d6a-1e0a7f0f6d11").is_some());
    for text in [
        "",
        "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d1",
        "5f0c7a525c0f3b0e9d6a1e0a7f0f6d11",
        "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d1g",
        "{5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11}",
        "urn:uuid:5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11",
        "../../../../../../../../../../../..",
        "\"5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11\"",
    ] {
        assert_eq!(ApplicationId::parse(text), None, "{text}");
    }
}
