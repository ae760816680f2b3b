//! The demo without a browser: every step does something, and checks all that came back.

use std::io::Write;

use anyhow::{Context, bail, ensure};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::oauth::{TokenParameter, UnsignedRequest, encoding};

use super::bitbucket::client::{CallAs, Outcome, Placement, problem_of, rejection, sign};
use super::bitbucket::{Bitbucket, DemoLink};
use super::config::{FORM_KEY, OWN_KEY};
use super::http::{CookieClient, Exchange, FORM, Page, parse_form, send, value};

/// Makes all steps against a server that is running, and prints a line for each. Fails if one of them fails.
pub(super) async fn run(bitbucket: &Bitbucket, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let mut report = Report {
        out,
        step: String::new(),
        steps: 0,
        failed: 0,
    };
    for link in &bitbucket.links {
        report.line(&format!("\n{} ({})", link.title, link.signer.method.name()));
        let reached = link_steps(bitbucket, link, &mut report).await;
        report.end_part(reached);
    }
    report.line("\nCalls without a token");
    two_legged_steps(bitbucket, &mut report).await;
    report.line("\nThe application's own users, and what they read in Bitbucket");
    let reached = own_user_steps(bitbucket, &mut report).await;
    report.end_part(reached);
    report.line("\nlinkgate's pages for administrators");
    report.step("alice: 200, with all values for Bitbucket's form, and no secret");
    report.end(admin_page(bitbucket, "alice", true).await);
    report.step("bob: 403, without those values");
    report.end(admin_page(bitbucket, "bob", false).await);
    report.line("\nA restart on the same store");
    let reached = restart_steps(bitbucket, &mut report).await;
    report.end_part(reached);
    let Report { steps, failed, .. } = report;
    ensure!(failed == 0, "{failed} of {steps} steps failed");
    report.line(&format!("\nAll {steps} steps passed."));
    Ok(())
}

/// All steps of one link. `None`: a step failed on which others depend.
async fn link_steps(bitbucket: &Bitbucket, link: &DemoLink, report: &mut Report<'_>) -> Option<()> {
    let mut browser = CookieClient::default();
    report.step("connect as alice: sign in, approve, and a token; the token requests are forms");
    report.end(connect(bitbucket, link, &mut browser, "alice").await)?;
    report.step("call as alice: 200; a difficult query arrives byte for byte");
    report.end(difficult_query(bitbucket, link).await);
    report.step("tampered query: 401 signature_invalid; the token is kept");
    report.end(button(bitbucket, link, "tamper", "signature_invalid").await);
    report.step("replay: 200, then 401 nonce_used; the token is kept");
    report.end(button(bitbucket, link, "replay", "nonce_used").await);
    report.step("deny: 401 permission_denied; the token is kept");
    report.end(deny(bitbucket, link, &mut browser).await);
    report.step("revoke and call: 401 token_revoked; Bitbucket drops its token");
    report.end(button(bitbucket, link, "revoke", "token_revoked").await);
    report.step("connect as bob: 200, and the projects of bob");
    report.end(connect(bitbucket, link, &mut CookieClient::default(), "bob").await)
}

async fn two_legged_steps(bitbucket: &Bitbucket, report: &mut Report<'_>) {
    let [form, own] = &bitbucket.links;
    report.step("as the application: 200, no user; on the generic link, with Bitbucket's own key");
    report.end(two_legged(bitbucket, form, None).await);
    report.step("on behalf of bob: 200; bob is named in the signed query");
    report.end(two_legged(bitbucket, own, Some("bob")).await);
    report.step("with the key of the generic link: 401 permission_denied");
    report.end(two_legged_with_form_key(bitbucket).await);
}

async fn own_user_steps(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut browser = CookieClient::default();
    report.step("no session: 200 without a user, although Remote-User is sent");
    report.end(no_session(bitbucket).await);
    report.step("own session: 200, and the builds of alice; the cookie passes linkgate");
    report.end(own_session(bitbucket, &mut browser).await)?;
    report.step("connect Buildboard: sign in at linkgate, approve at Bitbucket, and back");
    report.end(pull_requests(bitbucket, &mut browser, true).await)?;
    report.step("pull requests: 200, and those of alice, without a question");
    report.end(pull_requests(bitbucket, &mut browser, false).await)
}

