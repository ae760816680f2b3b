//! Guarded calls as alice: what must reach the application as it was sent, and what must not.

use http::Method;
use serde_json::json;

use crate::demo::bitbucket::calls::{As, Wanted};
use crate::demo::bitbucket::refusal::Reaction;
use crate::demo::form;
use crate::demo::wire::Call;

use super::Stage;
use super::check::{answered_for, challenged, equal, holds, json, refused, short};
use super::report::{Mismatch, Outcome, Passed, Report};

/// Makes all calls.
pub(super) async fn all(stage: &Stage<'_>, report: &mut Report<'_>) -> Option<()> {
    report.step(
        "call as alice",
        "200 and alice's own projects",
        as_alice(stage).await,
    )?;
    for (name, target) in HARD_QUERIES {
        report.step(
            name,
            "200; it arrived byte for byte",
            hard_query(stage, target).await,
        );
    }
    report.step(
        "build as alice",
        "201; a form with unicode, repeated and empty fields",
        build(stage).await,
    );
    report.step(
        "forged identity header",
        "200 and alice, whatever Remote-User is sent",
        forged_header(stage).await,
    );
    report.step(
        "no OAuth at all",
        "401 with a challenge and without a problem",
        not_oauth(stage).await,
    );
    report.step(
        "tampered query",
        "401 signature_invalid; the token is kept",
        tampered(stage, &Wanted::get("/api/search?q=main"), |call| {
            "/api/search?q=feature".clone_into(&mut call.target);
        })
        .await,
    );
    let order = Wanted::post("/api/builds", &[("project", "rocket"), ("branch", "main")]);
    report.step(
        "tampered form",
        "401 signature_invalid; the token is kept",
        tampered(stage, &order, |call| call.body.push_str("&note=mine")).await,
    );
    report.step(
        "replay",
        "200, the same bytes again: 401 nonce_used; token kept",
        replay(stage).await,
    );
    Some(())
}

async fn as_alice(stage: &Stage<'_>) -> Outcome {
    let wanted = Wanted::get("/api/builds");
    let (exchange, _) = stage.bitbucket.call(stage.kind, As::Me, &wanted).await?;
    let value = json(&exchange, 200)?;
    answered_for(&value, Some("alice"), stage.link().signer.consumer_key.as_str())?;
    equal("projects", &value["projects"], &json!(["rocket", "observatory"]))?;
    let head = exchange.sent_head();
    let authorization = head
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: OAuth "));
    let only_oauth =
        authorization.is_some_and(|fields| fields.split(", ").all(|field| field.starts_with("oauth_")));
    holds(
        "Authorization has no realm and only oauth_ parameters",
        only_oauth,
    )?;
    Ok(Passed::new("200", ()))
}

async fn hard_query(stage: &Stage<'_>, target: &str) -> Outcome {
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::get(target))
        .await?;
    let value = json(&exchange, 200)?;
    answered_for(&value, Some("alice"), stage.link().signer.consumer_key.as_str())?;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    equal("query that the application saw", &value["query"], &query)?;
    equal("pairs that it read", &value["asked"], &json!(form::read(query)))?;
    Ok(Passed::new("200", ()))
}

async fn build(stage: &Stage<'_>) -> Outcome {
    let fields = [
        ("project", "rocket"),
        ("branch", "feature/größer & weiter"),
        ("note", "100 % + 🚀 = ~done~ *'()!"),
        ("label", "b"),
        ("label", ""),
        ("label", "a b"),
    ];
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::post("/api/builds", &fields))
        .await?;
    let built = json(&exchange, 201)?;
    for (name, expected) in &fields[..3] {
        equal(name, &built[name], expected)?;
    }
    equal("labels", &built["labels"], &json!(["b", "", "a b"]))?;
    equal("startedBy", &built["startedBy"], &"alice")?;
    let (exchange, _) = stage
        .bitbucket
        .call(stage.kind, As::Me, &Wanted::get("/api/builds"))
        .await?;
    equal(
        "newest build of alice",
        &json(&exchange, 200)?["builds"][0],
        &built,
    )?;
    Ok(Passed::new("201", ()))
}

