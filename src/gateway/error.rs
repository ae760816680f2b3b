//! Why the gateway answers a request itself, apart from OAuth problems: tables of status and code, title, and advice.
//!
//! No response of these names a token problem: the consumer would discard its token, and none of these errors is about the
//! token.

use std::net::IpAddr;

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{Response, StatusCode};
use serde_json::json;

use crate::http::RequestId;
use crate::http::client::{ConnectError, HttpClientError};
use crate::http::negotiate::weighted_values;
use crate::tls::TlsError;

/// An error of the gateway. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum GatewayError {
    #[error("ambiguous request: {0}")]
    Ambiguous(&'static str),
    #[error(
        "{0} asked for a verdict and is no trusted proxy; if it is yours, write server.trusted_proxies = [\"{0}\"]"
    )]
    UntrustedProxy(IpAddr),
    #[error("a front proxy asked for a verdict without {0}; set it as in config/deploy")]
    MissingProxyHeader(&'static str),
    #[error("signed body too large")]
    BodyTooLarge,
    #[error("compressed form")]
    CompressedForm,
    #[error("the body did not arrive in time")]
    SlowBody,
    #[error("the body ended early")]
    BrokenBody,
    #[error("unknown transfer coding")]
    TransferCoding,
    #[error("no connection to the application: {0}")]
    Connect(ConnectError),
    #[error("the application broke off")]
    BrokenResponse(#[source] HttpClientError),
    #[error("the application did not answer in time")]
    ResponseTimeout,
    #[error("the application changed the protocol without being asked")]
    UnexpectedUpgrade,
    #[error("the application is linkgate itself: upstream.url leads back to it")]
    Loop,
    #[error("too many requests at once: upstream.max_requests, or bodies that are held")]
    Busy,
    #[error("{0}")]
    Internal(&'static str),
}

/// The page of a failed connection that names the upstream, for administrators. In the extensions of the response.
#[derive(Clone, Debug)]
pub struct AdministratorPage(pub String);

impl GatewayError {
    /// The response, with the reference that the log line has too. No address or name of the inside is in it.
    pub fn to_response(&self, format: ErrorFormat) -> Response<Body> {
        let (status, code) = self.status_and_code();
        let (title, advice, reference) = (self.title(), self.advice(), format.request_id.to_string());
        self.log(&reference, status);
        let (kind, text) = match format.media {
            Media::Html => ("text/html;charset=UTF-8", html(title, advice, &reference)),
            Media::Json => {
                let fields =
                    json!({ "code": code, "error": title, "advice": advice, "reference": reference });
                ("application/json", fields.to_string())
            }
            Media::Text => (
                "text/plain;charset=UTF-8",
                format!("{title} {advice}\nReference: {reference}\n"),
            ),
        };
        let headers = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, NOTHING_LOADED),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (status, headers, text).into_response()
    }

    /// The page that names the upstream, if the client wants a page and there is no connection.
    pub(super) fn administrator_page(
        &self,
        format: ErrorFormat,
        upstream: &str,
    ) -> Option<AdministratorPage> {
        let upstream = upstream.replace('&', "&#38;");
        let advice = format!(
            "{}</p>\n<p>linkgate cannot connect to <code>{upstream}</code>, the address of [upstream] in its \
             configuration. Its log has the cause.",
            self.advice(),
        );
        let is_page = matches!((self, format.media), (Self::Connect(_), Media::Html));
        is_page.then(|| AdministratorPage(html(self.title(), &advice, &format.request_id.to_string())))
    }

    /// The status of the response, and a code for programs that stays when the sentences change.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Ambiguous(_) => (S::BAD_REQUEST, "ambiguous_request"),
            Self::UntrustedProxy(_) => (S::FORBIDDEN, "untrusted_proxy"),
            Self::MissingProxyHeader(_) => (S::BAD_REQUEST, "proxy_says_too_little"),
            Self::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::CompressedForm => (S::UNSUPPORTED_MEDIA_TYPE, "compressed_form"),
            Self::SlowBody => (S::REQUEST_TIMEOUT, "body_too_slow"),
            Self::BrokenBody => (S::BAD_REQUEST, "body_incomplete"),
            Self::TransferCoding => (S::NOT_IMPLEMENTED, "transfer_coding_unknown"),
            Self::Connect(error) => connect_status_and_code(error),
            Self::BrokenResponse(_) => (S::BAD_GATEWAY, "upstream_answer_broken"),
            Self::ResponseTimeout => (S::GATEWAY_TIMEOUT, "upstream_answer_timeout"),
            Self::UnexpectedUpgrade => (S::BAD_GATEWAY, "upstream_upgrade_unasked"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy"),
            Self::Loop => (S::LOOP_DETECTED, "loop_detected"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn title(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "The request cannot be understood.",
            Self::UntrustedProxy(_) => "Only a trusted proxy is answered here.",
            Self::MissingProxyHeader(_) => "The proxy does not say what it asks about.",
            Self::BodyTooLarge => "The body is too large.",
            Self::CompressedForm => "The form is compressed.",
            Self::SlowBody => "The body did not arrive in time.",
            Self::BrokenBody => "The body did not arrive as a whole.",
            Self::TransferCoding => "The body's Transfer-Encoding is unknown.",
            Self::Connect(error) => connect_title(error),
            Self::ResponseTimeout => "The application did not answer in time.",
            Self::BrokenResponse(_) | Self::UnexpectedUpgrade => {
                "The application's answer cannot be understood."
            }
            Self::Busy => "There are too many requests at once.",
            Self::Loop => "This server forwards requests to itself.",
            Self::Internal(_) => "Something went wrong.",
        }
    }

    fn advice(&self) -> &'static str {
        use ConnectError as C;
        match self {
            Self::Ambiguous(why) => why,
            Self::UntrustedProxy(_) => "linkgate's log says which address to write into trusted_proxies.",
            Self::MissingProxyHeader(_) => "linkgate's log says which header is missing.",
            Self::BodyTooLarge => {
                "Forms and bodies with an oauth_body_hash are held until they are checked: send less at a time."
            }
            Self::CompressedForm => "Send forms without Content-Encoding: their content is signed.",
            Self::SlowBody | Self::BrokenBody => "Try again.",
            Self::Busy => "Nothing was done: try again in a moment.",
            Self::TransferCoding => "Send no other than chunked.",
            Self::Connect(C::Refused | C::Unreachable(_)) => "It may be starting: try again in a moment.",
            Self::Connect(C::Timeout) => "Nothing was sent to it: try again in a moment.",
            Self::Connect(_) => "Nothing was sent to it. Tell the administrator the reference below.",
            Self::ResponseTimeout => "Try again. If you changed something, look first whether it was done.",
            Self::BrokenResponse(_) | Self::UnexpectedUpgrade => {
                "If you changed something, look first whether it was done."
            }
            Self::Loop => "Tell the administrator: upstream.url must be the application's own address.",
            Self::Internal(_) => "Tell the administrator the reference below.",
        }
    }

    fn log(&self, reference: &str, status: StatusCode) {
        let source = std::error::Error::source(self).map(tracing::field::display);
        let code = status.as_u16();
        if status.is_server_error() {
            tracing::error!(reference, status = code, source, "{self}");
        } else if matches!(self, Self::UntrustedProxy(_) | Self::MissingProxyHeader(_)) {
            tracing::warn!(reference, status = code, "{self}");
        } else {
            tracing::debug!(reference, status = code, source, "{self}");
        }
    }
}

fn connect_status_and_code(error: &ConnectError) -> (StatusCode, &'static str) {
    use ConnectError as C;
    use StatusCode as S;
    match error {
        C::NameNotFound(_) => (S::BAD_GATEWAY, "upstream_name_unknown"),
        C::Refused => (S::BAD_GATEWAY, "upstream_refused"),
        C::Unreachable(_) => (S::BAD_GATEWAY, "upstream_unreachable"),
        C::Timeout => (S::GATEWAY_TIMEOUT, "upstream_connect_timeout"),
        C::Tls(TlsError::HandshakeTimeout) => (S::GATEWAY_TIMEOUT, "upstream_tls_timeout"),
        C::Tls(TlsError::NotTrusted) => (S::BAD_GATEWAY, "upstream_certificate_untrusted"),
        C::Tls(TlsError::Expired) => (S::BAD_GATEWAY, "upstream_certificate_expired"),
        C::Tls(TlsError::NotValidYet) => (S::BAD_GATEWAY, "upstream_certificate_not_yet_valid"),
        C::Tls(TlsError::WrongName(_)) => (S::BAD_GATEWAY, "upstream_certificate_wrong_name"),
        C::Tls(error) if error.is_certificate_error() => (S::BAD_GATEWAY, "upstream_certificate_unusable"),
        C::Tls(_) => (S::BAD_GATEWAY, "upstream_tls_failed"),
        C::NoTrustRoots | C::Denied(..) => (S::BAD_GATEWAY, "internal"),
    }
}

fn connect_title(error: &ConnectError) -> &'static str {
    use ConnectError as C;
    match error {
        C::NameNotFound(_) => "The application's host name cannot be found.",
        C::Refused => "The application is not running.",
        C::Unreachable(_) => "The application cannot be reached.",
        C::Timeout => "The application did not accept a connection in time.",
        C::Tls(TlsError::NotTrusted) => "The application's certificate is not trusted.",
        C::Tls(TlsError::Expired) => "The application's certificate has expired.",
        C::Tls(TlsError::NotValidYet) => {
            "The application's certificate is not valid yet, or a clock is wrong."
        }
        C::Tls(TlsError::WrongName(_)) => "The application's certificate is for another name.",
        C::Tls(error) if error.is_certificate_error() => "The application's certificate cannot be used.",
        C::Tls(_) => "No secure connection to the application came about.",
        C::NoTrustRoots | C::Denied(..) => "Something went wrong.",
    }
}

