//! The demo without a browser: every step does something, and compares all that came back.

use std::fmt::Debug;
use std::io::Write;

use anyhow::{Context, bail, ensure};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::oauth::{SigningKey, TokenParameter, UnsignedRequest, encoding};

use super::bitbucket::client::{Caller, Outcome, Placement, problem_of, rejection, sign};
use super::bitbucket::{Bitbucket, Link};
use super::config::{FORM_KEY, OWN_KEY};
use super::http::{Browser, Exchange, FORM, Page, parse_form, send, value};

/// Makes all steps against a server that is running, and prints a line for each.
///
/// # Errors
///
/// A step failed.
pub async fn run(bitbucket: &Bitbucket, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mut report = Report {
        out,
        steps: 0,
        failed: 0,
    };
    for link in &bitbucket.links {
        let method = link.signer.method.name();
        report.line(&format!("\n{} ({method})", link.title));
        let reached = connected_link(bitbucket, link, &mut report).await;
        report.end_part(reached);
    }
    report.line("\nCalls without a user's token");
    two_legged(bitbucket, &mut report).await;
    report.line("\nThe application's own users, and what they read in Bitbucket");
    let reached = own_users(bitbucket, &mut report).await;
    report.end_part(reached);
    report.line("\nlinkgate's pages for administrators");
    report.step(
        "alice",
        "200: all values for Bitbucket's form, no secret",
        admin_sees(bitbucket).await,
    );
    report.step("bob", "403, without those values", others_do_not(bitbucket).await);
    report.line("\nA restart on the same store");
    let reached = restart(bitbucket, &mut report).await;
    report.end_part(reached);
    report.finish()
}

/// All steps of one link. `None`: a step failed on which others depend.
async fn connected_link(bitbucket: &Bitbucket, link: &Link, report: &mut Report<'_>) -> Option<()> {
    let mut browser = Browser::default();
    report.step(
        "connect as alice",
        "sign in, approve, and a token; token requests are forms",
        connect(bitbucket, link, &mut browser, "alice").await,
    )?;
    report.step(
        "call as alice",
        "200 as alice; a difficult query arrives byte for byte",
        difficult_query(bitbucket, link).await,
    );
    report.step(
        "tampered query",
        "401 signature_invalid; the token is kept",
        button(bitbucket, link, "tamper", "signature_invalid").await,
    );
    report.step(
        "replay",
        "200, then 401 nonce_used; the token is kept",
        button(bitbucket, link, "replay", "nonce_used").await,
    );
    report.step(
        "deny",
        "401 permission_denied; the token is kept",
        deny(bitbucket, link, &mut browser).await,
    );
    report.step(
        "revoke and call",
        "401 token_revoked; Bitbucket drops its token",
        button(bitbucket, link, "revoke", "token_revoked").await,
    );
    report.step(
        "connect as bob",
        "200 and the projects of bob",
        connect(bitbucket, link, &mut Browser::default(), "bob").await,
    )
}

/// Connects a link, and calls as its user.
async fn connect(
    bitbucket: &Bitbucket,
    link: &Link,
    browser: &mut Browser,
    user: &str,
) -> anyhow::Result<()> {
    let page = browser.open(&bitbucket.connect_url(link)).await?;
    ensure!(
        page.html.contains("type=\"password\""),
        "nobody is signed in, and no password is asked for"
    );
    let page = browser.sign_in(&page, user).await?;
    for text in [
        link.consumer_name,
        user,
        "Example",
        "name=\"approve\"",
        "name=\"deny\"",
    ] {
        contains(&page, text)?;
    }
    let page = browser.submit(&page, &[("approve", "approve")]).await?;
    contains(&page, "Connected")?;
    let callback = bitbucket.callback(link) + "&oauth_token=";
    ensure!(
        page.url.starts_with(&callback),
        "{} does not continue {callback}",
        page.url
    );
    let token_requests = bitbucket.events();
    for (event, name) in token_requests.iter().zip(["oauth_verifier", "oauth_callback"]) {
        sent_as_form(event.exchanges.first().context("linkgate did not respond")?, name)?;
    }
    let (exchange, _) = call(bitbucket, link, "/api/builds").await?;
    let body = answered(&exchange, Some(user), link.signer.consumer_key.as_str())?;
    equal("projects", &body["projects"], &projects_of(user))
}

async fn difficult_query(bitbucket: &Bitbucket, link: &Link) -> anyhow::Result<()> {
    let (exchange, _) = call(bitbucket, link, &format!("/api/search?{DIFFICULT_QUERY}")).await?;
    let body = answered(&exchange, Some("alice"), link.signer.consumer_key.as_str())?;
    equal("query at the application", &body["query"], &DIFFICULT_QUERY)?;
    let authorization = exchange.request.headers().get(AUTHORIZATION);
    let authorization = authorization
        .context("there is no Authorization field")?
        .to_str()?;
    let mut parameters = authorization.trim_start_matches("OAuth ").split(", ");
    ensure!(
        parameters.all(|parameter| parameter.starts_with("oauth_")),
        "there is more than oauth_ parameters in {authorization}"
    );
    Ok(())
}

