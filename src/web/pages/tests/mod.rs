//! Renders every page, and reads it as a browser and a hostile consumer would.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::to_bytes;
use http::HeaderMap;

use crate::model::User;
use crate::oauth::{Timestamp, Verifier as Code};
use crate::web::texts::Language;

use super::*;

mod states;

use states::notices;

#[tokio::test]
async fn the_question_names_who_asks_who_answers_and_where_it_leads() {
    let (headers, html) = read(approve(BITBUCKET, "Alice Example", &url())).await;
    insta::assert_snapshot!(html.split_once("</p>\n").unwrap().1, @r#"
    <h1>Allow <bdi>Bitbucket</bdi> to use <bdi>Buildboard</bdi> as <bdi>Alice Example</bdi>?</h1>
    <section class="account" aria-label="Your account">
    <span class="avatar" aria-hidden="true">A</span>
    <p><strong><bdi>Alice Example</bdi></strong> <span class="quiet">(<bdi>alice</bdi>)</span><br>
    <span class="quiet">signed in with a password</span></p>
    <form class="another" method="post" action="/oauth/logout">
    <input type="hidden" name="return_to" value="/oauth/authorize?oauth_token=TOKEN">
    <input type="hidden" name="form_token" value="SIGN-OUT-TOKEN">
    <span class="quiet">Not you?</span>
    <button class="link">Use another account</button>
    </form>
    </section>
    <h2><bdi>Bitbucket</bdi> will be able to:</h2>
    <ul>
    <li>act in <bdi>Buildboard</bdi> with your permissions</li>
    <li>read and change whatever you can</li>
    <li>keep this access until you revoke it</li>
    </ul>
    <p class="quiet"><bdi>Bitbucket</bdi> never sees your password.<br><span class="returns">You will return to <bdi>bitbucket.example.com</bdi>.</span></p>
    <form class="decision" method="post" action="/oauth/authorize">
    <input type="hidden" name="oauth_token" value="TOKEN">
    <input type="hidden" name="subject" value="alice">
    <input type="hidden" name="form_token" value="FORM-TOKEN">
    <button class="button" id="deny" name="deny" value="deny">Deny</button>
    <button class="button" id="approve" name="approve" value="approve">Allow</button>
    </form>

    </main>
    </body>
    </html>
    "#);
    assert!(html.contains("<title>Allow Bitbucket? · Buildboard</title>"));
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https://bitbucket.example.com; \
         frame-ancestors 'none'; base-uri 'none'"
    );
}

#[tokio::test]
async fn a_logo_stands_in_the_place_of_the_name_and_says_it() {
    let logo = Picture {
        path: "/oauth/assets/logo-0.svg".to_owned(),
        size: (120, 40),
    };
    let page = Verifier {
        consumer: BITBUCKET,
        code: &Code::new(CODE),
    };
    let (_, html) = read(page.respond(&frame().with_logo(Some(logo)))).await;
    let (_, html) = html.split_once("<main>\n").unwrap();
    let (top, _) = html.split_once("\n\n<h1>").unwrap();
    assert_eq!(
        top,
        "<p class=\"application logo\"><img src=\"/oauth/assets/logo-0.svg\" alt=\"Buildboard\" width=\"120\" height=\"40\"></p>"
    );
    let (_, plain) = read(verifier(BITBUCKET)).await;
    assert!(
        plain.contains("<main>\n<p class=\"application\"><bdi>Buildboard</bdi></p>\n\n<h1>"),
        "{plain}"
    );
}

#[tokio::test]
async fn a_question_without_a_callback_leads_to_a_code() {
    let (headers, html) = read(approve(BITBUCKET, "Alice Example", &Callback::OutOfBand)).await;
    assert!(
        html.contains("You will get a code to enter in <bdi>Bitbucket</bdi>."),
        "{html}"
    );
    assert!(
        headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("form-action 'self';")
    );
}

