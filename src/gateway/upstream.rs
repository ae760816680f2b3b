//! Where the application listens.

use http::Uri;

/// The address of the application: `http://host[:port]`.
///
/// It has no path: ours and the application's are the same, byte for byte, or its links and redirects would lead astray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    url: String,
    host: String,
    port: u16,
}

impl Upstream {
    /// Reads an address. The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| EXAMPLE)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("https towards the application is not supported yet: write http://host:port");
            }
            _ => return Err(EXAMPLE),
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err("the application's paths are ours: write http://host:port without a path");
        }
        let authority = uri.authority().ok_or(EXAMPLE)?;
        let host = authority.host();
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(EXAMPLE);
        }
        let port = match authority.as_str().strip_prefix(host).ok_or(EXAMPLE)? {
            "" => 80,
            port => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .ok_or(EXAMPLE)?,
        };
        if port == 0 {
            return Err(EXAMPLE);
        }
        Ok(Self {
            url: format!("http://{authority}"),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
        })
    }

    /// The address as a URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Host and port to connect to.
    pub(super) fn socket(&self) -> (&str, u16) {
        (&self.host, self.port)
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
        ] {
            assert_eq!(Upstream::parse(text).unwrap().socket(), (host, port), "{text}");
        }
        for text in [
            "app:8080",
            "https://app",
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
