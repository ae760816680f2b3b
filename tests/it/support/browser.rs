//! A browser, played: cookies and forms, one request at a time. It follows a redirect only when it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::call::{Credentials, encode};
use super::raw::{Request, Response, decode};

/// A browser with its cookies.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    to: SocketAddr,
    through: Option<&'static str>,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// A form of a page, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self {
            to,
            through: None,
            cookies: BTreeMap::new(),
        }
    }

    /// The same behind proxies, which say so in `X-Forwarded-For`.
    pub(crate) fn through(self, proxies: &'static str) -> Self {
        Self {
            through: Some(proxies),
            ..self
        }
    }

    pub(crate) async fn get(&mut self, target: &str) -> Response {
        self.send(Request::get(target).header("Accept", "text/html"))
            .await
    }

    pub(crate) async fn submit(&mut self, form: &Form) -> Response {
        let post = Request::post(form.action.as_str())
            .header("Sec-Fetch-Site", "same-origin")
            .form(form.body());
        self.send(post).await
    }

    /// Sends a request with the cookies, and keeps those of the answer.
    pub(crate) async fn send(&mut self, mut request: Request) -> Response {
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("Cookie", cookies.join("; "));
        }
        if let Some(proxies) = self.through {
            request = request.header("X-Forwarded-For", proxies);
        }
        let answer = request.send(self.to).await;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Signs in on the page that asks for a password.
    pub(crate) async fn sign_in_on(&mut self, page: &Response, user: &str) -> Response {
        let form = Form::of(page, "password")
            .expect("the page asks for a password")
            .with("username", user)
            .with("password", &format!("{user}-password"));
        let answer = self.submit(&form).await;
        assert_eq!(answer.status, 303, "{user} is signed in: {answer:?}");
        answer
    }

    /// Signs in.
    pub(crate) async fn sign_in(&mut self, user: &str) {
        let page = self.get("/oauth/login").await;
        self.sign_in_on(&page, user).await;
    }

    /// The question of a request token, as a user sees it who signs in when asked to.
    pub(crate) async fn question(&mut self, token: &Credentials, user: &str) -> Response {
        let mut page = self.get(&question(token)).await;
        if page.status == 303 && location(&page).starts_with("/oauth/login") {
            page = self.get(location(&page)).await;
            let there = self.sign_in_on(&page, user).await;
            page = self.get(location(&there)).await;
        }
        page
    }

    /// Answers the question with one of its buttons.
    pub(crate) async fn decide(&mut self, token: &Credentials, user: &str, button: &str) -> Response {
        let page = self.question(token, user).await;
        let form = Form::of(&page, button).unwrap_or_else(|| panic!("no {button}: {page:?}"));
        self.submit(&form.pressing(button)).await
    }

    /// The user says yes; the verifier that the browser carries to the consumer.
    pub(crate) async fn approve(&mut self, token: &Credentials, user: &str) -> String {
        let answer = self.decide(token, user, "approve").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        verifier(&answer)
    }

    /// The user says no.
    pub(crate) async fn deny(&mut self, token: &Credentials, user: &str) -> Response {
        self.decide(token, user, "deny").await
    }
}

impl Form {
    /// The form of a page that has a field or button of this name.
    pub(crate) fn of(page: &Response, name: &str) -> Option<Self> {
        let forms = page.body.split("<form").skip(1);
        let mut forms = forms.map(|form| form.split_once("</form").map_or(form, |(form, _)| form));
        let form = forms.find(|form| form.contains(&format!(" name=\"{name}\"")))?;
        let inputs = form.split("<input").skip(1).map(|input| {
            let tag = input.split_once('>').map_or(input, |(tag, _)| tag);
            (
                attribute(tag, "name").unwrap_or_default(),
                attribute(tag, "value").unwrap_or_default(),
            )
        });
        Some(Self {
            action: attribute(form, "action")?,
            fields: inputs.collect(),
        })
    }

    /// The form with another value in a field, or with one more field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(given, _)| given == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(given, _)| given != name);
        self
    }

    pub(crate) fn pressing(self, button: &str) -> Self {
        self.with(button, button)
    }

    pub(crate) fn body(&self) -> String {
        let pairs = self.fields.iter();
        pairs
            .map(|(name, value)| format!("{}={}", encode(name.as_bytes()), encode(value.as_bytes())))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// Where the question of a request token stands.
pub(crate) fn question(token: &Credentials) -> String {
    format!("/oauth/authorize?oauth_token={}", encode(token.token.as_bytes()))
}

/// Where a redirect leads.
pub(crate) fn location(answer: &Response) -> &str {
    answer.header("location").expect("a redirect")
}

/// The code that a page without a callback shows, in groups of four.
#[track_caller]
pub(crate) fn code(page: &Response) -> String {
    let (_, rest) = page.body.split_once("<code>").expect("a page with a code");
    let (groups, _) = rest.split_once("</code>").unwrap();
    groups.replace("<span>", "").replace("</span><wbr>", "")
}

/// The verifier in a redirect to a callback.
pub(crate) fn verifier(answer: &Response) -> String {
    let (_, verifier) = location(answer)
        .split_once("oauth_verifier=")
        .expect("a verifier");
    decode(verifier)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = after.split_once('"')?;
    let unescaped = [("&#38;", "&"), ("&#34;", "\""), ("&#60;", "<"), ("&#62;", ">")]
        .iter()
        .fold(value.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(unescaped)
}
