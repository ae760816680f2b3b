//! Calls without a user's token: as the application, and in a user's name.

use serde_json::json;

use crate::demo::bitbucket::calls::{As, Wanted};
use crate::demo::bitbucket::link::LinkKind;
use crate::demo::bitbucket::signed::{self, Placement};
use crate::demo::wire::Exchange;
use crate::oauth::{TokenParameter, UnsignedRequest};

use super::Stage;
use super::calls::kept;
use super::check::{answered_for, equal, holds, json, refused};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Makes all two-legged calls. On the generic link, too, Bitbucket signs them with its own key.
pub(super) async fn all(stage: &Stage<'_>, report: &mut Report<'_>) -> Option<()> {
    report.step(
        "call as the application",
        "200, only the consumer; oauth_token is sent empty",
        application(stage).await,
    );
    match stage.kind {
        LinkKind::Form => {
            report.step(
                "2LO with the form's key",
                "401 permission_denied: it may not call as itself",
                not_allowed(stage).await,
            );
        }
        LinkKind::OwnKey => {
            report.step(
                "in the name of bob",
                "200 and bob's own projects",
                in_the_name_of_bob(stage).await,
            );
            report.step(
                "in the name of nobody",
                "401 permission_denied; the token is kept",
                in_the_name_of_nobody(stage).await,
            );
        }
    }
    Some(())
}

async fn application(stage: &Stage<'_>) -> Outcome {
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Application, &Wanted::get("/api/builds"))
        .await?;
    let value = json(&exchange, 200)?;
    answered_for(&value, None, own_key(stage))?;
    equal("projects", &value["projects"], &json!([]))?;
    token_is_empty(&exchange)?;
    Ok(Passed::new("200", ()))
}

async fn not_allowed(stage: &Stage<'_>) -> Outcome {
    let url = format!("{}/api/builds", stage.bitbucket.linkgate().origin());
    let request = UnsignedRequest::new(http::Method::GET, url).token(TokenParameter::Empty);
    let clock = crate::clock::Clock::System;
    let call = signed::sign(&stage.link().signer, &request, Placement::Header, &clock);
    let exchange = call.map_err(|error| Mismatch(error.to_string()))?.send().await?;
    Ok(Passed::new(
        refused(stage.realm(), &exchange, 401, "permission_denied")?,
        (),
    ))
}

async fn in_the_name_of_bob(stage: &Stage<'_>) -> Outcome {
    let wanted = Wanted::get("/api/builds");
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::InTheNameOf("bob"), &wanted)
        .await?;
    let value = json(&exchange, 200)?;
    answered_for(&value, Some("bob"), own_key(stage))?;
    equal("projects", &value["projects"], &json!(["bakery", "bicycle"]))?;
    token_is_empty(&exchange)?;
    holds(
        "the user stands in the query",
        exchange
            .sent
            .starts_with("GET /api/builds?xoauth_requestor_id=bob "),
    )?;
    Ok(Passed::new("200", ()))
}

async fn in_the_name_of_nobody(stage: &Stage<'_>) -> Outcome {
    let wanted = Wanted::get("/api/builds");
    let (exchange, reaction) = stage
        .bitbucket
        .call(stage.kind, As::InTheNameOf("mallory"), &wanted)
        .await?;
    let got = refused(stage.realm(), &exchange, 401, "permission_denied")?;
    kept(stage, reaction)?;
    Ok(Passed::new(got, ()))
}

fn own_key<'a>(stage: &'a Stage<'_>) -> &'a str {
    stage
        .bitbucket
        .link(LinkKind::OwnKey)
        .signer
        .consumer_key
        .as_str()
}

fn token_is_empty(exchange: &Exchange) -> Result<(), Mismatch> {
    holds(
        "oauth_token=\"\" is sent",
        exchange.sent_head().contains("oauth_token=\"\""),
    )
}
