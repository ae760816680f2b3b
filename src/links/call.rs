//! A call of the application: it is signed and sent to the remote application, and the response is relayed.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, LOCATION, SET_COOKIE, TE, TRAILER,
};
use http::{HeaderMap, HeaderName, Method, Request};
use http_body::Body as _;

use crate::gateway::BodyLimits;
use crate::gateway::identity_headers::remove_matching;
use crate::gateway::upstream_request::remove_hop_by_hop;
use crate::http::client::HttpClientError;
use crate::oauth::parameters::Parameter;
use crate::oauth::{Parameters, SignError, UnsignedRequest};

use super::error::LinkError;
use super::oauth_report::OAuthReport;
use super::on_behalf_of::OnBehalfOf;
use super::{Link, Links};

/// The body of a call.
#[derive(Debug)]
pub(super) enum ReplayableBody {
    /// A form, which is signed, or an empty body. It can be sent again.
    Buffered(Bytes),
    /// Any other body. It can be sent once.
    Stream(Body),
}

impl Links {
    /// Makes a call and relays the response. `target` is the path and query below the link's URL, not decoded.
    pub(super) async fn call(
        &self,
        link: &Link,
        target: &str,
        request: Request<Body>,
    ) -> Result<Response, LinkError> {
        let (parts, body) = request.into_parts();
        let on_behalf_of = self.on_behalf_of(link, &parts.headers).await?;
        let mut body = ReplayableBody::read(&parts.headers, body).await?;
        reject_own_parameters(target, &body.form())?;
        let mut request = UnsignedRequest::new(parts.method, "")
            .form(body.form())
            .token(on_behalf_of.token());
        let headers = outgoing_headers(parts.headers);
        let mut target = target.to_owned();
        let mut redirects = 0;
        loop {
            request.url = format!("{}{}", link.config.url.as_str(), on_behalf_of.target(&target));
            let (response, report) = self.send(link, &request, &headers, &mut body).await?;
            self.record_response(link, &report).await;
            self.check_report(link, &on_behalf_of, report).await?;
            let redirect = redirect_target(link, &request.method, &response);
            let redirect = redirect.filter(|target| {
                let target = on_behalf_of.without_user(target);
                redirects < MAX_REDIRECTS && reject_own_parameters(&target, b"").is_ok()
            });
            match redirect {
                Some(next) => target = next,
                None => return Ok(relay_response(response)),
            }
            redirects += 1;
        }
    }

    /// Signs a request and sends it. While a signing key is rotated, the remote application knows one of two: if it
    /// rejects the signature, the next key is tried, or remembered for the next call if the body cannot be sent again.
    pub(super) async fn send(
        &self,
        link: &Link,
        request: &UnsignedRequest,
        headers: &HeaderMap,
        body: &mut ReplayableBody,
    ) -> Result<(Response, OAuthReport), LinkError> {
        let keys = self.identity.keys.len().max(1);
        let mut key = link.key.load(Ordering::Relaxed);
        let mut attempts = 0;
        loop {
            let sent = self.send_with_key(link, request, headers, body, key).await?;
            attempts += 1;
            let is_rejected = sent.1.is("signature_invalid");
            if is_rejected {
                key = (key + 1) % keys;
            }
            let is_final = !is_rejected || matches!(body, ReplayableBody::Stream(_));
            if is_final {
                link.key.store(key, Ordering::Relaxed);
            }
            if is_final || attempts == keys {
                return Ok(sent);
            }
        }
    }

    async fn send_with_key(
        &self,
        link: &Link,
        request: &UnsignedRequest,
        headers: &HeaderMap,
        body: &mut ReplayableBody,
        key: usize,
    ) -> Result<(Response, OAuthReport), LinkError> {
        let authorization = self.identity.authorize(request, key, self.clock.now()).await?;
        let signed = Request::builder()
            .method(request.method.clone())
            .uri(&request.url)
            .body(body.take());
        let mut signed = signed.map_err(|_| LinkError::Unsignable(SignError::Url("it is no URL")))?;
        *signed.headers_mut() = headers.clone();
        signed.headers_mut().insert(AUTHORIZATION, authorization);
        match link.client.send(signed, link.config.response_timeout).await {
            Ok(response) => {
                let report = OAuthReport::from_headers(response.headers(), self.clock.now());
                Ok((response, report))
            }
            Err(HttpClientError::RequestBody | HttpClientError::SlowRequestBody) => {
                Err(LinkError::BrokenBody)
            }
            Err(error) => {
                let error = LinkError::NoResponse(error);
                tracing::warn!(link = link.name(), "no answer: {error}");
                self.record_problem(link, &error.to_string()).await;
                Err(error)
            }
        }
    }