/// Presses a button, whose last call must be rejected with this problem.
async fn button(bitbucket: &Bitbucket, link: &Link, action: &str, problem: &str) -> anyhow::Result<()> {
    let event = bitbucket.act(link, action, &[]).await.context("no such button")?;
    let [earlier @ .., last] = event.exchanges.as_slice() else {
        bail!(event.summary);
    };
    for exchange in earlier {
        equal("first status", &exchange.response.status(), &StatusCode::OK)?;
        equal(
            "first Authorization",
            &last.request.headers(),
            &exchange.request.headers(),
        )?;
    }
    rejected(bitbucket, last, problem)?;
    let is_dropped = problem.starts_with("token_");
    equal(
        "token dropped",
        &(event.outcome == Outcome::TokenDropped),
        &is_dropped,
    )?;
    equal("link without a token", &link.access().is_none(), &is_dropped)
}

async fn deny(bitbucket: &Bitbucket, link: &Link, browser: &mut Browser) -> anyhow::Result<()> {
    let page = browser.open(&bitbucket.connect_url(link)).await?;
    let page = browser.submit(&page, &[("deny", "deny")]).await?;
    contains(&page, "Access denied")?;
    ensure!(
        page.url.ends_with("&oauth_verifier=denied"),
        "it returned to {}",
        page.url
    );
    let event = bitbucket.events().swap_remove(0);
    let exchange = event.exchanges.first().context("linkgate did not respond")?;
    rejected(bitbucket, exchange, "permission_denied")?;
    ensure!(link.access().is_some(), "the token is lost");
    Ok(())
}

async fn two_legged(bitbucket: &Bitbucket, report: &mut Report<'_>) {
    report.step(
        "call as the application",
        "200, no user; on the generic link, with Bitbucket's own key",
        application(bitbucket, &bitbucket.links[0], Caller::Application, None).await,
    );
    report.step(
        "call on behalf of bob",
        "200 as bob, named in the signed query",
        application(
            bitbucket,
            bitbucket.own_key_link(),
            Caller::Impersonate("bob"),
            Some("bob"),
        )
        .await,
    );
    report.step(
        "call with the form's key",
        "401 permission_denied: it has no two-legged access",
        form_key(bitbucket).await,
    );
}

async fn application(
    bitbucket: &Bitbucket,
    link: &Link,
    caller: Caller<'_>,
    user: Option<&str>,
) -> anyhow::Result<()> {
    let call = bitbucket.prepare(link, caller, "/api/builds", "")?;
    let (exchange, _) = bitbucket.send(link, &call).await?;
    let body = answered(&exchange, user, OWN_KEY)?;
    equal(
        "projects",
        &body["projects"],
        &user.map_or(json!([]), projects_of),
    )?;
    let authorization = exchange
        .request
        .headers()
        .get(AUTHORIZATION)
        .context("Authorization")?;
    ensure!(
        authorization.to_str()?.contains("oauth_token=\"\""),
        "oauth_token is not sent empty"
    );
    let query = user.map(|user| format!("xoauth_requestor_id={user}"));
    equal("query", &exchange.request.uri().query(), &query.as_deref())
}

async fn form_key(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let url = format!("{}/api/builds", bitbucket.linkgate.origin());
    let request = UnsignedRequest::new(Method::GET, url).token(TokenParameter::Empty);
    let request = sign(&bitbucket.links[0].signer, &request, Placement::Header)?;
    rejected(bitbucket, &send(request).await?, "permission_denied")
}

async fn own_users(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut browser = Browser::default();
    report.step(
        "no session",
        "200 without a user, although Remote-User is sent",
        no_session(bitbucket).await,
    );
    report.step(
        "own session",
        "200 and the builds of alice: the cookie passes linkgate",
        own_session(bitbucket, &mut browser).await,
    )?;
    report.step(
        "connect Buildboard",
        "sign in at linkgate, approve at Bitbucket, and back",
        connect_buildboard(bitbucket, &mut browser).await,
    )?;
    report.step(
        "read pull requests",
        "200 and those of alice, without a question",
        read_pull_requests(bitbucket, &mut browser).await,
    )
}

async fn no_session(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let request = Request::get(format!("{}/", bitbucket.linkgate.origin())).header("remote-user", "alice");
    let response = send(request.body(String::new())?).await?.response;
    equal("status", &response.status(), &StatusCode::OK)?;
    ensure!(
        response.body().contains("You are not signed in"),
        "the application sees a user"
    );
    Ok(())
}