#[tokio::test]
async fn no_page_has_scripts_styles_of_its_own_or_anything_from_elsewhere() {
    for (name, html) in every_page().await {
        for never in [
            "<script",
            "style=",
            "onclick",
            "onload",
            "http://",
            "https://",
            "autofocus",
            "{",
            "}",
        ] {
            assert!(!html.contains(never), "{name} has {never}:\n{html}");
        }
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        assert_eq!(html.matches("<title>").count(), 1, "{name}");
        assert!(!html.contains("<title></title>"), "{name}");
    }
}

#[tokio::test]
async fn a_hostile_name_stays_a_name() {
    let hostile = "</title><script>alert(1)</script>\"'\u{202E}{user}";
    let oob = Callback::OutOfBand;
    for response in [
        approve(hostile, hostile, &oob),
        login(Some((hostile, &oob)), Some(hostile)),
        verifier(hostile),
        notice(&Notice::Denied {
            consumer: hostile.to_owned(),
        }),
        notice(&Notice::UserChanged {
            user: hostile.to_owned(),
            again: "/".to_owned(),
        }),
    ] {
        let (_, html) = read(response).await;
        assert!(!html.contains("<script>"), "{html}");
        assert!(!html.contains("\"'"), "{html}");
        assert!(
            html.contains("&#60;/title&#62;&#60;script&#62;alert(1)"),
            "{html}"
        );
        let in_text = |text: &str| html.contains(&format!("{text}{{user}}</bdi>"));
        assert!(in_text("\u{FFFD}") && !in_text("\u{202E}"), "{html}");
    }
}

#[tokio::test]
async fn the_code_is_in_the_text_and_not_in_the_title() {
    let (_, html) = read(verifier(BITBUCKET)).await;
    assert_eq!(html.matches(CODE).count(), 1);
    assert!(html.contains("<title>Your code · Buildboard</title>"));
}

#[tokio::test]
async fn a_wrong_password_is_told_without_saying_which_part_is_wrong() {
    let response = login(None, Some("alice"));
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let (_, html) = read(response).await;
    assert!(
        html.contains("role=\"alert\">User name or password is wrong.</p>"),
        "{html}"
    );
    assert!(html.contains("value=\"alice\" aria-invalid=\"true\""), "{html}");
    assert_eq!(
        html.matches("value=").count(),
        3,
        "the password is never sent back: {html}"
    );
}

#[tokio::test]
async fn every_notice_has_a_title_a_reason_a_next_step_and_a_reference() {
    for (state, status) in notices() {
        let words = state.words(frame().texts);
        assert!(
            [words.title, words.reason, words.next]
                .iter()
                .all(|text| text.len() > 10),
            "{state:?}"
        );
        assert_eq!(state.status().as_u16(), status, "{state:?}");
        let (_, html) = read(notice(&state)).await;
        assert_eq!(
            html.contains("Reference <code>ABCD-2345</code>"),
            state.is_of_note(),
            "{html}"
        );
        assert!(
            !html.contains("<bdi></bdi>"),
            "{state:?} leaves a name empty:\n{html}"
        );
    }
}

#[test]
fn the_log_line_has_the_reference_and_no_token() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Log(Arc::clone(&writer)))
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for (state, _) in notices() {
            state.log("ABCD-2345", "the title");
        }
    });
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), notices().len());
    assert!(log.lines().all(|line| line.contains("ABCD-2345")), "{log}");
    assert!(!log.contains("TOKEN"), "{log}");
}

/// Where a test's log goes.
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_language_has_every_notice_and_says_which_it_is() {
    for language in Language::ALL {
        for (state, status) in notices() {
            let reference = state.is_of_note().then(|| "ABCD-2345".to_owned());
            let page = state.page(&frame_in(language), reference, &str::to_owned);
            let (_, html) = read(respond(state.status(), &page, None)).await;
            let lang = format!("<html lang=\"{}\">", language.texts().lang);
            assert!(html.contains(&lang), "{state:?}: {html}");
            assert!(
                !html.contains("<bdi></bdi>") && !html.contains(['{', '}']),
                "{state:?}: {html}"
            );
            assert_eq!(state.status().as_u16(), status);
        }
    }
}