async fn restart_steps(bitbucket: &Bitbucket, report: &mut Report<'_>) -> Option<()> {
    let mut sent = Vec::new();
    for link in &bitbucket.links {
        let call = bitbucket.prepare(link, CallAs::Me, "/api/me", "").ok()?;
        bitbucket.send(link, &call).await.ok()?;
        sent.push((link, call));
    }
    bitbucket.server.stop().await;
    report.step("restart: linkgate stops, and starts again");
    report.end(bitbucket.server.start().await)?;
    for (link, call) in sent {
        report.step(&format!("{}: 401 nonce_used for the bytes of before", link.title));
        let replayed = bitbucket.send(link, &call).await;
        report.end(replayed.and_then(|(exchange, _)| rejected(bitbucket, &exchange, "nonce_used")));
        report.step(&format!("{}: 200 with the token of before", link.title));
        let called = call_as(bitbucket, link, "bob", "/api/me").await;
        report.end(called.map(drop));
    }
    Some(())
}

async fn connect(
    bitbucket: &Bitbucket,
    link: &DemoLink,
    browser: &mut CookieClient,
    user: &str,
) -> anyhow::Result<()> {
    let page = browser.open(&bitbucket.connect_url(link)).await?;
    page.contains("type=\"password\"")?;
    let page = browser.sign_in(&page, user).await?;
    page.contains(&format!("Bitbucket ({})", link.title.to_lowercase()))?;
    page.contains(&format!(">{user}<"))?;
    let page = browser.submit(&page, &[("approve", "approve")]).await?;
    page.contains("Connected")?;
    let callback = bitbucket.callback(link) + "&oauth_token=";
    starts_with(&page.url, &callback)?;
    let events = bitbucket.events();
    for (event, name) in events.iter().zip(["oauth_verifier", "oauth_callback"]) {
        sent_as_form(event.exchanges.first().context("no response")?, name)?;
    }
    let (_, body) = call_as(bitbucket, link, user, "/api/builds").await?;
    ensure!(body["projects"][0] == if user == "alice" { "rocket" } else { "bakery" });
    Ok(())
}

async fn difficult_query(bitbucket: &Bitbucket, link: &DemoLink) -> anyhow::Result<()> {
    let target = format!("/api/search?{DIFFICULT_QUERY}");
    let (exchange, body) = call_as(bitbucket, link, "alice", &target).await?;
    ensure!(body["query"] == DIFFICULT_QUERY);
    let parameters = authorization(&exchange)?.trim_start_matches("OAuth ");
    ensure!(parameters.split(", ").all(|pair| pair.starts_with("oauth_")));
    Ok(())
}

/// Presses a button, whose last call must be rejected with this problem.
async fn button(bitbucket: &Bitbucket, link: &DemoLink, action: &str, problem: &str) -> anyhow::Result<()> {
    let event = bitbucket.act(link, action, &[]).await.context("no such button")?;
    let [earlier @ .., last] = event.exchanges.as_slice() else {
        bail!(event.summary);
    };
    for exchange in earlier {
        ensure!(exchange.response.status() == StatusCode::OK);
        ensure!(exchange.request.headers() == last.request.headers());
    }
    rejected(bitbucket, last, problem)?;
    let is_token_lost = problem.starts_with("token_");
    ensure!((event.outcome == Outcome::TokenDropped) == is_token_lost);
    ensure!(link.access().is_none() == is_token_lost);
    Ok(())
}

async fn deny(bitbucket: &Bitbucket, link: &DemoLink, browser: &mut CookieClient) -> anyhow::Result<()> {
    let page = browser.open(&bitbucket.connect_url(link)).await?;
    let page = browser.submit(&page, &[("deny", "deny")]).await?;
    page.contains("Access denied")?;
    ensure!(page.url.ends_with("&oauth_verifier=denied"), "{}", page.url);
    let event = bitbucket.events().swap_remove(0);
    let exchange = event.exchanges.first().context("no response")?;
    rejected(bitbucket, exchange, "permission_denied")?;
    ensure!(link.access().is_some(), "the token is lost");
    Ok(())
}