async fn own_session(bitbucket: &Bitbucket, browser: &mut Browser) -> anyhow::Result<()> {
    let page = browser.open(&format!("{}/", bitbucket.linkgate.origin())).await?;
    let page = browser.submit(&page, &[("user", "alice")]).await?;
    contains(&page, "Builds of alice")
}

async fn connect_buildboard(bitbucket: &Bitbucket, browser: &mut Browser) -> anyhow::Result<()> {
    let page = browser
        .open(&format!("{}/pulls", bitbucket.linkgate.origin()))
        .await?;
    let page = browser.sign_in(&page, "alice").await?;
    ensure!(
        page.url.starts_with(bitbucket.base.origin()),
        "{} is not Bitbucket's",
        page.url
    );
    contains(&page, "Buildboard would like to read")?;
    let page = browser.submit(&page, &[("approve", "alice")]).await?;
    shows_pull_requests(bitbucket, &page)
}

async fn read_pull_requests(bitbucket: &Bitbucket, browser: &mut Browser) -> anyhow::Result<()> {
    let page = browser
        .open(&format!("{}/pulls", bitbucket.linkgate.origin()))
        .await?;
    shows_pull_requests(bitbucket, &page)
}

fn shows_pull_requests(bitbucket: &Bitbucket, page: &Page) -> anyhow::Result<()> {
    equal(
        "page",
        &page.url,
        &format!("{}/pulls", bitbucket.linkgate.origin()),
    )?;
    contains(page, "Raise the apogee")?;
    ensure!(!page.html.contains("croissants"), "it shows those of bob");
    Ok(())
}

async fn admin_sees(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let page = admin_page(bitbucket, "alice").await?;
    for value in form_values(bitbucket) {
        contains(&page, &value)?;
    }
    if let SigningKey::Hmac(secret) = &bitbucket.links[0].signer.key {
        ensure!(
            !page.html.contains(secret.expose()),
            "the page has the shared secret"
        );
    }
    Ok(())
}

async fn others_do_not(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let page = admin_page(bitbucket, "bob").await?;
    equal("status", &page.status, &StatusCode::FORBIDDEN)?;
    for value in form_values(bitbucket) {
        ensure!(!page.html.contains(&value), "the page has {value}");
    }
    Ok(())
}

async fn admin_page(bitbucket: &Bitbucket, user: &str) -> anyhow::Result<Page> {
    let mut browser = Browser::default();
    let page = browser
        .open(&format!("{}/oauth/admin", bitbucket.linkgate.as_str()))
        .await?;
    browser.sign_in(&page, user).await
}

/// What an administrator of Bitbucket enters there.
fn form_values(bitbucket: &Bitbucket) -> [String; 5] {
    let url = |endpoint| format!("{}/oauth/{endpoint}", bitbucket.linkgate.as_str());
    let [request_token, access_token, authorize] = ["request-token", "access-token", "authorize"].map(url);
    [
        request_token,
        access_token,
        authorize,
        FORM_KEY.to_owned(),
        OWN_KEY.to_owned(),
    ]
}

/// Nonces and tokens outlive a restart.
async fn restart(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut sent = Vec::new();
    for link in &bitbucket.links {
        let call = bitbucket.prepare(link, Caller::Me, "/api/me", "").ok()?;
        bitbucket.send(link, &call).await.ok()?;
        sent.push((link, call));
    }
    bitbucket.server.stop().await;
    let started = bitbucket.server.start().await;
    report.step("restart", "linkgate stops, and starts again", started)?;
    for (link, call) in sent {
        let replayed = async {
            let (exchange, outcome) = bitbucket.send(link, &call).await?;
            rejected(bitbucket, &exchange, "nonce_used")?;
            equal("outcome", &outcome, &Outcome::Rejected)
        };
        let name = format!("{}: replay", link.title);
        report.step(&name, "401 nonce_used for the bytes sent before", replayed.await);
        let called = async {
            let (exchange, _) = self::call(bitbucket, link, "/api/me").await?;
            answered(&exchange, Some("bob"), link.signer.consumer_key.as_str()).map(drop)
        };
        let name = format!("{}: new call", link.title);
        report.step(&name, "200 with the same token", called.await);
    }
    Some(())
}

/// Calls as the user who connected a link.
async fn call(bitbucket: &Bitbucket, link: &Link, target: &str) -> anyhow::Result<(Exchange, Outcome)> {
    let call = bitbucket.prepare(link, Caller::Me, target, "")?;
    bitbucket.send(link, &call).await
}

