//! Renders every page and every error, and reads them as a browser and a hostile consumer would.

mod texts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::to_bytes;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use crate::http::RequestId;
use crate::model::User;
use crate::oauth::{Callback, Timestamp, Token, Verifier};

use super::authorize::{ApprovalPage, CodePage};
use super::error::{ErrorKind, PageError};
use super::i18n::{LANGUAGES, Locale};
use super::login::{LoginPage, LoginReason};
use super::render::{Layout, SignOutForm, render_with_callback, render_with_script};
use super::return_to::ReturnTo;

#[tokio::test]
async fn the_approval_page_names_the_consumer_the_user_and_the_callback() {
    let (headers, html) = read(approval(BITBUCKET, "Alice Example", &url())).await;
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
    <li>keep this access until <time datetime="2032-01-17T00:00:00Z">17 January 2032, 00:00 UTC</time>, unless you revoke it earlier</li>
    </ul>
    <p class="quiet"><bdi>Bitbucket</bdi> never sees your password.<br>You can revoke this access at any time at <bdi>builds.example.com/oauth/connections</bdi>.<br><span class="returns">You will return to <bdi>bitbucket.example.com</bdi>.</span></p>
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
async fn without_a_callback_the_approval_page_announces_a_code() {
    let (headers, html) = read(approval(BITBUCKET, "Alice Example", &Callback::OutOfBand)).await;
    let announced = "You will get a code to enter in <bdi>Bitbucket</bdi>.";
    assert!(html.contains(announced), "{html}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
}

#[tokio::test]
async fn a_logo_replaces_the_name_and_has_it_as_its_text() {
    let logo = "/oauth/assets/logo-0.svg".to_owned();
    let with_logo = Layout {
        logo: Some(logo),
        ..layout(english())
    };
    let (_, html) = read(code_page(with_logo, BITBUCKET)).await;
    assert!(html.contains(
        "<main>\n<p class=\"application logo\"><img src=\"/oauth/assets/logo-0.svg\" alt=\"Buildboard\"></p>\n\n<h1>"
    ));
    let (_, html) = read(code_page(layout(english()), BITBUCKET)).await;
    assert!(html.contains("<main>\n<p class=\"application\"><bdi>Buildboard</bdi></p>\n\n<h1>"));
}

#[tokio::test]
async fn no_page_has_scripts_styles_of_its_own_or_anything_from_elsewhere() {
    let mut pages = vec![
        approval(BITBUCKET, "Alice Example", &url()),
        approval(BITBUCKET, "Alice Example", &Callback::OutOfBand),
        login(None, LoginReason::SignedOut),
        login(Some(BITBUCKET), LoginReason::Fresh),
        login(Some(BITBUCKET), LoginReason::Wrong("alice")),
    ];
    let errors = ErrorKind::ALL.iter().map(|kind| show(&error(*kind), english()));
    pages.extend(errors);
    for page in pages {
        let (_, html) = read(page).await;
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
            assert!(!html.contains(never), "{never}:\n{html}");
        }
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
        for once in ["<h1>", "<title>"] {
            assert_eq!(html.matches(once).count(), 1, "{html}");
        }
        assert!(!html.contains("<title> ·"), "{html}");
    }
}

#[tokio::test]
async fn a_hostile_name_stays_a_name() {
    let hostile = "</title><script>alert(1)</script>\"'\u{202E}{user}";
    for page in [
        approval(hostile, hostile, &Callback::OutOfBand),
        login(Some(hostile), LoginReason::Wrong(hostile)),
        code_page(layout(english()), hostile),
        show(&ErrorKind::Denied.page().with("consumer", hostile), english()),
        show(&ErrorKind::UserChanged.page().with("user", hostile), english()),
    ] {
        let (_, html) = read(page).await;
        assert!(!html.contains("<script>") && !html.contains("\"'"), "{html}");
        let escaped = "&#60;/title&#62;&#60;script&#62;alert(1)";
        assert!(html.contains(escaped), "{html}");
        assert!(html.contains("\u{FFFD}{user}</bdi>"), "{html}");
        assert!(!html.contains("\u{202E}{user}</bdi>"), "{html}");
    }
}

#[tokio::test]
async fn the_code_is_in_the_text_and_not_in_the_title() {
    let (headers, html) = read(code_page(layout(english()), BITBUCKET)).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("; script-src 'self'"), "{policy}");
    assert_eq!(html.matches(CODE).count(), 1);
    assert!(html.contains("<title>Your code · Buildboard</title>"));
}

#[tokio::test]
async fn a_wrong_password_is_told_without_saying_which_part_is_wrong() {
    let page = login(None, LoginReason::Wrong("alice"));
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let (_, html) = read(page).await;
    let told = "role=\"alert\">Wrong username or password.</p>";
    assert!(html.contains(told), "{html}");
    assert!(html.contains("value=\"alice\" aria-invalid=\"true\""), "{html}");
    // The name and the two hidden fields: the password is never sent back.
    assert_eq!(html.matches("value=").count(), 3, "{html}");
}

