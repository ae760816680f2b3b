//! A call of the application: made as it stands, signed, in somebody's name; the answer streamed back.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, LOCATION, SET_COOKIE, TE, TRAILER,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::gateway::identity_headers::{self, Initials};
use crate::gateway::{BodyLimits, onward};
use crate::oauth::{Parameters, Place};

use super::error::LinkError;
use super::oauth_report::OAuthReport;
use super::on_behalf_of::{OnBehalfOf, REQUESTOR};
use super::sending::ReplayableBody;
use super::signing::RequestToSign;
use super::{Link, Links};

impl Links {
    /// Makes a call of the application and hands the answer on. `target` is the path below the link, raw.
    pub(super) async fn call(
        &self,
        peer: &Link,
        target: &str,
        request: Request<Body>,
    ) -> Result<Response, LinkError> {
        let (parts, body) = request.into_parts();
        let speaker = self.speaker(peer, &parts.headers).await?;
        let (form, mut body) = hold(&parts, body).await?;
        refuse_own_parameters(target, &form)?;
        let mut request = RequestToSign {
            method: parts.method,
            url: String::new(),
            form,
            extra: Vec::new(),
            token: speaker.token(),
        };
        let headers = onwards(parts.headers);
        let mut target = target.to_owned();
        let mut hops = 0;
        loop {
            request.url = format!("{}{}", peer.url().as_str(), speaker.target(&target));
            let within = peer.options().response_timeout;
            let (answer, heard) = self.send(peer, &request, &headers, &mut body, within).await?;
            self.record_response(peer, &heard).await;
            self.judge(peer, &speaker, heard).await?;
            match redirect(peer, &request.method, &answer).filter(|_| hops < MOST_HOPS) {
                Some(further) => target = further,
                None => return Ok(relay_response(answer)),
            }
            hops += 1;
        }
    }

    /// Refuses to hand on what is about us and not about the application. A token that can never work again is dropped;
    /// whatever may pass leaves it alone.
    async fn judge(&self, peer: &Link, speaker: &OnBehalfOf, heard: OAuthReport) -> Result<(), LinkError> {
        let Some(told) = heard.told else {
            if let OnBehalfOf::User {
                subject,
                unnoted: true,
                ..
            } = speaker
                && let Err(error) = self
                    .store
                    .touch_link(peer.name(), subject, self.clock.now())
                    .await
            {
                tracing::error!(%error, "the use of a link could not be noted");
            }
            return Ok(());
        };
        match speaker {
            OnBehalfOf::User {
                subject, credentials, ..
            } if told.is_token_problem() => {
                let (link, problem, now) = (peer.name(), &told.problem, self.clock.now());
                let forgotten = self
                    .store
                    .forget_link_token(link, subject, &credentials.token, problem, now)
                    .await?;
                tracing::info!(
                    link,
                    user.subject = ?subject,
                    token.prefix = credentials.token.prefix(),
                    forgotten,
                    "the other side says {problem}: the token is dropped"
                );
                Err(LinkError::NotConnected {
                    subject: subject.clone(),
                    connect_url: self.connect_url(peer),
                    told: Some(told),
                })
            }
            _ if told.problem == "timestamp_refused" => Err(LinkError::Clock {
                difference: heard.clock_skew,
            }),
            _ => Err(LinkError::Refused(told)),
        }
    }
}

/// A form is held, because it is signed; whatever else has a body is streamed.
async fn hold(parts: &Parts, body: Body) -> Result<(Bytes, ReplayableBody), LinkError> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), ReplayableBody::Whole(Bytes::new())));
    }
    let read = BodyLimits::default().read(&parts.headers, body).await;
    Ok(match read.map_err(LinkError::Body)? {
        Ok(form) => (form.clone(), ReplayableBody::Whole(form)),
        Err(stream) => (Bytes::new(), ReplayableBody::Stream(stream)),
    })
}

/// Parameters that say who calls are ours to write.
fn refuse_own_parameters(target: &str, form: &[u8]) -> Result<(), LinkError> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    for (raw, place) in [(query.as_bytes(), Place::Query), (form, Place::Form)] {
        let unsignable = |problem| LinkError::Unsignable(crate::oauth::sign::SignError::Parameters(problem));
        let parameters = Parameters::from_form(raw, place).map_err(unsignable)?;
        if parameters
            .iter()
            .any(|parameter| parameter.name.starts_with("oauth_") || parameter.name == REQUESTOR)
        {
            return Err(LinkError::OwnParameters);
        }
    }
    Ok(())
}

/// The headers as the other side sees them: nothing of the connection, nothing that says who calls.
fn onwards(mut headers: HeaderMap) -> HeaderMap {
    onward::hop_by_hop(&mut headers);
    for name in OURS {
        headers.remove(name);
    }
    identity_headers::remove_where(&mut headers, WRITTEN, |name| {
        name.starts_with("x-linkgate-") || name.starts_with("x-forwarded-")
    });
    headers
}

/// Where to go on: a redirect within the link, of a call that can be made again without harm. Any other is the
/// application's to follow, without our signature.
fn redirect(peer: &Link, method: &Method, answer: &Response<Incoming>) -> Option<String> {
    let further = matches!(
        answer.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    if further && (method == Method::GET || method == Method::HEAD) {
        peer.resolve_redirect(location)
    } else {
        None
    }
}

/// The answer as the application sees it. The other side's cookies are a session of whoever was named: nobody else may
/// go on with it.
fn relay_response(answer: Response<Incoming>) -> Response {
    let (mut head, body) = answer.into_parts();
    onward::response(&mut head.headers);
    head.headers.remove(SET_COOKIE);
    identity_headers::remove_where(&mut head.headers, WRITTEN, |name| name.starts_with("x-linkgate-"));
    head.version = Version::HTTP_11;
    Response::from_parts(head, Body::new(body))
}

const OURS: [HeaderName; 8] = [
    AUTHORIZATION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    TE,
    TRAILER,
];

const MOST_HOPS: usize = 5;

/// How the names begin by which we, or a proxy, say who calls.
const WRITTEN: Initials = Initials::of(&["x-linkgate-", "x-forwarded-"]);
