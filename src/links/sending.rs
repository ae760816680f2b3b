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
use super::heard::Heard;
use super::signing::Unsigned;
use super::{Links, Peer};

/// The body of a call.
#[derive(Debug)]
pub(super) enum Held {
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

impl Held {
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
        peer: &Peer,
        unsigned: &Unsigned,
        headers: &HeaderMap,
        body: &mut Held,
        within: Duration,
    ) -> Result<(Response<Incoming>, Heard), Failed> {
        let keys = self.signing.keys().max(1);
        let first = peer.key();
        let mut tried = 0;
        loop {
            let key = (first + tried) % keys;
            tried += 1;
            let (answer, heard) = self.send_once(peer, unsigned, headers, body, within, key).await?;
            let unknown_key = heard
                .told
                .as_ref()
                .is_some_and(|told| told.problem == "signature_invalid");
            if !unknown_key {
                peer.took(key);
                return Ok((answer, heard));
            }
            if matches!(body, Held::Stream(_)) {
                peer.took((key + 1) % keys);
                return Ok((answer, heard));
            }
            if tried == keys {
                return Ok((answer, heard));
            }
        }
    }

    async fn send_once(
        &self,
        peer: &Peer,
        unsigned: &Unsigned,
        headers: &HeaderMap,
        body: &mut Held,
        within: Duration,
        key: usize,
    ) -> Result<(Response<Incoming>, Heard), Failed> {
        let authorization = self.signing.authorize(unsigned, key, self.clock.now()).await;
        let authorization = authorization.map_err(Failed::Unsignable)?;
        let uri: Uri = unsigned
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
        let mut request = Request::new(outgoing);
        *request.method_mut() = unsigned.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let answer = peer.client().send(request, &progress, within).await;
        match answer {
            Ok(answer) => {
                let heard = Heard::of(answer.headers(), self.clock.now());
                Ok((answer, heard))
            }
            Err(why) => {
                self.note_silence(peer, &why).await;
                Err(Failed::Unanswered(why))
            }
        }
    }
}
