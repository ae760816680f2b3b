//! Buffers the bodies that a signature covers: forms (RFC 5849, section 3.4.1.3.1), and bodies with a signed hash.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::GatewayError;
use crate::http::negotiate::at_most_one;

/// Limits for bodies that are buffered. The default is 1 MiB and 30 seconds.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body, in bytes.
    pub size: usize,
    /// The time in which the whole body must arrive.
    pub time: Duration,
}

impl BodyLimits {
    /// Buffers the body if it is a form. `Ok(Err(body))` returns any other body unread.
    ///
    /// # Errors
    ///
    /// `Ambiguous` (400) for two `Content-Type` fields, `CompressedForm` (415), and those of `buffer`.
    pub async fn read_form(
        self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Result<Bytes, Body>, GatewayError> {
        if !is_form(headers)? {
            return Ok(Err(body));
        }
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        if codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")) {
            return Err(GatewayError::CompressedForm);
        }
        self.buffer(headers, body).await.map(Ok)
    }

    /// Buffers a body of any type. Trailers are dropped (RFC 9110, section 6.5).
    ///
    /// # Errors
    ///
    /// `BodyTooLarge` (413), before anything is read if `Content-Length` is too large, so that a client which sent
    /// `Expect` is not asked for the body. `SlowBody` (408), `BrokenBody` (400). `Busy` (503) if all bodies that are held have
    /// more than 64 MiB together.
    pub(super) async fn buffer(self, headers: &HeaderMap, body: Body) -> Result<Bytes, GatewayError> {
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > self.size as u64) {
            return Err(GatewayError::BodyTooLarge);
        }
        let expected = length
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(self.size);
        let place = Arc::clone(&HELD).try_acquire_many_owned(u32::try_from(expected).unwrap_or(u32::MAX));
        let place = place.map_err(|_| GatewayError::Busy)?;
        match tokio::time::timeout(self.time, Limited::new(body, self.size).collect()).await {
            Ok(Ok(body)) => Ok(Bytes::from_owner(HeldBody::new(body.to_bytes(), place))),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(GatewayError::BodyTooLarge),
            Ok(Err(_)) => Err(GatewayError::BrokenBody),
            Err(_) => Err(GatewayError::SlowBody),
        }
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

/// A body that is held, and its bytes in [`HELD`].
struct HeldBody {
    body: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

impl HeldBody {
    fn new(body: Bytes, mut place: OwnedSemaphorePermit) -> Self {
        let place = place.split(body.len());
        Self { body, _place: place }
    }
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// The bytes that bodies may have which are held at the same time, in the whole process.
static HELD: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MAX_HELD_BYTES)));

const MAX_HELD_BYTES: usize = 64 << 20;

/// Whether the media type is exactly `application/x-www-form-urlencoded`, with any parameters.
///
/// # Errors
///
/// `Ambiguous` for two `Content-Type` fields.
pub(super) fn is_form(headers: &HeaderMap) -> Result<bool, GatewayError> {
    let media_type = at_most_one(headers, CONTENT_TYPE)
        .map_err(|_| GatewayError::Ambiguous("The request names Content-Type twice."))?;
    let essence = media_type.and_then(|value| value.as_bytes().split(|&b| b == b';').next());
    Ok(essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(FORM)))
}

/// Rejects media types that are malformed (RFC 9110, section 8.3.1): PHP takes `application/x-www-form-urlencoded, text/plain`
/// for a form, whose parameters would not be signed.
///
/// # Errors
///
/// `Ambiguous` (400).
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), GatewayError> {
    let is_token_byte = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
    let is_valid = |value: &HeaderValue| {
        let essence = value.to_str().ok()?.split(';').next()?.trim();
        let (kind, subtype) = essence.split_once('/')?;
        Some(is_token(kind) && is_token(subtype))
    };
    if headers
        .get_all(CONTENT_TYPE)
        .iter()
        .all(|value| is_valid(value) == Some(true))
    {
        return Ok(());
    }
    Err(GatewayError::Ambiguous("Content-Type is malformed."))
}

/// Rejects transfer codings other than `chunked`: the upstream would receive another body than the client sent.
///
/// # Errors
///
/// `TransferCoding` (501).
pub(super) fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), GatewayError> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked")) {
        Ok(())
    } else {
        Err(GatewayError::TransferCoding)
    }
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";
