//! Where the application listens.

use http::Uri;

use crate::tls::{ClientTls, ServerName};

/// The address of the application: `http://host[:port]`, or `https://host[:port]`.
///
/// It has no path: ours and the application's are the same, byte for byte, or its links and redirects would lead astray.
#[derive(Clone, Debug)]
pub struct Upstream {
    url: String,
    host: String,
    port: u16,
    security: Security,
}

/// What is between us and the application.
#[derive(Clone, Debug)]
pub(super) enum Security {
    /// A network that is trusted.
    Plain,
    /// An `https` address, and nobody has said whom to believe.
    Missing,
    /// TLS, with a server that proves to have this name.
    Tls(ClientTls, ServerName<'static>),
}

impl Upstream {
    /// Reads an address. The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| EXAMPLE)?;
        let (scheme, usual, security) = match uri.scheme_str() {
            Some("http") => ("http", 80, Security::Plain),
            Some("https") => ("https", 443, Security::Missing),
            _ => return Err(EXAMPLE),
        };
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err("the application's paths are ours: write http://host:port without a path");
        }
        let authority = uri.authority().ok_or(EXAMPLE)?;
        let host = authority.host();
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(EXAMPLE);
        }
        let port = match authority.as_str().strip_prefix(host).ok_or(EXAMPLE)? {
            "" => usual,
            port => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .ok_or(EXAMPLE)?,
        };
        if port == 0 {
            return Err(EXAMPLE);
        }
        Ok(Self {
            url: format!("{scheme}://{authority}"),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            security,
        })
    }

    /// Says whom to believe to be the application, which an `https` address needs; `name` is what its certificate must
    /// be for, if that is not the address's host. The error is a sentence that says what to write instead.
    pub fn with_tls(mut self, tls: ClientTls, name: Option<&str>) -> Result<Self, &'static str> {
        if !self.is_secure() {
            return Err("only an https address has TLS: write https://host:port");
        }
        let name = ServerName::try_from(name.unwrap_or(&self.host).to_owned());
        let name = name.map_err(|_| "no certificate can be for this name: write the one that it has")?;
        self.security = Security::Tls(tls, name);
        Ok(self)
    }

    /// Whether the address is an `https` one.
    pub const fn is_secure(&self) -> bool {
        !matches!(self.security, Security::Plain)
    }

    /// The address as a URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Host and port to connect to.
    pub(super) fn socket(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    pub(super) const fn security(&self) -> &Security {
        &self.security
    }
}

const EXAMPLE: &str = "write the application's address, such as http://127.0.0.1:8080";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_address() {
        for (text, host, port) in [
            ("http://127.0.0.1:9090", "127.0.0.1", 9090),
            ("http://app/", "app", 80),
            ("http://[::1]:8080", "::1", 8080),
            ("https://app", "app", 443),
            ("https://[::1]:8443", "::1", 8443),
        ] {
            assert_eq!(Upstream::parse(text).unwrap().socket(), (host, port), "{text}");
        }
        for text in [
            "app:8080",
            "ftp://app",
            "http://app/ctx",
            "http://app?x",
            "http://u@app",
            "http://app:0",
            "http://app:99999",
            "http://app:",
            "http://app/#x",
            "",
        ] {
            assert!(Upstream::parse(text).is_err(), "{text}");
        }
    }
}
