//! The steps of a sign-in, one by one, for an administrator who wonders where it fails: `linkgate doctor login`.

use http::HeaderValue;
use openidconnect::JsonWebKey as _;

use super::handoff::Answer;
use super::probe::{Meaning, Probe, ProbeFault};
use super::{Trip, TripFault};
use crate::http::client::{ConnectError, HttpClientError};

use super::{FileLogin, Handoff, Oidc, TrustedHeader};

/// One step: what was done, what was seen, and, when it failed, what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub what: String,
    /// What was seen.
    pub saw: String,
    /// What to change; `None`: it is as it should be.
    pub remedy: Option<String>,
}

impl Step {
    pub(super) fn ok(what: impl Into<String>, saw: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            saw: saw.into(),
            remedy: None,
        }
    }

    pub(super) fn failed(what: impl Into<String>, saw: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            saw: saw.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Asks the application without a cookie, and with one when there is one.
pub async fn probe(probe: &Probe, cookie: Option<HeaderValue>) -> Vec<Step> {
    let mut steps = vec![probed(probe, None).await];
    if steps[0].remedy.is_none() {
        match cookie {
            Some(cookie) => steps.push(probed(probe, Some(cookie)).await),
            None => steps.push(Step::ok(
                "ask with a cookie",
                "left out: give one of a signed-in browser with --cookie NAME=VALUE or --cookie-file FILE",
            )),
        }
    }
    let example = probe.sign_in_at("https://linkgate.example/oauth/login");
    steps.push(Step::ok("where a browser signs in", example));
    steps
}

async fn probed(probe: &Probe, cookie: Option<HeaderValue>) -> Step {
    let signed_in = cookie.is_some();
    let what = if signed_in {
        format!("ask {} with the cookie", probe.url())
    } else {
        format!("ask {} as nobody", probe.url())
    };
    let answer = match probe.ask(cookie).await {
        Ok(answer) => answer,
        Err(fault) => return Step::failed(what, fault.to_string(), unreachable(&fault)),
    };
    let kind = answer.headers().get("content-type");
    let kind = kind.map_or_else(
        || "no content type".into(),
        |kind| String::from_utf8_lossy(kind.as_bytes()),
    );
    let seen = format!("{}, {kind}, {} bytes", answer.status(), answer.body().len());
    match (probe.judge(&answer), signed_in) {
        (Ok(Meaning::Somebody { subject, .. }), false) => Step::failed(
            what,
            format!("{seen}: {subject:?}, although nobody asked"),
            "add what tells nobody from somebody to login.probe.reject, or everybody is this user",
        ),
        (Ok(meaning @ Meaning::Somebody { .. }), true) | (Ok(meaning), false) => {
            Step::ok(what, format!("{seen}: {meaning}"))
        }
        (Ok(meaning), true) => Step::failed(
            what,
            format!("{seen}: {meaning}"),
            "is the cookie's session still good, and is its name in login.probe.cookies? Do user_pointer and reject fit the answer?",
        ),
        (Err(fault), _) => Step::failed(
            what,
            format!("{seen}: {fault}"),
            "login.probe.url must answer 200 with JSON to a session, and 401 or something for login.probe.reject to nobody",
        ),
    }
}

fn unreachable(fault: &ProbeFault) -> &'static str {
    match fault {
        ProbeFault::Http(fault) => of_http(fault),
        _ => "look at login.probe.url",
    }
}

fn of_http(error: &HttpClientError) -> &'static str {
    use ConnectError as Connect;
    match error {
        HttpClientError::Connect(Connect::Refused | Connect::Unreachable(_) | Connect::Denied(..)) => {
            "start it, or correct host and port"
        }
        HttpClientError::Connect(Connect::NameNotFound(_)) => "correct the host, or this machine's DNS",
        HttpClientError::Timeout(_) | HttpClientError::Connect(Connect::Timeout) => {
            "is it overloaded? Raise the timeout of the section if it is always slow"
        }
        HttpClientError::Connect(Connect::Tls(_) | Connect::NoTrustRoots) => {
            "name its issuer's certificate in the section's ca_file"
        }
        _ => "look at the URL: is it this one?",
    }
}

