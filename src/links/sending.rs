//! Sends a signed call, with the key that the other side knows.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;

use super::outgoing::Outgoing;
use crate::oauth::sign::SignError;

use super::client::Unanswered;
use super::oauth_report::OAuthReport;
use super::signing::RequestToSign;
use super::{Link, Links};

/// The body of a call.
#[derive(Debug)]
pub(super) enum ReplayableBody {
    /// All of it; it can be sent again.
    Whole(Bytes),
    /// What still arrives; it can be sent once.
    Stream(Body),
}

/// Why a call came to no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// It cannot be signed.
    Unsignable(SignError),
    /// No answer came.
    Unanswered(Unanswered),
}

impl ReplayableBody {
    /// The body for one sending; a stream leaves nothing behind.
    fn take(&mut self) -> Body {
        match self {
            Self::Whole(bytes) => Body::from(bytes.clone()),
            Self::Stream(body) => std::mem::replace(body, Body::empty()),
        }
    }
}

impl Links {
    /// Signs and sends a call. While a key of ours is rotated, the other side knows one of two: when it finds the
    /// signature wrong, the next key is tried, unless the body is gone.
    pub(super) async fn send(
        &self,
        peer: &Link,
        request: &RequestToSign,
        headers: &HeaderMap,
        body: &mut ReplayableBody,
        within: Duration,
    ) -> Result<(Response<Incoming>, OAuthReport), Failed> {
        let keys = self.signing.keys().max(1);
        let first = peer.key();
        let mut tried = 0;
        loop {
            let key = (first + tried) % keys;
            tried += 1;
            let (answer, heard) = self.send_once(peer, request, headers, body, within, key).await?;
            let unknown_key = heard
                .told
                .as_ref()
                .is_some_and(|told| told.problem == "signature_invalid");
            if !unknown_key {
                peer.remember_key(key);
                return Ok((answer, heard));
            }
            if matches!(body, ReplayableBody::Stream(_)) {
                peer.remember_key((key + 1) % keys);
                return Ok((answer, heard));
            }
            if tried == keys {
                return Ok((answer, heard));
            }
        }
    }

    async fn send_once(
        &self,
        peer: &Link,
        request: &RequestToSign,
        headers: &HeaderMap,
        body: &mut ReplayableBody,
        within: Duration,
        key: usize,
    ) -> Result<(Response<Incoming>, OAuthReport), Failed> {
        let authorization = self.signing.authorize(request, key, self.clock.now()).await;
        let authorization = authorization.map_err(Failed::Unsignable)?;
        let uri: Uri = request
            .url
            .parse()
            .map_err(|_| Failed::Unsignable(SignError::Url("it is no URL")))?;
        let (outgoing, progress) = Outgoing::new(body.take());
        let mut headers = headers.clone();
        headers.insert(AUTHORIZATION, authorization);
        if outgoing.is_of_unknown_length() {
            // Without it, hyper sends no body along with a GET.
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut signed = Request::new(outgoing);
        *signed.method_mut() = request.method.clone();
        *signed.uri_mut() = uri;
        *signed.headers_mut() = headers;
        let answer = peer.client().send(signed, &progress, within).await;
        match answer {
            Ok(answer) => {
                let heard = OAuthReport::of(answer.headers(), self.clock.now());
                Ok((answer, heard))
            }
            Err(why) => {
                self.record_failure(peer, &why).await;
                Err(Failed::Unanswered(why))
            }
        }
    }
}
