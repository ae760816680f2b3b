//! A form is signed. Where the proxy does not show it, the call is refused, and the consumer keeps its token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::{NOBODY, by_envoy, by_nginx, by_traefik, passes, start};
use crate::support::{Call, Linkgate, Peer, Request, Response, Text as _};

const FORM: &str = "application/x-www-form-urlencoded";

#[track_caller]
fn is_refused(verdict: &Response, advice: &str) {
    verdict.assert(401, "x-linkgate-consumer", None);
    let challenge = verdict.header("www-authenticate").unwrap();
    challenge.has("oauth_problem=\"signature_invalid\"");
    assert!(challenge.replace("%20", " ").contains(advice), "{challenge}");
}

/// The sub-request about a call whose body stays with the proxy.
fn without_body(mut request: Request) -> Request {
    request.body.clear();
    request
}

fn questions(client: &Request) -> [Request; 3] {
    [by_nginx(client, "1"), by_traefik(client), by_envoy(client)].map(without_body)
}

#[tokio::test]
async fn a_form_that_was_not_shown_is_refused_and_nothing_is_spent() {
    let linkgate = start().await;
    let call = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .form(&[("a", "b")]);
    let client = call.request(&linkgate);
    for question in questions(&client) {
        is_refused(&question.send(linkgate.address).await, "did not show it");
    }
    // The advice helps: linkgate itself sees the form.
    client.passes(linkgate.address).await;
}

/// Rejections of registered consumers have a list of their own, which unregistered ones cannot fill.
#[tokio::test]
async fn a_form_that_was_not_shown_stays_in_the_list_of_rejections() {
    let linkgate = start().await;
    let call = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .form(&[("a", "b")]);
    let [question, ..] = questions(&call.request(&linkgate));
    is_refused(&question.send(linkgate.address).await, "did not show it");
    for number in 0..60 {
        let unknown = Peer::of("unregistered", "secret").call(&linkgate, "GET", &format!("/{number}"));
        unknown
            .send(&linkgate)
            .await
            .assert_refused("consumer_key_unknown");
    }
    let page = linkgate
        .signed_in("alice")
        .await
        .get("/oauth/admin/refusals")
        .await;
    page.body.has("<code>POST /api/x</code>");
}

/// Whatever is wrong with the token is not said: the consumer would drop it, and the form was not verified.
#[tokio::test]
async fn a_form_that_was_not_shown_costs_no_token() {
    let linkgate = start().await;
    for token in ["unknown", "not a token!", ""] {
        let call = Peer::robot()
            .call(&linkgate, "POST", "/page")
            .oauth("oauth_token", token);
        let client = call
            .request(&linkgate)
            .header("Content-Type", format!("{FORM};charset=UTF-8"));
        for question in questions(&client) {
            is_refused(&question.send(linkgate.address).await, "did not show it");
        }
    }
}

#[tokio::test]
async fn no_form_can_be_put_behind_a_signed_call() {
    let linkgate = start().await;
    for method in ["POST", "GET", "PUT"] {
        let call = Peer::robot().call(&linkgate, method, "/api/x").request(&linkgate);
        let client = call.header("Content-Type", FORM);
        for question in questions(&client) {
            is_refused(&question.send(linkgate.address).await, "did not show it");
        }
        for question in [by_traefik(&client), by_envoy(&client)] {
            let verdict = question
                .body("a=b")
                .header("Content-Length", "3")
                .send(linkgate.address)
                .await;
            is_refused(&verdict, "form body");
        }
    }
}

#[tokio::test]
async fn a_form_that_was_shown_is_verified() {
    let linkgate = start().await;
    for at in 0..2 {
        let call = Peer::robot()
            .call(&linkgate, "POST", "/api/x")
            .form(&[("a", "b"), ("c", "d e&f")]);
        let client = call.request(&linkgate);
        let shown = |body: &[u8]| {
            let question = [by_traefik(&client), by_envoy(&client)][at].clone();
            question
                .body(body)
                .header("Content-Length", body.len().to_string())
        };
        is_refused(&shown(b"a=b&c=d").send(linkgate.address).await, "");
        if at == 1 {
            let partial = shown(&client.body).header("X-Envoy-Auth-Partial-Body", "true");
            is_refused(&partial.send(linkgate.address).await, "did not show it");
        }
        let whole = shown(&client.body).header("X-Envoy-Auth-Partial-Body", "false");
        let verdict = whole.send(linkgate.address).await;
        let found = (verdict.status, verdict.header("x-linkgate-consumer"));
        assert_eq!(found, ([204, 200][at], Some("robot")), "{verdict:?}");
    }
}