async fn two_legged(bitbucket: &Bitbucket, link: &DemoLink, user: Option<&str>) -> anyhow::Result<()> {
    let caller = user.map_or(CallAs::Application, CallAs::Impersonate);
    let call = bitbucket.prepare(link, caller, "/api/builds", "")?;
    let (exchange, _) = bitbucket.send(link, &call).await?;
    let body = answered(&exchange, user, OWN_KEY)?;
    ensure!(body["projects"][0].as_str() == user.map(|_| "bakery"));
    let empty_token = "oauth_token=\"\"";
    ensure!(authorization(&exchange)?.contains(empty_token));
    let query = user.map(|user| format!("xoauth_requestor_id={user}"));
    ensure!(exchange.request.uri().query() == query.as_deref());
    Ok(())
}

async fn two_legged_with_form_key(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let url = format!("{}/api/builds", bitbucket.linkgate.origin());
    let request = UnsignedRequest::new(Method::GET, url).token(TokenParameter::Empty);
    let request = sign(&bitbucket.links[0].signer, &request, Placement::Header)?;
    rejected(bitbucket, &send(request).await?, "permission_denied")
}

async fn no_session(bitbucket: &Bitbucket) -> anyhow::Result<()> {
    let request = Request::get(bitbucket.linkgate.origin()).header("remote-user", "alice");
    let response = send(request.body(String::new())?).await?.response;
    ensure!(response.status() == StatusCode::OK);
    ensure!(response.body().contains("You are not signed in"));
    Ok(())
}

async fn own_session(bitbucket: &Bitbucket, browser: &mut CookieClient) -> anyhow::Result<()> {
    let page = browser.open(bitbucket.linkgate.origin()).await?;
    let page = browser.submit(&page, &[("user", "alice")]).await?;
    page.contains("Builds of alice")
}

async fn pull_requests(
    bitbucket: &Bitbucket,
    browser: &mut CookieClient,
    is_asked: bool,
) -> anyhow::Result<()> {
    let url = format!("{}/pulls", bitbucket.linkgate.origin());
    let mut page = browser.open(&url).await?;
    if is_asked {
        page = browser.sign_in(&page, "alice").await?;
        starts_with(&page.url, bitbucket.base.origin())?;
        page.contains("Buildboard would like to read")?;
        page = browser.submit(&page, &[("approve", "alice")]).await?;
    }
    ensure!(page.url == url);
    page.contains("Raise the apogee")?;
    ensure!(!page.html.contains("croissants"), "it shows those of bob");
    Ok(())
}

async fn admin_page(bitbucket: &Bitbucket, user: &str, is_admin: bool) -> anyhow::Result<()> {
    let mut browser = CookieClient::default();
    let linkgate = bitbucket.linkgate.as_str();
    let page = browser.open(&format!("{linkgate}/oauth/admin")).await?;
    let page = browser.sign_in(&page, user).await?;
    ensure!(page.status.as_u16() == if is_admin { 200 } else { 403 });
    let urls = ["request-token", "access-token", "authorize"].map(|name| format!("{linkgate}/oauth/{name}"));
    for value in urls.iter().map(String::as_str).chain([FORM_KEY, OWN_KEY]) {
        ensure!(page.html.contains(value) == is_admin, "{value}");
    }
    ensure!(!page.html.contains(bitbucket.shared_secret.expose()));
    Ok(())
}

async fn call_as(
    bitbucket: &Bitbucket,
    link: &DemoLink,
    user: &str,
    target: &str,
) -> anyhow::Result<(Exchange, Value)> {
    let call = bitbucket.prepare(link, CallAs::Me, target, "")?;
    let (exchange, _) = bitbucket.send(link, &call).await?;
    let body = answered(&exchange, Some(user), link.signer.consumer_key.as_str())?;
    Ok((exchange, body))
}