/// The application answered for this user and this consumer. Returns its JSON.
fn answered(exchange: &Exchange, user: Option<&str>, consumer: &str) -> anyhow::Result<Value> {
    let (status, body) = (exchange.response.status(), exchange.response.body());
    ensure!(status.is_success(), "the response is {status}: {body}");
    let body: Value = serde_json::from_str(body)?;
    equal("user", &body["user"], &json!(user))?;
    equal("consumer", &body["consumer"], &consumer)?;
    Ok(body)
}

/// The response is 401 with this problem: one challenge with linkgate's realm, the same pairs as a form, and advice.
fn rejected(bitbucket: &Bitbucket, exchange: &Exchange, problem: &str) -> anyhow::Result<()> {
    let response = &exchange.response;
    let pairs = rejection(response).unwrap_or_default();
    equal("problem", &problem_of(&pairs), &problem)?;
    equal("status", &response.status(), &StatusCode::UNAUTHORIZED)?;
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    let [challenge] = challenges.as_slice() else {
        bail!("there are {} challenges", challenges.len());
    };
    let start = format!(
        "OAuth realm=\"{}\"",
        encoding::encode(bitbucket.linkgate.as_str())
    );
    ensure!(
        challenge.to_str()?.starts_with(&start),
        "{challenge:?} does not begin with {start}"
    );
    equal("pairs in the body", &parse_form(response.body()), &pairs)?;
    let media_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(http::HeaderValue::to_str);
    equal(
        "content type",
        &media_type.transpose()?,
        &Some("application/x-www-form-urlencoded;charset=UTF-8"),
    )?;
    ensure!(
        value(&pairs, "oauth_problem_advice").is_some(),
        "there is no advice"
    );
    Ok(())
}

/// A token request is a form POST with all protocol parameters in its body, and its response a form.
fn sent_as_form(exchange: &Exchange, parameter: &str) -> anyhow::Result<()> {
    let request = &exchange.request;
    equal("method", &request.method(), &&Method::POST)?;
    ensure!(
        !request.headers().contains_key(AUTHORIZATION),
        "Authorization is sent"
    );
    equal("content type", &request.headers()[CONTENT_TYPE].to_str()?, &FORM)?;
    let pairs = parse_form(request.body());
    equal("oauth_version", &value(&pairs, "oauth_version"), &Some("1.0"))?;
    for name in [
        parameter,
        "oauth_consumer_key",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_signature",
    ] {
        ensure!(value(&pairs, name).is_some(), "{name} is not in the body");
    }
    let response = parse_form(exchange.response.body());
    for name in ["oauth_token", "oauth_token_secret"] {
        let token = value(&response, name).unwrap_or_default();
        let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ensure!(is_plain, "{name} is not letters and digits");
    }
    Ok(())
}

fn contains(page: &Page, text: &str) -> anyhow::Result<()> {
    ensure!(
        page.html.contains(text),
        "{} ({}) does not contain {text:?}",
        page.url,
        page.status
    );
    Ok(())
}

fn equal<T: Debug + PartialEq<U>, U: Debug>(what: &str, found: &T, expected: &U) -> anyhow::Result<()> {
    ensure!(found == expected, "{what}: {found:?} instead of {expected:?}");
    Ok(())
}

fn projects_of(user: &str) -> Value {
    match user {
        "alice" => json!(["rocket", "observatory"]),
        _ => json!(["bakery", "bicycle"]),
    }
}

/// A line for each step: whether it went as expected, its name, and what was expected.
struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    steps: usize,
    failed: usize,
}

impl Report<'_> {
    /// Prints a step. `None` if it failed.
    fn step(&mut self, name: &str, expected: &str, result: anyhow::Result<()>) -> Option<()> {
        self.steps += 1;
        match &result {
            Ok(()) => self.line(&format!("  ✓ {name:<24} {expected}")),
            Err(error) => {
                self.failed += 1;
                self.line(&format!("  ✗ {name:<24} {expected}\n      {error:#}"));
            }
        }
        result.ok()
    }

    fn end_part(&mut self, reached: Option<()>) {
        if reached.is_none() {
            self.failed = self.failed.max(1);
            self.line("      skipped the remaining steps of this part");
        }
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let (steps, failed) = (self.steps, self.failed);
        ensure!(failed == 0, "{failed} of {steps} steps failed");
        self.line(&format!("\nAll {steps} steps passed."));
        Ok(())
    }

    /// A reader that has gone away does not change the result.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }
}

/// Unicode, both spaces, repeated, empty and bare names, reserved characters, brackets, an escape that is escaped, and lower
/// case in escapes.
const DIFFICULT_QUERY: &str = "q=&a=2&a=1&a=10&flag&%E6%97%A5%E6%9C%AC=%F0%9F%9A%80&s=a+b%20c&x=%26%3D%2B%25%2F%3F%23&z=~-._\
                               &w=!*'();:@,/?$&b[]=1&b%5B%5D=0&twice=%252B&lower=%c3%a4";
