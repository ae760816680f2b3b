//! What can go wrong on the guarded side that is no OAuth problem.
//!
//! None of these answers names a token problem: a consumer that is told of one throws its token away, and nothing here is
//! the token's fault.

use axum::body::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use rand::TryRng;
use rand::rngs::SysRng;

use super::connect::ConnectFault;
use super::connection::AnswerFault;
use crate::oauth::credentials::ALPHANUMERIC;

/// Why a request came to no answer of the application, or to none of its own.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The request says two different things about itself.
    #[error("ambiguous request: {0}")]
    Ambiguous(&'static str),
    /// A verdict was asked for by an address that is no trusted proxy.
    #[error(
        "{0} asked for a verdict and is no trusted proxy; if it is yours, write server.trusted_proxies = [\"{0}\"]"
    )]
    StrangeProxy(std::net::IpAddr),
    /// A trusted proxy does not say what it asks about.
    #[error("a front proxy asked for a verdict without {0}; set it as in config/deploy")]
    Unshown(&'static str),
    /// A signed body is larger than what we hold.
    #[error("signed body too large")]
    BodyTooLarge,
    /// A compressed form: its parameters are signed, and cannot be seen.
    #[error("compressed form")]
    CompressedForm,
    /// A signed body did not arrive in time.
    #[error("signed body did not arrive in time")]
    SlowBody,
    /// The client's connection broke within the body.
    #[error("the body ended early")]
    BrokenBody,
    /// A transfer coding other than `chunked`.
    #[error("unknown transfer coding")]
    TransferCoding,
    /// No connection to the application.
    #[error("no connection to the application: {0}")]
    Unreachable(ConnectFault),
    /// The application's answer is not HTTP, or broke off before its head was complete.
    #[error("the application broke off")]
    BrokenAnswer(#[source] AnswerFault),
    /// The application sent no head of an answer in time.
    #[error("the application did not answer in time")]
    AnswerTimeout,
    /// The application changed the protocol without being asked.
    #[error("the application changed the protocol without being asked")]
    UnaskedUpgrade,
    /// We failed.
    #[error("{0}")]
    Internal(&'static str),
}

impl GatewayError {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Ambiguous(_) | Self::Unshown(_) | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::StrangeProxy(_) => StatusCode::FORBIDDEN,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CompressedForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::Unreachable(why) if why.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::AnswerTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Unreachable(_) | Self::BrokenAnswer(_) | Self::UnaskedUpgrade => StatusCode::BAD_GATEWAY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The fault in one word, for machines: it stays the same when the sentences change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "ambiguous_request",
            Self::BodyTooLarge => "body_too_large",
            Self::CompressedForm => "compressed_form",
            Self::SlowBody => "body_too_slow",
            Self::BrokenBody => "body_incomplete",
            Self::TransferCoding => "transfer_coding_unknown",
            Self::Unreachable(why) => why.code(),
            Self::BrokenAnswer(_) => "upstream_answer_broken",
            Self::AnswerTimeout => "upstream_answer_timeout",
            Self::UnaskedUpgrade => "upstream_upgrade_unasked",
            Self::Internal(_) => "internal",
            Self::StrangeProxy(_) => "untrusted_proxy",
            Self::Unshown(_) => "proxy_says_too_little",
        }
    }

    /// The answer to the client, in the form that it asks for, with a reference that the log line has as well.
    pub fn to_response(&self, headers: &HeaderMap) -> Response<Body> {
        self.answer(ErrorFormat::by(headers))
    }

    /// The same, when the request's headers are gone already.
    pub(super) fn answer(&self, accepted: ErrorFormat) -> Response<Body> {
        let reference = reference();
        self.log(&reference);
        let (title, advice) = self.words();
        let (kind, text) = match accepted {
            ErrorFormat::Html => ("text/html;charset=UTF-8", html(title, advice, &reference)),
            ErrorFormat::Json => ("application/json", json(self.code(), title, advice, &reference)),
            ErrorFormat::Text => (
                "text/plain;charset=UTF-8",
                format!("{title} {advice}\nReference: {reference}\n"),
            ),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = self.status();
        for (name, value) in [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (
                CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn log(&self, reference: &str) {
        let status = self.status().as_u16();
        let source = std::error::Error::source(self).map(tracing::field::display);
        if self.status().is_server_error() {
            tracing::error!(reference, status, source, "{self}");
        } else if matches!(self, Self::StrangeProxy(_) | Self::Unshown(_)) {
            tracing::warn!(reference, status, "{self}");
        } else {
            tracing::debug!(reference, status, source, "{self}");
        }
    }

    /// What happened, and what to do: for people, and without a word about our inside.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ambiguous(why) => ("The request cannot be understood.", why),
            Self::StrangeProxy(_) => (
                "Only a trusted proxy is answered here.",
                "linkgate's log says which address to write into trusted_proxies.",
            ),
            Self::Unshown(_) => (
                "The proxy does not say what it asks about.",
                "linkgate's log says which header is missing.",
            ),
            Self::BodyTooLarge => (
                "The body is too large.",
                "Forms and bodies with an oauth_body_hash are held until they are checked: send less at a time.",
            ),
            Self::CompressedForm => (
                "The form is compressed.",
                "Send forms without Content-Encoding: their content is signed.",
            ),
            Self::SlowBody => ("The body did not arrive in time.", "Try again."),
            Self::BrokenBody => ("The body did not arrive as a whole.", "Try again."),
            Self::TransferCoding => (
                "The body's Transfer-Encoding is unknown.",
                "Send no other than chunked.",
            ),
            Self::Unreachable(why) => why.words(),
            Self::AnswerTimeout => (
                "The application did not answer in time.",
                "Try again. If you changed something, look first whether it was done.",
            ),
            Self::BrokenAnswer(_) | Self::UnaskedUpgrade => (
                "The application's answer cannot be understood.",
                "If you changed something, look first whether it was done.",
            ),
            Self::Internal(_) => (
                "Something went wrong.",
                "Tell the administrator the reference below.",
            ),
        }
    }
}

/// What a client wants to read.
#[derive(Clone, Copy, Debug)]
pub(super) enum ErrorFormat {
    /// A page.
    Html,
    /// An object.
    Json,
    /// Anything else: a line of text.
    Text,
}

impl ErrorFormat {
    /// Browsers ask for HTML by name; whoever asks for anything gets plain text.
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
        let accepts = |kind: &str| {
            let mut pieces = accept.windows(kind.len());
            pieces.any(|piece| piece.eq_ignore_ascii_case(kind.as_bytes()))
        };
        if accepts("text/html") {
            Self::Html
        } else if accepts("json") {
            Self::Json
        } else {
            Self::Text
        }
    }
}

fn html(title: &str, advice: &str, reference: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<h1>{title}</h1>\n<p>{advice}</p>\n<p>Reference: <code>{reference}</code></p>\n</html>\n"
    )
}

