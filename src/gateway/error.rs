//! Why the gateway answers a request itself, apart from OAuth problems: one table of status, code, title and advice.
//!
//! No response of these names a token problem: the consumer would discard its token, and none of these errors is about the
//! token.

use std::net::IpAddr;

use axum::body::Body;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use crate::http::RequestId;
use crate::http::client::{ConnectError, HttpClientError};
use crate::http::negotiate::weighted_values;
use crate::tls::TlsError;

/// An error of the gateway. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The request contradicts itself.
    #[error("ambiguous request: {0}")]
    Ambiguous(&'static str),
    /// A peer that is no trusted proxy asked for a verdict.
    #[error(
        "{0} asked for a verdict and is no trusted proxy; if it is yours, write server.trusted_proxies = [\"{0}\"]"
    )]
    UntrustedProxy(IpAddr),
    /// A trusted proxy asked for a verdict without this header.
    #[error("a front proxy asked for a verdict without {0}; set it as in config/deploy")]
    MissingProxyHeader(&'static str),
    /// A signed body is larger than the limit.
    #[error("signed body too large")]
    BodyTooLarge,
    /// The parameters of a compressed form are signed and cannot be read.
    #[error("compressed form")]
    CompressedForm,
    /// A signed body did not arrive in time.
    #[error("signed body did not arrive in time")]
    SlowBody,
    /// The client's connection ended within the body.
    #[error("the body ended early")]
    BrokenBody,
    /// A transfer coding other than `chunked`.
    #[error("unknown transfer coding")]
    TransferCoding,
    /// There is no connection to the application.
    #[error("no connection to the application: {0}")]
    Connect(ConnectError),
    /// The application's response is not HTTP, or ended before its head was complete.
    #[error("the application broke off")]
    BrokenResponse(#[source] HttpClientError),
    /// The application did not begin its response in time.
    #[error("the application did not answer in time")]
    ResponseTimeout,
    /// The application switched protocols without having been asked.
    #[error("the application changed the protocol without being asked")]
    UnexpectedUpgrade,
    /// A defect of linkgate.
    #[error("{0}")]
    Internal(&'static str),
}

/// The page of a failed connection that names the upstream, for administrators. In the extensions of the response.
#[derive(Clone, Debug)]
pub struct AdministratorPage(pub String);

/// What a client is told: status, a code for programs that stays when the sentences change, a title and advice. No address
/// or name of the inside is in them.
type Row = (StatusCode, &'static str, &'static str, &'static str);

impl GatewayError {
    /// The response, with the reference that the log line has too.
    pub fn to_response(&self, format: ErrorFormat) -> Response<Body> {
        let (status, code, title, advice) = self.row();
        let reference = format.request_id.to_string();
        self.log(&reference, status);
        let (kind, text) = match format.media {
            Media::Html => ("text/html;charset=UTF-8", html(title, advice, &reference)),
            Media::Json => {
                let fields = serde_json::json!({ "code": code, "error": title, "advice": advice, "reference": reference });
                ("application/json", fields.to_string())
            }
            Media::Text => (
                "text/plain;charset=UTF-8",
                format!("{title} {advice}\nReference: {reference}\n"),
            ),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
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

    /// The page that names the upstream, if the client wants a page and there is no connection.
    pub(super) fn administrator_page(
        &self,
        format: ErrorFormat,
        upstream: &str,
    ) -> Option<AdministratorPage> {
        let (_, _, title, advice) = self.row();
        let upstream = upstream.replace('&', "&#38;");
        let advice = format!(
            "{advice}</p>\n<p>linkgate cannot connect to <code>{upstream}</code>, the address of [upstream] in its \
             configuration. Its log has the cause."
        );
        let is_page = matches!((self, format.media), (Self::Connect(_), Media::Html));
        is_page.then(|| AdministratorPage(html(title, &advice, &format.request_id.to_string())))
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        self.row().0
    }

    /// The code of the response.
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    fn row(&self) -> Row {
        use StatusCode as S;
        const WAS_IT_DONE: &str = "If you changed something, look first whether it was done.";
        const UNREADABLE: &str = "The application's answer cannot be understood.";
        match self {
            Self::Connect(error) => connect_row(error),
            Self::ResponseTimeout => (
                S::GATEWAY_TIMEOUT,
                "upstream_answer_timeout",
                "The application did not answer in time.",
                "Try again. If you changed something, look first whether it was done.",
            ),
            Self::BrokenResponse(_) => (S::BAD_GATEWAY, "upstream_answer_broken", UNREADABLE, WAS_IT_DONE),
            Self::UnexpectedUpgrade => (
                S::BAD_GATEWAY,
                "upstream_upgrade_unasked",
                UNREADABLE,
                WAS_IT_DONE,
            ),
            Self::Internal(_) => INTERNAL,
            _ => self.request_row(),
        }
    }

    /// The errors of a client or a front proxy.
    fn request_row(&self) -> Row {
        use StatusCode as S;
        const TRY_AGAIN: &str = "Try again.";
        match self {
            Self::Ambiguous(why) => (
                S::BAD_REQUEST,
                "ambiguous_request",
                "The request cannot be understood.",
                why,
            ),
            Self::UntrustedProxy(_) => (
                S::FORBIDDEN,
                "untrusted_proxy",
                "Only a trusted proxy is answered here.",
                "linkgate's log says which address to write into trusted_proxies.",
            ),
            Self::MissingProxyHeader(_) => (
                S::BAD_REQUEST,
                "proxy_says_too_little",
                "The proxy does not say what it asks about.",
                "linkgate's log says which header is missing.",
            ),
            Self::BodyTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is too large.",
                "Forms and bodies with an oauth_body_hash are held until they are checked: send less at a time.",
            ),
            Self::CompressedForm => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "compressed_form",
                "The form is compressed.",
                "Send forms without Content-Encoding: their content is signed.",
            ),
            Self::SlowBody => (
                S::REQUEST_TIMEOUT,
                "body_too_slow",
                "The body did not arrive in time.",
                TRY_AGAIN,
            ),
            Self::BrokenBody => (
                S::BAD_REQUEST,
                "body_incomplete",
                "The body did not arrive as a whole.",
                TRY_AGAIN,
            ),
            Self::TransferCoding => (
                S::NOT_IMPLEMENTED,
                "transfer_coding_unknown",
                "The body's Transfer-Encoding is unknown.",
                "Send no other than chunked.",
            ),
            _ => INTERNAL,
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

const INTERNAL: Row = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Something went wrong.",
    "Tell the administrator the reference below.",
);

fn connect_row(error: &ConnectError) -> Row {
    use StatusCode as S;
    const STARTING: &str = "It may be starting: try again in a moment.";
    const ADMINISTRATOR: &str = "Nothing was sent to it. Tell the administrator the reference below.";
    const NO_TLS: &str = "No secure connection to the application came about.";
    let bad = |code, title, advice| (S::BAD_GATEWAY, code, title, advice);
    match error {
        ConnectError::NameNotFound(_) => bad(
            "upstream_name_unknown",
            "The application's host name cannot be found.",
            ADMINISTRATOR,
        ),
        ConnectError::Refused => bad("upstream_refused", "The application is not running.", STARTING),
        ConnectError::Unreachable(_) => bad(
            "upstream_unreachable",
            "The application cannot be reached.",
            STARTING,
        ),
        ConnectError::Timeout => (
            S::GATEWAY_TIMEOUT,
            "upstream_connect_timeout",
            "The application did not accept a connection in time.",
            "Nothing was sent to it: try again in a moment.",
        ),
        ConnectError::Tls(error) if error.is_certificate_error() => {
            let (code, title) = certificate_row(error);
            bad(code, title, ADMINISTRATOR)
        }
        ConnectError::Tls(TlsError::HandshakeTimeout) => {
            (S::GATEWAY_TIMEOUT, "upstream_tls_timeout", NO_TLS, ADMINISTRATOR)
        }
        ConnectError::Tls(_) => bad("upstream_tls_failed", NO_TLS, ADMINISTRATOR),
        ConnectError::NoTrustRoots | ConnectError::Denied(..) => {
            bad("internal", "Something went wrong.", ADMINISTRATOR)
        }
    }
}

const fn certificate_row(error: &TlsError) -> (&'static str, &'static str) {
    match error {
        TlsError::NotTrusted => (
            "upstream_certificate_untrusted",
            "The application's certificate is not trusted.",
        ),
        TlsError::Expired => (
            "upstream_certificate_expired",
            "The application's certificate has expired.",
        ),
        TlsError::NotValidYet => (
            "upstream_certificate_not_yet_valid",
            "The application's certificate is not valid yet, or a clock is wrong.",
        ),
        TlsError::WrongName(_) => (
            "upstream_certificate_wrong_name",
            "The application's certificate is for another name.",
        ),
        _ => (
            "upstream_certificate_unusable",
            "The application's certificate cannot be used.",
        ),
    }
}

impl From<HttpClientError> for GatewayError {
    fn from(error: HttpClientError) -> Self {
        match error {
            HttpClientError::Connect(error) => Self::Connect(error),
            HttpClientError::Timeout(_) => Self::ResponseTimeout,
            HttpClientError::RequestBody => Self::BrokenBody,
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
