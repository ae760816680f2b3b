//! The other direction: Buildboard reads a user's pull requests in Bitbucket, through linkgate's private listener.

use http::Method;

use crate::clock::Clock;
use crate::demo::bitbucket::Bitbucket;
use crate::demo::bitbucket::link::LinkKind;
use crate::demo::bitbucket::signed::{self, Placement};
use crate::demo::browser::{Browser, Page};
use crate::oauth::UnsignedRequest;

use super::check::{equal, holds, short};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Connects as alice, reads, and connects again after Bitbucket has revoked.
pub(super) async fn all(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut browser = Browser::default();
    let page = report.step(
        "pull requests",
        "not connected: linkgate asks who is there",
        first_visit(bitbucket, &mut browser).await,
    )?;
    let page = report.step(
        "sign in at linkgate",
        "on to Bitbucket, which asks alice",
        sign_in(bitbucket, &mut browser, &page).await,
    )?;
    report.step(
        "allow at Bitbucket",
        "back to Buildboard, with alice's pull requests",
        allow(bitbucket, &mut browser, &page).await,
    )?;
    report.step(
        "pull requests again",
        "200, and nobody is asked",
        again(bitbucket, &mut browser).await,
    )?;
    report.step(
        "HMAC at Bitbucket",
        "400 signature_method_rejected",
        hmac(bitbucket).await,
    );
    report.step(
        "revoked at Bitbucket",
        "linkgate drops the token; Bitbucket asks again",
        revoked(bitbucket, &mut browser).await,
    )
}

async fn first_visit(bitbucket: &Bitbucket, browser: &mut Browser) -> Outcome<Page> {
    let linkgate = bitbucket.linkgate().as_str();
    let home = browser.open(&format!("{linkgate}/"), None).await?;
    browser
        .submit(&home, &[("user", "alice")], Some("user"), None)
        .await?;
    let page = browser.open(&format!("{linkgate}/pulls"), None).await?;
    holds("the page asks for a password", page.asks_for_password())?;
    Ok(Passed::new(page.status().as_u16().to_string(), page))
}

async fn sign_in(bitbucket: &Bitbucket, browser: &mut Browser, page: &Page) -> Outcome<Page> {
    let page = browser.sign_in(page, "alice").await?;
    asked_there(bitbucket, &page)?;
    Ok(Passed::new(page.status().as_u16().to_string(), page))
}

async fn allow(bitbucket: &Bitbucket, browser: &mut Browser, page: &Page) -> Outcome {
    let page = browser.submit(page, &[], Some("approve"), None).await?;
    shows_pulls(bitbucket, &page)?;
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}

async fn again(bitbucket: &Bitbucket, browser: &mut Browser) -> Outcome {
    let page = browser
        .open(&format!("{}/pulls", bitbucket.linkgate().as_str()), None)
        .await?;
    shows_pulls(bitbucket, &page)?;
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}

async fn hmac(bitbucket: &Bitbucket) -> Outcome {
    let url = format!(
        "{}/plugins/servlet/oauth/request-token",
        bitbucket.base().origin()
    );
    let request = UnsignedRequest::new(Method::POST, url).parameter("oauth_callback", "oob");
    let signer = &bitbucket.link(LinkKind::Form).signer;
    let call = signed::sign(signer, &request, Placement::Header, &Clock::System);
    let exchange = call.map_err(|error| Mismatch(error.to_string()))?.send().await?;
    equal("answer", &short(&exchange), &"400 signature_method_rejected")?;
    Ok(Passed::new(short(&exchange), ()))
}

async fn revoked(bitbucket: &Bitbucket, browser: &mut Browser) -> Outcome {
    bitbucket.incoming().revoke_all();
    let page = browser
        .open(&format!("{}/pulls", bitbucket.linkgate().as_str()), None)
        .await?;
    asked_there(bitbucket, &page)?;
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}

fn asked_there(bitbucket: &Bitbucket, page: &Page) -> Result<(), Mismatch> {
    holds(
        "the page is Bitbucket's",
        page.url().starts_with(bitbucket.base().as_str()),
    )?;
    holds(
        "it asks whether Buildboard may read",
        page.text().contains("Buildboard would like to read") && page.has_button("approve"),
    )
}

fn shows_pulls(bitbucket: &Bitbucket, page: &Page) -> Result<(), Mismatch> {
    equal("status", &page.status().as_u16(), &200)?;
    holds(
        "the page is Buildboard's",
        page.url().starts_with(bitbucket.linkgate().as_str()),
    )?;
    holds(
        "it shows alice's pull requests, and not bob's",
        page.text().contains("Raise the apogee") && !page.text().contains("croissants"),
    )
}
