//! A browser: it keeps cookies, sends what forms hold, and follows nothing by itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::support::{Request, Response};

/// A browser with its cookies.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    address: SocketAddr,
}

impl Browser {
    /// A browser without cookies.
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self {
            cookies: BTreeMap::new(),
            address,
        }
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, target: &str) -> Response {
        self.send(Request::get(target)).await
    }

    /// Opens a page, and goes wherever that leads on this site.
    pub(crate) async fn follow(&mut self, target: &str) -> Response {
        let mut answer = self.get(target).await;
        for _ in 0..5 {
            let Some(there) = answer.header("location").filter(|there| there.starts_with('/')) else {
                return answer;
            };
            let there = there.to_owned();
            answer = self.get(&there).await;
        }
        panic!("in circles: {answer:?}");
    }

    /// Sends a form as a page of the same origin does.
    pub(crate) async fn post(&mut self, target: &str, fields: &Fields) -> Response {
        self.send(fields.request(target).header("Sec-Fetch-Site", "same-origin"))
            .await
    }

    /// Sends a request with our cookies, and keeps the ones that come back.
    pub(crate) async fn send(&mut self, mut request: Request) -> Response {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("Cookie", pairs.join("; "));
        }
        let response = request.send(self.address).await;
        for cookie in set_cookies(&response) {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// Opens the login page, and fills it in.
    pub(crate) async fn sign_in(&mut self, return_to: &str, user: &str, password: &str) -> Response {
        let page = self
            .get(&format!("/oauth/login?return_to={}", encode(return_to)))
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        let form = Fields::of(&page, "/oauth/login")
            .with("username", user)
            .with("password", password);
        self.post("/oauth/login", &form).await
    }

    /// Signs out, and in again.
    pub(crate) async fn sign_in_again(&mut self, user: &str) {
        let page = self.get("/oauth/login").await;
        let answer = self
            .post("/oauth/logout", &Fields::of(&page, "/oauth/logout"))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = self.sign_in("/", user, &format!("{user}-password")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    /// Opens a question that is put to us, and returns its form.
    pub(crate) async fn question(&mut self, token: &str) -> Fields {
        let page = self.get(&question(token)).await;
        assert_eq!(page.status, 200, "{page:?}");
        Fields::of(&page, AUTHORIZE)
    }

    /// Opens a question, and presses a button.
    pub(crate) async fn press(&mut self, button: &str, token: &str) -> Response {
        let form = self.question(token).await.with(button, button);
        self.post(AUTHORIZE, &form).await
    }
}

/// What a form sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The hidden fields of the form with this action; exactly one form has it.
    #[track_caller]
    pub(crate) fn of(page: &Response, action: &str) -> Self {
        let mut forms = page
            .body
            .split("<form")
            .skip(1)
            .map(|form| form.split("</form>").next().unwrap());
        let ours = format!("method=\"post\" action=\"{action}\"");
        let form = forms
            .find(|form| form.contains(&ours))
            .unwrap_or_else(|| panic!("no form {action}: {page:?}"));
        let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
        Self(
            fields
                .map(|field| {
                    let (name, rest) = field.split_once("\" value=\"").unwrap();
                    (name.to_owned(), rest.split('"').next().unwrap().to_owned())
                })
                .collect(),
        )
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same form with another value in one of its fields.
    pub(crate) fn but(mut self, name: &str, value: &str) -> Self {
        let field = self.0.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut field.unwrap().1);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        &self.0.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The form as a request that says nothing about where it comes from.
    pub(crate) fn request(&self, target: &str) -> Request {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        Request::post(target).form(pairs.join("&"))
    }
}

/// The `Set-Cookie` fields of an answer.
pub(crate) fn set_cookies(response: &Response) -> Vec<&str> {
    let cookies = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    cookies.map(|(_, value)| value.as_str()).collect()
}

/// Asserts that an answer is a page with this status and title, and leads nowhere.
#[track_caller]
pub(crate) fn assert_notice(response: &Response, status: u16, title: &str) {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.header("location"), None, "{response:?}");
    let heading = response
        .body
        .split("<h1>")
        .nth(1)
        .and_then(|rest| rest.split("</h1>").next());
    let heading = heading
        .unwrap_or_default()
        .replace("<bdi>", "")
        .replace("</bdi>", "");
    assert_eq!(heading, title, "{response:?}");
    let reference = response
        .body
        .split("Reference <code>")
        .nth(1)
        .and_then(|rest| rest.get(..9));
    assert_eq!(
        reference.map(|text| text.chars().filter(|c| *c == '-').count()),
        Some(1),
        "{response:?}"
    );
}

/// The address of a question.
pub(crate) fn question(token: &str) -> String {
    format!("{AUTHORIZE}?oauth_token={token}")
}

pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

pub(crate) const AUTHORIZE: &str = "/oauth/authorize";
