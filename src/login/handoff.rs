//! A signed redirect through the application: twenty lines in the application, whose cookies linkgate does not see.
//!
//! Request: `login_url?lg_request=BASE64URL(JSON)&lg_sig=HEX(HMAC-SHA-256(secret, "lg_request." BASE64URL(JSON)))`, where the
//! JSON is `{jti, iat, exp, return_to, fresh}`. Answer: `return_to?lg_answer=..&lg_sig=..` in the same manner, with
//! `lg_answer.` before what is signed, so that a request is never an answer; its JSON is
//! `{jti, sub, name, iat, exp, auth_time}`.
//! `config/handoff` has the application's side in six languages, and vectors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::model::User;
use crate::oauth::{Secret, Timestamp};

use super::{CLOCK_SKEW, Check, HttpUrl, LoginFlow, Method, SignInError, is_user_name, rejected, user};

/// `[login.handoff]`: the application's page, and the shared secret.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    /// The application's page.
    pub login_url: HttpUrl,
    /// What both sides sign with.
    pub secret: Secret,
}

/// The application's answer.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answer {
    /// The `jti` of the request.
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
    /// When the user proved who they are; required if the request was `fresh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
}

impl Handoff {
    /// Returns the application's page, with a signed request.
    pub fn request_url(&self, flow: &LoginFlow) -> String {
        let (request, signature) = self.encode(
            REQUEST,
            &Request {
                jti: flow.id.as_str(),
                iat: flow.at.seconds(),
                exp: flow.at.plus(LoginFlow::MAX_SECONDS).seconds(),
                return_to: &flow.return_to,
                fresh: flow.force_login,
            },
        );
        let login_url = self.login_url.as_str();
        let separator = if login_url.contains('?') { '&' } else { '?' };
        format!("{login_url}{separator}lg_request={request}&lg_sig={signature}")
    }

    /// Verifies the signature of an answer, and parses its JSON. [`Handoff::accept`] checks its content.
    ///
    /// # Errors
    ///
    /// It is not signed with the shared secret, or not JSON of this form.
    pub fn verify(&self, answer: &str, signature: &str) -> Result<Answer, SignInError> {
        let expected = self.sign(ANSWER, answer);
        if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
            return rejected("lg_sig is not the signature of lg_answer: do both sides have the same secret?");
        }
        let json = URL_SAFE_NO_PAD.decode(answer).map_err(|error| error.to_string());
        let answer = json.and_then(|json| serde_json::from_slice(&json).map_err(|error| error.to_string()));
        answer.or_else(|error| {
            rejected(format!(
                "lg_answer is signed, but it is not base64url of JSON with jti, sub, name, iat, exp and auth_time: {error}"
            ))
        })
    }

    /// Makes a user of a verified answer, unless it answers another request than that of the flow, came too late, is from the
    /// future, does not name a user, or the user did not sign in again although the request asked for it.
    pub fn accept(&self, answer: Answer, flow: &LoginFlow, now: Timestamp) -> Result<User, SignInError> {
        if !bool::from(answer.jti.as_bytes().ct_eq(flow.id.as_str().as_bytes())) {
            return rejected("jti is that of another sign-in");
        }
        let age = now.seconds().saturating_sub(answer.iat);
        let life = answer.exp.saturating_sub(answer.iat);
        if age < -CLOCK_SKEW {
            let ahead = age.saturating_neg();
            return rejected(format!(
                "the answer's iat is {ahead} s in the future: are both clocks right?"
            ));
        }
        if age > life.min(MAX_AGE) + CLOCK_SKEW {
            return rejected(format!(
                "the answer was made {age} s ago by the application's clock and is good for {life} s; \
                 more than {MAX_AGE} s are never accepted"
            ));
        }
        if !is_user_name(&answer.sub) {
            return rejected("sub is empty, too long, or has control characters");
        }
        if flow.is_stale(answer.auth_time.unwrap_or(i64::MIN)) {
            return rejected(
                "the request was fresh, and the answer's auth_time is absent or older than it: the application must ask \
                 for the password again, and say when that was",
            );
        }
        let name = answer.name.filter(|name| is_user_name(name));
        let proved_at = answer
            .auth_time
            .map_or(now, |at| now.min(Timestamp::from_seconds(at)));
        Ok(user(Method::Handoff, answer.sub, name, proved_at))
    }

    /// Encodes and signs an answer, as the application does.
    pub fn answer(&self, answer: &Answer) -> (String, String) {
        self.encode(ANSWER, answer)
    }

    /// Shows a signed request, and checks an answer to one or shows what it would be.
    pub fn diagnose(&self, flow: &LoginFlow, answer: Option<(&str, &str)>) -> Vec<Check> {
        let request = Check::ok(
            "a signed request: open it, and see what the application answers",
            self.request_url(flow),
        );
        let checked = match answer.map(|(answer, signature)| self.verify(answer, signature)) {
            Some(Ok(answer)) => Check::ok("an answer", format!("signed as agreed: {answer:?}")),
            Some(Err(error)) => Check::new(
                "an answer",
                error.to_string(),
                Some(
                    "compare the secrets; what is signed is \"lg_answer.\" and the text of lg_answer, in hexadecimal",
                ),
            ),
            None => {
                let iat = flow.at.seconds();
                let (answer, signature) = self.answer(&Answer {
                    jti: flow.id.as_str().to_owned(),
                    sub: "alice".to_owned(),
                    name: Some("Alice Example".to_owned()),
                    iat,
                    exp: iat + MAX_AGE,
                    auth_time: Some(iat),
                });
                let sample = format!("lg_answer={answer}&lg_sig={signature}");
                Check::ok("what the application would answer for alice", sample)
            }
        };
        vec![request, checked]
    }

    fn encode(&self, purpose: &str, document: &impl Serialize) -> (String, String) {
        let json = serde_json::to_vec(document).expect("texts and numbers are JSON");
        let text = URL_SAFE_NO_PAD.encode(json);
        let signature = self.sign(purpose, &text);
        (text, signature)
    }

    fn sign(&self, purpose: &str, text: &str) -> String {
        let key = self.secret.expose().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        for part in [purpose, ".", text] {
            mac.update(part.as_bytes());
        }
        base16ct::lower::encode_string(&mac.finalize().into_bytes())
    }
}

#[derive(Serialize)]
struct Request<'a> {
    jti: &'a str,
    iat: i64,
    exp: i64,
    return_to: &'a str,
    fresh: bool,
}

const REQUEST: &str = "lg_request";
const ANSWER: &str = "lg_answer";

/// Seconds for which an answer is good at most.
const MAX_AGE: i64 = 60;
