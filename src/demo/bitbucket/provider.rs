//! Bitbucket as the provider: the other direction, in which linkgate is the consumer and reads pull requests as a user.
//!
//! RSA-SHA1 only, as Atlassian's applications have it: they issue no shared secrets.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{Request, StatusCode, header};
use serde_json::json;

use crate::demo::{form, fresh};
use crate::oauth::{
    ConsumerKey, Problem, PublicKey, RequestView, Secret, SignatureMethod, SignedRequest, TimestampWindow,
    Token, VerificationKey, VerifiedRequest, Verifier, authorization_header, encoding,
};

use super::{Bitbucket, pages};

/// linkgate, as an administrator registered it on the incoming side of the link, and what its users gave it.
#[derive(Debug)]
pub struct Incoming {
    consumer: ConsumerKey,
    key: VerificationKey,
    state: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    questions: Vec<Question>,
    tokens: Vec<(Token, Secret, &'static str)>,
    nonces: BTreeSet<[u8; 16]>,
}

/// A request token, and who said yes to it, with the verifier.
#[derive(Clone, Debug)]
struct Question {
    token: Token,
    secret: Secret,
    callback: String,
    answer: Option<(&'static str, String)>,
}

impl Incoming {
    /// Registers a consumer.
    pub fn new(consumer: ConsumerKey, key: PublicKey) -> Self {
        Self {
            consumer,
            key: VerificationKey::Rsa(key),
            state: Mutex::default(),
        }
    }

