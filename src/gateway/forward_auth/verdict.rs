//! The verdict, in the words that each proxy understands.

use axum::body::Body;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::{OriginalRequest, ProxyKind, Shared};
use crate::gateway::assertion::X_LINKGATE_ASSERTION;
use crate::gateway::error::{ErrorFormat, GatewayError};
use crate::gateway::signature_check::{self, Rejection};
use crate::provider::Caller;

impl Shared {
    /// 204 (200 for Envoy), with every header that may say who calls: those that say nothing are empty, so that the proxy overwrites what
    /// its client sent.
    pub(super) fn pass(
        &self,
        kind: ProxyKind,
        original: &OriginalRequest,
        caller: Option<&Caller>,
    ) -> Result<Response<Body>, GatewayError> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = kind.admits();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for name in self.guard.identity.own_names() {
            headers.insert(name.clone(), HeaderValue::from_static(""));
        }
        if let Some(caller) = caller {
            self.guard.identity.write(caller, |name, value| {
                if let Ok(value) = HeaderValue::from_str(value) {
                    headers.insert(name, value);
                }
            });
        }
        if let Some(assertion) = &self.assertion {
            let (head, none) = (&original.head, HeaderValue::from_static(""));
            let signed = caller.map(|caller| assertion.sign(caller, &head.method, head.uri.path()));
            headers.insert(X_LINKGATE_ASSERTION, signed.transpose()?.unwrap_or(none));
        }
        if kind == ProxyKind::Envoy {
            let removed = self.removed(&original.head.headers, headers);
            headers.insert(X_ENVOY_REMOVE, removed);
        }
        if let Some(caller) = caller {
            response.extensions_mut().insert(caller.clone());
        }
        Ok(response)
    }

    /// The guard's refusal, in a form that the client can read.
    pub(super) fn refuse(
        &self,
        kind: ProxyKind,
        refusal: &Rejection,
        accepted: ErrorFormat,
    ) -> Response<Body> {
        let realm = self.guard.provider.realm();
        let response = match refusal {
            Rejection::Gateway(fault) => fault.answer(accepted),
            Rejection::Challenge => signature_check::challenge(realm),
            Rejection::Provider(error) => {
                let response = error.to_response(realm);
                let text = HeaderValue::from_str(response.body());
                let mut response = response.map(Body::from);
                if kind == ProxyKind::Nginx
                    && let Ok(text) = text
                {
                    response.headers_mut().insert(X_LINKGATE_ANSWER, text);
                }
                response
            }
        };
        match kind {
            ProxyKind::Nginx => for_nginx(response),
            ProxyKind::XForwarded | ProxyKind::Envoy => response,
        }
    }

    /// What Envoy is to take out of the client's request: all names that some application somewhere believes, and which we
    /// do not write. Envoy shows us none of them.
    fn removed(&self, sent: &HeaderMap, written: &HeaderMap) -> HeaderValue {
        let identity = &self.guard.identity;
        let says = |name: &str| written.get(name).is_some_and(|value| !value.is_empty());
        let mut names: Vec<_> = identity.all_names().filter(|name| !says(name)).collect();
        names.extend(identity.unexpected(sent).map(HeaderName::as_str));
        names.sort_unstable();
        names.dedup();
        HeaderValue::from_str(&names.join(",")).unwrap_or(HeaderValue::from_static(""))
    }
}

/// nginx understands 401 and 403 only, and reads no body: 401 passes the challenge on, with the problem in it. The status
/// that the client should see, and the problem as a body, travel in headers: an `error_page` can use them.
///
/// A failure of ours stays what it is: nginx makes it a 500, which no consumer mistakes for a verdict.
fn for_nginx(response: Response<Body>) -> Response<Body> {
    let (mut head, _) = response.into_parts();
    if !head.status.is_client_error() && !head.headers.contains_key(WWW_AUTHENTICATE) {
        return Response::from_parts(head, Body::empty());
    }
    let status = HeaderValue::from_str(head.status.as_str());
    if let Ok(status) = status {
        head.headers.insert(X_LINKGATE_STATUS, status);
    }
    head.status = if head.headers.contains_key(WWW_AUTHENTICATE) {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::FORBIDDEN
    };
    Response::from_parts(head, Body::empty())
}

/// The status that nginx should answer.
const X_LINKGATE_STATUS: HeaderName = HeaderName::from_static("x-linkgate-status");
/// The body that nginx should answer: the problem, form-encoded.
const X_LINKGATE_ANSWER: HeaderName = HeaderName::from_static("x-linkgate-answer");
/// Names that Envoy removes from a request before it goes on.
const X_ENVOY_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
