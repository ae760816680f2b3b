//! A browser, played: cookies, redirects and forms, without pixels. It never runs a script.

mod page;

use std::collections::BTreeMap;

use http::{Method, StatusCode, header};

use super::form;
use super::wire::{Call, Exchange, WireError};

pub use page::Page;

/// A browser with its cookies. Cookies belong to a host, whatever the port.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<(String, String), String>,
}

/// Why the browser did not come to a page.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// There is no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not `http://host[:port]/...`.
    #[error("the browser cannot open {0}")]
    Url(String),
    /// More than ten redirects.
    #[error("too many redirects, the last to {0}")]
    Loop(String),
    /// The page has no such form, field or button.
    #[error("the page has no {0}")]
    Missing(&'static str),
}

impl Browser {
    /// Opens a URL and follows redirects; stops short of being sent to a URL that begins with `until`.
    pub async fn open(&mut self, url: &str, until: Option<&str>) -> Result<Page, BrowserError> {
        self.go(Method::GET, url, String::new(), None, until).await
    }

    /// Sends a form of a page: its hidden and prefilled fields, the given ones, and the named button.
    pub async fn submit(
        &mut self,
        page: &Page,
        fields: &[(&str, &str)],
        button: Option<&'static str>,
        until: Option<&str>,
    ) -> Result<Page, BrowserError> {
        let (url, pairs) = page.form(fields, button)?;
        let origin = origin(page.url());
        self.go(Method::POST, &url, form::plus(&pairs), origin, until)
            .await
    }

    /// Fills in a sign-in page as one of the demo's users, whose passwords follow from their names; the page after it.
    pub async fn sign_in(&mut self, page: &Page, user: &str) -> Result<Page, BrowserError> {
        let (name, secret) = page
            .sign_in_fields()
            .ok_or(BrowserError::Missing("fields for name and password"))?;
        let password = format!("{user}-password");
        let fields = [(name.as_str(), user), (secret.as_str(), password.as_str())];
        self.submit(page, &fields, None, None).await
    }

    async fn go(
        &mut self,
        method: Method,
        url: &str,
        body: String,
        from: Option<&str>,
        until: Option<&str>,
    ) -> Result<Page, BrowserError> {
        let (mut url, mut method, mut body) = (url.to_owned(), method, body);
        for _ in 0..REDIRECTS {
            let exchange = self.request(&method, &url, &body, from).await?;
            let Some(next) = redirect(&url, &exchange) else {
                return Ok(Page::new(url, exchange));
            };
            if until.is_some_and(|until| next.starts_with(until)) {
                return Ok(Page::not_opened(next, exchange));
            }
            (url, method, body) = (next, Method::GET, String::new());
        }
        Err(BrowserError::Loop(url))
    }

    async fn request(
        &mut self,
        method: &Method,
        url: &str,
        body: &str,
        from: Option<&str>,
    ) -> Result<Exchange, BrowserError> {
        let (authority, target) = split(url).ok_or_else(|| BrowserError::Url(url.to_owned()))?;
        let host = authority.split(':').next().unwrap_or_default().to_owned();
        let mut headers = vec![("accept", "text/html".to_owned())];
        let cookies = self.cookies_of(&host);
        if !cookies.is_empty() {
            headers.push((header::COOKIE.as_str(), cookies));
        }
        if *method == Method::POST {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
            headers.extend(from.map(|origin| ("origin", origin.to_owned())));
            headers.push(("sec-fetch-site", "same-origin".to_owned()));
        }
        let call = Call {
            method: method.clone(),
            authority: authority.to_owned(),
            target: target.to_owned(),
            headers,
            body: body.to_owned(),
            base_string: None,
        };
        let exchange = call.send().await?;
        self.keep_cookies(&host, &exchange);
        Ok(exchange)
    }

    fn cookies_of(&self, host: &str) -> String {
        let own = self.cookies.iter().filter(|((of, _), _)| of == host);
        own.map(|((_, name), value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn keep_cookies(&mut self, host: &str, exchange: &Exchange) {
        for field in exchange.headers.get_all(header::SET_COOKIE) {
            let Some(cookie) = field.to_str().ok() else {
                continue;
            };
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.trim().split_once('=') else {
                continue;
            };
            let key = (host.to_owned(), name.to_owned());
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

/// Where an answer sends the browser.
fn redirect(url: &str, exchange: &Exchange) -> Option<String> {
    let follows = matches!(
        exchange.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
    );
    let location = exchange.header(header::LOCATION).filter(|_| follows)?;
    let location = location
        .split_once('#')
        .map_or(location, |(location, _)| location);
    Some(resolve(url, location))
}

/// A reference from a page, made absolute; enough for those that a page of ours can hold.
fn resolve(base: &str, reference: &str) -> String {
    let origin = origin(base).unwrap_or_default();
    let whole = base.split_once('?').map_or(base, |(path, _)| path);
    match reference {
        "" => base.to_owned(),
        absolute if absolute.starts_with("http://") || absolute.starts_with("https://") => {
            absolute.to_owned()
        }
        path if path.starts_with('/') => format!("{origin}{path}"),
        query if query.starts_with('?') => format!("{whole}{query}"),
        sibling => {
            let directory = whole.rfind('/').map_or(whole, |at| &whole[..at]);
            format!("{directory}/{sibling}")
        }
    }
}

fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    Some(&url[..end])
}

fn split(url: &str) -> Option<(&str, &str)> {
    let origin = origin(url)?;
    let target = &url[origin.len()..];
    Some((
        origin.strip_prefix("http://")?,
        if target.is_empty() { "/" } else { target },
    ))
}

const REDIRECTS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_absolute() {
        let base = "http://h:1/a/b?c=d";
        for (reference, absolute) in [
            ("", "http://h:1/a/b?c=d"),
            ("/x", "http://h:1/x"),
            ("?e", "http://h:1/a/b?e"),
            ("x", "http://h:1/a/x"),
            ("https://other/", "https://other/"),
        ] {
            assert_eq!(resolve(base, reference), absolute);
        }
        assert_eq!(split("http://h:1"), Some(("h:1", "/")));
        assert_eq!(split("http://h?q"), Some(("h", "?q")));
        assert_eq!(split("https://h/"), None);
    }
}
