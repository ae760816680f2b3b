//! linkgate's pages for its administrator: open to alice, closed to bob, and nobody borrows her name.

use http::StatusCode;

use crate::demo::bitbucket::Bitbucket;
use crate::demo::bitbucket::calls::{As, Wanted};
use crate::demo::bitbucket::link::LinkKind;
use crate::demo::browser::{Browser, Page};
use crate::demo::config::ADMINISTRATOR;
use crate::oauth::SigningKey;

use super::check::{equal, holds, refused};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Opens the first page as both, and calls in the administrator's name.
pub(super) async fn all(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    report.step(
        "admin page, alice",
        "200: all that Bitbucket's form asks for, no secret",
        shown(bitbucket).await,
    );
    report.step(
        "admin page, bob",
        "403, and nothing of it",
        closed(bitbucket).await,
    );
    report.step(
        "in the name of alice",
        "401 permission_denied: she is an administrator",
        in_her_name(bitbucket).await,
    );
    Some(())
}

async fn shown(bitbucket: &Bitbucket) -> Outcome {
    let page = opened_by(bitbucket, ADMINISTRATOR).await?;
    equal("status", &page.status(), &StatusCode::OK)?;
    let text = page.text();
    for value in values(bitbucket) {
        holds(&format!("the page says {value:?}"), text.contains(&value))?;
    }
    if let SigningKey::Hmac(secret) = &bitbucket.link(LinkKind::Form).signer.key {
        holds("the secret is not on it", !text.contains(secret.expose()))?;
    }
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}

async fn closed(bitbucket: &Bitbucket) -> Outcome {
    let page = opened_by(bitbucket, "bob").await?;
    equal("status", &page.status(), &StatusCode::FORBIDDEN)?;
    let text = page.text();
    for value in values(bitbucket) {
        holds(
            &format!("the page does not say {value:?}"),
            !text.contains(&value),
        )?;
    }
    Ok(Passed::new(page.status().as_u16().to_string(), ()))
}

async fn in_her_name(bitbucket: &Bitbucket) -> Outcome {
    let wanted = Wanted::get("/api/me");
    let (exchange, _) = bitbucket
        .call(LinkKind::OwnKey, As::InTheNameOf(ADMINISTRATOR), &wanted)
        .await?;
    let realm = bitbucket.linkgate().as_str();
    Ok(Passed::new(
        refused(realm, &exchange, 401, "permission_denied")?,
        (),
    ))
}

/// The first page, after signing in.
async fn opened_by(bitbucket: &Bitbucket, user: &str) -> Result<Page, Mismatch> {
    let mut browser = Browser::default();
    let url = format!("{}/oauth/admin", bitbucket.linkgate().as_str());
    let page = browser.open(&url, None).await?;
    Ok(browser.sign_in(&page, user).await?)
}

/// What an administrator of Bitbucket has to enter there.
fn values(bitbucket: &Bitbucket) -> Vec<String> {
    let linkgate = bitbucket.linkgate().as_str();
    let endpoints = ["request-token", "access-token", "authorize"];
    let urls = endpoints.map(|name| format!("{linkgate}/oauth/{name}"));
    let keys = LinkKind::ALL.map(|kind| bitbucket.link(kind).signer.consumer_key.to_string());
    urls.into_iter().chain(keys).collect()
}
