//! Bitbucket as the provider. RSA-SHA1 only, because Atlassian's applications issue no shared secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderValue, Request, header};
use parking_lot::Mutex;
use serde_json::json;

use crate::demo::config::LINKGATE_KEY;
use crate::demo::http::{FORM, Pairs, value};
use crate::demo::random;
use crate::oauth::{
    Problem, PublicKey, RequestView, Secret, SignatureMethod, SignedRequest, Token, VerificationKey,
    VerifiedRequest, authorization_header, encoding,
};

use super::{Bitbucket, pages};

/// linkgate as it is registered on the incoming side of the link, and the tokens that were issued to it.
pub(crate) struct Incoming {
    key: VerificationKey,
    issued: Mutex<BTreeMap<String, Issued>>,
}

#[derive(Clone)]
struct Issued {
    secret: Secret,
    /// Of a request token; an access token has none.
    callback: Option<String>,
    user: Option<&'static str>,
    verifier: Option<Secret>,
}

impl Incoming {
    pub(crate) fn new(key: PublicKey) -> Self {
        let (key, issued) = (VerificationKey::Rsa(key), Mutex::default());
        Self { key, issued }
    }

    /// Issues a request token for a callback, or an access token for a user. Returns the response to the token request.
    fn issue(&self, callback: Option<String>, user: Option<&'static str>) -> Response {
        let (token, secret) = (random(), random());
        let body = encoding::form_body([
            ("oauth_token", token.as_str()),
            ("oauth_token_secret", &secret),
            ("oauth_callback_confirmed", "true"),
        ]);
        let issued = Issued {
            secret: Secret::new(secret),
            callback,
            user,
            verifier: None,
        };
        self.issued.lock().insert(token, issued);
        ([(header::CONTENT_TYPE, FORM)], body).into_response()
    }
}

pub(crate) fn routes() -> Router<Arc<Bitbucket>> {
    Router::new()
        .route("/plugins/servlet/oauth/request-token", post(request_token))
        .route("/plugins/servlet/oauth/authorize", get(ask).post(answer))
        .route("/plugins/servlet/oauth/access-token", post(access_token))
        .route("/rest/api/1.0/dashboard/pull-requests", get(pull_requests))
}

async fn request_token(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (signed, _) = verify(&bitbucket, request).await?;
    let absent = || Problem::ParameterAbsent(vec!["oauth_callback"]);
    let callback = signed.callback.clone().ok_or_else(absent)?;
    Ok(bitbucket.incoming.issue(Some(callback), None))
}

async fn ask(State(bitbucket): App, Query(query): Query<Pairs>) -> Response {
    let token = value(&query, "oauth_token").unwrap_or_default();
    match bitbucket.incoming.issued.lock().get(token) {
        Some(_) => pages::question(&bitbucket, token),
        None => pages::unknown_token(),
    }
}

async fn answer(State(bitbucket): App, Form(fields): Form<Pairs>) -> Response {
    let token = value(&fields, "oauth_token").unwrap_or_default();
    let mut all = bitbucket.incoming.issued.lock();
    let requested = all.get_mut(token).filter(|issued| issued.verifier.is_none());
    let requested = requested.and_then(|issued| Some((issued.callback.clone()?, issued)));
    let Some((callback, issued)) = requested else {
        return pages::unknown_token();
    };
    let name = value(&fields, "approve");
    issued.user = USERS.into_iter().find(|user| Some(*user) == name);
    let verifier = issued.user.map_or_else(|| "denied".to_owned(), |_| random());
    let separator = if callback.contains('?') { '&' } else { '?' };
    let pairs = encoding::form_body([("oauth_token", token), ("oauth_verifier", &verifier)]);
    issued.verifier = Some(Secret::new(verifier));
    Redirect::to(&format!("{callback}{separator}{pairs}")).into_response()
}

