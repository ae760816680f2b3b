//! Foreign clients against the program as an administrator runs it. They are in `tests/clients`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::support::{
    Authority, Database, FrontProxy, Linkgate, Program, Request, SHARED_SECRET, deployed, echo, on_both,
    reserved,
};

/// A foreign client: how it is started, and where it can put the protocol parameters.
struct Client {
    program: PathBuf,
    script: &'static str,
    placements: &'static [&'static str],
}

on_both! {
    async fn python_connects(db: Database) {
        connect_every_way(&db, &python()).await;
    }

    async fn node_connects(db: Database) {
        connect_every_way(&db, &node()).await;
    }

    async fn ruby_connects(db: Database) {
        connect_every_way(&db, &ruby()).await;
    }

    async fn a_replay_is_refused_after_a_crash(db: Database) {
        let mut linkgate = Program::start(&db, echo::start().await);
        let steps = connect(&linkgate, &python(), "RSA-SHA1", "header");
        let accepted = steps.iter().find(|step| step["step"] == "replayable").unwrap();
        linkgate.crash_and_restart();
        let authorization = accepted["headers"]["Authorization"].as_str().unwrap();
        let target = accepted["target"].as_str().unwrap();
        let replay = Request::get(target).header("Authorization", authorization);
        replay.send(linkgate.address()).await.assert_refused("nonce_used");
    }

    async fn a_slow_request_is_answered_before_the_program_stops(db: Database) {
        let mut linkgate = Program::start(&db, echo::start().await);
        let address = linkgate.address();
        let slow = tokio::spawn(async move { Request::get("/slow").send(address).await });
        tokio::time::sleep(Duration::from_millis(500)).await;
        linkgate.ask_to_stop();
        let answer = slow.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body, "slow but sure");
        let status = block_in_place(|| linkgate.end(Duration::from_secs(30)));
        assert_eq!(status.code(), Some(0), "{}", linkgate.log());
    }
}