/// Reads what an identity provider publishes.
pub async fn oidc(oidc: &Oidc, trip: &Trip) -> Vec<Step> {
    let what = "discovery document and keys";
    let published = match oidc.published().await {
        Ok(published) => published,
        Err(TripFault::Unavailable(fault)) => {
            return vec![Step::failed(what, fault.to_string(), of_http(&fault))];
        }
        Err(fault) => {
            return vec![Step::failed(
                what,
                fault.to_string(),
                "login.oidc.issuer must be written exactly as the document says, with or without a slash at the end",
            )];
        }
    };
    let keys: Vec<_> = published.jwks().keys().iter().collect();
    let ids: Vec<_> = keys
        .iter()
        .map(|key| key.key_id().map_or("(no id)", |id| id.as_str()))
        .collect();
    let mut steps = vec![Step::ok(what, format!("issuer {}", published.issuer().as_str()))];
    steps.push(if keys.is_empty() {
        Step::failed(
            "signing keys",
            "there is none",
            "the provider must publish its keys at jwks_uri",
        )
    } else {
        Step::ok("signing keys", format!("{}: {}", keys.len(), ids.join(", ")))
    });
    steps.push(Step::ok(
        "authorization endpoint",
        published.authorization_endpoint().as_str(),
    ));
    steps.push(match published.token_endpoint() {
        Some(url) => Step::ok("token endpoint", url.as_str()),
        None => Step::failed(
            "token endpoint",
            "there is none",
            "the provider must support the code flow",
        ),
    });
    steps.push(Step::ok(
        "userinfo endpoint",
        published
            .userinfo_endpoint()
            .map_or("there is none: the ID token must have the claims", |url| {
                url.as_str()
            }),
    ));
    steps.push(Step::ok("redirect URI to register there", trip.back.as_str()));
    steps
}

/// Shows a signed request, and checks a sample answer.
pub fn handoff(handoff: &Handoff, trip: &Trip, answer: Option<(&str, &str)>) -> Vec<Step> {
    let mut steps = vec![Step::ok(
        "a signed request: open it, and see what the application answers",
        handoff.leave(trip),
    )];
    let what = "an answer";
    steps.push(match answer {
        None => {
            let now = trip.at.seconds();
            let sample = Answer {
                jti: trip.id.as_str().to_owned(),
                sub: "alice".to_owned(),
                name: Some("Alice Example".to_owned()),
                iat: now,
                exp: now + 60,
            };
            let (answer, signature) = handoff.answer(&sample);
            Step::ok(
                "what the application would answer for alice",
                format!("lg_answer={answer}&lg_sig={signature}"),
            )
        }
        Some((answer, signature)) => match handoff.read(answer, signature) {
            Ok(said) => Step::ok(what, format!("signed as agreed: {said:?}")),
            Err(fault) => Step::failed(
                what,
                fault.to_string(),
                "compare the secrets; what is signed is \"lg_answer.\" and the text of lg_answer, in hexadecimal",
            ),
        },
    });
    steps
}

/// Counts the users of a password file.
pub fn file(users: &FileLogin) -> Vec<Step> {
    let (all, may_sign_in) = users.count();
    let what = "read the password file";
    let saw = format!("{all} users, of whom {may_sign_in} may sign in");
    vec![if may_sign_in == 0 {
        Step::failed(
            what,
            saw,
            "add [[users]] with name and password; `linkgate user hash` makes the hash",
        )
    } else {
        Step::ok(what, saw)
    }]
}

/// Says whose word is taken.
pub fn trusted_header(trusted: &TrustedHeader) -> Vec<Step> {
    let proxies: Vec<_> = trusted.proxies.iter().map(ToString::to_string).collect();
    let mut steps = vec![
        Step::ok(
            "whose word is taken",
            format!("connections from {}", proxies.join(", ")),
        ),
        Step::ok(
            "what they say",
            format!("{}: the user's name, exactly one value", trusted.header),
        ),
    ];
    if let Some(display) = &trusted.display_header {
        steps.push(Step::ok(
            "what they may add",
            format!("{display}: the name to show"),
        ));
    }
    let everybody = trusted.proxies.iter().any(|network| network.prefix_len() == 0);
    if everybody {
        steps.push(Step::failed(
            "who could lie",
            "everybody: a network of /0 is trusted",
            "write only the proxy's address into server.trusted_proxies",
        ));
    }
    steps
}
