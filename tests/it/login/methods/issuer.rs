//! An identity provider that says whatever a test wants; an honest one is in `crate::real_logins`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::support::private_key;

/// The provider. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    kept: Arc<Mutex<Kept>>,
}

/// What it keeps, and how it misbehaves.
pub(super) struct Kept {
    /// The `nonce` and the `code_challenge` that came with the browser.
    pub(super) nonce: String,
    pub(super) challenge: String,
    /// Changes the ID token's claims.
    pub(super) claims: Value,
    /// What the userinfo endpoint says.
    pub(super) user_info: Value,
    /// The name of the key that signs, and the one that is published.
    pub(super) signs_with: &'static str,
    pub(super) publishes: &'static str,
    pub(super) algorithm: Algorithm,
    /// What it was asked, in order.
    pub(super) asked: Vec<String>,
    /// Whether the next code was taken before.
    code_is_used: bool,
    now: i64,
}

impl Kept {
    /// The next code is good again.
    pub(super) fn code_again(&mut self) {
        self.code_is_used = false;
    }
}

impl Issuer {
    pub(crate) async fn start(now: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = Self {
            url: format!("http://{address}"),
            kept: Arc::new(Mutex::new(Kept {
                nonce: String::new(),
                challenge: String::new(),
                claims: json!({}),
                user_info: json!({"sub": "17", "preferred_username": "alice", "name": "Alice Example"}),
                signs_with: "one",
                publishes: "one",
                algorithm: Algorithm::RS256,
                asked: Vec::new(),
                code_is_used: false,
                now,
            })),
        };
        issuer.serve(listener);
        issuer
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// How often an endpoint was asked.
    pub(super) fn times(&self, what: &str) -> usize {
        self.kept().asked.iter().filter(|asked| *asked == what).count()
    }

    fn serve(&self, listener: TcpListener) {
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    }
}

struct Json(Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([("content-type", "application/json")], self.0.to_string()).into_response()
    }
}

async fn discovery(State(issuer): State<Issuer>) -> Json {
    let url = issuer.url.clone();
    issuer.kept().asked.push("discovery".to_owned());
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/me"),
        "jwks_uri": format!("{url}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

async fn jwks(State(issuer): State<Issuer>) -> Json {
    let mut kept = issuer.kept();
    kept.asked.push("jwks".to_owned());
    let key = private_key().to_public_key();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kept.publishes,
        "n": part(&key.n().to_be_bytes_trimmed_vartime()), "e": part(&key.e().to_be_bytes_trimmed_vartime()),
    }]}))
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut kept = issuer.kept();
    kept.asked.push("token".to_owned());
    let client = format!("Basic {}", STANDARD.encode("linkgate:the-client-secret"));
    assert_eq!(headers["authorization"], client);
    let found = &form["redirect_uri"];
    assert_eq!(found, "https://builds.example.com/oauth/login/oidc");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if form["code"] != "good" || kept.code_is_used || challenge != kept.challenge {
        let refused = Json(json!({"error": "invalid_grant"}));
        return (StatusCode::BAD_REQUEST, refused).into_response();
    }
    kept.code_is_used = true;
    let mut claims = json!({
        "iss": issuer.url, "aud": "linkgate", "sub": "17", "nonce": kept.nonce,
        "iat": kept.now, "exp": kept.now + 300,
    });
    for (name, value) in kept.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = Header {
        kid: Some(kept.signs_with.to_owned()),
        ..Header::new(kept.algorithm)
    };
    let key = if kept.algorithm == Algorithm::HS256 {
        EncodingKey::from_secret(b"the-client-secret")
    } else {
        EncodingKey::from_rsa_der(private_key().to_pkcs1_der().unwrap().as_bytes())
    };
    let token = encode(&header, &claims, &key).unwrap();
    Json(json!({
        "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 300, "id_token": token,
    }))
    .into_response()
}

async fn me(State(issuer): State<Issuer>, headers: HeaderMap) -> Json {
    let mut kept = issuer.kept();
    kept.asked.push("userinfo".to_owned());
    assert_eq!(headers["authorization"], "Bearer an-access-token");
    Json(kept.user_info.clone())
}
