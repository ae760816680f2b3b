//! Signs, sends and reads rejections as Application Links do.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::{Context, anyhow};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response};
use percent_encoding::percent_decode;

use crate::clock::Clock;
use crate::demo::http::{self as peer, BaseString, Exchange, FORM, Pairs, value};
use crate::demo::random;
use crate::oauth::{
    Origin, RequestSigner, Secret, Token, TokenCredentials, TokenParameter, UnsignedRequest,
    authorization_header, encoding,
};

use super::{Bitbucket, DemoLink, MAX_REQUESTED};

#[derive(Clone, Copy, Debug)]
pub(crate) enum CallAs<'a> {
    Me,
    Application,
    /// A user named in the signed query (2LO with impersonation).
    Impersonate(&'a str),
}

/// A signed request; sent twice, it is twice the same bytes.
pub(crate) struct SignedCall {
    pub(crate) request: Request<String>,
    token: Option<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    /// It was rejected; the token is kept.
    Rejected,
    /// The token can never work again: it is dropped, and the user must connect again.
    TokenDropped,
    /// It failed without a problem that Bitbucket acts on; the token is kept.
    Unexpected,
}

pub(crate) struct TokenError {
    pub(crate) text: String,
    /// The parameters of the rejection; empty if there is no response, or one without them.
    pub(crate) pairs: Pairs,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Placement {
    Body,
    Header,
}

impl Bitbucket {
    pub(crate) fn connect_url(&self, link: &DemoLink) -> String {
        format!("{}{AUTHORIZE}?applicationLinkID={}", self.base.as_str(), link.id)
    }

    /// Where the browser returns. It has a query of its own.
    pub(crate) fn callback(&self, link: &DemoLink) -> String {
        format!("{}{ACCESS}?applicationLinkID={}", self.base.as_str(), link.id)
    }

    /// Obtains a request token (RFC 5849, section 2.1). Returns where the browser goes next; `?` is appended blindly.
    pub(crate) async fn authorize_url(&self, link: &DemoLink) -> Result<String, TokenError> {
        let callback = self.callback(link);
        let parameter = ("oauth_callback", callback.clone());
        let token = TokenParameter::Absent;
        let credentials = self.token_call(link, REQUEST_TOKEN, token, parameter).await?;
        let token = ("oauth_token", credentials.token.as_str());
        let query = encoding::form_body([token, ("oauth_callback", &callback)]);
        let requested = &mut link.tokens.lock().requested;
        requested.push_front(credentials);
        requested.truncate(MAX_REQUESTED);
        let linkgate = self.linkgate.as_str();
        Ok(format!("{linkgate}{}/authorize?{query}", link.endpoints))
    }

    /// Exchanges a request token for an access token (RFC 5849, section 2.3), which the link keeps.
    pub(crate) async fn exchange(
        &self,
        link: &DemoLink,
        requested: TokenCredentials,
        verifier: &str,
    ) -> Result<(), TokenError> {
        let parameter = ("oauth_verifier", verifier.to_owned());
        let token = TokenParameter::Token(requested);
        let credentials = self.token_call(link, ACCESS_TOKEN, token, parameter).await?;
        link.tokens.lock().access = Some(credentials);
        Ok(())
    }

