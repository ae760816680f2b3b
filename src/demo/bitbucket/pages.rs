//! The pages of the simulated Bitbucket.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};

use super::Bitbucket;
use super::dance::Trouble;
use super::journal::Event;
use super::link::LinkKind;
use super::refusal::Refusal;

/// The page with both links, their buttons, and what went over the wire.
pub(super) fn home(bitbucket: &Bitbucket) -> Response {
    let links = LinkKind::ALL.map(|kind| LinkView {
        kind,
        consumer: bitbucket.link(kind).signer.consumer_key.as_str(),
        connected: bitbucket.link(kind).access().is_some(),
        connect: bitbucket.connect_url(kind),
    });
    let events = bitbucket.journal().events();
    page(
        StatusCode::OK,
        &Home {
            linkgate: bitbucket.linkgate().as_str(),
            links,
            events: &events,
        },
    )
}

/// The end of a dance that brought a token.
pub(super) fn connected() -> Response {
    page(
        StatusCode::OK,
        &Callback {
            success: true,
            title: "Connected",
            text: "Bitbucket now has a token of yours for Buildboard.",
            pairs: &[],
        },
    )
}

/// The end of a dance that brought none.
pub(super) fn trouble(trouble: &Trouble) -> Response {
    let (title, text, pairs) = match trouble {
        Trouble::Refused(refusal) if refusal.problem() == "permission_denied" => (
            "You said no",
            "Bitbucket has no access to Buildboard in your name. Nothing else has changed; you can connect at any time.",
            [].as_slice(),
        ),
        Trouble::Refused(Refusal { pairs }) => (
            "Buildboard could not be connected",
            "This is what it answered:",
            pairs.as_slice(),
        ),
        Trouble::Unreadable(why) => ("Buildboard could not be connected", *why, [].as_slice()),
    };
    page(
        StatusCode::OK,
        &Callback {
            success: false,
            title,
            text,
            pairs,
        },
    )
}

/// Somebody came back with a request token that is not ours.
pub(super) fn stranger() -> Response {
    page(
        StatusCode::BAD_REQUEST,
        &Callback {
            success: false,
            title: "This was not asked here",
            text: "Bitbucket did not ask for this token, or has been restarted since. Start again.",
            pairs: &[],
        },
    )
}

/// May linkgate read here? Its answer leads to the callback, which the policy must let through.
pub(super) fn question(token: &str, linkgate: &str, callback: &str) -> Response {
    let mut response = page(StatusCode::OK, &Question { token });
    let there = if callback.starts_with(linkgate) {
        linkgate
    } else {
        ""
    };
    let policy = POLICY.replace("form-action 'self'", &format!("form-action 'self' {there}"));
    if let Ok(policy) = policy.parse() {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Who we are, for those whom we call: consumer key and public key.
pub(super) fn consumer_info(bitbucket: &Bitbucket) -> Response {
    let consumer = ConsumerInfo {
        key: bitbucket.link(LinkKind::OwnKey).signer.consumer_key.as_str(),
        public_key: bitbucket.0.own_private_key.public_key().to_base64(),
        callback: bitbucket.base().as_str(),
    };
    match consumer.render() {
        Ok(xml) => ([(header::CONTENT_TYPE, "application/xml")], xml).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let fields = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, fields, Html(html)).into_response()
}

#[derive(Template)]
#[template(path = "demo/question.html")]
struct Question<'a> {
    token: &'a str,
}

#[derive(Template)]
#[template(path = "demo/bitbucket.html")]
struct Home<'a> {
    linkgate: &'a str,
    links: [LinkView<'a>; 2],
    events: &'a [(usize, Event)],
}

struct LinkView<'a> {
    kind: LinkKind,
    consumer: &'a str,
    connected: bool,
    connect: String,
}

impl LinkView<'_> {
    fn impersonates(&self) -> bool {
        self.kind == LinkKind::OwnKey
    }
}

#[derive(Template)]
#[template(path = "demo/callback.html")]
struct Callback<'a> {
    success: bool,
    title: &'a str,
    text: &'a str,
    pairs: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "demo/consumer-info.xml")]
struct ConsumerInfo<'a> {
    key: &'a str,
    public_key: String,
    callback: &'a str,
}

pub(super) const STYLE: &str = include_str!("../../../templates/demo/bitbucket.css");
pub(super) const POPUP: &str = include_str!("../../../templates/demo/popup.js");
pub(super) const CALLBACK: &str = include_str!("../../../templates/demo/callback.js");
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
