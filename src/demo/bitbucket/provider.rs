//! Bitbucket as the provider: the other direction, in which linkgate is the consumer and reads pull requests as a user.
//!
//! RSA-SHA1 only, because Atlassian's applications issue no shared secrets.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderValue, Request, header};
use serde_json::json;

use crate::demo::config::LINKGATE_KEY;
use crate::demo::http::{FORM, Pairs, value};
use crate::demo::random;
use crate::oauth::{
    Problem, PublicKey, RequestView, Secret, SignatureMethod, SignedRequest, Token, VerificationKey,
    VerifiedRequest, Verifier, authorization_header, encoding,
};

use super::{Bitbucket, pages};

/// linkgate as it is registered on the incoming side of the link, and the tokens that were issued to it.
pub(crate) struct Incoming {
    key: VerificationKey,
    issued: Mutex<Vec<Issued>>,
}

/// A token, and how far its access request has come.
#[derive(Clone, Debug)]
struct Issued {
    token: Token,
    secret: Secret,
    /// Of a request token; an access token has none.
    callback: Option<String>,
    /// Who approved it.
    user: Option<&'static str>,
    verifier: Option<Verifier>,
}

impl Incoming {
    /// Registers the public key of linkgate.
    pub(crate) fn new(key: PublicKey) -> Self {
        Self {
            key: VerificationKey::Rsa(key),
            issued: Mutex::default(),
        }
    }

    /// Issues a request token for a callback, or an access token for a user. Returns the response to the token request.
    fn issue(&self, callback: Option<String>, user: Option<&'static str>) -> Result<Response, Rejection> {
        let token = Token::parse(&random()).ok_or(UNKNOWN)?;
        let secret = Secret::new(random());
        let body = encoding::form_body([
            ("oauth_token", token.as_str()),
            ("oauth_token_secret", secret.expose()),
            ("oauth_callback_confirmed", "true"),
        ]);
        self.put(Issued {
            token,
            secret,
            callback,
            user,
            verifier: None,
        });
        Ok(([(header::CONTENT_TYPE, FORM)], body).into_response())
    }

    fn find(&self, token: &Token) -> Option<Issued> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.iter().find(|issued| issued.token == *token).cloned()
    }

    fn put(&self, issued: Issued) {
        self.remove(&issued.token);
        let mut all = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(issued);
    }

    fn remove(&self, token: &Token) {
        let mut all = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|issued| issued.token != *token);
    }
}

/// What the provider serves.
pub(crate) fn routes() -> Router<Arc<Bitbucket>> {
    Router::new()
        .route("/plugins/servlet/oauth/request-token", post(request_token))
        .route("/plugins/servlet/oauth/authorize", get(ask).post(answer))
        .route("/plugins/servlet/oauth/access-token", post(access_token))
        .route("/rest/api/1.0/dashboard/pull-requests", get(pull_requests))
}

async fn request_token(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (signed, _) = verify(&bitbucket, request).await?;
    let callback = signed.callback().map(str::to_owned);
    let callback = callback.ok_or_else(|| Problem::ParameterAbsent(vec!["oauth_callback"]))?;
    bitbucket.incoming.issue(Some(callback), None)
}

/// Shows the page that asks the user.
async fn ask(State(bitbucket): App, Query(query): Query<Pairs>) -> Response {
    match requested(&bitbucket, &query) {
        Some((issued, _)) => pages::question(&bitbucket, issued.token.as_str()),
        None => pages::unknown_token(),
    }
}

/// Takes the user's answer, and sends the browser back.
async fn answer(State(bitbucket): App, Form(fields): Form<Pairs>) -> Response {
    let Some((issued, callback)) = requested(&bitbucket, &fields) else {
        return pages::unknown_token();
    };
    let name = value(&fields, "approve");
    let user = USERS.into_iter().find(|user| Some(*user) == name);
    let verifier = user.map_or_else(|| "denied".to_owned(), |_| random());
    let separator = if callback.contains('?') { '&' } else { '?' };
    let pairs = [
        ("oauth_token", issued.token.as_str()),
        ("oauth_verifier", &verifier),
    ];
    let url = format!("{callback}{separator}{}", encoding::form_body(pairs));
    let verifier = Some(Verifier::new(verifier));
    bitbucket.incoming.put(Issued {
        user,
        verifier,
        ..issued
    });
    Redirect::to(&url).into_response()
}

/// The request token that a browser comes with, not answered yet, and its callback.
fn requested(bitbucket: &Bitbucket, pairs: &Pairs) -> Option<(Issued, String)> {
    let token = Token::parse(value(pairs, "oauth_token")?)?;
    let issued = bitbucket.incoming.find(&token)?;
    let callback = issued.callback.clone().filter(|_| issued.verifier.is_none())?;
    Some((issued, callback))
}

async fn access_token(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (signed, issued) = verify(&bitbucket, request).await?;
    let issued = issued.filter(|issued| issued.callback.is_some()).ok_or(UNKNOWN)?;
    bitbucket.incoming.remove(&issued.token);
    let user = issued
        .user
        .ok_or(Problem::PermissionDenied("Access was not approved."))?;
    if signed.verifier() != issued.verifier.as_ref() {
        return Err(Problem::TokenRejected("The verifier is wrong.").into());
    }
    bitbucket.incoming.issue(None, Some(user))
}

/// A user's open pull requests, shaped like Bitbucket's.
async fn pull_requests(State(bitbucket): App, request: Request<Body>) -> Result<Response, Rejection> {
    let (_, issued) = verify(&bitbucket, request).await?;
    let access = issued.filter(|issued| issued.callback.is_none());
    let user = access.and_then(|access| access.user).ok_or(UNKNOWN)?;
    let own = PULL_REQUESTS.iter().filter(|(author, ..)| *author == user);
    let values: Vec<_> = own
        .map(|(author, id, title)| json!({ "id": id, "title": title, "author": { "user": { "name": author } } }))
        .collect();
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
    };
    let request = SignedRequest::parse(&view)?;
    let request = request.ok_or_else(|| Problem::ParameterAbsent(vec!["oauth_consumer_key"]))?;
    if request.method() != SignatureMethod::RsaSha1 {
        return Err(Problem::SignatureMethodRejected("Only RSA-SHA1 is accepted."));
    }
    if request.consumer_key().as_str() != LINKGATE_KEY {
        return Err(Problem::ConsumerKeyUnknown);
    }
    let incoming = &bitbucket.incoming;
    let issued = match request.token() {
        None => None,
        Some(token) => Some(incoming.find(token).ok_or(UNKNOWN)?),
    };
    let secret = issued.as_ref().map(|issued| &issued.secret);
    let verified = request.verify(std::slice::from_ref(&incoming.key), secret)?;
    Ok((verified, issued))
}

type App = State<Arc<Bitbucket>>;

/// A problem as a response.
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

const UNKNOWN: Problem = Problem::TokenRejected("Ask the user to connect again.");
const USERS: [&str; 2] = ["alice", "bob"];
const PULL_REQUESTS: [(&str, u32, &str); 4] = [
    ("alice", 7, "Raise the apogee"),
    ("alice", 9, "Polish the mirror once more"),
    ("bob", 4, "More croissants"),
    ("bob", 5, "Second gear"),
];
const MAX_FORM: usize = 64 * 1024;