impl From<HttpClientError> for GatewayError {
    fn from(error: HttpClientError) -> Self {
        match error {
            HttpClientError::Connect(error) => Self::Connect(error),
            HttpClientError::Timeout(_) => Self::ResponseTimeout,
            HttpClientError::RequestBody => Self::BrokenBody,
            HttpClientError::SlowRequestBody => Self::SlowBody,
            HttpClientError::Busy => Self::Busy,
            broken => Self::BrokenResponse(broken),
        }
    }
}

/// How a client wants to read an error, and the id of its request.
#[derive(Clone, Copy, Debug)]
pub struct ErrorFormat {
    media: Media,
    request_id: RequestId,
}

#[derive(Clone, Copy, Debug)]
enum Media {
    Html,
    Json,
    Text,
}

impl ErrorFormat {
    /// HTML for clients that ask for it by name, as browsers do; `*/*` gets plain text.
    pub fn of(head: &Parts) -> Self {
        let accepts = |kind: &str| {
            let mut ranges = weighted_values(&head.headers, &ACCEPT);
            ranges.any(|(range, weight)| weight > 0 && range.to_ascii_lowercase().contains(kind))
        };
        let media = if accepts("text/html") {
            Media::Html
        } else if accepts("json") {
            Media::Json
        } else {
            Media::Text
        };
        Self {
            media,
            request_id: RequestId::of(&head.extensions),
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

const NOTHING_LOADED: &str = "default-src 'none'; frame-ancestors 'none'";
