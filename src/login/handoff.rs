//! A signed round trip through the application: twenty lines on its side, and no cookie of it is seen here.
//!
//! Out: `login_url?lg_request=BASE64URL(JSON)&lg_sig=HEX(HMAC-SHA-256(secret, "lg_request." BASE64URL(JSON)))`, where the
//! JSON is `{jti, iat, exp, return_to, fresh}`. Back: `return_to?lg_answer=..&lg_sig=..` in the same manner, with
//! `lg_answer.` before what is signed, so that a request is never an answer; its JSON is `{jti, sub, name, iat, exp}`.
//! `config/handoff` has the application's side in six languages, and vectors.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::model::User;
use crate::oauth::{Secret, Timestamp};

use super::trip::{TRIP_SECONDS, Trip};
use super::{HttpUrl, is_name};

/// `[login.handoff]`: the application's page, and what both sides sign with.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    login_url: HttpUrl,
    secret: Secret,
}

/// Why an answer of the application is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandoffFault {
    /// Signed with another secret, or changed on its way.
    #[error("lg_sig is not the signature of lg_answer: do both sides have the same secret?")]
    Signature,
    /// Signed, and yet not what was agreed on.
    #[error("lg_answer is signed, but it is not base64url of JSON with jti, sub, name, iat and exp: {0}")]
    Unreadable(String),
    /// It names nobody who can be named.
    #[error("sub is empty, too long, or has control characters")]
    Subject,
    /// It answers another question.
    #[error("jti is that of another sign-in")]
    OtherTrip,
    /// It came too late, or the clocks differ.
    #[error(
        "the answer was made {age} s ago by the application's clock and is good for {life} s; more than {MOST_SECONDS} s are never accepted"
    )]
    Late {
        /// Seconds between its `iat` and now.
        age: i64,
        /// Seconds between its `iat` and its `exp`.
        life: i64,
    },
    /// It comes from the future.
    #[error("the answer's iat is {0} s in the future: are both clocks right?")]
    Early(i64),
}

/// What the application says.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answer {
    /// The request that it answers.
    pub jti: String,
    /// The user's name for the application.
    pub sub: String,
    /// The user's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// Until when it is good.
    pub exp: i64,
}

#[derive(Serialize)]
struct Question<'a> {
    jti: &'a str,
    iat: i64,
    exp: i64,
    return_to: &'a str,
    fresh: bool,
}

impl Handoff {
    /// Takes the application's page and the shared secret.
    pub const fn new(login_url: HttpUrl, secret: Secret) -> Self {
        Self { login_url, secret }
    }

    /// Where a browser goes.
    pub fn leave(&self, trip: &Trip) -> String {
        let question = Question {
            jti: trip.id.as_str(),
            iat: trip.at.seconds(),
            exp: trip.at.plus(TRIP_SECONDS).seconds(),
            return_to: &trip.back,
            fresh: trip.fresh,
        };
        let question = as_text(&question);
        let signature = self.sign(REQUEST, &question);
        let login_url = self.login_url.as_str();
        let glue = if login_url.contains('?') { '&' } else { '?' };
        format!("{login_url}{glue}lg_request={question}&lg_sig={signature}")
    }

    /// Reads an answer: first its signature, then what it says. When it is in time, and which trip it belongs to, is
    /// [`Handoff::accept`]'s to say.
    pub fn read(&self, answer: &str, signature: &str) -> Result<Answer, HandoffFault> {
        let ours = self.sign(ANSWER, answer);
        if !bool::from(ours.as_bytes().ct_eq(signature.as_bytes())) {
            return Err(HandoffFault::Signature);
        }
        let json = URL_SAFE_NO_PAD
            .decode(answer)
            .map_err(|error| HandoffFault::Unreadable(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| HandoffFault::Unreadable(error.to_string()))
    }

    /// Makes a user of an answer that was read, when it belongs to this trip and is in time.
    pub fn accept(&self, answer: Answer, trip: &str, now: Timestamp) -> Result<User, HandoffFault> {
        if !bool::from(answer.jti.as_bytes().ct_eq(trip.as_bytes())) {
            return Err(HandoffFault::OtherTrip);
        }
        let age = now.seconds().saturating_sub(answer.iat);
        let life = answer.exp.saturating_sub(answer.iat);
        if age < -SKEW {
            return Err(HandoffFault::Early(-age));
        }
        if age > life.min(MOST_SECONDS) + SKEW {
            return Err(HandoffFault::Late { age, life });
        }
        let name = answer.name.filter(|name| is_name(name));
        if !is_name(&answer.sub) {
            return Err(HandoffFault::Subject);
        }
        Ok(User {
            display_name: name.unwrap_or_else(|| answer.sub.clone()),
            subject: answer.sub,
            proved_by: "handoff".to_owned(),
            proved_at: now,
        })
    }

    /// What the application sends back, signed: for the examination of a configuration, and for tests.
    pub fn answer(&self, answer: &Answer) -> (String, String) {
        let text = as_text(answer);
        let signature = self.sign(ANSWER, &text);
        (text, signature)
    }

    fn sign(&self, purpose: &str, text: &str) -> String {
        let key = self.secret.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        for part in [purpose, ".", text] {
            mac.update(part.as_bytes());
        }
        let mut signature = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(signature, "{byte:02x}");
        }
        signature
    }
}

