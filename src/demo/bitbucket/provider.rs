//! Bitbucket as the provider: the other direction, in which linkgate is the consumer and reads pull requests as a user.
//!
//! RSA-SHA1 only, because Atlassian's applications issue no shared secrets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
#[derive(Debug)]
pub struct Incoming {
    key: VerificationKey,
    issued: Mutex<Vec<Issued>>,
}

#[derive(Debug)]
struct Issued {
    token: Token,
    secret: Secret,
    grant: Grant,
}

/// What a token stands for.
#[derive(Debug)]
enum Grant {
    /// A request token: an access request without an answer.
    Requested { callback: String },
    /// A request token that a user approved.
    Approved { user: &'static str, verifier: String },
    /// An access token.
    Access { user: &'static str },
}

impl Incoming {
    /// Registers the public key of linkgate.
    pub fn new(key: PublicKey) -> Self {
        Self {
            key: VerificationKey::Rsa(key),
            issued: Mutex::default(),
        }
    }

    /// Issues a token. Returns the response to the token request.
    fn issue(&self, grant: Grant, extra: (&str, &str)) -> Result<Response, Problem> {
        const MALFORMED: Problem = Problem::TokenRejected("The token is malformed.");
        let token = Token::parse(&random()).ok_or(MALFORMED)?;
        let secret = Secret::new(random());
        let pairs = [
            ("oauth_token", token.as_str()),
            ("oauth_token_secret", secret.expose()),
            extra,
        ];
        let body = encoding::form_body(pairs);
        self.issued().push(Issued { token, secret, grant });
        Ok(([(header::CONTENT_TYPE, FORM)], body).into_response())
    }

    fn issued(&self) -> MutexGuard<'_, Vec<Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the token of a request stands for.
    fn grant<T>(&self, token: Option<&Token>, read: impl FnOnce(&mut Grant) -> Option<T>) -> Option<T> {
        let mut issued = self.issued();
        let found = issued.iter_mut().find(|issued| Some(&issued.token) == token);
        found.and_then(|issued| read(&mut issued.grant))
    }
}

/// What the provider serves.
pub(super) fn routes() -> Router<Arc<Bitbucket>> {
    Router::new()
        .route("/plugins/servlet/oauth/request-token", post(request_token))
        .route("/plugins/servlet/oauth/authorize", get(ask).post(answer))
        .route("/plugins/servlet/oauth/access-token", post(access_token))
        .route("/rest/api/1.0/dashboard/pull-requests", get(pull_requests))
}

async fn request_token(
    State(bitbucket): State<Arc<Bitbucket>>,
    request: Request<Body>,
) -> Result<Response, Rejection> {
    let signed = verify(&bitbucket, request).await?;
    let callback = signed
        .callback()
        .ok_or_else(|| Problem::ParameterAbsent(vec!["oauth_callback"]))?
        .to_owned();
    let confirmed = ("oauth_callback_confirmed", "true");
    Ok(bitbucket
        .incoming
        .issue(Grant::Requested { callback }, confirmed)?)
}

/// Shows the page that asks the user.
async fn ask(State(bitbucket): State<Arc<Bitbucket>>, Query(query): Query<Pairs>) -> Response {
    let token = value(&query, "oauth_token").unwrap_or_default();
    let is_requested = |grant: &mut Grant| matches!(grant, Grant::Requested { .. }).then_some(());
    match bitbucket
        .incoming
        .grant(Token::parse(token).as_ref(), is_requested)
    {
        Some(()) => pages::question(&bitbucket, token),
        None => pages::unknown_token(),
    }
}

/// Takes the user's answer, and sends the browser back.
async fn answer(State(bitbucket): State<Arc<Bitbucket>>, Form(fields): Form<Pairs>) -> Response {
    let token = value(&fields, "oauth_token").unwrap_or_default();
    let user = value(&fields, "approve").and_then(|name| USERS.into_iter().find(|user| *user == name));
    let answered = bitbucket.incoming.grant(Token::parse(token).as_ref(), |grant| {
        let Grant::Requested { callback } = grant else {
            return None;
        };
        let callback = callback.clone();
        let Some(user) = user else {
            return Some((callback, "denied".to_owned()));
        };
        let verifier = random();
        *grant = Grant::Approved {
            user,
            verifier: verifier.clone(),
        };
        Some((callback, verifier))
    });
    let Some((callback, verifier)) = answered else {
        return pages::unknown_token();
    };
    let separator = if callback.contains('?') { '&' } else { '?' };
    let pairs = encoding::form_body([("oauth_token", token), ("oauth_verifier", &verifier)]);
    Redirect::to(&format!("{callback}{separator}{pairs}")).into_response()
}

async fn access_token(
    State(bitbucket): State<Arc<Bitbucket>>,
    request: Request<Body>,
) -> Result<Response, Rejection> {
    let signed = verify(&bitbucket, request).await?;
    let approved = bitbucket.incoming.grant(signed.token(), |grant| match grant {
        Grant::Approved { user, verifier } => Some((*user, Verifier::new(verifier.as_str()))),
        _ => None,
    });
    let (user, verifier) = approved.ok_or(Problem::PermissionDenied("Access was not approved."))?;
    if signed.verifier() != Some(&verifier) {
        return Err(Problem::TokenRejected("The verifier is wrong.").into());
    }
    let token = signed.token();
    bitbucket
        .incoming
        .issued()
        .retain(|issued| Some(&issued.token) != token);
    let lifetime = ("oauth_expires_in", "157680000");
    Ok(bitbucket.incoming.issue(Grant::Access { user }, lifetime)?)
}

/// A user's open pull requests, shaped like Bitbucket's.
async fn pull_requests(
    State(bitbucket): State<Arc<Bitbucket>>,
    request: Request<Body>,
) -> Result<Response, Rejection> {
    let signed = verify(&bitbucket, request).await?;
    let user = bitbucket.incoming.grant(signed.token(), |grant| match grant {
        Grant::Access { user } => Some(*user),
        _ => None,
    });
    let user = user.ok_or(Problem::TokenRejected("Ask the user to connect again."))?;
    let own = PULL_REQUESTS.iter().filter(|(author, ..)| *author == user);
    let values: Vec<_> = own
        .map(|(author, id, title)| json!({ "id": id, "title": title, "author": { "user": { "name": author } } }))
        .collect();
    let body = json!({ "size": values.len(), "isLastPage": true, "values": values });
    Ok(Json(body).into_response())
}

/// Verifies a request of linkgate's. Nonces and timestamps are not checked: that is linkgate's to show.
async fn verify(bitbucket: &Bitbucket, request: Request<Body>) -> Result<VerifiedRequest, Problem> {
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
    let secret = match request.token() {
        None => None,
        Some(token) => {
            let issued = incoming.issued();
            let found = issued.iter().find(|issued| issued.token == *token);
            let found = found.ok_or(Problem::TokenRejected("This token is not known."))?;
            Some(found.secret.clone())
        }
    };
    request.verify(std::slice::from_ref(&incoming.key), secret.as_ref())
}

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

const USERS: [&str; 2] = ["alice", "bob"];
const PULL_REQUESTS: [(&str, u32, &str); 4] = [
    ("alice", 7, "Raise the apogee"),
    ("alice", 9, "Polish the mirror once more"),
    ("bob", 4, "More croissants"),
    ("bob", 5, "Second gear"),
];
const MAX_FORM: usize = 64 * 1024;
