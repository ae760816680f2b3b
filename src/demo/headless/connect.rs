//! The dance: request token, sign in, approve, callback, access token.

use crate::demo::bitbucket::dance::{Attempt, Trouble};
use crate::demo::browser::Page;
use crate::demo::form;
use crate::demo::wire::Exchange;
use crate::oauth::Token;

use super::Stage;
use super::check::{equal, granted, holds, refused, sent_as_form};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Connects the link as alice.
pub(super) async fn all(stage: &mut Stage<'_>, report: &mut Report<'_>) -> Option<()> {
    let token = report.step(
        "request token",
        "200, oauth_callback_confirmed=true; sent as a form",
        request_token(stage).await,
    )?;
    let page = report.step(
        "authorize",
        "the sign-in page: nobody is signed in",
        sign_in_page(stage, &token).await,
    )?;
    let page = report.step(
        "sign in as alice",
        "the approval page names consumer and user",
        sign_in(stage, &page).await,
    )?;
    let callback = report.step(
        "approve",
        "303 to the callback with token and verifier",
        approve(stage, &page, &token).await,
    )?;
    report.step(
        "exchange, wrong verifier",
        "401 token_rejected",
        wrong_verifier(stage, &token).await,
    );
    report.step(
        "exchange",
        "200; token, secret, session handle, lifetimes",
        access_token(stage, &callback).await,
    )?;
    report.step(
        "exchange once more",
        "200; the same token, as the first answer may be lost",
        second_exchange(stage, &token, &callback).await,
    );
    Some(())
}

async fn request_token(stage: &Stage<'_>) -> Outcome<Token> {
    let attempt = stage.bitbucket.ask_request_token(stage.kind).await?;
    sent_as_form(&attempt.exchange, &["oauth_callback"])?;
    let pairs = granted(&attempt.exchange)?;
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    equal(
        "names in the answer",
        &names,
        &["oauth_token", "oauth_token_secret", "oauth_callback_confirmed"],
    )?;
    Ok(Passed::new("200", won(attempt)?))
}

async fn sign_in_page(stage: &mut Stage<'_>, token: &Token) -> Outcome<Page> {
    let url = stage.bitbucket.authorize_url(stage.kind, token);
    let page = stage.browser.open(&url, None).await?;
    holds("the page asks for a password", page.asks_for_password())?;
    Ok(Passed::new(seen(&page), page))
}

async fn sign_in(stage: &mut Stage<'_>, page: &Page) -> Outcome<Page> {
    let page = stage.browser.sign_in(page, "alice").await?;
    let text = page.text();
    let consumer = stage.consumer_name();
    for expected in [consumer, "Alice Example", "alice"] {
        holds(&format!("the page says {expected:?}"), text.contains(expected))?;
    }
    holds(
        "there are buttons approve and deny",
        page.has_button("approve") && page.has_button("deny"),
    )?;
    Ok(Passed::new(seen(&page), page))
}

async fn approve(stage: &mut Stage<'_>, page: &Page, token: &Token) -> Outcome<String> {
    let callback = stage.bitbucket.callback(stage.kind);
    let page = stage
        .browser
        .submit(page, &[], Some("approve"), Some(&callback))
        .await?;
    equal("status of the redirect", &page.status().as_u16(), &303)?;
    let pairs = came_back(page.url(), &callback)?;
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    equal(
        "names in the callback",
        &names,
        &["applicationLinkID", "oauth_token", "oauth_verifier"],
    )?;
    equal(
        "oauth_token in the callback",
        &form::value(&pairs, "oauth_token"),
        &Some(token.as_str()),
    )?;
    let verifier = form::value(&pairs, "oauth_verifier").unwrap_or_default();
    holds(
        "the verifier says nothing of denial",
        !verifier.is_empty() && verifier != "denied",
    )?;
    Ok(Passed::new(seen(&page), page.url().to_owned()))
}

