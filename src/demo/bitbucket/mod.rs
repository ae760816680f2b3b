//! A simulated Bitbucket: a consumer that sends what Application Links send.
//!
//! 1. [`client`]: signs and sends, and acts on the responses;
//! 2. [`actions`]: the buttons of the page, each of which records an [`Event`];
//! 3. [`pages`]: HTTP for the browser, with the requests and responses laid out;
//! 4. [`provider`]: the other direction, in which linkgate is the consumer.

pub(crate) mod actions;
pub(crate) mod client;
pub(crate) mod pages;
pub(crate) mod provider;

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

use crate::oauth::{
    ConsumerKey, PrivateKey, PublicUrl, RequestSigner, Secret, SignatureMethod, SigningKey, Token,
    TokenCredentials,
};
use parking_lot::Mutex;

use super::Linkgate;
use super::config::{FORM_KEY, OWN_KEY, Settings};
use super::http::Exchange;
use client::Outcome;
use provider::Incoming;

pub(crate) struct Bitbucket {
    pub(crate) base: PublicUrl,
    pub(crate) linkgate: PublicUrl,
    /// The link made with the generic form, and the one made with Bitbucket's own key.
    pub(crate) links: [DemoLink; 2],
    pub(crate) incoming: Incoming,
    pub(crate) server: Arc<Linkgate>,
    pub(crate) shared_secret: Secret,
    key: PrivateKey,
    events: Mutex<VecDeque<Event>>,
}

pub(crate) struct DemoLink {
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    pub(crate) id: &'static str,
    /// The path of linkgate's three endpoints: the form names them, the variant with the own key assumes Atlassian's.
    pub(crate) endpoints: &'static str,
    pub(crate) signer: RequestSigner,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    requested: VecDeque<TokenCredentials>,
    access: Option<TokenCredentials>,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) number: usize,
    pub(crate) link: &'static str,
    pub(crate) title: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) summary: String,
    pub(crate) exchanges: Vec<Exchange>,
}

/// What something led to: how it ended, what that means, and what was sent and received.
type Done = (Outcome, String, Vec<Exchange>);

impl Bitbucket {
    pub(crate) fn new(settings: Settings, server: Arc<Linkgate>) -> anyhow::Result<Self> {
        let signer = |key, method, consumer_key| {
            anyhow::Ok(RequestSigner {
                consumer_key: ConsumerKey::parse(consumer_key).context("a consumer key")?,
                key,
                method,
            })
        };
        let shared_secret = SigningKey::Hmac(settings.shared_secret.clone());
        let own_key = SigningKey::Rsa(settings.bitbucket_key.clone());
        let form = DemoLink {
            slug: "form",
            title: "Generic link",
            id: "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11",
            endpoints: "/oauth",
            signer: signer(shared_secret, SignatureMethod::HmacSha1, FORM_KEY)?,
            tokens: Mutex::default(),
        };
        let own = DemoLink {
            slug: "own-key",
            title: "Own-key link",
            id: "a1b7e6c0-7d44-3b6f-8a55-0c9b2d7c4e22",
            endpoints: "/plugins/servlet/oauth",
            signer: signer(own_key, SignatureMethod::RsaSha1, OWN_KEY)?,
            tokens: Mutex::default(),
        };
        Ok(Self {
            base: settings.bitbucket,
            linkgate: settings.linkgate,
            links: [form, own],
            incoming: Incoming::new(settings.linkgate_key.public_key()),
            server,
            shared_secret: settings.shared_secret,
            key: settings.bitbucket_key,
            events: Mutex::default(),
        })
    }

    pub(crate) fn own_key_link(&self) -> &DemoLink {
        &self.links[1]
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().iter().cloned().collect()
    }

    fn record(&self, link: &DemoLink, title: &'static str, (outcome, summary, exchanges): Done) -> Event {
        let mut events = self.events.lock();
        let event = Event {
            number: events.front().map_or(1, |newest| newest.number + 1),
            link: link.title,
            title,
            outcome,
            summary,
            exchanges,
        };
        events.push_front(event.clone());
        events.truncate(MAX_EVENTS);
        event
    }
}

impl DemoLink {
    pub(crate) fn access(&self) -> Option<TokenCredentials> {
        self.tokens.lock().access.clone()
    }

    fn requested(&self, token: &str) -> Option<TokenCredentials> {
        let is_it = |requested: &&TokenCredentials| requested.token.as_str() == token;
        self.tokens.lock().requested.iter().find(is_it).cloned()
    }

    /// Drops the access token, unless another one has replaced it.
    fn drop_access(&self, token: &Token) {
        let mut tokens = self.tokens.lock();
        tokens.access.take_if(|access| access.token == *token);
    }
}

pub(crate) fn router(bitbucket: Arc<Bitbucket>) -> Router {
    pages::routes()
        .merge(provider::routes())
        .layer(middleware::from_fn(check_same_site))
        .with_state(bitbucket)
}

async fn check_same_site(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let is_foreign = site.is_some_and(|site| site != "same-origin" && site != "none");
    if request.method() == Method::POST && is_foreign {
        return (StatusCode::FORBIDDEN, "This form was sent by another site.").into_response();
    }
    next.run(request).await
}

const MAX_EVENTS: usize = 25;
const MAX_REQUESTED: usize = 16;
