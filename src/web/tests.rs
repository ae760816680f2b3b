//! Every error in every language, as a browser and the log receive it. `tests/it/pages` looks at the pages themselves.

use std::collections::BTreeSet;
use std::io::Seek as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderValue};

use crate::http::RequestId;

use super::assets::Layout;
use super::error::{ErrorKind, PageError};
use super::i18n::{FILES, LANGUAGES, Language, Messages};
use super::render::SignOutForm;

#[tokio::test]
async fn every_error_is_complete_in_every_language() {
    let ids: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.row().0).collect();
    assert_eq!(ids.len(), ErrorKind::ALL.len());
    for language in LANGUAGES.iter() {
        for kind in ErrorKind::ALL {
            let (_, status, level) = kind.row();
            let html = show(*kind, language, status.as_u16()).await;
            assert!(
                !html.contains("<bdi></bdi>") && !html.contains(['{', '}']),
                "{html}"
            );
            assert_eq!(html.contains("class=\"reference"), level.is_some(), "{html}");
            let shows_cause = matches!(kind, ErrorKind::LinkRejected | ErrorKind::LinkNoResponse);
            let cause = "<bdi lang=\"en\">It says &#60;no&#62;.</bdi>";
            assert_eq!(html.contains(cause), shows_cause, "{html}");
        }
    }
}

#[test]
fn the_log_line_has_the_reference_and_no_token() {
    let mut file = tempfile::tempfile().unwrap();
    let writer = Arc::new(file.try_clone().unwrap());
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let id = RequestId::next();
    tracing::subscriber::with_default(subscriber, || {
        for kind in ErrorKind::ALL {
            error(*kind).render(messages(&LANGUAGES[1]), id, str::to_owned);
        }
    });
    file.rewind().unwrap();
    let log = std::io::read_to_string(file).unwrap();
    let logged = ErrorKind::ALL.iter().filter(|kind| kind.row().2.is_some());
    assert_eq!(log.lines().count(), logged.count());
    assert!(log.lines().all(|line| line.contains(&id.to_string())), "{log}");
    assert!(log.contains("Request expired"), "in English: {log}");
    assert!(!log.contains("TOKEN"), "{log}");
}

/// Nothing but the list of files names the languages.
#[tokio::test]
async fn a_new_language_is_one_file_and_one_line() {
    let file = FILES[0].1.replace(" = Request expired", " = Peto finiĝis");
    let languages = [FILES[0], ("eo", file.as_str())].map(|(tag, file)| Language::new(tag, file));
    let languages: &'static [Language] = Vec::from(languages).leak();
    let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static("eo, en;q=0.5"))]);
    let html = show(ErrorKind::Expired, Language::preferred(&headers, languages), 410).await;
    assert!(html.contains("<html lang=\"eo\">"), "{html}");
    assert!(html.contains("<h1>Peto finiĝis</h1>"), "{html}");
}

/// An error with everything that its text may name.
fn error(kind: ErrorKind) -> PageError {
    let page = kind
        .page()
        .with("consumer", "Bitbucket")
        .with("link", "Bitbucket");
    let page = page.with("user", "Bob Example").wait(Duration::from_secs(42));
    let page = page.retry("/oauth/authorize?oauth_token=TOKEN");
    let sign_out = SignOutForm {
        action: "/oauth/logout".to_owned(),
        return_to: "/oauth/authorize?oauth_token=TOKEN".to_owned(),
        form_token: "SIGN-OUT-TOKEN".to_owned(),
    };
    page.because("It says <no>.")
        .sign_out(sign_out)
        .leave(Some("/logout?a=1&b=\"2\""))
}

fn messages(language: &'static Language) -> Messages {
    let application = "Buildboard".to_owned();
    Messages::new(
        language,
        Arc::new(Layout {
            application,
            ..Layout::default()
        }),
    )
}

async fn show(kind: ErrorKind, language: &'static Language, status: u16) -> String {
    let response = error(kind).render(messages(language), RequestId::next(), str::to_owned);
    assert_eq!(response.status(), status, "{kind:?}");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
