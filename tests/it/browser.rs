//! A browser goes through sign-in and approval in a popup, whose opener is told how it ended.

use crate::support::{Chromium, Database, JavaScript, Program, echo, opener};

#[tokio::test(flavor = "multi_thread")]
async fn a_popup_signs_in_and_approves_and_its_opener_is_told() {
    approve_and_deny(JavaScript::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_pages_need_no_javascript() {
    approve_and_deny(JavaScript::OnForLocalhostAlone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_is_enough() {
    let database = Database::sqlite();
    let linkgate = Program::start(&database, echo::start().await);
    let bitbucket = opener::start(linkgate.address()).await;
    let browser = Chromium::start(JavaScript::On).await;
    browser.window.goto(&bitbucket).await.unwrap();
    browser.click("#connect").await;
    browser.go_to_popup().await;
    press_until(&browser, "username").await;
    browser.type_in("alice").await;
    press_until(&browser, "password").await;
    browser.type_in("alice-password\u{E007}").await;
    browser
        .read("h1", "Allow Bitbucket to use 127.0.0.1 as Alice Example?")
        .await;
    let way = press_until(&browser, "approve").await;
    assert_eq!(
        way,
        ["another account", "deny", "approve"],
        "in the order of the page"
    );
    browser.type_in("\u{E007}").await;
    browser.go_to_opener().await;
    browser.read("#outcome", "success").await;
}

/// Presses the tabulator until an element has the focus; each on the way must show that it has it. Returns their names.
async fn press_until(browser: &Chromium, name: &str) -> Vec<String> {
    let mut way = Vec::new();
    while way.last().is_none_or(|last| last != name) {
        assert!(way.len() < 20, "no way to {name}: {way:?}");
        browser.type_in("\u{E004}").await;
        let focused = browser.window.execute(FOCUSED, vec![]).await.unwrap();
        let [focused, outline] = serde_json::from_value::<[String; 2]>(focused).unwrap();
        assert!(
            outline.starts_with("solid 3px"),
            "{focused} has the focus: {outline}"
        );
        way.push(focused);
    }
    way
}

/// The name of what has the focus, and how that shows.
const FOCUSED: &str = "const focused = document.activeElement, style = getComputedStyle(focused);
    return [focused.name || 'another account', `${style.outlineStyle} ${style.outlineWidth}`];";

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
