//! Bodies that a signature is about: forms (RFC 5849, section 3.4.1.3.1), and those with a signed hash. No other is held.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;

use super::error::GatewayError;

/// How much of a signed body we hold, and for how long we wait for it.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest body, in bytes.
    pub size: usize,
    /// The time in which the whole body must arrive.
    pub time: Duration,
}

impl BodyLimits {
    /// Reads a body that is a form, whole. `Ok(Err(body))`: it is none, and remains a stream.
    pub async fn read_form(
        self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Result<Bytes, Body>, GatewayError> {
        if !is_form(headers)? {
            return Ok(Err(body));
        }
        if is_compressed(headers) {
            return Err(GatewayError::CompressedForm);
        }
        // Most requests have no form, and should not carry the room for one.
        Box::pin(self.buffer(headers, body)).await.map(Ok)
    }

    /// Reads any body, whole.
    pub(super) async fn buffer(self, headers: &HeaderMap, body: Body) -> Result<Bytes, GatewayError> {
        if declared_length(headers).is_some_and(|length| length > self.size as u64) {
            return Err(GatewayError::BodyTooLarge);
        }
        let whole = tokio::time::timeout(self.time, self.collect(body)).await;
        whole.map_err(|_| GatewayError::SlowBody)?
    }

    async fn collect(self, mut body: Body) -> Result<Bytes, GatewayError> {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // Whatever follows the body (RFC 9110, section 6.5) is not part of it.
            let Ok(data) = frame.map_err(|_| GatewayError::BrokenBody)?.into_data() else {
                continue;
            };
            if data.len() > self.size - whole.len() {
                return Err(GatewayError::BodyTooLarge);
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }
}

impl Default for BodyLimits {
    /// 1 MiB, 30 seconds.
    fn default() -> Self {
        Self {
            size: 1 << 20,
            time: Duration::from_secs(30),
        }
    }
}

/// Whether the body's type is exactly `application/x-www-form-urlencoded`, with any parameters.
pub(super) fn is_form(headers: &HeaderMap) -> Result<bool, GatewayError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let form = types.next().is_some_and(|value| {
        let essence = value.as_bytes().split(|&b| b == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(FORM)
    });
    match types.next() {
        Some(_) => Err(GatewayError::Ambiguous("The request names Content-Type twice.")),
        None => Ok(form),
    }
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn typed(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_form_is_exactly_a_form() {
        for value in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-URLencoded",
            "application/x-www-form-urlencoded;charset=UTF-8",
            " application/x-www-form-urlencoded ; charset=UTF-8",
        ] {
            assert!(is_form(&typed(value)).unwrap(), "{value}");
        }
        for value in [
            "text/x; application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded2",
            "application/x-www-form-urlencoded, text/plain",
            "multipart/form-data; boundary=x",
            "",
        ] {
            assert!(!is_form(&typed(value)).unwrap(), "{value}");
        }
        assert!(!is_form(&HeaderMap::new()).unwrap());
    }

    #[tokio::test]
    async fn holds_no_more_than_its_size() {
        let limits = BodyLimits {
            size: 4,
            ..BodyLimits::default()
        };
        let headers = typed("application/x-www-form-urlencoded");
        let read = |body: &'static str| limits.read_form(&headers, Body::from(body));
        assert_eq!(read("a=12").await.unwrap().unwrap(), "a=12");
        assert!(matches!(read("a=123").await, Err(GatewayError::BodyTooLarge)));
    }
}
