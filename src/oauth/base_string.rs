//! The signature base string (RFC 5849, section 3.4.1).

use std::borrow::Cow;

use super::encoding;
use super::parameters::{Parameters, normalize_parameters};
use super::url::{Origin, SplitUrl, parse_port};

/// Writes the signature base string (RFC 5849, section 3.4.1.1).
///
/// The base string URI is given in two parts: for a request to linkgate its [`PublicUrl`] and the path as it arrived, neither
/// decoded nor cleaned of dot segments; for a request by linkgate the URI of [`base_string_uri`] and nothing.
///
/// [`PublicUrl`]: super::PublicUrl
pub fn signature_base_string(method: &str, uri: [&str; 2], parameters: &Parameters<'_>) -> String {
    let [public_url, path] = uri;
    let mut out = Vec::with_capacity(
        method.len() + 3 * (public_url.len() + path.len()) + parameters.max_encoded_len() + 2,
    );
    // 1. The HTTP request method in uppercase.
    encoding::push_encoded(&mut out, method.as_bytes());
    out.make_ascii_uppercase();
    // 2. An "&".
    out.push(b'&');
    // 3. The base string URI, encoded.
    encoding::push_encoded(&mut out, public_url.as_bytes());
    encoding::push_encoded(&mut out, path.as_bytes());
    // 4. An "&".
    out.push(b'&');
    // 5. The normalized request parameters, encoded: "=" becomes "%3D", and "&" becomes "%26".
    for (index, (name, value)) in normalize_parameters(parameters).enumerate() {
        let and: &[u8] = if index == 0 { b"" } else { b"%26" };
        for (separator, text) in [(and, name), (b"%3D", value)] {
            out.extend_from_slice(separator);
            match text {
                Cow::Borrowed(unreserved) => out.extend_from_slice(unreserved),
                Cow::Owned(escaped) => encoding::push_encoded(&mut out, escaped),
            }
        }
    }
    encoding::into_ascii(out)
}

/// Returns the base string URI of an http or https URL (RFC 5849, section 3.4.1.2): scheme and authority in lower case, no
/// default port, the path unchanged, no query and no fragment.
///
/// # Errors
///
/// A sentence that names what is wrong with the URL.
pub fn base_string_uri(url: &str) -> Result<String, &'static str> {
    let url = SplitUrl::parse(url)?;
    // An empty port is the default port (RFC 3986, section 3.2.3).
    let port = url.port.filter(|port| !port.is_empty());
    let origin = Origin::new(url.is_secure, url.host, port.map(parse_port).transpose()?);
    let path = url.rest.split(['?', '#']).next().unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    Ok(format!("{}{path}", origin.as_str()))
}
