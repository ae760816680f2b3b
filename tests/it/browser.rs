//! A browser goes through sign-in and approval in a popup, whose opener is told how it ended.

use crate::support::chromium::{Chromium, JavaScript};
use crate::support::databases::Database;
use crate::support::program::Program;
use crate::support::{echo, opener};

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_signs_in_and_approves_and_its_opener_is_told() {
    approve_and_deny(JavaScript::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_pages_need_no_javascript() {
    approve_and_deny(JavaScript::OnForLocalhostAlone).await;
}

async fn approve_and_deny(javascript: JavaScript) {
    let database = Database::sqlite();
    let linkgate = Program::start(&database, echo::start().await);
    let bitbucket = opener::start(linkgate.address()).await;
    let browser = Chromium::start(javascript).await;
    browser
        .window
        .goto(&format!("{}/script", linkgate.base()))
        .await
        .unwrap();
    let scripts = if matches!(javascript, JavaScript::On) {
        "on"
    } else {
        "off"
    };
    browser.read("#scripts", scripts).await;

    browser.window.goto(&bitbucket).await.unwrap();
    browser.click("#connect").await;
    browser.go_to_popup().await;
    browser.fill("input[type=password]", "alice-password").await;
    browser.fill("input[type=text]", "alice").await;
    browser.click("form:has(input[type=password]) button").await;
    browser.click("button[name=approve]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "success").await;

    // Once more, signed in already, and with another mind.
    browser.click("#connect").await;
    browser.go_to_popup().await;
    browser.click("button[name=deny]").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "failure").await;
}