    async fn token_call(
        &self,
        link: &DemoLink,
        (endpoint, title): (&str, &'static str),
        token: TokenParameter,
        (name, parameter): (&'static str, String),
    ) -> Result<TokenCredentials, TokenError> {
        let url = format!("{}{}/{endpoint}", self.linkgate.as_str(), link.endpoints);
        let request = UnsignedRequest::new(Method::POST, url).token(token);
        let request = request.parameter(name, parameter);
        let sent = match sign(&link.signer, &request, Placement::Body) {
            Ok(request) => peer::send(request).await,
            Err(error) => Err(error),
        };
        let (granted, exchanges) = match sent {
            Ok(exchange) => (granted(endpoint, &exchange.response), vec![exchange]),
            Err(error) => (Err(unusable(format!("{error:#}."))), Vec::new()),
        };
        let (outcome, summary) = match &granted {
            Ok(_) => (Outcome::Success, TOKEN_CALL.to_owned()),
            Err(error) if error.pairs.is_empty() => (Outcome::Unexpected, error.text.clone()),
            Err(error) => (Outcome::Rejected, error.text.clone()),
        };
        self.record(link, title, (outcome, summary, exchanges));
        granted
    }

    /// Signs a call of the application. A two-legged call has an empty `oauth_token`, and is signed with Bitbucket's own key.
    pub(crate) fn prepare(
        &self,
        link: &DemoLink,
        caller: CallAs<'_>,
        target: &str,
        form: &str,
    ) -> anyhow::Result<SignedCall> {
        let mut url = format!("{}{target}", self.linkgate.origin());
        let access = match caller {
            CallAs::Me => Some(link.access().context("the link is not connected")?),
            CallAs::Application => None,
            CallAs::Impersonate(user) => {
                url.push(if target.contains('?') { '&' } else { '?' });
                url.push_str(&encoding::form_body([("xoauth_requestor_id", user)]));
                None
            }
        };
        let token = access.as_ref().map(|access| access.token.clone());
        let signing = if access.is_some() {
            link
        } else {
            self.own_key_link()
        };
        let is_get = form.is_empty();
        let method = if is_get { Method::GET } else { Method::POST };
        let request = UnsignedRequest::new(method, url)
            .form(form.to_owned())
            .token(access.map_or(TokenParameter::Empty, TokenParameter::Token));
        let request = sign(&signing.signer, &request, Placement::Header)?;
        Ok(SignedCall { request, token })
    }

    /// Sends a call, and drops the token that was in it if the response demands that.
    pub(crate) async fn send(
        &self,
        link: &DemoLink,
        call: &SignedCall,
    ) -> anyhow::Result<(Exchange, Outcome)> {
        let exchange = peer::send(call.request.clone()).await?;
        let outcome = Outcome::of(&exchange.response);
        if let (Outcome::TokenDropped, Some(token)) = (outcome, &call.token) {
            link.drop_access(token);
        }
        Ok((exchange, outcome))
    }

    /// Calls as the user until the call is rejected: linkgate promises that a revocation is felt within a second.
    pub(crate) async fn call_until_rejected(&self, link: &DemoLink) -> anyhow::Result<(Exchange, Outcome)> {
        let mut tries = 0;
        loop {
            let call = self.prepare(link, CallAs::Me, "/api/me", "")?;
            let (exchange, outcome) = self.send(link, &call).await?;
            if outcome != Outcome::Success || tries == MAX_TRIES {
                return Ok((exchange, outcome));
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

pub(crate) fn sign(
    signer: &RequestSigner,
    request: &UnsignedRequest,
    placement: Placement,
) -> anyhow::Result<Request<String>> {
    let pairs = signer.sign(request, Clock::System.now(), &random())?;
    let (_signature, covered) = pairs.split_last().context("nothing was signed")?;
    let base_string = request.base_string(covered)?;
    let (origin, _) = Origin::split(&request.url).map_err(|why| anyhow!(why))?;
    let mut builder = Request::builder()
        .method(&request.method)
        .uri(&request.url)
        .header(HOST, origin.authority())
        .header(ACCEPT, "*/*")
        .extension(BaseString(base_string));
    let mut body = String::from_utf8_lossy(&request.form).into_owned();
    if let Placement::Body = placement {
        body = encoding::form_body(pairs);
    } else {
        builder = builder.header(AUTHORIZATION, authorization_header::authorization(pairs, None));
    }
    if !body.is_empty() {
        builder = builder.header(CONTENT_TYPE, FORM);
        builder = builder.header(CONTENT_LENGTH, body.len());
    }
    Ok(builder.body(body)?)
}

/// Reads a rejection: any status outside 200 to 399, and the parameters of the last challenge. `None` is a success.
pub(crate) fn rejection(response: &Response<String>) -> Option<Pairs> {
    if (200..400).contains(&response.status().as_u16()) {
        return None;
    }
    let challenges = response.headers().get_all(WWW_AUTHENTICATE);
    let last = challenges.iter().next_back();
    let last = last.map_or(&b""[..], HeaderValue::as_bytes);
    let credentials = authorization_header::credentials(&[last]).unwrap_or_default();
    let decode = |text: Cow<'_, [u8]>| percent_decode(&text).decode_utf8_lossy().into_owned();
    let pairs = authorization_header::parameters(credentials.unwrap_or_default()).flatten();
    Some(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
}

pub(crate) fn problem_of(pairs: &[(String, String)]) -> &str {
    value(pairs, "oauth_problem").unwrap_or_default()
}

fn granted(endpoint: &str, response: &Response<String>) -> Result<TokenCredentials, TokenError> {
    if let Some(pairs) = rejection(response) {
        let text = format!("{}: {}.", response.status(), problem_of(&pairs));
        return Err(TokenError { text, pairs });
    }
    let pairs = peer::parse_form(response.body());
    let field = |name: &str| value(&pairs, name).ok_or_else(|| unusable(format!("There is no {name}.")));
    if endpoint == "request-token" && field("oauth_callback_confirmed")? != "true" {
        return Err(unusable("oauth_callback_confirmed is not exactly true."));
    }
    let token = Token::parse(field("oauth_token")?);
    Ok(TokenCredentials {
        token: token.ok_or_else(|| unusable("The token is malformed."))?,
        secret: Secret::new(field("oauth_token_secret")?),
    })
}

fn unusable(text: impl Into<String>) -> TokenError {
    let (text, pairs) = (text.into(), Pairs::new());
    TokenError { text, pairs }
}

impl Outcome {
    /// What Bitbucket does after a call: three problems cost it the token, with any status.
    pub(crate) fn of(response: &Response<String>) -> Self {
        match rejection(response).as_deref().map(problem_of) {
            None => Self::Success,
            Some("token_expired" | "token_rejected" | "token_revoked") => Self::TokenDropped,
            Some("" | "timestamp_refused") => Self::Unexpected,
            Some(_) => Self::Rejected,
        }
    }

    /// A word for it, and its class in the style sheet.
    pub(crate) const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::Success => ("done", "good"),
            Self::Rejected => ("rejected", "refused"),
            Self::TokenDropped => ("token dropped", "refused"),
            Self::Unexpected => ("unexpected", "wrong"),
        }
    }
}

pub(crate) const AUTHORIZE: &str = "/plugins/servlet/applinks/oauth/login-dance/authorize";
pub(crate) const ACCESS: &str = "/plugins/servlet/applinks/oauth/login-dance/access";

const REQUEST_TOKEN: (&str, &str) = ("request-token", "Ask for a request token");
const ACCESS_TOKEN: (&str, &str) = ("access-token", "Exchange it for an access token");
const TOKEN_CALL: &str = "All parameters are in the form body, without an Authorization field.";
const PAUSE: Duration = Duration::from_millis(200);
const MAX_TRIES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, challenges: &[&str]) -> Outcome {
        let mut response = Response::builder().status(status);
        for challenge in challenges {
            response = response.header(WWW_AUTHENTICATE, *challenge);
        }
        Outcome::of(&response.body(String::new()).unwrap())
    }

    #[test]
    fn a_request_token_is_used_only_with_a_confirmed_callback() {
        for (confirmed, is_granted) in [("true", true), ("TRUE", false), ("1", false), ("", false)] {
            let body = format!("oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed={confirmed}");
            let granted = granted(REQUEST_TOKEN.0, &Response::new(body));
            assert_eq!(granted.is_ok(), is_granted, "{confirmed}");
        }
    }

    #[test]
    fn three_problems_cost_the_token_whatever_the_status_and_the_last_challenge_counts() {
        let challenge = |problem: &str| format!(r#"OAuth realm="r%2C", oauth_problem="{problem}""#);
        for problem in ["token_expired", "token_rejected", "token_revoked"] {
            assert_eq!(outcome(401, &[&challenge(problem)]), Outcome::TokenDropped);
            assert_eq!(outcome(503, &[&challenge(problem)]), Outcome::TokenDropped);
            let several = [&*challenge(problem), &challenge("nonce_used")];
            assert_eq!(outcome(401, &several), Outcome::Rejected);
        }
        let clock = challenge("timestamp_refused");
        assert_eq!(outcome(400, &[&clock]), Outcome::Unexpected);
        assert_eq!(outcome(500, &[]), Outcome::Unexpected);
        assert_eq!(outcome(399, &[]), Outcome::Success);
    }
}
