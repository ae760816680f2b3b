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
    if text.contains('@') {
        // What stands before it may be a password, and is not repeated.
        return Err(Wrong::new("it has user information in front of the host", REMEDY));
    }
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
    let has_port =
        authority.port_u16().is_some_and(|port| port > 0) || authority.as_str() == authority.host();
    if authority.host().is_empty() || !has_port {
        return refuse("the host is missing, or the port is none from 1 to 65535");
    }
    if url.path() != "/" || url.query().is_some() || text.contains('#') {
        return refuse("paths go through as they arrive, so the URL has none of its own");
    }
    Ok(format!("http://{authority}"))
}

const HTTPS_REMEDY: &str = "write the application's http URL, on the same host or a trusted network";