/// What administrators try first.
#[tokio::test(flavor = "multi_thread")]
async fn postmans_command_line_connects_and_calls() {
    let script = "runners/newman.mjs";
    connect_every_way(&Database::sqlite(), &Client { script, ..node() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brunos_command_line_connects_and_calls() {
    let script = "runners/bruno.mjs";
    connect_every_way(&Database::sqlite(), &Client { script, ..node() }).await;
}

/// A client that sends its secret instead of a signature (RFC 5849, section 3.4.4) may do so where it is opted in, over https.
#[tokio::test(flavor = "multi_thread")]
async fn every_client_connects_with_plaintext_over_https() {
    let authority = Authority::new();
    let certificate = authority.issue(&["127.0.0.1"]);
    let database = Database::sqlite();
    let linkgate = Program::over_https(&database, echo::start().await, &certificate);
    fs::write(linkgate.file("authority.pem"), &authority.pem).unwrap();
    let runner = |script| Client { script, ..node() };
    for client in [
        python(),
        node(),
        ruby(),
        runner("runners/newman.mjs"),
        runner("runners/bruno.mjs"),
    ] {
        for placement in client.placements {
            connect(&linkgate, &client, "PLAINTEXT", placement);
        }
    }
    no_secret_in_the_log(&linkgate);
}

/// Recorded: Qt is a large dependency for one request. It reads the token only from a form.
#[tokio::test]
async fn qt_gets_a_request_token() {
    const AUTHORIZATION: &str = "OAuth oauth_callback=\"http%3A%2F%2F127.0.0.1%3A34567%2F\",\
        oauth_consumer_key=\"bitbucket-form\",oauth_nonce=\"YT1YOlV6\",\
        oauth_signature=\"zPrffmbnhiRZKA1%2BILh2S0yAEww%3D\",oauth_signature_method=\"HMAC-SHA1\",\
        oauth_timestamp=\"1800000005\",oauth_version=\"1.0\"";
    let linkgate = Linkgate::start().await;
    let request = Request::new("POST", "/oauth/request-token")
        .header("Authorization", AUTHORIZATION)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Content-Length", "0")
        .header("Accept-Encoding", "zstd, br, gzip, deflate")
        .header("Accept-Language", "en,*")
        .header("User-Agent", "Mozilla/5.0");
    let answer = request.send(linkgate.address).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(
        answer.body.ends_with("&oauth_callback_confirmed=true"),
        "{answer:?}"
    );
}

/// As an administrator puts them behind one another: the client, nginx, linkgate, the application.
#[tokio::test(flavor = "multi_thread")]
async fn python_connects_through_nginx() {
    let (public, database) = (reserved(), Database::sqlite());
    let linkgate = Program::behind(Some(public), &database, echo::start().await);
    let site = deployed(
        "nginx-proxy.conf",
        &[
            ("listen 80;", format!("listen {public};")),
            ("127.0.0.1:9080", linkgate.address().to_string()),
        ],
    );
    let _nginx = FrontProxy::nginx(public, &site);
    for (method, placement) in [
        ("HMAC-SHA1", "header"),
        ("RSA-SHA1", "body"),
        ("HMAC-SHA1", "query"),
    ] {
        connect(&linkgate, &python(), method, placement);
    }
}

/// HMAC and RSA, in every placement that the client knows, against one server.
async fn connect_every_way(database: &Database, client: &Client) {
    let linkgate = Program::start(database, echo::start().await);
    for method in ["HMAC-SHA1", "RSA-SHA1"] {
        for placement in client.placements {
            connect(&linkgate, client, method, placement);
        }
    }
    no_secret_in_the_log(&linkgate);
}

/// Runs a client to its end; returns what it printed, a step on each line.
fn connect(linkgate: &Program, client: &Client, method: &str, placement: &str) -> Vec<Value> {
    let mut settings = json!({
        "base": linkgate.base(),
        "method": method,
        "placement": placement,
        "user": "alice",
        "password": "alice-password",
        "callback": CALLBACK,
        "cases": clients().join("hard.json"),
    });
    if method == "RSA-SHA1" {
        settings["consumer_key"] = json!("Stash:8277239845");
        settings["private_key_file"] = json!(linkgate.file("bitbucket.pem"));
        settings["two_legged_user"] = json!("svc-bitbucket");
    } else {
        settings["consumer_key"] = json!("bitbucket-form");
        settings["shared_secret"] = json!(SHARED_SECRET);
    }
    let file = linkgate.file("settings.json");
    fs::write(&file, settings.to_string()).unwrap();
    let mut command = Command::new(&client.program);
    command
        .arg(clients().join(client.script))
        .arg(&file)
        .env("LINKGATE_TEST_NODE_MODULES", installed("node/node_modules"))
        .env("LINKGATE_TEST_RUNNERS", installed("runners/node_modules"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LC_ALL", "C.UTF-8");
    let authority = linkgate.file("authority.pem");
    if authority.exists() {
        for name in ["REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] {
            command.env(name, &authority);
        }
    }
    // The application runs on this thread too, unless the thread says that it waits.
    let output = block_in_place(|| command.output());
    let output = output
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/clients/prepare", client.program.display()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{} with {method} in the {placement}:\n{said}{}\nlinkgate's log:\n{}",
        client.script,
        String::from_utf8_lossy(&output.stderr),
        linkgate.log(),
    );
    let steps: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(steps.iter().all(|step| step["ok"] == true), "{said}");
    assert_eq!(steps.last().unwrap()["step"], "replayable", "{said}");
    steps
}

/// A whole test's log: it holds no secret of its calls.
fn no_secret_in_the_log(linkgate: &Program) {
    let log = linkgate.log();
    for secret in [
        SHARED_SECRET,
        "alice-password",
        "oauth_signature",
        "oauth_verifier",
        "oauth_token",
    ] {
        assert!(!log.contains(secret), "{secret:?} stands in the log:\n{log}");
    }
}

fn python() -> Client {
    Client {
        program: installed("python/bin/python"),
        script: "python/dance.py",
        placements: &["header", "query", "body"],
    }
}

fn node() -> Client {
    Client {
        program: "node".into(),
        script: "node/dance.mjs",
        placements: &["header"],
    }
}

fn ruby() -> Client {
    Client {
        program: "ruby".into(),
        script: "ruby/dance.rb",
        placements: &["header", "query", "body"],
    }
}

pub(crate) fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// What `tests/clients/prepare` put beside the build.
pub(crate) fn installed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .join("clients")
        .join(name)
}

/// As Bitbucket sends it: with a query of its own. Nothing listens there.
const CALLBACK: &str =
    "http://127.0.0.1:1/plugins/servlet/applinks/oauth/login-dance/access?applicationLinkID=5b3a9c1e";