fn json(code: &str, title: &str, advice: &str, reference: &str) -> String {
    serde_json::json!({ "code": code, "error": title, "advice": advice, "reference": reference }).to_string()
}

/// Ten letters and digits, by which a log line is found again.
fn reference() -> String {
    let mut bytes = [0; 10];
    if SysRng.try_fill_bytes(&mut bytes).is_err() {
        return "none".to_owned();
    }
    let letter = |byte: &u8| char::from(ALPHANUMERIC[usize::from(*byte) % ALPHANUMERIC.len()]);
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(accept: Option<&'static str>) -> (String, String) {
        let headers = accept.map(|accept| (ACCEPT, HeaderValue::from_static(accept)));
        let response = GatewayError::AnswerTimeout.to_response(&headers.into_iter().collect());
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn speaks_the_language_of_whoever_asks() {
        let (kind, body) = answer(Some("text/html,application/xhtml+xml,*/*;q=0.8")).await;
        assert_eq!(kind, "text/html;charset=UTF-8");
        assert!(
            body.contains("<h1>The application did not answer in time.</h1>"),
            "{body}"
        );
        let (kind, body) = answer(Some("application/json")).await;
        assert_eq!(kind, "application/json");
        assert!(
            body.contains(r#""error":"The application did not answer in time.""#),
            "{body}"
        );
        let (kind, body) = answer(None).await;
        assert_eq!(kind, "text/plain;charset=UTF-8");
        assert!(
            body.starts_with("The application did not answer in time. "),
            "{body}"
        );
    }
}