/// An empty form is none: the proxy may have left it out.
#[tokio::test]
async fn a_form_that_was_shown_empty_was_not_shown() {
    let linkgate = start().await;
    let call = Peer::robot().call(&linkgate, "POST", "/api/x").request(&linkgate);
    let client = call.header("Content-Type", FORM);
    for question in [by_traefik(&client), by_envoy(&client)] {
        let empty = question.body("0\r\n\r\n").header("Transfer-Encoding", "chunked");
        is_refused(&empty.send(linkgate.address).await, "did not show it");
    }
}

#[tokio::test]
async fn an_unsigned_form_passes_unseen() {
    let linkgate = start().await;
    let client = Request::post("/page").form("name=alice&password=x");
    for question in questions(&client) {
        assert_eq!(passes(&question.send(linkgate.address).await), NOBODY);
    }
    // Shown, it may be of any size and in any coding.
    for client in [
        Request::post("/page").form("a=b&".repeat((1 << 18) + 1)),
        Request::post("/page")
            .form("packed")
            .header("Content-Encoding", "gzip"),
    ] {
        for question in [by_traefik(&client), by_envoy(&client)] {
            let shown = question.body(client.body.clone());
            assert_eq!(passes(&shown.send(linkgate.address).await), NOBODY);
        }
    }
    let client = Request::post("/api/x").form("name=alice");
    for question in questions(&client) {
        let verdict = question.send(linkgate.address).await;
        let challenge = verdict.header("www-authenticate").unwrap();
        let found = (verdict.status, challenge.contains("oauth_problem"));
        assert_eq!(found, (401, false), "{verdict:?}");
    }
}

/// Envoy shows the headers that it is told to. A body whose kind it hides may be a form.
#[tokio::test]
async fn a_body_of_a_hidden_kind_is_refused() {
    let linkgate = start().await;
    let call = || {
        Peer::robot()
            .call(&linkgate, "POST", "/api/x")
            .request(&linkgate)
            .body("a=b")
    };
    is_refused(
        &by_envoy(&call()).body("a=b").send(linkgate.address).await,
        "Content-Type",
    );
    let known = by_envoy(&call())
        .body("{}")
        .header("Content-Type", "application/json");
    known.passes(linkgate.address).await;
}

fn hashed(linkgate: &Linkgate, method: &str, body: &str) -> Call {
    let hash = STANDARD.encode(Sha1::digest(body));
    Peer::robot()
        .call(linkgate, method, "/api/x")
        .oauth("oauth_body_hash", &hash)
}

/// A hash that cannot be compared is refused: passed on, it would look compared. Also that of no body, because a body that
/// was put behind the call is not seen either.
#[tokio::test]
async fn a_hash_of_what_was_not_shown_is_refused_and_nothing_is_spent() {
    let linkgate = start().await;
    for (method, body) in [("POST", "{}"), ("GET", "")] {
        let client = hashed(&linkgate, method, body)
            .request(&linkgate)
            .header("Content-Type", "application/json");
        for question in questions(&client) {
            is_refused(&question.send(linkgate.address).await, "did not show the body");
        }
        for (question, status) in [
            (by_traefik(&client).body("[]"), 401),
            (by_envoy(&client).body("{}"), 200),
        ] {
            if body.is_empty() {
                continue;
            }
            let length = question.body.len().to_string();
            let verdict = question
                .header("Content-Length", length)
                .send(linkgate.address)
                .await;
            assert_eq!(verdict.status, status, "{verdict:?}");
        }
    }
}
