//! The application is asked whose cookies the browser has: its own session is the login, and it stays unmodified.

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::http::client::{Connector, HttpClientError};
use crate::model::{User, UserStatus};
use crate::oauth::{Timestamp, encoding};
use crate::setting::{self, FromFile, deserialize_text, duration, seconds};
use crate::tls::{Roots, RootsError};

use super::http::{connector, help, send};
use super::{
    Check, HttpUrl, Method, SignInError, UNKNOWN_ENCODING, UserLookup, UserLookupUrl, decode_display_name,
    decode_name, is_user_name, user,
};

/// `[login.probe]`: how the application is asked.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeConfig {
    pub url: HttpUrl,
    #[serde(deserialize_with = "cookie_names")]
    pub cookies: Vec<String>,
    pub user_pointer: JsonPointer,
    pub display_pointer: Option<JsonPointer>,
    #[serde(default)]
    pub reject: Vec<Reject>,
    #[serde(deserialize_with = "login_url")]
    pub login_url: String,
    pub logout_url: Option<HttpUrl>,
    pub ca_file: Option<FromFile<Roots>>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<3>", deserialize_with = "duration")]
    pub timeout: Duration,
    pub user_lookup_url: Option<UserLookupUrl>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<2>", deserialize_with = "duration")]
    pub user_lookup_timeout: Duration,
}

/// A response that means an anonymous session: a JSON pointer, and the value there.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    pub pointer: JsonPointer,
    #[serde(deserialize_with = "plain_value")]
    pub equals: Json,
}

/// A JSON pointer (RFC 6901) below the root.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPointer(pub String);

deserialize_text! {
    JsonPointer = |text| {
        let fits = text.starts_with('/').then(|| Self(text.to_owned()));
        fits.ok_or_else(|| format!("write a JSON pointer, which begins with a slash: \"/{text}\""))
    };
}

/// A cookie's name is a token (RFC 6265, section 4.1.1).
fn cookie_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct CookieName(String);
    deserialize_text! {
        CookieName = |text| {
            let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
            let (beginning, has_star) = text.strip_suffix('*').map_or((text, false), |beginning| (beginning, true));
            if beginning.is_empty() || !beginning.bytes().all(is_token) || beginning.contains('*') {
                return Err("write the cookie's name alone: \"session\", or with a star at its end: \"JSESSIONID.*\"");
            }
            let is_own = |own: &str| own.starts_with(beginning) || beginning.starts_with(own);
            if has_star && ["linkgate-", "__Host-linkgate-"].into_iter().any(is_own) {
                return Err("write more of the name: linkgate's own cookies begin in the same way");
            }
            Ok(Self(text.to_owned()))
        };
    }
    let names = Vec::<CookieName>::deserialize(deserializer)?;
    if names.is_empty() {
        let why = "the list is empty\nwrite the names of the application's session cookies";
        return Err(D::Error::custom(why));
    }
    Ok(names.into_iter().map(|CookieName(name)| name).collect())
}

fn plain_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
    let value = Json::deserialize(deserializer)?;
    if value.is_string() || value.is_boolean() || value.is_i64() {
        return Ok(value);
    }
    let why = "this is not a plain value\nwrite a text, a whole number, true or false";
    Err(D::Error::custom(why))
}

fn login_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    setting::text(deserializer, |text| {
        if text.matches("{return_to}").count() != 1 {
            return Err(
                "put {return_to} once where the application expects the way back: \
                        \"https://builds.example.com/login?from={return_to}\"",
            );
        }
        HttpUrl::parse(&text.replace("{return_to}", "x")).map(|_| text.to_owned())
    })
}

/// Asks the application.
#[derive(Debug)]
pub struct Probe {
    pub(super) config: ProbeConfig,
    http: Connector,
    user_lookup: Option<UserLookup>,
}

/// What a response of the application means.
#[derive(Debug, PartialEq)]
enum Session {
    /// Of a user, with a display name.
    User(String, Option<String>),
    /// Of no user, with the reason.
    Anonymous(String),
}