async fn access_token(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (signed, issued) = verify(&bitbucket, request).await?;
    let issued = issued.filter(|issued| issued.callback.is_some()).ok_or(UNKNOWN)?;
    let user = issued.user.ok_or(DENIED)?;
    if signed.verifier != issued.verifier {
        return Err(Problem::TokenRejected("The verifier is wrong.").into());
    }
    let token = signed.token.as_ref().map_or("", Token::as_str);
    bitbucket.incoming.issued.lock().remove(token);
    Ok(bitbucket.incoming.issue(None, Some(user)))
}

async fn pull_requests(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (_, issued) = verify(&bitbucket, request).await?;
    let access = issued.filter(|issued| issued.callback.is_none());
    let user = access.and_then(|access| access.user).ok_or(UNKNOWN)?;
    let own = PULL_REQUESTS.iter().filter(|(author, ..)| *author == user);
    let shaped = own.map(
        |(author, id, title)| json!({ "id": id, "title": title, "author": { "user": { "name": author } } }),
    );
    let values: Vec<_> = shaped.collect();
    Ok(Json(json!({ "size": values.len(), "isLastPage": true, "values": values })).into_response())
}

/// Verifies a request of linkgate's, and finds its token. Nonces and timestamps are not checked: that is linkgate's to show.
async fn verify(
    bitbucket: &Bitbucket,
    request: Request<Body>,
) -> Result<(VerifiedRequest, Option<Issued>), Problem> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_FORM).await.unwrap_or_default();
    let media_type = head.headers.get(header::CONTENT_TYPE);
    let is_form = media_type.is_some_and(|value| value.as_bytes().starts_with(FORM.as_bytes()));
    let authorization = head.headers.get_all(header::AUTHORIZATION).iter();
    let authorization: Vec<_> = authorization.map(HeaderValue::as_bytes).collect();
    let view = RequestView {
        method: head.method.as_str(),
        url: &bitbucket.base,
        secure: bitbucket.base.is_secure(),
        path: head.uri.path(),
        query: head.uri.query(),
        authorization: &authorization,
        form: is_form.then_some(&*body),
        has_other_body: false,
    };
    let request = SignedRequest::parse(&view)?;
    let request = request.ok_or_else(|| Problem::ParameterAbsent(vec!["oauth_consumer_key"]))?;
    if request.method != SignatureMethod::RsaSha1 {
        let (used, why) = (request.method.name().to_owned(), "Only RSA-SHA1 is accepted.");
        return Err(Problem::SignatureMethodRejected { used, why });
    }
    if request.consumer_key.as_str() != LINKGATE_KEY {
        return Err(Problem::ConsumerKeyUnknown);
    }
    let incoming = &bitbucket.incoming;
    let find = |token: &Token| {
        let issued = incoming.issued.lock().get(token.as_str()).cloned();
        issued.ok_or(UNKNOWN)
    };
    let issued = request.token.as_ref().map(find).transpose()?;
    let secret = issued.as_ref().map(|issued| &issued.secret);
    let verified = request.verify(std::slice::from_ref(&incoming.key), secret)?;
    Ok((verified, issued))
}

type App = State<Arc<Bitbucket>>;

struct Rejection(Problem);

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let challenge = authorization_header::challenge("Bitbucket", Some(&self.0));
        (self.0.status(), [(header::WWW_AUTHENTICATE, challenge)]).into_response()
    }
}

const DENIED: Problem = Problem::PermissionDenied("Access was not approved.");
const UNKNOWN: Problem = Problem::TokenRejected("Ask the user to connect again.");
const USERS: [&str; 2] = ["alice", "bob"];
const PULL_REQUESTS: [(&str, u32, &str); 4] = [
    ("alice", 7, "Raise the apogee"),
    ("alice", 9, "Polish the mirror once more"),
    ("bob", 4, "More croissants"),
    ("bob", 5, "Second gear"),
];
const MAX_FORM: usize = 64 * 1024;