#[tokio::test]
async fn a_limit_says_how_long() {
    let page = |seconds| {
        let wait = Duration::from_secs(seconds);
        read(notice(&Notice::TooMany {
            wait,
            again: "/oauth/login".to_owned(),
        }))
    };
    assert!(page(1).await.1.contains("Wait <bdi>1 second</bdi>, then"));
    assert!(page(42).await.1.contains("Wait <bdi>42 seconds</bdi>, then"));
    assert!(page(301).await.1.contains("Wait <bdi>6 minutes</bdi>, then"));
}

const BITBUCKET: &str = "Bitbucket";
const CODE: &str = "Xy12Ab34Cd56Ef78Gh90";

fn url() -> Callback {
    Callback::parse("https://bitbucket.example.com/plugins/servlet/applinks/oauth/login-dance/access?id=1")
        .unwrap()
}

fn frame() -> Frame {
    frame_in(Language::English)
}

fn frame_in(language: Language) -> Frame {
    Frame::new(
        language.texts(),
        "Buildboard",
        "/oauth/assets/style-0.css".to_owned(),
        "/oauth/assets/icon-0.svg".to_owned(),
    )
}

fn approve(consumer: &str, display_name: &str, callback: &Callback) -> Response {
    let user = User {
        subject: "alice".to_owned(),
        display_name: display_name.to_owned(),
        proved_by: "file".to_owned(),
        proved_at: Timestamp::from_seconds(0),
    };
    let form = AnswerForm {
        action: "/oauth/authorize".to_owned(),
        oauth_token: "TOKEN",
        form_token: "FORM-TOKEN".to_owned(),
    };
    Approve {
        consumer,
        user: &user,
        callback,
        form,
        sign_out: sign_out(),
    }
    .respond(&frame())
}

fn sign_out() -> SignOutForm {
    SignOutForm {
        action: "/oauth/logout".to_owned(),
        return_to: "/oauth/authorize?oauth_token=TOKEN".to_owned(),
        form_token: "SIGN-OUT-TOKEN".to_owned(),
    }
}

fn login(asked_by: Option<(&str, &Callback)>, tried: Option<&str>) -> Response {
    let action = "/oauth/login".to_owned();
    Login {
        asked_by,
        action,
        return_to: "/oauth/login",
        form_token: "FORM-TOKEN".to_owned(),
        fresh: false,
        tried,
    }
    .respond(&frame())
}

fn verifier(consumer: &str) -> Response {
    Verifier {
        consumer,
        code: &Code::new(CODE),
    }
    .respond(&frame())
}

fn notice(notice: &Notice) -> Response {
    let reference = notice.is_of_note().then(|| "ABCD-2345".to_owned());
    respond(
        notice.status(),
        &notice.page(&frame(), reference, &str::to_owned),
        None,
    )
}

async fn every_page() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for (name, response) in [
        ("approve", approve(BITBUCKET, "Alice Example", &url())),
        (
            "approve-oob",
            approve(BITBUCKET, "Alice Example", &Callback::OutOfBand),
        ),
        ("login", login(None, None)),
        ("login-asked", login(Some((BITBUCKET, &url())), None)),
        ("login-wrong", login(Some((BITBUCKET, &url())), Some("alice"))),
        ("verifier", verifier(BITBUCKET)),
    ] {
        pages.push((name.to_owned(), read(response).await.1));
    }
    for (at, (state, _)) in notices().iter().enumerate() {
        pages.push((format!("notice-{at}"), read(notice(state)).await.1));
    }
    pages
}

async fn read(response: Response) -> (HeaderMap, String) {
    let headers = response.headers().clone();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (headers, String::from_utf8(body.to_vec()).unwrap())
}
