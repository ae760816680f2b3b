//! How a token ends: renewed, revoked, and what denial leaves.

use serde_json::json;

use crate::demo::bitbucket::calls::{As, CallError, Wanted};
use crate::demo::bitbucket::link::Access;
use crate::demo::bitbucket::refusal::Reaction;
use crate::demo::browser::Browser;
use crate::demo::form;

use super::Stage;
use super::calls::kept;
use super::check::{answered_for, equal, granted, holds, json, refused, sent_as_form};
use super::connect::{came_back, last_exchange, won};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Comes to all endings, and connects once more as bob.
pub(super) async fn all(stage: &mut Stage<'_>, report: &mut Report<'_>) -> Option<()> {
    report.step(
        "renewal, wrong handle",
        "401 token_rejected",
        wrong_handle(stage).await,
    );
    report.step(
        "renewal",
        "200 with a new token that works; repeated, the same answer",
        renewal(stage).await,
    )?;
    report.step(
        "denial",
        "401 permission_denied and a friendly page",
        denial(stage).await,
    );
    report.step(
        "revoke and retry",
        "401 token_revoked; Bitbucket drops its token",
        revoke(stage).await,
    )?;
    report.step(
        "connect again, as bob",
        "200 and bob's own projects",
        reconnect(stage).await,
    )?;
    Some(())
}

async fn wrong_handle(stage: &Stage<'_>) -> Outcome {
    let access = held(stage)?;
    let attempt = stage
        .bitbucket
        .renew(stage.kind, &access, "aWrongSessionHandle1")
        .await?;
    Ok(Passed::new(
        refused(stage.realm(), &attempt.exchange, 401, "token_rejected")?,
        (),
    ))
}

async fn renewal(stage: &Stage<'_>) -> Outcome {
    let old = held(stage)?;
    let handle = old
        .handle
        .as_ref()
        .ok_or_else(|| Mismatch::new("there is no session handle"))?;
    let attempt = stage.bitbucket.renew(stage.kind, &old, handle.expose()).await?;
    sent_as_form(&attempt.exchange, &["oauth_token", "oauth_session_handle"])?;
    granted(&attempt.exchange)?;
    let new = won(attempt)?;
    holds(
        "the token is another one",
        new.token != old.token && new.secret != old.secret,
    )?;
    let again = won(stage.bitbucket.renew(stage.kind, &old, handle.expose()).await?)?;
    holds(
        "a repeated renewal gives the same token",
        again.token == new.token && again.secret == new.secret,
    )?;
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::get("/api/me"))
        .await?;
    answered_for(
        &json(&exchange, 200)?,
        Some("alice"),
        stage.link().signer.consumer_key.as_str(),
    )?;
    Ok(Passed::new("200, and again", ()))
}

async fn denial(stage: &mut Stage<'_>) -> Outcome {
    let token = won(stage.bitbucket.ask_request_token(stage.kind).await?)?;
    let callback = stage.bitbucket.callback(stage.kind);
    let url = stage.bitbucket.authorize_url(stage.kind, &token);
    let honest = form::strict(&[("oauth_callback", &callback)]);
    let foreign = form::strict(&[("oauth_callback", "https://mallory.example.com/")]);
    let page = stage.browser.open(&url.replace(&honest, &foreign), None).await?;
    holds("alice is still signed in", page.has_button("deny"))?;
    let page = stage
        .browser
        .submit(&page, &[], Some("deny"), Some(&callback))
        .await?;
    let pairs = came_back(page.url(), &callback)?;
    equal(
        "oauth_verifier in the callback",
        &form::value(&pairs, "oauth_verifier"),
        &Some("denied"),
    )?;
    let page = stage.browser.open(page.url(), None).await?;
    let got = refused(stage.realm(), &last_exchange(stage)?, 401, "permission_denied")?;
    holds(
        "Bitbucket says so in a friendly way",
        page.text().contains("You said no"),
    )?;
    holds("the token that it had is kept", stage.link().access().is_some())?;
    Ok(Passed::new(got, ()))
}

async fn revoke(stage: &Stage<'_>) -> Outcome {
    let access = held(stage)?;
    let revoked = stage.bitbucket.operator().revoke(&access.token).await?;
    holds("linkgate knows the token", revoked)?;
    let (exchange, reaction) = stage.bitbucket.until_refused(stage.kind).await?;
    let got = refused(stage.realm(), &exchange, 401, "token_revoked")?;
    equal("reaction", &reaction, &Reaction::DropToken)?;
    let again = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::get("/api/me"))
        .await;
    holds(
        "Bitbucket asks to connect again",
        matches!(again, Err(CallError::NotConnected)),
    )?;
    Ok(Passed::new(got, ()))
}

/// Connects through Bitbucket's own pages alone, as a browser without scripts does.
async fn reconnect(stage: &mut Stage<'_>) -> Outcome {
    stage.browser = Browser::default();
    let page = stage
        .browser
        .open(&stage.bitbucket.connect_url(stage.kind), None)
        .await?;
    let page = stage.browser.sign_in(&page, "bob").await?;
    holds(
        "the page says \"Bob Example\"",
        page.text().contains("Bob Example"),
    )?;
    let page = stage.browser.submit(&page, &[], Some("approve"), None).await?;
    holds(
        "the window says that it is connected",
        page.text().contains("Connected"),
    )?;
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::get("/api/builds"))
        .await?;
    let value = json(&exchange, 200)?;
    answered_for(&value, Some("bob"), stage.link().signer.consumer_key.as_str())?;
    equal("projects", &value["projects"], &json!(["bakery", "bicycle"]))?;
    let alices = Wanted::post("/api/builds", &[("project", "rocket")]);
    let (exchange, reaction) = stage.bitbucket.call(stage.kind, As::Me, &alices).await?;
    json(&exchange, 404)?;
    kept(stage, reaction)?;
    Ok(Passed::new("200", ()))
}

fn held(stage: &Stage<'_>) -> Result<Access, Mismatch> {
    stage
        .link()
        .access()
        .ok_or_else(|| Mismatch::new("the link is not connected"))
}
