//! The buttons that copy a value, really pressed; and the same values without JavaScript.

use serde_json::{Value, json};

use crate::support::{Chromium, JavaScript, Linkgate, Peer};

use super::states::State;
use super::{eyes, show};

#[tokio::test(flavor = "multi_thread")]
async fn a_button_copies_the_value_beside_it_and_confirms() {
    let (linkgate, browser) = (Linkgate::start().await, Chromium::start(JavaScript::On).await);
    open(&browser, &linkgate).await;
    eyes::allow_pasting(&browser).await;
    execute(&browser, "window.clipboard = navigator.clipboard; return 0;").await;
    let values = execute(&browser, VALUES).await;
    let values: Vec<[String; 2]> = serde_json::from_value(values).unwrap();
    assert!(values.len() > 20, "{values:?}");
    // With the clipboard of today, and as browsers do it where they have none: on plain http.
    for old in [false, true] {
        if old {
            execute(
                &browser,
                "Object.defineProperty(navigator, 'clipboard', { value: undefined }); return 0;",
            )
            .await;
        }
        for [id, value] in values.iter().take(4) {
            let button = format!("button[data-copy={id}]");
            let before = browser.find(&button).await.text().await.unwrap();
            browser.click(&button).await;
            browser.read("#copied", "Copied").await;
            assert!(
                browser
                    .find(&button)
                    .await
                    .text()
                    .await
                    .unwrap()
                    .starts_with("Copied"),
                "{id}"
            );
            assert_eq!(pasted(&browser).await, json!(value), "{id}, old: {old}");
            browser.read(&button, &before).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_a_click_selects_the_whole_value() {
    let linkgate = Linkgate::start().await;
    let browser = Chromium::start(JavaScript::OnForLocalhostAlone).await;
    open(&browser, &linkgate).await;
    let button = browser.find("button[data-copy]").await;
    assert!(
        !button.is_displayed().await.unwrap(),
        "a button that does nothing is not shown"
    );
    let value = browser.find(".value code").await;
    assert!(value.is_displayed().await.unwrap());
    let text = value.text().await.unwrap();
    value.click().await.unwrap();
    let found = execute(&browser, "return getSelection().toString();").await;
    assert_eq!(found, json!(text));
}

#[tokio::test(flavor = "multi_thread")]
async fn escape_closes_the_question_before_revoking() {
    let (linkgate, browser) = (Linkgate::start().await, Chromium::start(JavaScript::On).await);
    Peer::hmac().connect(&linkgate, "alice").await;
    let alice = linkgate.signed_in("alice").await;
    for path in ["/oauth/connections", "/oauth/admin/tokens"] {
        show(&browser, linkgate.address, &State::get("revoke", path).by(&alice)).await;
        browser.click("details.confirm summary").await;
        let is_open = "return document.querySelector('details.confirm').open;";
        assert_eq!(execute(&browser, is_open).await, json!(true));
        let focused = browser.window.active_element().await.unwrap();
        focused.send_keys("\u{E00C}").await.unwrap();
        assert_eq!(execute(&browser, is_open).await, json!(false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_copies_and_revokes() {
    let (linkgate, browser) = (Linkgate::start().await, Chromium::start(JavaScript::On).await);
    Peer::hmac().connect(&linkgate, "alice").await;
    open(&browser, &linkgate).await;
    eyes::allow_pasting(&browser).await;
    execute(&browser, "window.clipboard = navigator.clipboard; return 0;").await;
    press_until(&browser, "button.copy").await;
    browser.type_in("\u{E007}").await;
    browser.read("#copied", "Copied").await;
    let value = "return document.activeElement.previousElementSibling.textContent;";
    assert_eq!(pasted(&browser).await, execute(&browser, value).await);

    let alice = linkgate.signed_in("alice").await;
    let state = State::get("revoke", "/oauth/connections").by(&alice);
    show(&browser, linkgate.address, &state).await;
    press_until(&browser, "summary").await;
    browser.type_in("\u{E007}").await;
    press_until(&browser, "button.grave").await;
    browser.type_in("\u{E007}").await;
    browser.read("p.done", "Access was revoked.").await;
}

/// Presses the tabulator until an element has the focus, and whatever has it on the way shows that.
async fn press_until(browser: &Chromium, css: &str) {
    for _ in 0..30 {
        browser.type_in("\u{E004}").await;
        let focused = "const focused = document.activeElement, style = getComputedStyle(focused);
            return [focused.matches(arguments[0]), `${style.outlineStyle} ${style.outlineWidth}`];";
        let focused = browser.window.execute(focused, vec![json!(css)]).await.unwrap();
        assert_eq!(focused[1], "solid 3px", "{css}: {focused}");
        if focused[0] == json!(true) {
            return;
        }
    }
    panic!("no way to {css}");
}

async fn open(browser: &Chromium, linkgate: &Linkgate) {
    let alice = linkgate.signed_in("alice").await;
    let state = State::get("admin", "/oauth/admin").by(&alice);
    eyes::speak(browser, "en").await;
    show(browser, linkgate.address, &state).await;
}

/// The text of the clipboard.
async fn pasted(browser: &Chromium) -> Value {
    let paste = "const [done] = arguments;
        clipboard.readText().then(done, error => done(`nothing: ${error}`));";
    browser.window.execute_async(paste, vec![]).await.unwrap()
}

async fn execute(browser: &Chromium, script: &str) -> Value {
    browser.window.execute(script, vec![]).await.unwrap()
}

/// The name and the text of each value with a button.
const VALUES: &str = "return [...document.querySelectorAll('button[data-copy]')]
    .map(({ dataset }) => [dataset.copy, document.getElementById(dataset.copy).textContent]);";
