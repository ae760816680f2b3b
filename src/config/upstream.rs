//! `[upstream]`: the application behind us.

use std::time::Duration;

use http::Uri;

use super::remark::Wrong;
use super::section::Section;

/// The application behind us.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `http://host[:port]`, without a path: every path goes through as it arrived.
    pub url: String,
    /// The application's name, as the pages show it.
    pub name: String,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the head of a response may take.
    pub response_timeout: Duration,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
}

impl Upstream {
    /// Reads the section. `public_host` names the application when nothing else does.
    pub(super) fn read(section: &Section<'_>, public_host: &str) -> Option<Self> {
        section.needs(
            "url",
            "write where the application listens: url = \"http://127.0.0.1:8080\"",
        );
        let url = section.parsed("url", parse_url);
        let name = section.or("name", public_host.to_owned());
        let connect_timeout = section.or("connect_timeout", Duration::from_secs(5));
        let response_timeout = section.or("response_timeout", Duration::from_mins(1));
        let idle_timeout = section.or("idle_timeout", Duration::from_mins(5));
        if section.file("ca_file").is_some() {
            section.wrong(
                "ca_file",
                "https to the application is not there yet",
                HTTPS_REMEDY,
            );
        }
        Some(Self {
            url: url?,
            name,
            connect_timeout,
            response_timeout,
            idle_timeout,
        })
    }
}

fn parse_url(text: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "write scheme, host and port: \"http://127.0.0.1:8080\"";
    let refuse = |wrong: &str| Err(Wrong::new(format!("{wrong}: {text:?}"), REMEDY));
    let Ok(url) = text.parse::<Uri>() else {
        return refuse("this is not a URL");
    };
    let Some(authority) = url.authority() else {
        return refuse("the host is missing");
    };
    match url.scheme_str() {
        Some("http") => {}
        Some("https") => {
            return Err(Wrong::new(
                "https to the application is not there yet",
                HTTPS_REMEDY,
            ));
        }
        _ => return refuse("the scheme must be http"),
    }
    if authority.as_str().contains('@') {
        // The text may hold a password: it is not repeated.
        return Err(Wrong::new("it has user information in front of the host", REMEDY));
    }
    if authority.host().is_empty() || authority.as_str().ends_with(':') || authority.port_u16() == Some(0) {
        return refuse("host or port is missing");
    }
    if authority.port().is_some() && authority.port_u16().is_none() {
        return refuse("the port is too large");
    }
    if url.path() != "/" || url.query().is_some() || text.contains('#') {
        return refuse("paths go through as they arrive, so the URL has none of its own");
    }
    Ok(format!("http://{authority}"))
}

const HTTPS_REMEDY: &str = "write the application's http URL, on the same host or a trusted network";