/// The query of a callback that the browser came back to.
pub(super) fn came_back(url: &str, callback: &str) -> Result<Vec<(String, String)>, Mismatch> {
    holds(
        &format!("{url:?} continues {callback:?}"),
        url.starts_with(&format!("{callback}&")),
    )?;
    Ok(form::read(url.split_once('?').map_or("", |(_, query)| query)))
}

async fn wrong_verifier(stage: &Stage<'_>, token: &Token) -> Outcome {
    let asked = stage
        .link()
        .asked(token.as_str())
        .ok_or_else(|| Mismatch::new("the request token is lost"))?;
    let attempt = stage
        .bitbucket
        .exchange(stage.kind, &asked, "aWrongVerifier123456")
        .await?;
    Ok(Passed::new(
        refused(stage.realm(), &attempt.exchange, 401, "token_rejected")?,
        (),
    ))
}

async fn access_token(stage: &mut Stage<'_>, callback: &str) -> Outcome {
    let page = stage.browser.open(callback, None).await?;
    let exchange = last_exchange(stage)?;
    sent_as_form(&exchange, &["oauth_token", "oauth_verifier"])?;
    let pairs = granted(&exchange)?;
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "oauth_token",
        "oauth_token_secret",
        "oauth_expires_in",
        "oauth_session_handle",
        "oauth_authorization_expires_in",
    ];
    equal("names in the answer", &names, &expected)?;
    equal(
        "oauth_expires_in",
        &form::value(&pairs, "oauth_expires_in"),
        &Some(FIVE_YEARS),
    )?;
    let session = form::value(&pairs, "oauth_authorization_expires_in");
    equal(
        "oauth_authorization_expires_in",
        &session,
        &Some(FIVE_YEARS_AND_A_MONTH),
    )?;
    holds(
        "the window says that it is connected",
        page.text().contains("Connected"),
    )?;
    let kept = stage
        .link()
        .access()
        .map(|access| access.token.as_str().to_owned());
    equal(
        "token that Bitbucket keeps",
        &kept.as_deref(),
        &form::value(&pairs, "oauth_token"),
    )?;
    Ok(Passed::new("200", ()))
}

async fn second_exchange(stage: &Stage<'_>, token: &Token, callback: &str) -> Outcome {
    let asked = stage
        .link()
        .asked(token.as_str())
        .ok_or_else(|| Mismatch::new("the request token is lost"))?;
    let pairs = came_back(callback, &stage.bitbucket.callback(stage.kind))?;
    let verifier = form::value(&pairs, "oauth_verifier").unwrap_or_default();
    let attempt = stage.bitbucket.exchange(stage.kind, &asked, verifier).await?;
    let kept = stage
        .link()
        .access()
        .map(|access| access.token.as_str().to_owned());
    let pairs = granted(&attempt.exchange)?;
    equal(
        "token of the repeated exchange",
        &form::value(&pairs, "oauth_token"),
        &kept.as_deref(),
    )?;
    Ok(Passed::new("200", ()))
}

/// What a token call won.
pub(super) fn won<T>(attempt: Attempt<T>) -> Result<T, Mismatch> {
    attempt
        .outcome
        .map_err(|trouble: Trouble| Mismatch(trouble.to_string()))
}

/// The last call that Bitbucket's pages made.
pub(super) fn last_exchange(stage: &Stage<'_>) -> Result<Exchange, Mismatch> {
    let events = stage.bitbucket.journal().events();
    let exchange = events
        .first()
        .and_then(|(_, event)| event.exchanges.last().cloned());
    exchange.ok_or_else(|| Mismatch::new("Bitbucket called nobody"))
}

/// The status of a page, for its line.
pub(super) fn seen(page: &Page) -> String {
    page.status().as_u16().to_string()
}

const FIVE_YEARS: &str = "157680000";
const FIVE_YEARS_AND_A_MONTH: &str = "160272000";
