//! The application is asked whom the browser's cookies belong to: its own session is the login, and it stays unmodified.

use std::fmt;

use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use serde_json::Value as Json;

use crate::http::client::{Connector, HttpClientError};
use crate::model::User;
use crate::oauth::{Timestamp, encoding};
use crate::tls::RootsError;

use super::config::{HttpUrl, ProbeConfig, Reject};
use super::{Arriving, UserLookup, is_name, send};

/// Asks the application.
#[derive(Debug)]
pub struct Probe {
    config: ProbeConfig,
    url: Uri,
    http: Connector,
    /// Says whether a user exists.
    pub user_lookup: Option<UserLookup>,
}

/// Why the application's answer says nothing about who is there.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFault {
    /// There is none.
    #[error("the application was asked who this is: {0}")]
    Http(#[from] HttpClientError),
    /// It sends the browser elsewhere.
    #[error(
        "the application was asked who this is, and redirects (to {0:?}): choose a URL that answers JSON, with 401 for nobody"
    )]
    Redirect(String),
    /// It is an error.
    #[error("the application was asked who this is, and answers {0}")]
    Status(StatusCode),
    /// It is a page, or nothing at all.
    #[error("the application was asked who this is, and answers {0:?} where JSON belongs")]
    NotJson(String),
    /// It names somebody who cannot be named.
    #[error(
        "the application was asked who this is, and the value at {0} is no name: a text or a whole number of at most 255 characters"
    )]
    NotAName(String),
}

/// What an answer means, and why: `linkgate doctor login` shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// This user.
    Somebody {
        /// The name for the application.
        subject: String,
        /// The name for people.
        display_name: String,
    },
    /// Nobody: the status says so.
    Unauthorized(StatusCode),
    /// Nobody: a rule of `reject` says so.
    Rejected(Reject),
    /// Nobody: there is nothing where the name would be.
    NothingThere,
}

impl Probe {
    /// Takes the configuration. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// The operating system has no trust roots, and one of the URLs needs them.
    pub fn new(config: ProbeConfig) -> Result<Self, RootsError> {
        let connector = |url, timeout| super::connector(url, config.ca_file.as_ref(), timeout);
        let lookup = config.user_lookup_url.as_deref();
        let lookup = lookup.map(|url| {
            let Connector { tls, timeout, .. } = connector(url, config.user_lookup_timeout)?;
            Ok(UserLookup::new(url, timeout, tls).ok())
        });
        Ok(Self {
            url: config.url.to_uri(),
            http: connector(config.url.as_str(), config.timeout)?,
            user_lookup: lookup.transpose()?.flatten(),
            config,
        })
    }

    /// Where the application is asked.
    pub const fn url(&self) -> &Uri {
        &self.url
    }

    /// Where a browser signs out.
    pub fn logout_url(&self) -> Option<&str> {
        self.config.logout_url.as_ref().map(HttpUrl::as_str)
    }

    /// Asks who is there.
    pub async fn recognise(&self, arriving: Arriving<'_>) -> Result<Option<User>, ProbeFault> {
        let Some(cookies) = self.shown(arriving.headers) else {
            return Ok(None);
        };
        let answer = self.ask(Some(cookies)).await?;
        Ok(self.judge(&answer)?.into_user(arriving.at))
    }

    /// Where a browser signs in that will come back to this URL.
    pub fn sign_in_at(&self, back: &str) -> String {
        self.config
            .login_url
            .replace("{return_to}", &encoding::encode(back))
    }

    /// Sends the question, with these cookies and nothing else of the browser's.
    pub async fn ask(&self, cookies: Option<HeaderValue>) -> Result<Response<Vec<u8>>, ProbeFault> {
        let mut request = Request::new(Vec::new());
        *request.uri_mut() = self.url.clone();
        let fields = request.headers_mut();
        fields.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(cookies) = cookies {
            fields.insert(COOKIE, cookies);
        }
        Ok(send(&self.http, request).await?)
    }

    /// Reads an answer.
    pub fn judge(&self, answer: &Response<Vec<u8>>) -> Result<Meaning, ProbeFault> {
        let field = |name| {
            let value: Option<&HeaderValue> = answer.headers().get(name);
            value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        match answer.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Ok(Meaning::Unauthorized(status));
            }
            status if status.is_redirection() => {
                return Err(ProbeFault::Redirect(field(LOCATION).unwrap_or_default()));
            }
            status => return Err(ProbeFault::Status(status)),
        }
        let kind = field(CONTENT_TYPE).unwrap_or_default();
        let json = is_json(&kind).then(|| serde_json::from_slice::<Json>(answer.body()));
        let Some(Ok(json)) = json else {
            return Err(ProbeFault::NotJson(kind));
        };
        let hit = |rule: &&Reject| json.pointer(rule.pointer.as_str()) == Some(&rule.equals);
        if let Some(rule) = self.config.reject.iter().find(hit) {
            return Ok(Meaning::Rejected(rule.clone()));
        }
        let Some(subject) = text_at(&json, self.config.user_pointer.as_str())? else {
            return Ok(Meaning::NothingThere);
        };
        let shown = self.config.display_pointer.as_ref();
        let shown = shown.and_then(|pointer| text_at(&json, pointer.as_str()).ok().flatten());
        Ok(Meaning::Somebody {
            display_name: shown.unwrap_or_else(|| subject.clone()),
            subject,
        })
    }

    /// The cookies of a browser that the application is shown, as one field. `None`: it has none of them.
    fn shown(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut shown: Vec<&str> = Vec::new();
        let fields = headers.get_all(COOKIE).iter();
        for pair in fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'))
        {
            let pair = pair.trim();
            if pair
                .split_once('=')
                .is_some_and(|(name, _)| self.config.cookies.iter().any(|known| known == name))
            {
                shown.push(pair);
            }
        }
        let mut field = HeaderValue::try_from(shown.join("; ")).ok()?;
        field.set_sensitive(true);
        (!shown.is_empty()).then_some(field)
    }
}

