//! `[upstream]`: the application behind us.

use std::time::Duration;

use http::Uri;

use crate::tls::{Roots, ServerName};

use super::links::roots;
use super::remark::Wrong;
use super::section::Section;

/// The application behind us.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `http://host[:port]` or `https://host[:port]`, without a path: every path goes through as it arrived.
    pub url: String,
    /// How the application proves who it is; there when its URL is an `https` one.
    pub tls: Option<UpstreamTls>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the head of a response may take.
    pub response_timeout: Duration,
    /// How long a connection may be silent.
    pub idle_timeout: Duration,
}

/// How the application proves who it is.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    /// The issuers that are believed; `None`: those of the operating system.
    pub roots: Option<Roots>,
    /// What its certificate must be for, if not for the host of its URL.
    pub server_name: Option<String>,
}

impl Upstream {
    /// Reads the section; and the application's name, which is written here or in `[branding]`.
    pub(super) fn read(section: &Section<'_>) -> (Option<Self>, Option<String>) {
        section.needs(
            "url",
            "write where the application listens: url = \"http://127.0.0.1:8080\"",
        );
        let url = section.parsed("url", parse_url);
        let name = section.get("name");
        let connect_timeout = section.or("connect_timeout", Duration::from_secs(5));
        let response_timeout = section.or("response_timeout", Duration::from_mins(1));
        let idle_timeout = section.or("idle_timeout", Duration::from_mins(5));
        let tls = read_tls(section, url.as_deref());
        let upstream = url.map(|url| Self {
            url,
            tls,
            connect_timeout,
            response_timeout,
            idle_timeout,
        });
        (upstream, name)
    }
}

fn read_tls(section: &Section<'_>, url: Option<&str>) -> Option<UpstreamTls> {
    let roots = roots(section);
    let server_name = section.parsed("server_name", parse_name);
    let url = url?;
    if url.starts_with("https://") {
        return Some(UpstreamTls { roots, server_name });
    }
    for key in ["ca_file", "server_name"] {
        if section.has(key) {
            section.wrong(
                key,
                "upstream.url is http, which has no certificates",
                "write https://host:port as upstream.url, or leave it out",
            );
        }
    }
    None
}

fn parse_name(text: &str) -> Result<String, Wrong> {
    ServerName::try_from(text)
        .map_err(|_| Wrong::unusable(text, "write a name or an address that stands in its certificate"))?;
    Ok(text.to_owned())
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
    let scheme = url.scheme_str().unwrap_or_default();
    if !["http", "https"].contains(&scheme) {
        return refuse("the scheme must be http or https");
    }
    let has_port =
        authority.port_u16().is_some_and(|port| port > 0) || authority.as_str() == authority.host();
    if authority.host().is_empty() || !has_port {
        return refuse("the host is missing, or the port is none from 1 to 65535");
    }
    if url.path() != "/" || url.query().is_some() || text.contains('#') {
        return refuse("paths go through as they arrive, so the URL has none of its own");
    }
    Ok(format!("{scheme}://{authority}"))
}
