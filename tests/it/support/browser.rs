//! A browser, played: cookies and forms, one request at a time. It follows a redirect only when it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use linkgate::oauth::Token;

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
        let request = form.request().header("Sec-Fetch-Site", "same-origin");
        self.send(request).await
    }

    /// Opens a page, and goes wherever that leads on this site.
    pub(crate) async fn follow(&mut self, target: &str) -> Response {
        let mut answer = self.get(target).await;
        for _ in 0..5 {
            let Some(there) = answer.header("location").filter(|there| there.starts_with('/')) else {
                return answer;
            };
            answer = self.get(there).await;
        }
        panic!("in circles: {answer:?}");
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
        for cookie in answer.set_cookies() {
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
        let answer = self.submit(&Form::login(page, user)).await;
        assert_eq!(answer.status, 303, "{user} is signed in: {answer:?}");
        answer
    }

    /// Signs in.
    pub(crate) async fn sign_in(&mut self, user: &str) {
        let page = self.get("/oauth/login").await;
        self.sign_in_on(&page, user).await;
    }

    /// Opens the login page, and fills it in.
    pub(crate) async fn log_in(&mut self, return_to: &str, user: &str, password: &str) -> Response {
        let page = self
            .get(&format!("/oauth/login?return_to={}", encode(return_to)))
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        let form = Form::at(&page, "/oauth/login").with("username", user);
        self.submit(&form.with("password", password)).await
    }

    /// Signs out, and in again.
    pub(crate) async fn sign_in_again(&mut self, user: &str) {
        let page = self.get("/oauth/login").await;
        let answer = self.submit(&Form::at(&page, "/oauth/logout")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.sign_in(user).await;
    }

    /// The form of the approval page, for a user who is signed in.
    pub(crate) async fn approval(&mut self, token: &(impl AsToken + ?Sized)) -> Form {
        let page = self.get(&question(token)).await;
        assert_eq!(page.status, 200, "{page:?}");
        Form::at(&page, AUTHORIZE)
    }

    /// Opens the approval page, and presses a button.
    pub(crate) async fn press(&mut self, button: &str, token: &(impl AsToken + ?Sized)) -> Response {
        let form = self.approval(token).await.pressing(button);
        self.submit(&form).await
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
        Self::find(page, &format!(" name=\"{name}\""))
    }

    /// The form of a page that is sent to this path.
    #[track_caller]
    pub(crate) fn at(page: &Response, action: &str) -> Self {
        let form = Self::find(page, &format!("method=\"post\" action=\"{action}\""));
        form.unwrap_or_else(|| panic!("no form {action}: {page:?}"))
    }

    /// The login form of a page, filled in by a user.
    #[track_caller]
    pub(crate) fn login(page: &Response, user: &str) -> Self {
        let form = Self::of(page, "password").expect("the page asks for a password");
        let password = format!("{user}-password");
        form.with("username", user).with("password", &password)
    }

    fn find(page: &Response, part: &str) -> Option<Self> {
        let forms = page.body.split("<form").skip(1);
        let mut forms = forms.map(|form| form.split_once("</form").map_or(form, |(form, _)| form));
        let form = forms.find(|form| form.contains(part))?;
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

    /// The form as a request that does not tell where it comes from.
    pub(crate) fn request(&self) -> Request {
        Request::post(self.action.as_str()).form(self.body())
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        &self.fields.iter().find(|(given, _)| given == name).unwrap().1
    }

    /// The form with another value in a field, or with one more field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(given, _)| given == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// The form with a field more, whether it has one of this name or not.
    pub(crate) fn again(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The form, sent to another path.
    pub(crate) fn sent_to(self, path: &str) -> Self {
        let action = path.to_owned();
        Self { action, ..self }
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

/// The address of the approval page of a request token.
pub(crate) fn question(token: &(impl AsToken + ?Sized)) -> String {
    format!("{AUTHORIZE}?oauth_token={}", encode(token.as_token()))
}

/// What names a request token.
pub(crate) trait AsToken {
    fn as_token(&self) -> &str;
}

impl AsToken for str {
    fn as_token(&self) -> &str {
        self
    }
}

impl AsToken for Token {
    fn as_token(&self) -> &str {
        self.as_str()
    }
}

impl AsToken for Credentials {
    fn as_token(&self) -> &str {
        &self.token
    }
}

/// Asserts that an answer is a page with this status and title, and leads nowhere.
#[track_caller]
pub(crate) fn assert_notice(response: &Response, status: u16, title: &str) {
    response.assert(status, "location", None);
    let heading = response.body.split("<h1>").nth(1);
    let heading = heading.and_then(|rest| rest.split("</h1>").next());
    let heading = heading.unwrap_or_default().replace("<bdi>", "");
    assert_eq!(heading.replace("</bdi>", ""), title, "{response:?}");
    let reference = response.body.split("Reference <code>").nth(1);
    let reference = reference.and_then(|rest| rest.get(..9)).unwrap_or_default();
    assert_eq!(reference.matches('-').count(), 1, "{response:?}");
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

/// The path of the approval page.
pub(crate) const AUTHORIZE: &str = "/oauth/authorize";
