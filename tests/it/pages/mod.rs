//! Every page and every state, in a real browser: wide and narrow, light and dark, in three languages, judged by
//! axe-core. One browser session sees them all.
//!
//! `eyes` is how a page is looked at, `states` how each is brought about, `elsewhere` those that others take part in.
//! `branded`: with a logo and other colours. `copy`: the buttons that copy. `texts`: the files
//! of texts.

mod branded;
mod copy;
mod elsewhere;
mod eyes;
mod states;
mod texts;

use std::net::SocketAddr;

use serde_json::json;

use crate::support::{Chromium, Form, JavaScript, Setup};

use states::{Go, State};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fit_for_everybody() {
    let linkgate = Setup::new()
        .more(
            "[[consumers]]\nkey = \"weak\"\nname = \"Jenkins on the old build host in the cellar\"\n\
               shared_secret = \"a-secret-for-the-cellar\"\n",
        )
        .start()
        .await;
    let states = states::all(&linkgate).await;
    assert!(states.len() > 35, "{} states", states.len());
    let browser = Chromium::start(JavaScript::On).await;
    assert!(eyes::see(&browser).await, "what is wrong with a page is seen");
    let mut wrong = visit(&browser, linkgate.address, &states).await;
    // Last, because nothing works afterwards.
    let alice = linkgate.signed_in("alice").await;
    linkgate.execute("drop table sessions").await;
    eyes::speak(&browser, "en").await;
    let state = State::get("notice-store-down", "/oauth/connections").by(&alice);
    show(&browser, linkgate.address, &state).await;
    assert_eq!(read(&browser).await[0], "This service is not available right now");
    wrong.extend(eyes::look(&browser, state.name).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Looks at states of one server; returns what is wrong with them. The languages take turns.
async fn visit(browser: &Chromium, server: SocketAddr, states: &[State]) -> Vec<String> {
    let languages = ["en", "ja", "de"];
    let mut wrong = Vec::new();
    for (at, state) in states.iter().enumerate() {
        // Pictures are taken in each language, but a form can be sent only once.
        let has_pictures = std::env::var_os("LINKGATE_SCREENSHOTS").is_some();
        let is_in_all = state.in_every_language || has_pictures && matches!(state.go, Go::Get(_));
        let turns = if is_in_all { 3 } else { 1 };
        for language in languages.iter().cycle().skip(at % 3).take(turns) {
            eyes::speak(browser, language).await;
            show(browser, server, state).await;
            let name = format!("{}-{language}", state.name);
            let [heading, lang] = read(browser).await;
            assert_eq!(lang, *language, "{name}: {heading}");
            if let (Some(expected), "en") = (state.heading, *language) {
                assert_eq!(heading, expected, "{name}");
            }
            wrong.extend(eyes::look(browser, &name).await);
        }
    }
    wrong
}

/// Brings a state about in the window.
async fn show(browser: &Chromium, server: SocketAddr, state: &State) {
    let (window, base) = (&browser.window, format!("http://{server}"));
    eyes::be(browser, &base, &state.browser.cookies).await;
    // A page of the same site, for the form to stand on.
    window
        .goto(&format!("{base}/oauth/authorize?before"))
        .await
        .unwrap();
    match &state.go {
        Go::Get(path) => window.goto(&format!("{base}{path}")).await.unwrap(),
        Go::Send(form) => send(browser, &base, form).await,
        Go::SendFromElsewhere(form) => {
            window.goto("data:text/html,<p>elsewhere").await.unwrap();
            send(browser, &base, form).await;
        }
    }
    if state.opened {
        let open = "for (const one of document.querySelectorAll('details')) one.open = true;";
        window.execute(open, vec![]).await.unwrap();
    }
}

async fn send(browser: &Chromium, base: &str, form: &Form) {
    let send = "const [action, fields] = arguments;
        const form = Object.assign(document.createElement('form'), { method: 'post', action });
        for (const [name, value] of fields) {
          form.append(Object.assign(document.createElement('input'), { name, value }));
        }
        document.body.append(form);
        form.submit();";
    let arguments = vec![json!(format!("{base}{}", form.action)), json!(form.fields)];
    let before = browser.window.current_url().await.unwrap();
    browser.window.execute(send, arguments).await.unwrap();
    for _ in 0..200 {
        if browser.window.current_url().await.unwrap() != before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the form to {} goes nowhere", form.action);
}

/// The page's heading and language.
async fn read(browser: &Chromium) -> [String; 2] {
    let read = "return [document.querySelector('h1')?.innerText ?? '', document.documentElement.lang];";
    let read = browser.window.execute(read, vec![]).await.unwrap();
    serde_json::from_value(read).unwrap()
}
