//! Extractors: the client's address, and a submitted form.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{ConnectInfo, Form, FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::STRICT_TRANSPORT_SECURITY;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::gateway::RequestOrigin;
use crate::gateway::error::ErrorFormat;

use super::csrf::check_same_site;
use super::error::ErrorKind;
use super::{App, Shared};

/// Middleware that sets the [`RequestOrigin`] of a request, and `Strict-Transport-Security` (RFC 6797) of a response over
/// https. A request that names two hosts is rejected with 400.
pub(super) async fn request_origin(State(app): Shared, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let peer = head
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_canonical());
    match app.front.origin(&head, peer) {
        Ok(origin) => {
            let hsts = app.hsts.clone().filter(|_| origin.is_secure());
            head.extensions.insert(origin);
            let mut response = next.run(Request::from_parts(head, body)).await;
            let headers = response.headers_mut();
            headers.extend(hsts.map(|value| (STRICT_TRANSPORT_SECURITY, value)));
            response
        }
        Err(error) => error.to_response(ErrorFormat::of(&head)),
    }
}

/// The client's address: the peer's, or the one that a trusted proxy forwards. Requests without either share 0.0.0.0, and
/// its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientIp(pub(super) IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let origin = head.extensions.get::<RequestOrigin>();
        let client = origin.and_then(|origin| origin.client);
        Ok(Self(client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// A submitted form of this site, and then the session of the user who submitted it. The form's token is not checked yet.
#[derive(Debug)]
pub(super) struct PageForm<T, S = ()> {
    pub(super) form: T,
    pub(super) session: S,
}

impl<T, S> FromRequest<Arc<App>> for PageForm<T, S>
where
    T: DeserializeOwned + Send,
    S: FromRequestParts<Arc<App>>,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Extension(origin) = Extension::from_request_parts(&mut parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        check_same_site(&app.front, &origin, &parts.headers).map_err(IntoResponse::into_response)?;
        let form = Form::from_request(Request::from_parts(parts.clone(), body), app);
        let form = timeout(FORM_TIMEOUT, form).await;
        let form = form.map_err(|_| ErrorKind::BadForm.page().into_response())?;
        let Form(form) = form.map_err(|rejection| {
            let kind = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::FormTooLarge,
                _ => ErrorKind::BadForm,
            };
            kind.page().into_response()
        })?;
        let session = S::from_request_parts(&mut parts, app).await;
        let session = session.map_err(IntoResponse::into_response)?;
        Ok(Self { form, session })
    }
}

/// The time in which the whole form must arrive.
const FORM_TIMEOUT: Duration = Duration::from_secs(30);