fn as_text(document: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(document).expect("texts and numbers are JSON"))
}

const REQUEST: &str = "lg_request";
const ANSWER: &str = "lg_answer";

/// Seconds that an answer may be under way, whatever it says itself.
const MOST_SECONDS: i64 = 60;
/// Seconds by which the two clocks may differ.
const SKEW: i64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn handoff() -> Handoff {
        Handoff::new(
            HttpUrl::parse("https://app.example/in").unwrap(),
            Secret::new("a-secret"),
        )
    }

    fn answer(iat: i64, exp: i64) -> Answer {
        Answer {
            jti: "t".repeat(32),
            sub: "alice".to_owned(),
            name: Some("Alice".to_owned()),
            iat: NOW.seconds() + iat,
            exp: NOW.seconds() + exp,
        }
    }

    #[test]
    fn an_answer_is_good_for_a_minute_at_most() {
        let judge = |iat, exp| {
            handoff()
                .accept(answer(iat, exp), &"t".repeat(32), NOW)
                .map(|user| user.subject)
        };
        assert_eq!(judge(0, 60).as_deref(), Ok("alice"));
        assert_eq!(judge(-60, 0).as_deref(), Ok("alice"));
        assert_eq!(judge(-70, 3600).as_deref(), Ok("alice"));
        assert_eq!(judge(10, 70).as_deref(), Ok("alice"));
        assert_eq!(judge(-71, 3600), Err(HandoffFault::Late { age: 71, life: 3671 }));
        assert_eq!(judge(-20, -15), Err(HandoffFault::Late { age: 20, life: 5 }));
        assert_eq!(judge(11, 71), Err(HandoffFault::Early(11)));
        assert!(judge(-1_800_000_000, 0).is_err());
    }

    #[test]
    fn only_the_answer_that_was_signed_is_read() {
        let (text, signature) = handoff().answer(&answer(0, 60));
        assert_eq!(handoff().read(&text, &signature).unwrap().sub, "alice");
        let other = Handoff::new(handoff().login_url, Secret::new("another-secret"));
        let ours = handoff();
        let request = ours.sign(REQUEST, &text);
        for (text, signature) in [
            (text.as_str(), ""),
            (&text, &signature.to_uppercase()),
            (&text, &request),
            (&text[1..], &signature),
            (&text, &other.answer(&answer(0, 60)).1),
        ] {
            assert_eq!(
                ours.read(text, signature).unwrap_err(),
                HandoffFault::Signature,
                "{text} {signature}"
            );
        }
        for nonsense in ["", "AA", "e30", "W10", "bnVsbA"] {
            let signature = ours.sign(ANSWER, nonsense);
            assert!(matches!(
                ours.read(nonsense, &signature),
                Err(HandoffFault::Unreadable(_))
            ));
        }
    }

    #[test]
    fn an_answer_belongs_to_one_trip_and_names_somebody() {
        let accept = |answer| handoff().accept(answer, &"t".repeat(32), NOW);
        let other = Answer {
            jti: "u".repeat(32),
            ..answer(0, 60)
        };
        assert_eq!(accept(other), Err(HandoffFault::OtherTrip));
        for nobody in ["", "a\nb", &"x".repeat(256)] {
            let nobody = Answer {
                sub: nobody.to_owned(),
                ..answer(0, 60)
            };
            assert_eq!(accept(nobody), Err(HandoffFault::Subject));
        }
        let nameless = Answer {
            name: None,
            ..answer(0, 60)
        };
        assert_eq!(accept(nameless).unwrap().display_name, "alice");
    }
}
