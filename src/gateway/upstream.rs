//! Where the application listens.

use std::time::Duration;

use http::Uri;

use crate::http::client::{Address, Connector, HttpClient, Reach};
use crate::tls::{ClientTls, ServerName};

/// The address of the application: `http://host[:port]`, or `https://host[:port]`.
///
/// It has no path: linkgate's paths are the application's, byte for byte, or its links and redirects would not work.
#[derive(Clone, Debug)]
pub struct Upstream {
    url: String,
    address: Address,
    tls: Option<ClientTls>,
}

impl Upstream {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| EXAMPLE)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(EXAMPLE);
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err("the application's paths are ours: write http://host:port without a path");
        }
        let address = Address::of(&uri).ok_or(EXAMPLE)?;
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            address,
            tls: None,
        })
    }

    /// Sets the trust roots that an `https` address needs; `name` is the name in the application's certificate, if that is
    /// not the address's host.
    ///
    /// # Errors
    ///
    /// A sentence that says what to write instead.
    pub fn with_tls(mut self, tls: ClientTls, name: Option<&str>) -> Result<Self, &'static str> {
        if !self.is_secure() {
            return Err("only an https address has TLS: write https://host:port");
        }
        if let Some(name) = name {
            let name = ServerName::try_from(name.to_owned());
            let name = name.map_err(|_| "no certificate can be for this name: write the one that it has")?;
            self.address = self.address.with_server_name(name);
        }
        self.tls = Some(tls);
        Ok(self)
    }

    /// Whether the address is an `https` one.
    pub const fn is_secure(&self) -> bool {
        self.address.is_secure()
    }

    /// The address as a URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// A client of the application.
    pub(super) fn client(self, connect_timeout: Duration, idle_timeout: Duration) -> HttpClient {
        let connector = Connector {
            tls: self.tls,
            reach: Reach::Anywhere,
            timeout: connect_timeout,
        };
        HttpClient::new(self.address, connector, idle_timeout)
    }
}

const EXAMPLE: &str = "write the application's address, such as http://127.0.0.1:8080";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_address() {
        for (text, url) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090"),
            ("http://app/", "http://app"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://app", "https://app"),
        ] {
            assert_eq!(Upstream::parse(text).unwrap().as_str(), url, "{text}");
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
