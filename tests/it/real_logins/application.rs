//! An application with a sign-in of its own, behind linkgate, and a browser whose popup comes from another site.

use std::net::SocketAddr;
use std::process::Command;

use crate::support::{Chromium, Database, JavaScript, Program, Text as _, opener, reserved};

use super::counterpart::{Counterpart, project};

const SECRET: &str = "what-both-sides-know-Straße";

/// The application, and its address.
fn application() -> (Counterpart, SocketAddr) {
    let address = reserved();
    let mut command = Command::new("python3");
    command
        .arg(project("tests/clients/python/application.py"))
        .arg(address.port().to_string())
        .arg(SECRET)
        .arg(project("config/handoff"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONIOENCODING", "utf-8")
        .env("LC_ALL", "C.UTF-8");
    (Counterpart::listening(command), address)
}

fn probe(application: SocketAddr) -> String {
    format!(
        r#"
[login]
method = "probe"

[login.probe]
url = "http://{application}/api/me"
cookies = ["session"]
user_pointer = "/name"
display_pointer = "/fullName"
login_url = "{{base}}/login?from={{return_to}}"
logout_url = "{{base}}/logout"
"#
    )
}

fn handoff() -> String {
    format!(
        r#"
[login]
method = "handoff"

[login.handoff]
login_url = "{{base}}/linkgate-login"
secret = "{SECRET}"
"#
    )
}

/// Signs in to the application that linkgate stands in front of.
async fn enter(browser: &Chromium, name: &str) {
    browser.fill("input[name=user]", name).await;
    browser.click("#enter").await;
}

/// From the popup of another site to the application's sign-in, back, and to the callback; then as another user.
async fn connect(address: SocketAddr, login: &str) {
    let database = Database::sqlite();
    let linkgate = Program::start_with(&database, address, login);
    let bitbucket = opener::start(linkgate.address()).await;
    let browser = Chromium::start(JavaScript::OnForLocalhostAlone).await;
    browser.window.goto(&bitbucket).await.unwrap();
    browser.click("#connect").await;
    browser.go_to_popup().await;
    enter(&browser, "alice").await;
    browser
        .read(
            "h1",
            "Allow Bitbucket to use 127.0.0.1 as alice of the application?",
        )
        .await;
    browser.click("button[name=approve]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "success").await;

    // Once more. No user has to sign in; but it is another person, who uses another account.
    browser.click("#connect").await;
    browser.go_to_popup().await;
    browser
        .read(
            "h1",
            "Allow Bitbucket to use 127.0.0.1 as alice of the application?",
        )
        .await;
    browser.click("form.another button").await;
    if login.contains("probe") {
        browser
            .read("h1", "To use another account, sign out of 127.0.0.1")
            .await;
        let question = browser.window.current_url().await.unwrap();
        assert_eq!(question.path(), "/oauth/logout");
        let again = browser.attribute("main a[href^='/oauth/login']", "href").await;
        browser.click("main a[href$='/logout']").await;
        browser.find("#enter").await;
        browser
            .window
            .goto(&format!("{}{again}", linkgate.base()))
            .await
            .unwrap();
    } else {
        browser.read("h1", "Sign in to continue").await;
        browser.click("main a.button").await;
    }
    enter(&browser, "bob").await;
    browser
        .read(
            "h1",
            "Allow Bitbucket to use 127.0.0.1 as bob of the application?",
        )
        .await;
    browser.click("button[name=deny]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "failure").await;
    let log = linkgate.log();
    assert!(!log.contains(SECRET) && !log.contains("lg_sig="), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_finds_the_applications_own_session() {
    let (_application, address) = application();
    connect(address, &probe(address)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_goes_through_the_signed_hand_off() {
    let (_application, address) = application();
    connect(address, &handoff()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_reports_what_it_finds() {
    let (application, address) = application();
    let database = Database::sqlite();
    let linkgate = Program::start_with(&database, address, &probe(address));
    let (code, said) = linkgate.run(&["doctor", "login"]);
    assert_eq!(code, 0, "{said}");
    said.has("401 Unauthorized, application/json, 2 bytes: nobody");
    let (code, said) = linkgate.run(&["doctor", "login", "--cookie", "session=unknown"]);
    assert_eq!(code, 1, "{said}");
    said.has("FAILED ask http://");
    said.has("login.probe.cookies");
    drop(application);
    let (code, said) = linkgate.run(&["doctor", "login"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("nothing listens there"), "{said}");
}