    /// Revokes every token, as users do on their pages.
    pub fn revoke_all(&self) {
        self.issued().tokens.clear();
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a question out.
    fn take(&self, token: &Token) -> Option<Question> {
        let questions = &mut self.issued().questions;
        let at = questions.iter().position(|question| question.token == *token)?;
        Some(questions.remove(at))
    }

    fn secret_of(&self, token: &Token) -> Option<Secret> {
        let issued = self.issued();
        let asked = issued.questions.iter().find(|question| question.token == *token);
        let asked = asked.map(|question| question.secret.clone());
        asked.or_else(|| {
            let granted = issued.tokens.iter().find(|(granted, ..)| granted == token);
            granted.map(|(_, secret, _)| secret.clone())
        })
    }
}

/// What the provider serves.
pub(super) fn router() -> Router<Bitbucket> {
    Router::new()
        .route("/plugins/servlet/oauth/request-token", post(request_token))
        .route("/plugins/servlet/oauth/authorize", get(ask).post(answer))
        .route("/plugins/servlet/oauth/access-token", post(access_token))
        .route("/rest/api/1.0/dashboard/pull-requests", get(pull_requests))
        .route("/rest/applinks/1.0/manifest", get(manifest))
}

async fn request_token(State(bitbucket): State<Bitbucket>, request: Request<Body>) -> Response {
    let incoming = bitbucket.incoming();
    let callback = match verified(&bitbucket, request).await {
        Ok(signed) => signed.callback().map(str::to_owned),
        Err(problem) => return refused(&bitbucket, &problem),
    };
    let Some(callback) = callback else {
        return refused(&bitbucket, &Problem::ParameterAbsent(vec!["oauth_callback"]));
    };
    let (token, secret) = credentials();
    let pairs = [
        ("oauth_token", token.as_str()),
        ("oauth_token_secret", secret.expose()),
        ("oauth_callback_confirmed", "true"),
    ];
    let said = encoding::form_body(pairs);
    incoming.issued().questions.push(Question {
        token,
        secret,
        callback,
        answer: None,
    });
    ([(header::CONTENT_TYPE, "text/plain")], said).into_response()
}

async fn ask(State(bitbucket): State<Bitbucket>, Query(query): Query<Vec<(String, String)>>) -> Response {
    let token = form::value(&query, "oauth_token").unwrap_or_default();
    let issued = bitbucket.incoming().issued();
    let question = issued
        .questions
        .iter()
        .find(|question| question.token.as_str() == token);
    match question {
        Some(question) => pages::question(token, bitbucket.linkgate().origin(), &question.callback),
        None => pages::stranger(),
    }
}

async fn answer(State(bitbucket): State<Bitbucket>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let field = |name: &str| form::value(&fields, name);
    let token = field("oauth_token").unwrap_or_default().to_owned();
    let mut issued = bitbucket.incoming().issued();
    let question = issued
        .questions
        .iter_mut()
        .find(|question| question.token.as_str() == token);
    let Some(question) = question else {
        return pages::stranger();
    };
    let user = USERS.into_iter().find(|user| field("approve") == Some(*user));
    let verifier = match user {
        Some(user) => {
            let verifier = fresh();
            question.answer = Some((user, verifier.clone()));
            verifier
        }
        None => "denied".to_owned(),
    };
    let separator = if question.callback.contains('?') { '&' } else { '?' };
    let there = format!(
        "{}{separator}oauth_token={}&oauth_verifier={}",
        question.callback,
        encoding::encode(&token),
        encoding::encode(&verifier)
    );
    Redirect::to(&there).into_response()
}

async fn access_token(State(bitbucket): State<Bitbucket>, request: Request<Body>) -> Response {
    let incoming = bitbucket.incoming();
    let signed = match verified(&bitbucket, request).await {
        Ok(signed) => signed,
        Err(problem) => return refused(&bitbucket, &problem),
    };
    let question = signed.token().and_then(|token| incoming.take(token));
    let Some(Question {
        answer: Some((user, verifier)),
        ..
    }) = question
    else {
        return refused(&bitbucket, &Problem::PermissionDenied("Nobody said yes."));
    };
    if signed.verifier() != Some(&Verifier::new(verifier)) {
        return refused(&bitbucket, &Problem::TokenRejected("This is another verifier."));
    }
    let (token, secret) = credentials();
    let pairs = [
        ("oauth_token", token.as_str()),
        ("oauth_token_secret", secret.expose()),
        ("oauth_expires_in", "157680000"),
    ];
    let said = encoding::form_body(pairs);
    incoming.issued().tokens.push((token, secret, user));
    ([(header::CONTENT_TYPE, "text/plain")], said).into_response()
}

/// A user's open pull requests, shaped like Bitbucket's.
async fn pull_requests(State(bitbucket): State<Bitbucket>, request: Request<Body>) -> Response {
    let signed = match verified(&bitbucket, request).await {
        Ok(signed) => signed,
        Err(problem) => return refused(&bitbucket, &problem),
    };
    let issued = bitbucket.incoming().issued();
    let granted = signed
        .token()
        .and_then(|token| issued.tokens.iter().find(|(granted, ..)| granted == token));
    let Some((_, _, user)) = granted else {
        return refused(
            &bitbucket,
            &Problem::TokenRejected("Ask the user to connect again."),
        );
    };
    let own = PULL_REQUESTS.iter().filter(|(owner, ..)| owner == user);
    let values: Vec<_> = own
        .map(
            |(owner, id, title)| json!({ "id": id, "title": title, "author": { "user": { "name": owner } } }),
        )
        .collect();
    let said = json!({ "size": values.len(), "isLastPage": true, "values": values });
    ([(header::CONTENT_TYPE, "application/json")], said.to_string()).into_response()
}

/// As Atlassian's products send it: XML.
async fn manifest(State(bitbucket): State<Bitbucket>) -> Response {
    let url = bitbucket.base().as_str();
    let xml = format!(
        "<manifest><id>3c1f0a52-5c0f-3b0e-9d6a-1e0a7f0f6d11</id><name>Bitbucket</name><typeId>stash</typeId>\
         <version>8.19.0</version><publicSignup>false</publicSignup><url>{url}</url></manifest>"
    );
    ([(header::CONTENT_TYPE, "application/xml")], xml).into_response()
}

/// Verifies a call of linkgate's.
async fn verified(bitbucket: &Bitbucket, request: Request<Body>) -> Result<VerifiedRequest, Problem> {
    let incoming = bitbucket.incoming();
    let (parts, body) = request.into_parts();
    let form = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let fields: Vec<&[u8]> = parts
        .headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(http::HeaderValue::as_bytes)
        .collect();
    let view = RequestView {
        method: parts.method.as_str(),
        url: bitbucket.base(),
        secure: bitbucket.base().is_secure(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        authorization: &fields,
        form: form.then_some(&*body),
    };
    let claim = SignedRequest::parse(&view)?;
    let claim = claim.ok_or(Problem::ParameterAbsent(vec!["oauth_consumer_key"]))?;
    if claim.method() != SignatureMethod::RsaSha1 {
        return Err(Problem::SignatureMethodRejected("Only RSA-SHA1 is accepted."));
    }
    if *claim.consumer_key() != incoming.consumer {
        return Err(Problem::ConsumerKeyUnknown);
    }
    TimestampWindow::default().check(claim.timestamp(), bitbucket.0.clock.now())?;
    let secret = claim.token().map(|token| incoming.secret_of(token));
    if let Some(None) = secret {
        return Err(Problem::TokenRejected("This token is not known here."));
    }
    let signed = claim.verify(std::slice::from_ref(&incoming.key), secret.flatten().as_ref())?;
    if incoming.issued().nonces.insert(signed.nonce_digest()) {
        Ok(signed)
    } else {
        Err(Problem::NonceUsed)
    }
}

fn refused(bitbucket: &Bitbucket, problem: &Problem) -> Response {
    let challenge = authorization_header::challenge(bitbucket.base().as_str(), Some(problem));
    let status = StatusCode::from_u16(problem.status().as_u16()).unwrap_or(StatusCode::UNAUTHORIZED);
    (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

fn credentials() -> (Token, Secret) {
    let token = Token::parse(&fresh()).expect("letters and digits are a token");
    (token, Secret::new(fresh()))
}

const USERS: [&str; 2] = ["alice", "bob"];

const PULL_REQUESTS: [(&str, u32, &str); 4] = [
    ("alice", 7, "Raise the apogee"),
    ("alice", 9, "Polish the mirror once more"),
    ("bob", 4, "More croissants"),
    ("bob", 5, "Second gear"),
];

const LARGEST: usize = 64 * 1024;
