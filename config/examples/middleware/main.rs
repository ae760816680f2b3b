//! An axum program that guards its own router with linkgate's signature check, without a proxy.
//!
//! `cargo run --example middleware` makes four calls of it and prints the responses.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use linkgate::clock::Clock;
use linkgate::gateway::{
    BodyLimits, CheckedRequest, IdentityConfig, PublicUrls, Routes, SignatureCheck, TrustedProxies,
};
use linkgate::model::{Consumer, ConsumerSource, UserStatus};
use linkgate::oauth::{
    ConsumerKey, PublicUrl, RequestSigner, Secret, SignatureMethod, SigningKey, TokenParameter,
    UnsignedRequest, VerificationKey, authorization_header,
};
use linkgate::provider::{Caller, Directory, Provider, Rules};
use linkgate::store::{Keyring, Store, StoreConfig};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tower::ServiceExt as _;

const PUBLIC_URL: &str = "https://api.example.com";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let app = guarded_router().await?;
    let signed = authorization(&format!("{PUBLIC_URL}/hello?n=1"))?;
    for (call, target, authorization, status, answer) in [
        ("unsigned", "/hello?n=1", None, StatusCode::OK, "Hello!"),
        (
            "changed",
            "/hello?n=2",
            Some(&signed),
            StatusCode::UNAUTHORIZED,
            "oauth_problem=signature_invalid",
        ),
        (
            "signed",
            "/hello?n=1",
            Some(&signed),
            StatusCode::OK,
            "Hello, Robot!",
        ),
        (
            "replayed",
            "/hello?n=1",
            Some(&signed),
            StatusCode::UNAUTHORIZED,
            "oauth_problem=nonce_used",
        ),
    ] {
        let mut request = Request::get(target).header("host", "api.example.com");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = app.clone().oneshot(request.body(Body::empty())?).await?;
        let received = response.status();
        let body = String::from_utf8(to_bytes(response.into_body(), 4096).await?.to_vec())?;
        println!("{call:9} {received} {body}");
        ensure!(
            received == status && body.starts_with(answer),
            "expected {status} {answer}"
        );
    }
    Ok(())
}

/// The router. Its handlers find the [`Caller`] of a call with a valid signature in the request's extensions.
///
/// A program that serves it with `into_make_service_with_connect_info::<SocketAddr>()` also tells the check the client's
/// address and, behind a proxy in [`TrustedProxies`], the URL that the client requested.
async fn guarded_router() -> anyhow::Result<Router> {
    let hello = |caller: Option<Extension<Caller>>| async move {
        match caller {
            Some(Extension(caller)) => format!("Hello, {}!", caller.consumer.name),
            None => "Hello!".to_owned(),
        }
    };
    let public_url = PublicUrl::parse(PUBLIC_URL).map_err(anyhow::Error::msg)?;
    let check = SignatureCheck {
        provider: Arc::new(provider().await?),
        public_urls: PublicUrls::new(public_url, vec![], TrustedProxies::default()),
        routes: Routes(vec![]), // every path: a call may be signed or not
        identity: Arc::new(IdentityConfig::default().headers()),
        body_limits: BodyLimits::default(),
    };
    let router = Router::new().route("/hello", get(hello));
    Ok(router.layer(from_fn_with_state(Arc::new(check), signature_check)))
}

/// The middleware: only a checked request reaches the router.
async fn signature_check(
    State(check): State<Arc<SignatureCheck>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let CheckedRequest {
        mut head,
        body,
        caller,
        ..
    } = match check.check(request).await {
        Ok(checked) => checked,
        Err(rejection) => return rejection,
    };
    if let Some(caller) = caller {
        head.extensions.insert(caller);
    }
    next.run(Request::from_parts(head, body)).await
}

/// The provider: a store with one consumer, "robot", which calls as itself.
async fn provider() -> anyhow::Result<Provider> {
    let keyring = Arc::new(Keyring::generate(&mut StdRng::from_seed([1; 32]))); // a real one comes from secret files
    let options = StoreConfig::new("sqlite::memory:");
    let store = Store::open(&options, Arc::clone(&keyring), Clock::System.now()).await?;
    let robot = Consumer {
        key: robot()?,
        name: "Robot".to_owned(),
        keys: vec![VerificationKey::Hmac(Secret::new("shared secret"))],
        methods: BTreeSet::from([SignatureMethod::HmacSha1]),
        callbacks: vec![],
        default_callback: None,
        two_legged: true,
        two_legged_user: None,
        impersonation: false,
        session_handles: false,
        require_body_hash: false,
        addresses: vec![],
        enabled: true,
        source: ConsumerSource::Command,
    };
    store.add_consumer(&robot, Clock::System.now()).await?;
    let users = Directory::new(|_| async { UserStatus::Unknown });
    Ok(Provider::new(
        store,
        keyring,
        Clock::System,
        users,
        Rules::new(PUBLIC_URL),
    ))
}

/// The `Authorization` value of a signed GET, as the consumer makes it.
fn authorization(url: &str) -> anyhow::Result<String> {
    let signer = RequestSigner {
        consumer_key: robot()?,
        key: SigningKey::Hmac(Secret::new("shared secret")),
        method: SignatureMethod::HmacSha1,
    };
    let request = UnsignedRequest::new(http::Method::GET, url).token(TokenParameter::Empty);
    let parameters = signer.sign(&request, Clock::System.now(), "a-nonce")?;
    Ok(authorization_header::authorization(parameters, None))
}

fn robot() -> anyhow::Result<ConsumerKey> {
    ConsumerKey::parse("robot").context("a consumer key has no control characters")
}

#[test]
fn the_calls_are_answered_as_expected() -> anyhow::Result<()> {
    main()
}