/// Checks that the application answered for this user and this consumer. Returns its JSON.
fn answered(exchange: &Exchange, user: Option<&str>, consumer: &str) -> anyhow::Result<Value> {
    let (status, body) = (exchange.response.status(), exchange.response.body());
    ensure!(status.is_success(), "{status}: {body}");
    let body: Value = serde_json::from_str(body)?;
    ensure!(body["user"] == json!(user));
    ensure!(body["consumer"] == consumer);
    Ok(body)
}

/// Checks that the response is 401 with this problem: one challenge with linkgate's realm, the same pairs as a form, and advice.
fn rejected(bitbucket: &Bitbucket, exchange: &Exchange, problem: &str) -> anyhow::Result<()> {
    let response = &exchange.response;
    let pairs = rejection(response).unwrap_or_default();
    ensure!(problem_of(&pairs) == problem);
    ensure!(response.status() == StatusCode::UNAUTHORIZED);
    let challenges: Vec<_> = response.headers().get_all(WWW_AUTHENTICATE).iter().collect();
    let [challenge] = challenges.as_slice() else {
        bail!("there are {} challenges", challenges.len());
    };
    let realm = encoding::encode(bitbucket.linkgate.as_str());
    starts_with(challenge.to_str()?, &format!("OAuth realm=\"{realm}\""))?;
    ensure!(parse_form(response.body()) == pairs);
    ensure!(response.headers()[CONTENT_TYPE] == "application/x-www-form-urlencoded;charset=UTF-8");
    ensure!(value(&pairs, "oauth_problem_advice").is_some());
    Ok(())
}

fn sent_as_form(exchange: &Exchange, parameter: &str) -> anyhow::Result<()> {
    let request = &exchange.request;
    ensure!(request.method() == Method::POST);
    ensure!(!request.headers().contains_key(AUTHORIZATION));
    ensure!(request.headers()[CONTENT_TYPE] == FORM);
    let pairs = parse_form(request.body());
    ensure!(pairs.iter().all(|(name, _)| name.starts_with("oauth_")));
    ensure!(value(&pairs, "oauth_version") == Some("1.0"));
    for name in [parameter, "oauth_timestamp", "oauth_nonce", "oauth_signature"] {
        ensure!(value(&pairs, name).is_some(), "{name} is not in the body");
    }
    Ok(())
}

fn authorization(exchange: &Exchange) -> anyhow::Result<&str> {
    let field = exchange.request.headers().get(AUTHORIZATION);
    Ok(field.context("there is no Authorization field")?.to_str()?)
}

impl Page {
    fn contains(&self, text: &str) -> anyhow::Result<()> {
        let (url, status) = (&self.url, self.status);
        ensure!(self.html.contains(text), "{url} ({status}) has no {text:?}");
        Ok(())
    }
}

fn starts_with(text: &str, start: &str) -> anyhow::Result<()> {
    ensure!(text.starts_with(start), "{text} does not begin with {start}");
    Ok(())
}

struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    /// The step whose result is not known yet: its name, and what is expected.
    step: String,
    steps: usize,
    failed: usize,
}

impl Report<'_> {
    fn step(&mut self, text: &str) {
        text.clone_into(&mut self.step);
    }

    /// Prints the step. `None` if it failed.
    fn end(&mut self, result: anyhow::Result<()>) -> Option<()> {
        self.steps += 1;
        match &result {
            Ok(()) => self.line(&format!("  ✓ {}", self.step)),
            Err(error) => {
                self.failed += 1;
                self.line(&format!("  ✗ {}\n    {error:#}", self.step));
            }
        }
        result.ok()
    }

    fn end_part(&mut self, reached: Option<()>) {
        if reached.is_none() {
            self.failed = self.failed.max(1);
            self.line("    skipped the remaining steps of this part");
        }
    }

    /// A reader that has gone away does not change the result.
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }
}

/// Unicode, both spaces, repeated, empty and bare names, reserved characters, brackets and odd escapes.
const DIFFICULT_QUERY: &str = "q=&a=2&a=1&a=10&flag&%E6%97%A5%E6%9C%AC=%F0%9F%9A%80&s=a+b%20c&x=%26%3D%2B%25%2F%3F%23&z=~-._\
                               &w=!*'();:@,/?$&b[]=1&b%5B%5D=0&twice=%252B&lower=%c3%a4";
