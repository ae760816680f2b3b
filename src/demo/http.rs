//! HTTP as the simulated peers use it: a request with its response, and a browser that runs no scripts.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use askama::Template;
use axum::body::{Body, to_bytes};
use axum::response::{Html, IntoResponse};
use http::{Method, Request, Response, StatusCode, header};

use crate::http::client::{Address, Connector, HttpClient, Reach};
use crate::oauth::Origin;

/// A request as it was sent, and its response; a redirect is not followed.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// With an absolute URI. A signed one has its [`BaseString`] among its extensions.
    pub(crate) request: Request<String>,
    pub(crate) response: Response<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct BaseString(pub String);

/// Names and values of a query, a form or a challenge, in their order.
pub(crate) type Pairs = Vec<(String, String)>;

/// Sends a request over a connection of its own. Path and query are sent exactly as they were signed.
pub(crate) async fn send(request: Request<String>) -> anyhow::Result<Exchange> {
    let address = Address::of(request.uri());
    let address = address.with_context(|| format!("{} is not an http URL", request.uri()))?;
    let connector = Connector {
        tls: None,
        reach: Reach::Anywhere,
        timeout: TIMEOUT,
    };
    let client = HttpClient::new(address, connector, Duration::ZERO);
    let response = client.send(request.clone().map(Body::from), TIMEOUT).await;
    let response = response.with_context(|| format!("{} did not respond", request.uri()))?;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, MAX_BODY).await?;
    let response = Response::from_parts(head, String::from_utf8_lossy(&body).into_owned());
    Ok(Exchange { request, response })
}

/// Writes a form as browsers do: a space as `+`.
pub(crate) fn form_body<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).finish()
}

pub(crate) fn parse_form(text: &str) -> Pairs {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

pub(crate) fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().find(|(other, _)| other == name);
    pair.map(|(_, value)| value.as_str())
}

/// Renders a page of a simulated peer, whose forms may also lead to this origin.
pub(crate) fn render(status: StatusCode, page: &impl Template, form_target: &str) -> Response<Body> {
    let Ok(html) = page.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self' {form_target}; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let fields = [
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (status, fields, Html(html)).into_response()
}

/// A browser with its cookies. All pages of the demo are on one host, and cookies belong to a host, not to a port.
#[derive(Default)]
pub(crate) struct CookieClient {
    cookies: BTreeMap<String, String>,
}

pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

impl CookieClient {
    pub(crate) async fn open(&mut self, url: &str) -> anyhow::Result<Page> {
        self.follow(url.to_owned(), None).await
    }

    /// Sends the form that has the first of these fields (or buttons), together with its hidden fields.
    pub(crate) async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let name = fields.first().map_or("", |(name, _)| name);
        let missing = || format!("{} has no form with {name:?}", page.url);
        let (action, mut pairs) = page.form(name).with_context(missing)?;
        let fields = fields.iter();
        pairs.extend(fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let action = absolute(&page.url, &action)?;
        self.follow(action, Some(form_body(&pairs))).await
    }

    /// Fills in linkgate's sign-in page as one of the demo's users, whose passwords follow from their names.
    pub(crate) async fn sign_in(&mut self, page: &Page, user: &str) -> anyhow::Result<Page> {
        let password = format!("{user}-password");
        let fields = [("username", user), ("password", &password)];
        self.submit(page, &fields).await
    }

    /// Sends a form, or nothing, and follows redirects.
    async fn follow(&mut self, mut url: String, mut form: Option<String>) -> anyhow::Result<Page> {
        for _ in 0..MAX_REDIRECTS {
            let response = self.request(&url, form.take()).await?;
            let (status, location) = (response.status(), response.headers().get(header::LOCATION));
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                let html = response.into_body();
                return Ok(Page { url, status, html });
            };
            url = absolute(&url, location.to_str()?)?;
        }
        bail!("too many redirects, the last to {url}")
    }

    async fn request(&mut self, url: &str, form: Option<String>) -> anyhow::Result<Response<String>> {
        let mut request = Request::builder().uri(url).header(header::ACCEPT, "text/html");
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let cookies: Vec<_> = cookies.map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if form.is_some() {
            request = request.method(Method::POST).header(header::CONTENT_TYPE, FORM);
            request = request.header("sec-fetch-site", "same-origin");
        }
        let response = send(request.body(form.unwrap_or_default())?).await?.response;
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str()?.split_once(';').unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or_default();
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }
}

impl Page {
    /// The action and the hidden fields of the form that has a field or a button of this name.
    fn form(&self, name: &str) -> Option<(String, Pairs)> {
        let name = format!("name=\"{name}\"");
        let forms = self.html.split("<form").skip(1);
        let form = forms
            .filter_map(|form| form.split("</form").next())
            .find(|form| form.contains(&name))?;
        let inputs = form.split("<input").skip(1);
        let hidden = inputs.filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
        let hidden = hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
        Some((attribute(form, "action")?, hidden.collect()))
    }
}

/// The value of an attribute of the tag that a text begins in. Of what templates escape, only `&` is in our addresses.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    Some(value.split('"').next()?.replace("&#38;", "&"))
}

fn absolute(base: &str, reference: &str) -> anyhow::Result<String> {
    if !reference.starts_with('/') {
        return Ok(reference.to_owned());
    }
    let (origin, _) = Origin::split(base).map_err(|why| anyhow!("{base}: {why}"))?;
    Ok(origin.as_str().to_owned() + reference)
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BODY: usize = 1 << 20;
const MAX_REDIRECTS: usize = 10;
