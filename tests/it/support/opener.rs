//! Bitbucket as a browser sees it: a page that connects in a popup, and the callback that tells it the outcome.
//!
//! It is served as `localhost`, while linkgate is `127.0.0.1`: two sites.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, Redirect};
use axum::routing::get;
use linkgate::clock::Clock;
use linkgate::oauth::encoding::form_body;
use linkgate::oauth::{
    ConsumerKey, RequestSigner, Secret, SignatureMethod, SigningKey, Token, TokenCredentials, TokenParameter,
    UnsignedRequest,
};
use tokio::net::TcpListener;

use super::program::SHARED_SECRET;
use super::raw::{Request, Response};

/// Starts it for one linkgate; returns the address of the page that opens the popup.
pub(crate) async fn start(linkgate: SocketAddr) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let bitbucket = Bitbucket {
        linkgate,
        origin: origin.clone(),
        asked: Arc::default(),
    };
    let app = Router::new()
        .route("/", get(async || Html(OPENER)))
        .route("/connect", get(connect))
        .route(CALLBACK, get(callback))
        .with_state(bitbucket);
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    origin
}

#[derive(Clone)]
struct Bitbucket {
    linkgate: SocketAddr,
    origin: String,
    /// The request token that is out, and its secret.
    asked: Arc<Mutex<Option<(String, String)>>>,
}

impl Bitbucket {
    /// A call of a token endpoint: everything in the form body.
    async fn post(
        &self,
        path: &str,
        token: Option<(String, String)>,
        more: &[(&'static str, &str)],
    ) -> Response {
        let signer = RequestSigner {
            consumer_key: ConsumerKey::parse("bitbucket-form").unwrap(),
            key: SigningKey::Hmac(Secret::new(SHARED_SECRET)),
            method: SignatureMethod::HmacSha1,
        };
        let url = format!("http://{}{path}", self.linkgate);
        let mut request = UnsignedRequest::new(http::Method::POST, url);
        if let Some((token, secret)) = token {
            let (token, secret) = (Token::parse(&token).unwrap(), Secret::new(secret));
            request.token = TokenParameter::Token(TokenCredentials { token, secret });
        }
        for (name, value) in more {
            request = request.parameter(name, *value);
        }
        let nonce = format!("{:032x}", rand::random::<u128>());
        let pairs = signer.sign(&request, Clock::System.now(), &nonce).unwrap();
        Request::post(path)
            .form(form_body(pairs))
            .send(self.linkgate)
            .await
    }
}

async fn connect(State(bitbucket): State<Bitbucket>) -> Redirect {
    let callback = format!("{}{CALLBACK}?applicationLinkID=5b3a9c1e", bitbucket.origin);
    let answer = bitbucket
        .post("/oauth/request-token", None, &[("oauth_callback", &callback)])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.value("oauth_token").unwrap();
    let secret = answer.value("oauth_token_secret").unwrap();
    let page = format!(
        "http://{}/oauth/authorize?oauth_token={token}&oauth_callback=ignored",
        bitbucket.linkgate
    );
    *bitbucket.asked.lock().unwrap() = Some((token, secret));
    Redirect::to(&page)
}

async fn callback(
    State(bitbucket): State<Bitbucket>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Html<&'static str> {
    let value = |name| {
        pairs
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.clone())
            .unwrap()
    };
    assert_eq!(value("applicationLinkID"), "5b3a9c1e");
    let asked = bitbucket.asked.lock().unwrap().take().unwrap();
    assert_eq!(value("oauth_token"), asked.0);
    let verifier = [("oauth_verifier", value("oauth_verifier"))];
    let verifier = verifier.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = bitbucket
        .post("/oauth/access-token", Some(asked), &verifier)
        .await;
    if answer.status == 200 {
        return Html(SUCCESS);
    }
    answer.assert_refused("permission_denied");
    Html(FAILURE)
}

const CALLBACK: &str = "/plugins/servlet/applinks/oauth/login-dance/access";

const OPENER: &str = r#"<!doctype html>
<title>Bitbucket</title>
<button id="connect">Connect</button>
<p id="outcome">waiting</p>
<script>
  const outcome = document.getElementById('outcome');
  window.oauthCallback = {
    success() { outcome.textContent = 'success'; },
    failure() { outcome.textContent = 'failure'; },
  };
  document.getElementById('connect').onclick = () => {
    outcome.textContent = 'waiting';
    window.open('/connect', 'com_atlassian_applinks_authentication', 'width=800,height=600');
  };
</script>
"#;

const SUCCESS: &str =
    "<!doctype html><script>window.opener.oauthCallback.success(); window.close();</script>";
const FAILURE: &str =
    "<!doctype html><script>window.opener.oauthCallback.failure(); window.close();</script>";
