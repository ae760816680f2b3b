//! `linkgate link`: another side's key from its consumer-info into the configuration, and whatever it may send instead.

use tokio::io::AsyncWriteExt as _;
use tokio::task::block_in_place;

use super::*;
use crate::support::{App, Database, Planned, Text as _, read_head};

/// A Bitbucket that shows this consumer-info and no manifest.
async fn bitbucket(kind: &'static str, info: String) -> App {
    App::scripted(move |_, mut stream| {
        let info = info.clone();
        async move {
            while let Some(head) = read_head(&mut stream).await {
                let (status, body) = if head.starts_with("GET /plugins/servlet/oauth/consumer-info ") {
                    ("200 OK", info.as_str())
                } else {
                    ("404 Not Found", "")
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(body.as_bytes()).await;
            }
        }
    })
    .await
}

fn info(key: &str, public_key: &str) -> String {
    format!("<consumer><key>{key}</key><name>Bitbucket</name><publicKey>{public_key}</publicKey></consumer>")
}

fn example_key() -> String {
    let pem =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples/bitbucket-old.pem"));
    pem.unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect()
}

fn add(here: &Here, bitbucket: &App, more: &str, input: &str) -> Answer {
    let line = format!("link add http://{} {more}", bitbucket.address);
    block_in_place(|| here.run_with(&line, input, &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_is_added_with_its_key_and_nothing_else_changes() {
    let bitbucket = bitbucket("application/xml", info("Bitbucket:1", &example_key())).await;
    let here = Here::new();
    let before = fs::read_to_string(here.path("linkgate.toml")).unwrap();

    let asked = add(&here, &bitbucket, "", "n\n");
    assert_eq!(asked.code, 1, "{}", asked.err);
    asked.out.has("consumer key  Bitbucket:1");
    asked.out.has("SHA256:");
    assert_eq!(fs::read_to_string(here.path("linkgate.toml")).unwrap(), before);

    let added = add(&here, &bitbucket, "--two-legged --impersonation", "y\n");
    added.succeeds();
    let after = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    assert!(after.starts_with(before.trim_end()), "comments survive");
    let check = block_in_place(|| here.run("config check"));
    check.succeeds();
    added
        .out
        .has("Request Token URL            http://127.0.0.1:9080/oauth/request-token");
    assert!(!here.path("linkgate.toml.new").exists());

    let again = add(&here, &bitbucket, "--yes", "");
    again.succeeds();
    assert!(again.out.contains("already"), "{}", again.out);
    assert_eq!(fs::read_to_string(here.path("linkgate.toml")).unwrap(), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_reported_and_never_written() {
    let here = Here::new();
    let before = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    let rotated = bitbucket("application/xml", info("Stash:8277239845", &example_key())).await;
    let answer = add(&here, &rotated, "--yes", "");
    assert_eq!(answer.code, 1, "{}", answer.out);
    answer.err.has("registered with another key");
    answer.err.has("public_keys");
    assert_eq!(answer.err.matches("SHA256:").count(), 2, "{}", answer.err);
    assert_eq!(fs::read_to_string(here.path("linkgate.toml")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_with_a_reason() {
    const SHORT: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALcQ8zWbKzS3AtmQ1JxBHYy1X3CDXBFC1qvrnEkzk7mBzcTq0CcN3wK0yDkCuLFcn0g0KLbCI2O2N3D3qgXl0bkCAwEAAQ==";
    let here = Here::new();
    let before = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    let good = info("Bitbucket:1", &example_key());
    let entity = format!("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>{good}");
    let long = format!("{}{good}", " ".repeat(300_000));
    let (html, xml) = ("text/html", "application/xml");
    for (kind, document, said) in [
        (
            html,
            "<html>Sign in</html>".to_owned(),
            "its type is \"text/html\"",
        ),
        ("application/json", "{}".to_owned(), "application/xml"),
        (xml, entity, "document type"),
        (xml, good.replace("Bitbucket<", "&boom;<"), "entity"),
        (xml, "<html/>".to_owned(), "`consumer`"),
        (xml, good.replace("publicKey", "public"), "publicKey"),
        (xml, info("Bitbucket:1", SHORT), "512 bits"),
        (xml, info("Bitbucket:1", "bm90IGEga2V5"), "public key"),
        (xml, long, "longer than"),
    ] {
        let answer = add(&here, &bitbucket(kind, document).await, "--yes", "");
        assert_eq!(answer.code, 1, "{said}: {}", answer.out);
        let err = answer.err.to_lowercase();
        assert!(err.contains(&said.to_lowercase()), "{said}: {}", answer.err);
    }
    for (raw, said) in [
        (
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n",
            "not followed",
        ),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "503"),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "ended early or is not HTTP",
        ),
    ] {
        let answer = add(&here, &App::answering(raw).await, "--yes", "");
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains(said), "{said}: {}", answer.err);
    }
    let absent = add(&here, &App::absent(), "--yes", "");
    assert!(absent.err.contains("nothing listens there"), "{}", absent.err);
    assert_eq!(fs::read_to_string(here.path("linkgate.toml")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_like_others_are_refused() {
    let here = Here::new();
    let before = fs::read_to_string(here.path("linkgate.toml")).unwrap();
    for name in [
        "Bitbuc\u{43a}et",
        "\u{440}\u{430}\u{443}\u{440}\u{430}\u{443}",
        "Bit\u{200b}bucket",
        "Bit\u{200d}bucket",
        "Bit\u{ad}bucket",
        "Bit\u{2060}bucket",
        "\u{ff22}itbucket",
        "Bitbucket\u{3164}",
        "Bit\u{a0}bucket",
        "Bit\u{202e}bucket",
    ] {
        let as_name = info("Bitbucket:1", &example_key()).replace(">Bitbucket<", &format!(">{name}<"));
        let as_key = info(&format!("{name}:1"), &example_key());
        for document in [as_name, as_key] {
            let bitbucket = bitbucket("application/xml", document).await;
            let answer = add(&here, &bitbucket, "--yes", "");
            assert_eq!(answer.code, 1, "{name:?}: {}", answer.out);
            assert!(!answer.out.contains(name), "{name:?}");
            assert!(!answer.err.contains(name), "{name:?}");
        }
    }
    let file = "link add https://bitbuc\u{43a}et.example.com --yes";
    assert_ne!(block_in_place(|| here.run(file)).code, 0);
    let bitbucket = bitbucket("application/xml", info("Bitbucket:1", &example_key())).await;
    let callback = "--yes --callback https://bitbuc\u{43a}et.example.com";
    assert_eq!(add(&here, &bitbucket, callback, "").code, 1);
    assert_eq!(fs::read_to_string(here.path("linkgate.toml")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_language_are_taken() {
    for name in [
        "Bitb\u{fc}cket (Team 7)",
        "Bitbucket \u{65e5}\u{672c}\u{8a9e}",
        "\u{411}\u{438}\u{442}\u{431}\u{430}\u{43a}\u{435}\u{442}",
    ] {
        let here = Here::new();
        let document = info("Bitbucket:1", &example_key()).replace(">Bitbucket<", &format!(">{name}<"));
        let bitbucket = bitbucket("application/xml", document).await;
        let answer = add(&here, &bitbucket, "--yes", "");
        assert_eq!(answer.code, 0, "{name}: {}", answer.err);
        assert!(answer.out.contains(name), "{}", answer.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outgoing_direction_needs_a_key_and_then_is_checked() {
    let other = Planned::new("other");
    let here = Here::new();
    let started = other.start(&Database::sqlite(), "consumer_info = true", "").await;
    let url = started.base.clone();
    let line = format!("link add {url} --outgoing --yes");
    let refused = block_in_place(|| here.run(&line));
    refused.fails("key generate --rsa");

    let made = block_in_place(|| here.run("key generate --rsa --out link.pem"));
    made.succeeds();
    fs::write(here.path("links.token"), "correct-horse-battery-staple\n").unwrap();
    let config = here.path("linkgate.toml");
    let with_key = format!(
        "{}\n[applinks]\nkey_file = \"link.pem\"\ntoken_file = \"links.token\"\nconsumer_key = \"linkgate-here\"\n",
        fs::read_to_string(&config).unwrap()
    );
    fs::write(&config, with_key).unwrap();
    let added = block_in_place(|| here.run(&line));
    added.succeeds();
    for field in [
        "Consumer Key                 linkgate-here",
        "Public Key                   MII",
        "Consumer Callback URL",
    ] {
        assert!(added.out.contains(field), "{field}: {}", added.out);
    }
    let migrated = block_in_place(|| here.run("migrate"));
    migrated.succeeds();
    let checked = block_in_place(|| here.run("link check"));
    assert_eq!(checked.code, 1, "{}", checked.out);
    assert!(checked.out.contains("its key is SHA256:"), "{}", checked.out);
    assert!(
        checked
            .out
            .contains("FAILED  The other side says timestamp_refused")
            || checked
                .out
                .contains("FAILED  The other side refuses our timestamp"),
        "{}",
        checked.out
    );
    let listed = block_in_place(|| here.run("link list"));
    assert!(
        listed.code == 0 && listed.out.contains("bitbucket"),
        "{}{}",
        listed.out,
        listed.err
    );
    started.stop().await;
}

#[test]
fn the_urls_are_those_of_the_moved_paths() {
    let variables = [("LINKGATE__SERVER__PATH_PREFIX", "/linkgate")];
    let shown = Here::new().run_with("link show", "", &variables);
    shown.succeeds();
    for endpoint in ["request-token", "access-token", "authorize"] {
        let url = format!("/linkgate/{endpoint}\n");
        assert!(shown.out.contains(&url), "{}", shown.out);
    }
    assert!(!shown.out.contains("/oauth/"), "{}", shown.out);
}
