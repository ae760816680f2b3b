//! What is known of the body of the client's request.
//!
//! A form is part of the signature (RFC 5849, section 3.4.1.3.1), and a sub-request usually leaves it out. Verified without
//! it, a call would pass with any form that somebody put behind it. So what cannot be seen is refused, with a problem on
//! which no consumer throws its token away.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::Body as _;

use super::{OriginalRequest, ProxyKind};
use crate::gateway::body_limits::{self, BodyLimits};
use crate::gateway::signature_check::Rejection;
use crate::oauth::{ConsumerKey, Parameters, Problem, RequestView};
use crate::provider::{self, Judged};

/// The body of the client's request, as far as the proxy shows it.
#[derive(Debug)]
pub(super) enum ClientBody {
    /// A form, whole.
    Form(Bytes),
    /// A form, or what may be one, that was not original, or not whole.
    NotForwarded(&'static str),
    /// No form. An empty one was not original, or is not there: that looks the same.
    Other(Body),
}

impl ClientBody {
    /// Takes the body of a sub-request for the client's.
    pub(super) async fn read(
        kind: ProxyKind,
        original: &OriginalRequest,
        limits: BodyLimits,
        body: Body,
    ) -> Result<Self, Rejection> {
        let headers = &original.head.headers;
        if body_limits::is_form(headers)? {
            if original.partial_body || body.is_end_stream() {
                return Ok(Self::NotForwarded(FORM_UNSEEN));
            }
            return Ok(match limits.read_form(headers, body).await? {
                Ok(form) if !form.is_empty() => Self::Form(form),
                _ => Self::NotForwarded(FORM_UNSEEN),
            });
        }
        // Envoy shows the headers that it is told to: a body of an unknown kind may be a form.
        if kind == ProxyKind::Envoy && !body.is_end_stream() && !headers.contains_key(CONTENT_TYPE) {
            return Ok(Self::NotForwarded(KIND_UNSEEN));
        }
        let whole = !original.partial_body;
        Ok(Self::Other(if whole { body } else { Body::empty() }))
    }

    /// The form, when all of it is there.
    pub(super) fn form(&self) -> Option<&[u8]> {
        match self {
            Self::Form(form) => Some(form),
            Self::NotForwarded(_) | Self::Other(_) => None,
        }
    }

    /// Refuses a request that is signed, as far as can be seen, over a form that cannot.
    ///
    /// Before anything else is looked at, so that the consumer hears of this, and not of a token.
    pub(super) fn refuse_unseen(&self, view: &RequestView<'_>) -> Result<(), provider::Error> {
        let Self::NotForwarded(why) = self else {
            return Ok(());
        };
        let Some(parameters) = Parameters::collect(view)? else {
            return Ok(());
        };
        let key = parameters.protocol("oauth_consumer_key").ok().flatten();
        let consumer = key.and_then(|key| ConsumerKey::parse(&key));
        Err(provider::Error::Refused(provider::Refusal {
            problem: Problem::SignatureInvalid(why),
            consumer,
        }))
    }

    /// Compares the body with the hash that the consumer signed, if it signed one. Without the body there is nothing to
    /// compare: refused, as it would otherwise pass for compared.
    pub(super) async fn check(
        self,
        judged: &Judged,
        headers: &HeaderMap,
        limits: BodyLimits,
    ) -> Result<(), Rejection> {
        if !judged.has_body_hash() {
            return Ok(());
        }
        let body = match self {
            Self::Other(body) if !body.is_end_stream() => limits.buffer(headers, body).await?,
            _ => Bytes::new(),
        };
        if body.is_empty() {
            return Err(judged.refused(Problem::SignatureInvalid(HASHED_UNSEEN)).into());
        }
        Ok(judged.check_body(&body)?)
    }
}

const FORM_UNSEEN: &str = "The form is signed, and the proxy in front of linkgate did not show it: send this call through linkgate itself, or let the proxy show bodies.";
const KIND_UNSEEN: &str = "The proxy in front of linkgate shows a body and not its Content-Type, so it may be a form: let the proxy show this header.";
const HASHED_UNSEEN: &str = "The body's hash is signed, and the proxy in front of linkgate did not show the body: send this call through linkgate itself, or let the proxy show bodies.";
