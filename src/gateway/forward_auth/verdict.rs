//! The verdict about a request, as a response that each kind of proxy understands.

use axum::body::Body;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::{ForwardAuth, OriginalRequest, ProxyKind};
use crate::gateway::assertion::X_LINKGATE_ASSERTION;
use crate::gateway::error::{ErrorFormat, GatewayError};
use crate::gateway::signature_check::SignatureCheckError;
use crate::provider::Caller;

impl ForwardAuth {
    /// The response that allows a request, with every identity header. Those without a value are empty, so that the proxy
    /// replaces the client's.
    pub(super) fn allow(
        &self,
        kind: ProxyKind,
        original: &OriginalRequest,
        caller: Option<&Caller>,
    ) -> Result<Response<Body>, GatewayError> {
        const EMPTY: HeaderValue = HeaderValue::from_static("");
        let mut response = Response::new(Body::empty());
        // Envoy denies a request on every other status.
        *response.status_mut() = match kind {
            ProxyKind::Envoy => StatusCode::OK,
            ProxyKind::Nginx | ProxyKind::XForwarded => StatusCode::NO_CONTENT,
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for name in self.check.identity.own_names() {
            headers.insert(name, EMPTY);
        }
        if let Some(caller) = caller {
            self.check.identity.write(caller, headers);
        }
        if let Some(assertion) = &self.assertion {
            let head = &original.head;
            let signed = caller.map(|caller| assertion.sign(caller, &head.method, head.uri.path()));
            headers.insert(X_LINKGATE_ASSERTION, signed.transpose()?.unwrap_or(EMPTY));
        }
        if kind == ProxyKind::Envoy {
            let removed = self.headers_to_remove(&original.head.headers, headers, caller.is_some());
            headers.insert(X_ENVOY_REMOVE, HeaderValue::try_from(removed).unwrap_or(EMPTY));
        }
        if let Some(caller) = caller {
            response.extensions_mut().insert(caller.clone());
        }
        Ok(response)
    }

    /// The names that Envoy removes from the client's request: all identity headers that the verdict leaves empty, since
    /// Envoy does not forward the client's, and the unexpected and unverified ones that it does forward.
    fn headers_to_remove(&self, sent: &HeaderMap, verdict: &HeaderMap, is_signed: bool) -> String {
        let identity = &self.check.identity;
        let has_value = |name: &&str| verdict.get(*name).is_some_and(|value| !value.is_empty());
        let mut names: Vec<_> = identity.all_names().filter(|name| !has_value(name)).collect();
        names.extend(identity.unexpected(sent).map(HeaderName::as_str));
        if is_signed {
            names.extend(identity.unverified(sent).map(HeaderName::as_str));
        }
        names.sort_unstable();
        names.dedup();
        names.join(",")
    }
}

pub(super) fn deny(
    kind: ProxyKind,
    rejection: &SignatureCheckError,
    realm: &str,
    format: ErrorFormat,
) -> Response<Body> {
    match (kind, rejection) {
        (ProxyKind::Nginx, SignatureCheckError::Provider(error)) => {
            let mut response = error.to_response(realm);
            if let Ok(body) = HeaderValue::from_str(response.body()) {
                response.headers_mut().insert(X_LINKGATE_ANSWER, body);
            }
            for_nginx(response)
        }
        (ProxyKind::Nginx, _) => for_nginx(rejection.to_response(realm, format)),
        (ProxyKind::XForwarded | ProxyKind::Envoy, _) => rejection.to_response(realm, format),
    }
}

/// nginx understands 401 and 403 only, and ignores bodies. It passes on the challenge of a 401, which names the problem.
/// The status and the body that the client should receive are in headers, for an `error_page`.
///
/// A 5xx status stays: nginx turns it into 500, which no consumer takes for a verdict.
fn for_nginx<B>(response: Response<B>) -> Response<Body> {
    let mut response = response.map(|_| Body::empty());
    let has_challenge = response.headers().contains_key(WWW_AUTHENTICATE);
    let status = response.status();
    if !status.is_client_error() && !has_challenge {
        return response;
    }
    if let Ok(status) = HeaderValue::from_str(status.as_str()) {
        response.headers_mut().insert(X_LINKGATE_STATUS, status);
    }
    *response.status_mut() = if has_challenge {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::FORBIDDEN
    };
    response
}

/// The status that nginx should send to the client.
const X_LINKGATE_STATUS: HeaderName = HeaderName::from_static("x-linkgate-status");
/// The body that nginx should send to the client: the problem, form-encoded.
const X_LINKGATE_ANSWER: HeaderName = HeaderName::from_static("x-linkgate-answer");
const X_ENVOY_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
