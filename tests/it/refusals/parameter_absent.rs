//! `parameter_absent`: which parameters a request must have (RFC 5849, sections 3.1 and 3.2).

use super::TOKEN_ENDPOINTS;
use crate::support::{CALLBACK, Call, Linkgate, Peer, Request, form_text};

fn request_token(linkgate: &Linkgate) -> Call {
    Peer::hmac().call(linkgate, "POST", "/oauth/request-token")
}

#[tokio::test]
async fn a_call_without_oauth_is_challenged_and_told_of_no_problem() {
    let linkgate = Linkgate::start().await;
    for request in [
        Request::get("/api/builds"),
        Request::get("/api/builds").header("Authorization", "Basic YTpi"),
        // Not the scheme OAuth: a list of credentials is none.
        Request::get("/api/builds").header("Authorization", "Basic YTpi, OAuth oauth_nonce=\"n\""),
        Request::get("/api/builds").header("Authorization", "OAuth2 oauth_nonce=\"n\""),
        Request::get("/api/builds").header("Remote-User", "alice"),
        // What another provider's callback to the application looks like.
        Request::get("/api/builds?oauth_token=t&oauth_verifier=v"),
    ] {
        let answer = request.send(linkgate.address).await;
        assert_eq!(answer.status, 401, "{request:?} {answer:?}");
        answer.assert_challenged();
        let told = "This resource requires a request signed with OAuth 1.0a.\n";
        assert_eq!(answer.body, told);
    }
    assert!(linkgate.app.received().is_empty());
}

#[tokio::test]
async fn an_absent_parameter_is_named() {
    let linkgate = Linkgate::start().await;
    for name in "oauth_consumer_key oauth_signature_method oauth_timestamp oauth_nonce".split(' ') {
        for call in [
            request_token(&linkgate)
                .oauth("oauth_callback", CALLBACK)
                .in_form(),
            request_token(&linkgate).oauth("oauth_callback", CALLBACK),
            Peer::robot().call(&linkgate, "GET", "/api/builds"),
        ] {
            let answer = call.without(name).refused(&linkgate, "parameter_absent").await;
            answer.assert_value("oauth_parameters_absent", name);
        }
    }
    let unsigned = request_token(&linkgate).oauth("oauth_callback", CALLBACK);
    let answer = Request::post("/oauth/request-token")
        .form(form_text(&unsigned.oauth))
        .refused(linkgate.address, "parameter_absent")
        .await;
    answer.assert_value("oauth_parameters_absent", "oauth_signature");
}

#[tokio::test]
async fn a_token_endpoint_called_without_oauth_names_all_that_is_absent() {
    let linkgate = Linkgate::start().await;
    let all = "oauth_consumer_key&oauth_signature_method&oauth_signature&oauth_timestamp&oauth_nonce";
    for path in TOKEN_ENDPOINTS {
        for request in [
            Request::post(path),
            Request::get(path),
            Request::post(path).header("Authorization", "OAuth"),
            Request::post(path).header("Authorization", "OAuth realm=\"x\""),
            Request::post(path).header("Authorization", "Bearer b"),
            // Parts of a multipart body are not parameters (RFC 5849, section 3.4.1.3.1).
            Request::post(path)
                .header("Content-Type", "multipart/form-data; boundary=x")
                .body("--x\r\nContent-Disposition: form-data; name=\"oauth_nonce\"\r\n\r\nn\r\n--x--\r\n"),
            Request::post(path)
                .header("Content-Type", "text/x; application/x-www-form-urlencoded")
                .body("oauth_nonce=n"),
        ] {
            let answer = request.refused(linkgate.address, "parameter_absent").await;
            let found = answer.value("oauth_parameters_absent");
            assert_eq!(found.as_deref(), Some(all), "{request:?}");
        }
    }
}

#[tokio::test]
async fn a_prefixed_name_is_another_name() {
    let linkgate = Linkgate::start().await;
    let request =
        Request::get("/api/builds").header("Authorization", "OAuth xoauth_token=\"t\", xoauth_nonce=\"n\"");
    request.refused(linkgate.address, "parameter_absent").await;
}

#[tokio::test]
async fn a_request_token_needs_a_callback_or_a_configured_one() {
    let linkgate = Linkgate::start().await;
    let call = request_token(&linkgate).in_form();
    let answer = call.refused(&linkgate, "parameter_absent").await;
    answer.assert_value("oauth_parameters_absent", "oauth_callback");
    let defaulting = Peer::of("defaulting", "a-secret-with-default");
    let answer = defaulting
        .call(&linkgate, "POST", "/oauth/request-token")
        .send(&linkgate)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.assert_value("oauth_callback_confirmed", "true");
    // Sent empty, it is not absent: the consumer meant something.
    let empty = defaulting
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", "");
    empty.refused(&linkgate, "parameter_rejected").await;
}

#[tokio::test]
async fn an_exchange_needs_a_verifier() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::hmac();
    let token = peer.request_token(&linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let answer = peer
        .exchange(&linkgate, &token, "")
        .without("oauth_verifier")
        .refused(&linkgate, "parameter_absent")
        .await;
    answer.assert_value("oauth_parameters_absent", "oauth_verifier");
    // The token is as good as before.
    peer.exchange(&linkgate, &token, &verifier)
        .passes(&linkgate)
        .await;
}
