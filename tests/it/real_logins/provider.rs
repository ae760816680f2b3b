//! An OpenID provider on another site: npm `oidc-provider`.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::clients::installed;
use crate::support::{Chromium, Database, JavaScript, Program, Text as _, echo, opener, reserved};

use super::counterpart::{Counterpart, project};

/// The provider at this port, with a new signing key of this name.
fn provider(port: u16, kid: &str, linkgate: SocketAddr) -> (Counterpart, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({
        "port": port,
        "kid": kid,
        "client_id": "linkgate",
        "client_secret": "secret of the client / +&%",
        "redirect_uri": format!("http://{linkgate}/oauth/login/oidc"),
    });
    let file = folder.path().join("settings.json");
    fs::write(&file, settings.to_string()).unwrap();
    let mut command = Command::new("node");
    command
        .arg(project("tests/clients/oidc/provider.mjs"))
        .arg(file)
        .env("LINKGATE_TEST_OIDC_MODULES", installed("oidc/node_modules"));
    (Counterpart::listening(command), folder)
}

/// Its name is `localhost`, linkgate's is `127.0.0.1`: the browser comes back from another site.
fn login(port: u16) -> String {
    format!(
        r#"
[login]
method = "oidc"

[login.oidc]
issuer = "http://localhost:{port}"
client_id = "linkgate"
client_secret = "secret of the client / +&%"
"#
    )
}

/// Signs in at the provider, and lets it say so.
async fn enter(browser: &Chromium, name: &str) {
    browser.fill("input[name=login]", name).await;
    browser.fill("input[name=password]", "anything").await;
    browser.click("form:has(input[name=password]) button").await;
    browser.click("form:has(input[value=consent]) button").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_signs_in_at_the_provider_whose_key_changes() {
    let port = reserved().port();
    let database = Database::sqlite();
    let linkgate = Program::start_with(&database, echo::start().await, &login(port));
    let bitbucket = opener::start(linkgate.address()).await;
    let browser = Chromium::start(JavaScript::OnForLocalhostAlone).await;
    browser.window.goto(&bitbucket).await.unwrap();
    browser.click("#connect").await;
    browser.go_to_popup().await;
    browser.read("h1", "Sign-in is temporarily unavailable").await;
    let (code, said) = linkgate.run(&["doctor", "login"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("nothing listens there"), "{said}");

    // It was down when linkgate started, and now it is there.
    let running = provider(port, "first", linkgate.address());
    browser.click("main a.button").await;
    enter(&browser, "alice").await;
    browser
        .read("h1", "Allow Bitbucket to use 127.0.0.1 as alice of the provider?")
        .await;
    browser.click("button[name=approve]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "success").await;
    let (code, said) = linkgate.run(&["doctor", "login"]);
    assert_eq!(code, 0, "{said}");
    said.has("1: first");
    said.has("/oauth/login/oidc");

    // Another account, after the provider was restarted with another key.
    drop(running);
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    let _running = provider(port, "second", linkgate.address());
    browser.click("#connect").await;
    browser.go_to_popup().await;
    browser.click("form.another button").await;
    browser.read("h1", "Sign in to continue").await;
    browser.click("main a.button").await;
    enter(&browser, "bob").await;
    browser
        .read("h1", "Allow Bitbucket to use 127.0.0.1 as bob of the provider?")
        .await;
    browser.click("button[name=deny]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "failure").await;
    let log = linkgate.log();
    for secret in ["secret of the client", "code=", "Bearer ", "id_token"] {
        assert!(!log.contains(secret), "{secret:?} stands in the log:\n{log}");
    }
}