impl Probe {
    /// Takes the configuration. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, and one of the URLs needs them.
    pub fn new(config: ProbeConfig) -> Result<Self, RootsError> {
        let connector = |url: &str, timeout| connector(url, config.ca_file.as_ref(), timeout);
        let user_lookup = config.user_lookup_url.clone().map(|url| {
            let http = connector(url.as_str(), config.user_lookup_timeout)?;
            Ok(UserLookup::new(url, http))
        });
        Ok(Self {
            http: connector(config.url.as_str(), config.timeout)?,
            user_lookup: user_lookup.transpose()?,
            config,
        })
    }

    /// Identifies the user of a request by its cookies; `None` if it is anonymous.
    ///
    /// # Errors
    ///
    /// The application does not respond, or with something else than JSON with a name.
    pub async fn identify(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<User>, SignInError> {
        let Some(cookies) = self.cookies(headers) else {
            return Ok(None);
        };
        let asked = "the application was asked who this is";
        let response = self.request(Some(cookies)).await;
        let response = response.map_err(|error| SignInError::Unavailable(format!("{asked}: {error}")))?;
        let session = self.session(&response);
        let session = session.map_err(|error| SignInError::Unavailable(format!("{asked}, and {error}")))?;
        Ok(match session {
            Session::User(name, display_name) => Some(user(Method::Probe, name, display_name, now)),
            Session::Anonymous(_) => None,
        })
    }

    /// The application's page where a browser signs in and returns to this URL.
    pub fn login_url(&self, return_to: &str) -> String {
        let return_to = encoding::encode(return_to);
        self.config.login_url.replace("{return_to}", &return_to)
    }

    /// Returns whether a user exists, if there is a `user_lookup_url`.
    pub async fn user_status(&self, subject: &str) -> UserStatus {
        match &self.user_lookup {
            Some(lookup) => lookup.user_status(subject).await,
            None => UserStatus::Unknown,
        }
    }

    /// Asks the application without a cookie, and with this one.
    pub async fn diagnose(&self, cookie: Option<HeaderValue>) -> Vec<Check> {
        let mut checks = vec![self.check(None).await];
        if checks[0].help.is_none() {
            let left_out =
                "left out: give one of a signed-in browser with --cookie NAME=VALUE or --cookie-file FILE";
            checks.push(match cookie {
                Some(_) => self.check(cookie).await,
                None => Check::ok("ask with a cookie", left_out),
            });
        }
        let example = self.login_url("https://linkgate.example/oauth/login");
        checks.push(Check::ok("where a browser signs in", example));
        checks
    }

    async fn check(&self, cookie: Option<HeaderValue>) -> Check {
        let has_cookie = cookie.is_some();
        let with = if has_cookie { "with the" } else { "without a" };
        let check = format!("ask {} {with} cookie", self.config.url.as_str());
        let response = match self.request(cookie).await {
            Ok(response) => response,
            Err(error) => {
                let seen = format!("the application was asked who this is: {error}");
                return Check::new(check, seen, Some(help(&error)));
            }
        };
        let kind = field(&response, CONTENT_TYPE).unwrap_or_else(|| "no content type".to_owned());
        let session = self.session(&response);
        let meaning = match &session {
            Ok(session) => session.to_string(),
            Err(error) => format!("the application {error}"),
        };
        let seen = format!(
            "{}, {kind}, {} bytes: {meaning}",
            response.status(),
            response.body().len()
        );
        let help = match (session, has_cookie) {
            (Ok(Session::User(..)), true) | (Ok(Session::Anonymous(_)), false) => None,
            (Ok(Session::User(..)), false) => Some(
                "add what distinguishes an anonymous response to login.probe.reject, or every browser is this user",
            ),
            (Ok(Session::Anonymous(_)), true) => Some(
                "is the cookie's session still good, and is its name in login.probe.cookies? Do user_pointer and reject fit the answer?",
            ),
            (Err(_), _) => Some(
                "login.probe.url must answer 200 with JSON to a session, and otherwise 401 or something for login.probe.reject",
            ),
        };
        Check::new(check, seen, help)
    }

    /// Sends the probe, with these cookies and nothing else of the browser's.
    async fn request(&self, cookies: Option<HeaderValue>) -> Result<Response<Vec<u8>>, HttpClientError> {
        let request = Request::get(self.config.url.as_str()).header(ACCEPT, "application/json");
        let mut request = request.body(Vec::new()).expect("the URL was parsed before");
        request
            .headers_mut()
            .extend(cookies.map(|cookies| (COOKIE, cookies)));
        send(&self.http, request).await
    }

    /// Interprets a response. The error continues a sentence about the application.
    fn session(&self, response: &Response<Vec<u8>>) -> Result<Session, String> {
        match response.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Ok(Session::Anonymous(format!("the status is {status}")));
            }
            status if status.is_redirection() => {
                let location = field(response, LOCATION).unwrap_or_default();
                return Err(format!(
                    "redirects (to {location:?}): choose a URL that answers JSON, with 401 for nobody"
                ));
            }
            status => return Err(format!("answers {status}")),
        }
        let kind = field(response, CONTENT_TYPE).unwrap_or_default();
        let json = is_json(&kind).then(|| serde_json::from_slice::<Json>(response.body()));
        let Some(Ok(json)) = json else {
            return Err(format!("answers {kind:?} where JSON belongs"));
        };
        let applies = |rule: &&Reject| json.pointer(&rule.pointer.0) == Some(&rule.equals);
        if let Some(Reject { pointer, equals }) = self.config.reject.iter().find(applies) {
            let reason = format!("rejected because {} is {equals}", pointer.0);
            return Ok(Session::Anonymous(reason));
        }
        let Some(subject) = name_at(&json, &self.config.user_pointer)? else {
            return Ok(Session::Anonymous("there is nothing at user_pointer".to_owned()));
        };
        let Some(subject) = decode_name(&subject) else {
            let pointer = &self.config.user_pointer.0;
            return Err(format!("its name at {pointer} {UNKNOWN_ENCODING}"));
        };
        let display_name = self.config.display_pointer.as_ref();
        let display_name = display_name.and_then(|pointer| name_at(&json, pointer).ok().flatten());
        Ok(Session::User(subject, display_name.map(decode_display_name)))
    }

    /// The configured cookies of a browser as one field, byte for byte; `None` if it has none of them.
    fn cookies(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let fields = headers.get_all(COOKIE).iter();
        let fields = fields.filter_map(|field| field.to_str().ok());
        let pairs = fields.flat_map(|field| field.split(';')).map(str::trim);
        let is_configured = |pair: &&str| {
            let name = pair.split_once('=').map_or("", |(name, _)| name);
            let mut configured = self.config.cookies.iter();
            configured.any(|configured| match configured.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => configured == name,
            })
        };
        let pairs: Vec<_> = pairs.filter(is_configured).collect();
        let mut field = HeaderValue::try_from(pairs.join("; ")).ok()?;
        field.set_sensitive(true);
        (!pairs.is_empty()).then_some(field)
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(subject, display_name) => {
                let display_name = display_name.as_ref().unwrap_or(subject);
                write!(f, "{subject:?}, shown as {display_name:?}")
            }
            Self::Anonymous(reason) => write!(f, "nobody: {reason}"),
        }
    }
}

fn field(response: &Response<Vec<u8>>, name: http::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// `application/json`, `application/problem+json`, with or without parameters.
fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

/// A name in a response; `None` if it is absent, null, false or empty, as applications represent an anonymous session.
fn name_at(json: &Json, pointer: &JsonPointer) -> Result<Option<String>, String> {
    let name = match json.pointer(&pointer.0) {
        None | Some(Json::Null | Json::Bool(false)) => return Ok(None),
        Some(Json::String(text)) if text.is_empty() => return Ok(None),
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Number(number)) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Some(_) => None,
    };
    let name = name.filter(|name| is_user_name(name)).ok_or_else(|| {
        let pointer = &pointer.0;
        format!("the value at {pointer} is no name: a text or a whole number of at most 255 characters")
    })?;
    Ok(Some(name))
}