    /// Turns a reported problem into an error. Drops the user's token if the problem means that it can never work again.
    async fn check_report(
        &self,
        link: &Link,
        on_behalf_of: &OnBehalfOf,
        report: OAuthReport,
    ) -> Result<(), LinkError> {
        let (name, now) = (link.name(), self.clock.now());
        let Some(problem) = report.problem else {
            if let OnBehalfOf::User {
                subject,
                record_use: true,
                ..
            } = on_behalf_of
                && let Err(error) = self.store.touch_link(name, subject, now).await
            {
                tracing::error!(%error, "the use of a link could not be noted");
            }
            return Ok(());
        };
        if problem.name == "timestamp_refused" {
            return Err(LinkError::Clock(report.clock_skew));
        }
        let (subject, credentials) = match on_behalf_of {
            OnBehalfOf::User {
                subject, credentials, ..
            } if problem.is_token_problem() => (subject, credentials),
            _ => return Err(LinkError::Rejected(problem)),
        };
        let (token, why) = (&credentials.token, &problem.name);
        let forgotten = self
            .store
            .forget_link_token(name, subject, token, why, now)
            .await?;
        tracing::info!(
            link = name,
            user.subject = ?subject,
            token.prefix = token.prefix(),
            forgotten,
            "the other side says {why}: the token is dropped"
        );
        Err(LinkError::NotConnected {
            subject: subject.clone(),
            connect_url: self.connect_url(link),
            problem: Some(problem),
        })
    }
}

impl ReplayableBody {
    /// Buffers the body if it is a form.
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, LinkError> {
        if body.is_end_stream() {
            return Ok(Self::Buffered(Bytes::new()));
        }
        let read = BodyLimits::default().read_form(headers, body, true).await;
        Ok(match read.map_err(LinkError::Body)? {
            Ok(form) => Self::Buffered(form),
            Err(stream) => Self::Stream(stream),
        })
    }

    /// Returns the form; empty if there is none.
    fn form(&self) -> Bytes {
        match self {
            Self::Buffered(form) => form.clone(),
            Self::Stream(_) => Bytes::new(),
        }
    }

    /// Returns the body to send. A stream is empty afterwards.
    fn take(&mut self) -> Body {
        match self {
            Self::Buffered(form) => Body::from(form.clone()),
            Self::Stream(body) => std::mem::take(body),
        }
    }
}

/// Rejects protocol parameters in the query or the form: linkgate alone writes them.
fn reject_own_parameters(target: &str, form: &[u8]) -> Result<(), LinkError> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let parameters = Parameters::of_unsigned::<&str, &str>(query, form, &[])
        .map_err(|problem| LinkError::Unsignable(SignError::Parameters(problem)))?;
    let mut names = parameters.iter().map(Parameter::name);
    if names.any(|name| name.starts_with("oauth_") || name.starts_with("xoauth_")) {
        return Err(LinkError::OwnParameters);
    }
    Ok(())
}

/// Removes the hop-by-hop fields, those that linkgate or its client write, and those that name a user.
fn outgoing_headers(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    for name in REMOVED {
        headers.remove(name);
    }
    remove_matching(&mut headers, |name| {
        name.starts_with("x-linkgate-") || name.starts_with("x-forwarded-")
    });
    headers
}

/// Removes the hop-by-hop fields and those by which linkgate speaks, and the cookies: they are a session of the user on
/// whose behalf this call was made, and the next call may be made for another.
fn relay_response(mut response: Response) -> Response {
    let headers = response.headers_mut();
    remove_hop_by_hop(headers);
    headers.remove(SET_COOKIE);
    remove_matching(headers, |name| name.starts_with("x-linkgate-"));
    response
}

/// Returns the target of a redirect that is followed: within the link, of a safe method. The application can follow any
/// other, without linkgate's signature.
fn redirect_target(link: &Link, method: &Method, response: &Response) -> Option<String> {
    let is_redirect = [301, 302, 303, 307, 308].contains(&response.status().as_u16());
    if !is_redirect || !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    link.resolve_redirect(response.headers().get(LOCATION)?.to_str().ok()?)
}

const REMOVED: [HeaderName; 8] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    TE,
    TRAILER,
];
const MAX_REDIRECTS: usize = 5;