#[tokio::test]
async fn every_error_is_complete_in_every_language() {
    let ids: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.row().0).collect();
    assert_eq!(ids.len(), ErrorKind::ALL.len());
    for language in LANGUAGES.iter() {
        for kind in ErrorKind::ALL {
            let page = show(&error(*kind), Locale::from(language));
            let (_, status, level) = kind.row();
            assert_eq!(page.status(), status, "{kind:?}");
            let (_, html) = read(page).await;
            assert!(
                !html.contains("<bdi></bdi>") && !html.contains(['{', '}']),
                "{html}"
            );
            assert_eq!(html.contains("class=\"reference"), level.is_some(), "{html}");
            assert_eq!(
                html.contains("<bdi lang=\"en\">It says &#60;no&#62;.</bdi>"),
                shows_cause(*kind)
            );
        }
    }
}

#[test]
fn the_log_line_has_the_reference_and_no_token() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Log(Arc::clone(&writer)))
        .finish();
    let id = RequestId::next();
    tracing::subscriber::with_default(subscriber, || {
        for kind in ErrorKind::ALL {
            error(*kind).render(layout(english()), id, "");
        }
    });
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let logged = ErrorKind::ALL.iter().filter(|kind| kind.row().2.is_some());
    assert_eq!(log.lines().count(), logged.count());
    assert!(log.lines().all(|line| line.contains(&id.to_string())), "{log}");
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
async fn a_limit_says_how_long_and_when_to_try_again() {
    for (seconds, text) in [(1, "1 second"), (42, "42 seconds"), (301, "6 minutes")] {
        let limit = ErrorKind::TooMany.page().wait(Duration::from_secs(seconds));
        let (headers, html) = read(show(&limit, english())).await;
        assert!(html.contains(&format!("Wait <bdi>{text}</bdi>, then")), "{html}");
        assert_eq!(headers["retry-after"], seconds.to_string().as_str());
    }
    let (headers, _) = read(show(&ErrorKind::StoreDown.page(), english())).await;
    assert_eq!(headers["retry-after"], "10");
}

const BITBUCKET: &str = "Bitbucket";
const CODE: &str = "Xy12Ab34Cd56Ef78Gh90";

fn english() -> Locale {
    Locale::default_language()
}

fn url() -> Callback {
    let url = "https://bitbucket.example.com/plugins/servlet/applinks/oauth/login-dance/access?id=1";
    Callback::parse(url).unwrap()
}

fn layout(locale: Locale) -> Layout {
    Layout {
        locale,
        application: "Buildboard".to_owned(),
        stylesheet: "/oauth/assets/style-0.css".to_owned(),
        icon: "/oauth/assets/icon-0.svg".to_owned(),
        logo: None,
    }
}

fn approval(consumer: &str, display_name: &str, callback: &Callback) -> Response {
    let user = User {
        subject: "alice".to_owned(),
        display_name: display_name.to_owned(),
        proved_by: "file".to_owned(),
        proved_at: Timestamp::from_seconds(0),
    };
    let layout = layout(english());
    let page = ApprovalPage {
        t: ApprovalPage::messages(&layout, consumer, &user),
        layout,
        user: &user,
        callback,
        ends_at: Timestamp::from_seconds(1_957_910_400),
        revoke_at: "builds.example.com/oauth/connections".to_owned(),
        action: "/oauth/authorize".to_owned(),
        token: &Token::parse("TOKEN").unwrap(),
        form_token: "FORM-TOKEN".to_owned(),
        sign_out: sign_out(),
    };
    render_with_callback(&page, Some(callback))
}

fn sign_out() -> SignOutForm {
    SignOutForm {
        action: "/oauth/logout".to_owned(),
        return_to: "/oauth/authorize?oauth_token=TOKEN".to_owned(),
        form_token: "SIGN-OUT-TOKEN".to_owned(),
    }
}

fn login(consumer: Option<&str>, reason: LoginReason<'_>) -> Response {
    let layout = layout(english());
    let page = LoginPage {
        t: layout.messages(),
        layout,
        consumer,
        action: "/oauth/login".to_owned(),
        return_to: &ReturnTo::or_login(None),
        form_token: "FORM-TOKEN".to_owned(),
        reason,
    };
    page.render_for(None)
}

fn code_page(layout: Layout, consumer: &str) -> Response {
    let page = CodePage {
        t: layout.messages().with("consumer", consumer),
        layout,
        code: &Verifier::new(CODE),
        script: "/oauth/assets/pages-0.js".to_owned(),
    };
    render_with_script(&page)
}

/// An error with everything that its text may name.
fn error(kind: ErrorKind) -> PageError {
    let page = kind.page().with("consumer", BITBUCKET).with("link", BITBUCKET);
    let page = page.with("user", "Bob Example").wait(Duration::from_secs(42));
    let page = page.retry("/oauth/authorize?oauth_token=TOKEN");
    page.because("It says <no>.")
        .sign_out(sign_out())
        .leave(Some("/logout?a=1&b=\"2\""))
}

const fn shows_cause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::LinkRejected | ErrorKind::LinkNoResponse)
}

fn show(error: &PageError, locale: Locale) -> Response {
    error.render(layout(locale), RequestId::next(), "")
}

async fn read(response: Response) -> (HeaderMap, String) {
    let headers = response.headers().clone();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (headers, String::from_utf8(body.to_vec()).unwrap())
}
