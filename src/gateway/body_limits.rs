//! Buffers the bodies that a signature covers: forms (RFC 5849, section 3.4.1.3.1), and bodies with a signed hash.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::GatewayError;
use crate::http::negotiate::at_most_one;
use crate::oauth::parameters::names_oauth;

/// Limits for bodies that are buffered. The default is 1 MiB and 30 seconds.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body, in bytes.
    pub size: usize,
    /// The time in which the whole body must arrive.
    pub time: Duration,
}

impl BodyLimits {
    /// Buffers the body if it is a form that may be signed. `Ok(Err(body))` returns any other body whole.
    ///
    /// `is_signed`: whether the request carries OAuth without its body. Otherwise a form has no limits: what is compressed is
    /// not signed, and neither is a form without an OAuth parameter in what is read within the limits.
    ///
    /// # Errors
    ///
    /// `Ambiguous` (400) for two `Content-Type` fields, `CompressedForm` (415), and those of `buffer`.
    pub async fn read_form(
        self,
        headers: &HeaderMap,
        mut body: Body,
        is_signed: bool,
    ) -> Result<Result<Bytes, Body>, GatewayError> {
        if !is_form(headers)? {
            return Ok(Err(body));
        }
        let mut held = HeldBody::default();
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let is_plain = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"identity");
        let read = if codings.all(|coding| is_plain(coding.as_bytes())) {
            self.hold(headers, &mut body, &mut held, is_signed).await
        } else {
            Err(GatewayError::CompressedForm)
        };
        match read {
            Ok(()) => Ok(Ok(held.into_bytes())),
            Err(GatewayError::BrokenBody) => Err(GatewayError::BrokenBody),
            Err(error) if is_signed || names_oauth(&held.body) => Err(error),
            Err(_) => Ok(Err(held.resume(body))),
        }
    }

    /// Buffers a body of any type. Trailers are dropped (RFC 9110, section 6.5).
    pub(super) async fn buffer(self, headers: &HeaderMap, mut body: Body) -> Result<Bytes, GatewayError> {
        let mut held = HeldBody::default();
        self.hold(headers, &mut body, &mut held, true).await?;
        Ok(held.into_bytes())
    }

    /// Reads a body to its end. What was read before an error stays held.
    async fn hold(
        self,
        headers: &HeaderMap,
        body: &mut Body,
        held: &mut HeldBody,
        is_signed: bool,
    ) -> Result<(), GatewayError> {
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        // Before anything is read: a client which sent `Expect` is not asked for the body.
        if is_signed && length.is_some_and(|length| length > self.size as u64) {
            return Err(GatewayError::BodyTooLarge);
        }
        let expected = length.map_or(self.size as u64, |length| length.min(self.size as u64));
        let place = Arc::clone(&HELD).try_acquire_many_owned(u32::try_from(expected).unwrap_or(u32::MAX));
        held.place = Some(place.map_err(|_| GatewayError::Busy)?);
        let reading = async {
            while let Some(frame) = body.frame().await {
                if let Ok(data) = frame.map_err(|_| GatewayError::BrokenBody)?.into_data() {
                    held.body.extend_from_slice(&data);
                }
                if held.body.len() > self.size {
                    return Err(GatewayError::BodyTooLarge);
                }
            }
            Ok(())
        };
        let read = tokio::time::timeout(self.time, reading).await;
        read.unwrap_or(Err(GatewayError::SlowBody))
    }
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            size: 1 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// Reads a short body of unknown length to its end, so that it is sent with a length: some servers read no chunks (RFC 9112,
/// section 7.1). A body that is long or pauses is passed on as it arrives.
///
/// # Errors
///
/// `BrokenBody` (400).
pub(super) async fn with_length(mut body: Body) -> Result<Body, GatewayError> {
    if body.size_hint().exact().is_some() {
        return Ok(body);
    }
    let mut held = HeldBody::default();
    match SHORT_BODY
        .hold(&HeaderMap::new(), &mut body, &mut held, false)
        .await
    {
        Ok(()) => Ok(held.into_bytes().into()),
        Err(GatewayError::BrokenBody) => Err(GatewayError::BrokenBody),
        Err(_) => Ok(held.resume(body)),
    }
}

/// What is held of a body, and its bytes in [`HELD`].
#[derive(Default)]
struct HeldBody {
    body: Vec<u8>,
    place: Option<OwnedSemaphorePermit>,
}

impl HeldBody {
    fn into_bytes(mut self) -> Bytes {
        let len = self.body.len();
        self.place = self
            .place
            .and_then(|mut place| place.split(len.min(place.num_permits())));
        Bytes::from_owner(self)
    }

    /// The body again, with what was not read of it.
    fn resume(self, rest: Body) -> Body {
        let read = self.into_bytes();
        Body::new(ResumedBody { read, rest })
    }
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// A body whose beginning was read.
struct ResumedBody {
    read: Bytes,
    rest: Body,
}

impl http_body::Body for ResumedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.rest).poll_frame(cx);
        }
        Poll::Ready(Some(Ok(Frame::data(mem::take(&mut self.read)))))
    }

    fn size_hint(&self) -> SizeHint {
        let (read, rest) = (self.read.len() as u64, self.rest.size_hint());
        rest.exact()
            .map_or_else(SizeHint::new, |rest| SizeHint::with_exact(read + rest))
    }
}

/// The bytes that bodies may have which are held at the same time, in the whole process: 64 MiB.
static HELD: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(64 << 20)));

/// Which bodies of unknown length are sent with one.
const SHORT_BODY: BodyLimits = BodyLimits {
    size: 16 * 1024,
    time: Duration::from_millis(100),
};

/// Whether the media type is exactly `application/x-www-form-urlencoded`, with any parameters.
pub(super) fn is_form(headers: &HeaderMap) -> Result<bool, GatewayError> {
    let media_type = at_most_one(headers, CONTENT_TYPE)
        .map_err(|_| GatewayError::Ambiguous("The request names Content-Type twice."))?;
    let essence = media_type.and_then(|value| value.as_bytes().split(|&b| b == b';').next());
    Ok(essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(FORM)))
}

/// Rejects media types that are malformed (RFC 9110, section 8.3.1): PHP takes `application/x-www-form-urlencoded, text/plain`
/// for a form, whose parameters would not be signed.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), GatewayError> {
    let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    let is_valid = |value: &HeaderValue| {
        let essence = value.to_str().ok()?.split(';').next()?.trim();
        let (kind, subtype) = essence.split_once('/')?;
        Some(is_token(kind) && is_token(subtype))
    };
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    if values.all(|value| is_valid(value) == Some(true)) {
        return Ok(());
    }
    Err(GatewayError::Ambiguous("Content-Type is malformed."))
}

/// Rejects transfer codings other than `chunked`: the upstream would receive another body than the client sent.
pub(super) fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), GatewayError> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        Ok(())
    } else {
        Err(GatewayError::TransferCoding)
    }
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";