async fn forged_header(stage: &Stage<'_>) -> Outcome {
    let mut prepared = stage
        .bitbucket
        .prepare(stage.kind, As::Me, &Wanted::get("/api/me"))?;
    let forged = [
        ("remote-user", "bob"),
        ("remote_user", "bob"),
        ("x-linkgate-consumer", "somebody"),
    ];
    prepared
        .call
        .headers
        .extend(forged.map(|(name, value)| (name, value.to_owned())));
    let (exchange, _) = stage.bitbucket.send(stage.kind, &prepared).await?;
    answered_for(
        &json(&exchange, 200)?,
        Some("alice"),
        stage.link().signer.consumer_key.as_str(),
    )?;
    Ok(Passed::new("200", ()))
}

async fn not_oauth(stage: &Stage<'_>) -> Outcome {
    let call = Call {
        method: Method::GET,
        authority: stage.bitbucket.linkgate().authority().to_owned(),
        target: "/api/me".to_owned(),
        headers: vec![("remote-user", "alice".to_owned())],
        body: String::new(),
        base_string: None,
    };
    let exchange = call.send().await?;
    equal("answer", &short(&exchange), &"401")?;
    challenged(stage.realm(), &exchange)?;
    Ok(Passed::new("401", ()))
}

async fn tampered(stage: &Stage<'_>, wanted: &Wanted, change: impl FnOnce(&mut Call)) -> Outcome {
    let mut prepared = stage.bitbucket.prepare(stage.kind, As::Me, wanted)?;
    change(&mut prepared.call);
    let (exchange, reaction) = stage.bitbucket.send(stage.kind, &prepared).await?;
    let got = refused(stage.realm(), &exchange, 401, "signature_invalid")?;
    kept(stage, reaction)?;
    Ok(Passed::new(got, ()))
}

async fn replay(stage: &Stage<'_>) -> Outcome {
    let prepared = stage
        .bitbucket
        .prepare(stage.kind, As::Me, &Wanted::get("/api/me"))?;
    let (first, _) = stage.bitbucket.send(stage.kind, &prepared).await?;
    answered_for(
        &json(&first, 200)?,
        Some("alice"),
        stage.link().signer.consumer_key.as_str(),
    )?;
    let (second, reaction) = stage.bitbucket.send(stage.kind, &prepared).await?;
    equal("bytes sent the second time", &second.sent, &first.sent)?;
    let got = refused(stage.realm(), &second, 401, "nonce_used")?;
    kept(stage, reaction)?;
    Ok(Passed::new(format!("200, {got}"), ()))
}

/// Bitbucket keeps its token, and it still works.
pub(super) fn kept(stage: &Stage<'_>, reaction: Reaction) -> Result<(), Mismatch> {
    equal("reaction", &reaction, &Reaction::KeepToken)?;
    holds("the token is kept", stage.link().access().is_some())
}

const HARD_QUERIES: [(&str, &str); 5] = [
    (
        "query: unicode, spaces",
        "/api/search?q=Z%C3%BCndung%20%F0%9F%9A%80&q=a+b%20c&%E6%97%A5%E6%9C%AC=%20",
    ),
    (
        "query: repeated, empty",
        "/api/search?q=&q=&a=2&a=1&a=2&flag&empty=&a=10",
    ),
    (
        "query: reserved",
        "/api/search?x=%26%3D%2B%25%2F%3F%23&y=a%2Bb&z=~-._&w=!*'();:@,/?$",
    ),
    (
        "query: brackets, order",
        "/api/search?b[]=1&b[]=0&c%5B%5D=2&ab=5&a_b=4&a.b=3&a-b=2&a%21b=1",
    ),
    (
        "query: encoded twice",
        "/api/search?x=%2525&y=%252B&lower=%c3%a4&upper=%C3%A4",
    ),
];
