//! The body of the original request, as far as the proxy forwards it.
//!
//! A form is signed (RFC 5849, section 3.4.1.3.1), and most sub-requests omit it. A signature that was verified without
//! the form would be valid for any form. Such a call is rejected with a problem that does not make the consumer discard
//! its token.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body::Body as _;

use super::{OriginalRequest, ProxyKind};
use crate::gateway::body_limits::{self, BodyLimits};
use crate::gateway::signature_check::SignatureCheckError;
use crate::oauth::{Problem, RequestView, SignedRequest};
use crate::provider::AuthenticatedCall;

#[derive(Debug)]
pub(super) enum ClientBody {
    Form(Bytes),
    /// A form, or a body that may be one, which was not forwarded as a whole. The text is advice for the consumer.
    NotForwarded(&'static str),
    /// Not a form. An empty body was either not forwarded or sent by the client: the two look the same.
    Other(Body),
}

impl ClientBody {
    /// Reads the body of a sub-request as the client's body. `is_signed`: as in [`BodyLimits::read_form`].
    pub(super) async fn read(
        kind: ProxyKind,
        original: &OriginalRequest,
        limits: BodyLimits,
        body: Body,
        is_signed: bool,
    ) -> Result<Self, SignatureCheckError> {
        let headers = &original.head.headers;
        if body_limits::is_form(headers)? {
            if original.is_partial_body || body.is_end_stream() {
                return Ok(Self::NotForwarded(NO_FORM));
            }
            return Ok(match limits.read_form(headers, body, is_signed).await? {
                Ok(form) if !form.is_empty() => Self::Form(form),
                _ => Self::NotForwarded(NO_FORM),
            });
        }
        // Envoy forwards only the configured headers, so a body without a type may be a form.
        if kind == ProxyKind::Envoy && !body.is_end_stream() && !headers.contains_key(CONTENT_TYPE) {
            return Ok(Self::NotForwarded(NO_CONTENT_TYPE));
        }
        Ok(Self::Other(if original.is_partial_body {
            Body::empty()
        } else {
            body
        }))
    }

    pub(super) fn form(&self) -> Option<&[u8]> {
        let Self::Form(form) = self else { return None };
        Some(form)
    }

    /// The problem of a signed request whose form was not forwarded. It is refused before the token is looked at, so that the
    /// consumer does not discard its token.
    pub(super) fn not_forwarded(
        &self,
        view: &RequestView<'_>,
    ) -> Result<Option<(SignedRequest, Problem)>, Problem> {
        let Self::NotForwarded(advice) = self else {
            return Ok(None);
        };
        let request = SignedRequest::parse(view)?;
        Ok(request.map(|request| (request, Problem::SignatureInvalid(advice))))
    }

    /// Compares the body with its signed hash, if there is one. A hash without a body is rejected: there is nothing to
    /// compare it with.
    pub(super) async fn check_hash(
        self,
        call: &AuthenticatedCall,
        headers: &HeaderMap,
        limits: BodyLimits,
    ) -> Result<(), SignatureCheckError> {
        if !call.has_body_hash() {
            return Ok(());
        }
        let body = match self {
            Self::Other(body) => limits.buffer(headers, body).await?,
            Self::Form(_) | Self::NotForwarded(_) => Bytes::new(),
        };
        if body.is_empty() {
            return Err(call.refused(Problem::SignatureInvalid(NO_HASHED_BODY)).into());
        }
        Ok(call.check_body(&body)?)
    }
}

const NO_FORM: &str = "The form is signed, and the proxy in front of linkgate did not show it: send this call through linkgate itself, or let the proxy show bodies.";
const NO_CONTENT_TYPE: &str = "The proxy in front of linkgate shows a body and not its Content-Type, so it may be a form: let the proxy show this header.";
const NO_HASHED_BODY: &str = "The body's hash is signed, and the proxy in front of linkgate did not show the body: send this call through linkgate itself, or let the proxy show bodies.";