impl Meaning {
    fn into_user(self, at: Timestamp) -> Option<User> {
        match self {
            Self::Somebody {
                subject,
                display_name,
            } => Some(User {
                subject,
                display_name,
                proved_by: "probe".to_owned(),
                proved_at: at,
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Somebody {
                subject,
                display_name,
            } => write!(f, "{subject:?}, shown as {display_name:?}"),
            Self::Unauthorized(status) => write!(f, "nobody: the status is {status}"),
            Self::Rejected(rule) => {
                write!(
                    f,
                    "nobody: reject says so, {} is {}",
                    rule.pointer.as_str(),
                    rule.equals
                )
            }
            Self::NothingThere => f.write_str("nobody: there is nothing at user_pointer"),
        }
    }
}

/// `application/json`, `application/problem+json`, with or without parameters.
fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

/// A name in the answer; `None` when it is absent, null, false or empty, as applications put it when nobody is there.
fn text_at(json: &Json, pointer: &str) -> Result<Option<String>, ProbeFault> {
    let text = match json.pointer(pointer) {
        None | Some(Json::Null | Json::Bool(false)) => return Ok(None),
        Some(Json::String(text)) if text.is_empty() => return Ok(None),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(_) => return Err(ProbeFault::NotAName(pointer.to_owned())),
    };
    if is_name(&text) {
        Ok(Some(text))
    } else {
        Err(ProbeFault::NotAName(pointer.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> Probe {
        let config = r#"
            url = "http://127.0.0.1:9/me"
            cookies = ["session", "remember"]
            user_pointer = "/name"
            display_pointer = "/full/name"
            reject = [{ pointer = "/anonymous", equals = true }]
            login_url = "https://app.example/login?next={return_to}"
        "#;
        Probe::new(toml::from_str(config).unwrap()).unwrap()
    }

    fn answer(status: u16, kind: &str, body: &str) -> Result<Meaning, String> {
        let answer = Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("location", "/login")
            .body(body.as_bytes().to_vec())
            .unwrap();
        probe().judge(&answer).map_err(|fault| fault.to_string())
    }

    #[test]
    fn only_a_name_in_json_is_somebody() {
        let somebody = |subject: &str, display_name: &str| {
            Ok(Meaning::Somebody {
                subject: subject.to_owned(),
                display_name: display_name.to_owned(),
            })
        };
        let json = "application/json; charset=utf-8";
        assert_eq!(
            answer(200, json, r#"{"name":"alice"}"#),
            somebody("alice", "alice")
        );
        assert_eq!(
            answer(
                200,
                json,
                r#"{"name":"alice","full":{"name":"Alice E."},"anonymous":false}"#
            ),
            somebody("alice", "Alice E.")
        );
        assert_eq!(
            answer(200, "application/hal+json", r#"{"name":17}"#),
            somebody("17", "17")
        );
        for nobody in [r#"{"name":""}"#, r#"{"name":null}"#, "{}", "[]", "null", "7"] {
            assert_eq!(answer(200, json, nobody), Ok(Meaning::NothingThere), "{nobody}");
        }
        let anonymous = answer(200, json, r#"{"name":"anonymous","anonymous":true}"#);
        assert_eq!(anonymous, Ok(Meaning::Rejected(probe().config.reject[0].clone())));
        for status in [401, 403] {
            assert!(matches!(
                answer(status, "text/html", "<h1>Who?</h1>"),
                Ok(Meaning::Unauthorized(_))
            ));
        }
    }

    #[test]
    fn everything_else_is_a_fault() {
        let json = "application/json";
        for (status, kind, body, says) in [
            (500, json, r#"{"name":"alice"}"#, "answers 500"),
            (201, json, r#"{"name":"alice"}"#, "answers 201"),
            (404, json, r#"{"name":"alice"}"#, "answers 404"),
            (302, json, r#"{"name":"alice"}"#, "redirects (to \"/login\")"),
            (200, "text/html", r#"{"name":"alice"}"#, "answers \"text/html\""),
            (200, json, "<html>", "where JSON belongs"),
            (200, json, r#"{"name":{"a":1}}"#, "the value at /name is no name"),
            (200, json, r#"{"name":true}"#, "the value at /name is no name"),
            (
                200,
                json,
                r#"{"name":"a\u0000b"}"#,
                "the value at /name is no name",
            ),
        ] {
            let said = answer(status, kind, body).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn only_the_named_cookies_are_shown() {
        let shown = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, HeaderValue::from_static(field));
            }
            let shown = probe().shown(&headers);
            shown.map(|field| field.to_str().unwrap().to_owned())
        };
        assert_eq!(
            shown(&["a=1; session=s; linkgate-session=x", "remember=r=r; b=2"]).as_deref(),
            Some("session=s; remember=r=r")
        );
        assert_eq!(shown(&["a=1; Session=s; session", "xsession=1"]), None);
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn the_way_back_is_one_value_of_the_way_in() {
        assert_eq!(
            probe().sign_in_at("https://h/oauth/login?return_to=%2Fa&b=c"),
            "https://app.example/login?next=https%3A%2F%2Fh%2Foauth%2Flogin%3Freturn_to%3D%252Fa%26b%3Dc"
        );
    }
}
