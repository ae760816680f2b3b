//! The base string URI and the signature base string (RFC 5849, section 3.4.1).

use super::encode;
use super::origin::{self, Origin};
use super::parameters::Parameters;

/// A URL under which consumers know us: scheme, authority and, behind a proxy that strips one, a path.
///
/// Consumers sign this URL joined with the raw path as it arrived, whatever `Host` says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    text: String,
    origin: Origin,
    /// `text` as it stands in every base string.
    encoded: String,
}

impl PublicUrl {
    /// Reads `http://host[:port][/path]` or `https://...`: no query, no fragment, no user information.
    /// The error is a sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (origin, path) = Origin::split(text)?;
        if path.contains(['?', '#']) {
            return Err("Leave the query and the fragment out: only scheme, host, port and path.");
        }
        let path = path.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\');
        if !path.bytes().all(plain) {
            return Err("Percent-encode whatever is not a plain ASCII character in the path.");
        }
        if path
            .split('/')
            .skip(1)
            .any(|segment| matches!(segment, "" | "." | ".."))
        {
            return Err("Write the path without empty segments, `.` and `..`.");
        }
        let text = format!("{}{path}", origin.as_str());
        let encoded = encode::encode(&text);
        Ok(Self {
            text,
            origin,
            encoded,
        })
    }

    /// The whole URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, lower case, without a default port: `https://builds.example.com`.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// The authority, lower case, without a default port.
    pub fn authority(&self) -> &str {
        self.origin.authority()
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        self.origin.host()
    }

    /// `true` for https.
    pub fn is_secure(&self) -> bool {
        self.origin.is_secure()
    }

    /// The path in front of every path of ours: empty, or `/ctx`.
    pub fn path_prefix(&self) -> &str {
        &self.text[self.origin.as_str().len()..]
    }
}

/// The base string of a request that reached us (RFC 5849, section 3.4.1.1).
///
/// The path is signed as it arrived: neither decoded, nor cleaned of dot segments, nor encoded anew.
pub fn base_string(method: &str, url: &PublicUrl, path: &str, parameters: &Parameters) -> String {
    let path = if path.is_empty() { "/" } else { path };
    assemble(method, &url.encoded, path, parameters)
}

/// The base string of a request that we are about to send. `uri` is that of [`base_string_uri`].
pub fn outgoing_base_string(method: &str, uri: &str, parameters: &Parameters) -> String {
    assemble(method, "", uri, parameters)
}

/// The base string URI of any http or https URL (RFC 5849, section 3.4.1.2): scheme and authority in lower case, default
/// ports left out, the path as it is, query and fragment left out.
///
/// The error is a sentence that says what is wrong with the URL.
pub fn base_string_uri(url: &str) -> Result<String, &'static str> {
    let (scheme, authority, rest) = origin::pieces(url)?;
    let (host, port) = origin::host_and_port(authority)?;
    let port = port
        .filter(|port| !port.is_empty())
        .map(origin::port_number)
        .transpose()?;
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    Ok(format!("{}{path}", Origin::new(scheme, host, port).as_str()))
}

/// Joins method, base string URI and parameters. The URI's beginning is encoded already.
fn assemble(method: &str, encoded: &str, rest_of_uri: &str, parameters: &Parameters) -> String {
    let room = method.len() + encoded.len() + 3 * rest_of_uri.len() + parameters.size() + 2;
    let mut out = Vec::with_capacity(room);
    encode::extend_encoded(&mut out, method.as_bytes());
    out.make_ascii_uppercase();
    out.push(b'&');
    out.extend_from_slice(encoded.as_bytes());
    encode::extend_encoded(&mut out, rest_of_uri.as_bytes());
    out.push(b'&');
    parameters.push_signed(&mut out);
    encode::ascii(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::parameters::Source;

    #[test]
    fn a_public_url_has_one_spelling() {
        let url = PublicUrl::parse("HTTPS://Builds.Example.com:443/ctx/").unwrap();
        assert_eq!(url.as_str(), "https://builds.example.com/ctx");
        assert_eq!(url.origin(), "https://builds.example.com");
        assert_eq!(url.authority(), "builds.example.com");
        assert_eq!(url.path_prefix(), "/ctx");
        assert!(url.is_secure());
    }

    #[test]
    fn a_public_url_keeps_its_port_and_may_be_an_address() {
        let url = PublicUrl::parse("http://[2001:DB8::1]:9080").unwrap();
        assert_eq!(
            (url.authority(), url.host(), url.path_prefix()),
            ("[2001:db8::1]:9080", "[2001:db8::1]", "")
        );
        assert!(!url.is_secure());
    }

    #[test]
    fn what_is_not_a_public_url_is_refused() {
        for text in [
            "builds.example.com",
            "https://h?x",
            "https://h/#",
            "https://u@h",
            "https://h/a/../b",
            "https://h//a",
            "https://h/a b",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_is_signed_as_it_arrived_behind_the_prefix() {
        let url = PublicUrl::parse("https://h/ctx").unwrap();
        let none = Parameters::from_form(b"", Source::Query).unwrap();
        assert_eq!(
            base_string("GET", &url, "/x/../%7e;v=1", &none),
            "GET&https%3A%2F%2Fh%2Fctx%2Fx%2F..%2F%257e%3Bv%3D1&"
        );
        assert_eq!(
            base_string("GET", &url, "", &none),
            "GET&https%3A%2F%2Fh%2Fctx%2F&"
        );
    }

    #[test]
    fn the_method_is_written_in_upper_case_and_encoded() {
        let url = PublicUrl::parse("https://h").unwrap();
        let none = Parameters::from_form(b"", Source::Query).unwrap();
        assert_eq!(
            base_string("propFind", &url, "/", &none),
            "PROPFIND&https%3A%2F%2Fh%2F&"
        );
        assert_eq!(base_string("M-*", &url, "/", &none), "M-%2A&https%3A%2F%2Fh%2F&");
    }

    #[test]
    fn parameters_are_encoded_twice() {
        let url = PublicUrl::parse("https://h").unwrap();
        let some = Parameters::from_form(b"a=%2525&b=c+d&e=%ff", Source::Query).unwrap();
        let text = base_string("GET", &url, "/p", &some);
        assert_eq!(
            text,
            "GET&https%3A%2F%2Fh%2Fp&a%3D%252525%26b%3Dc%2520d%26e%3D%25FF"
        );
    }
}
