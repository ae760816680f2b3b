//! Callbacks (RFC 5849, sections 2.1 and 2.2): where the user returns after the authorization, kept byte for byte.

use super::credentials::{Secret, Token};
use super::encoding::{self, Encoding};
use super::problem::Problem;
use super::url::{Origin, SplitUrl, parse_port};

/// The callback of a request token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// `oob`: the user copies the verifier to the consumer.
    OutOfBand,
    /// An absolute http or https URL, exactly as the consumer sent it.
    Url(CallbackUrl),
}

/// An absolute http or https URL to which a browser can be redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl {
    text: String,
    origin: Origin,
    path: String,
}

impl Callback {
    /// Parses `oauth_callback`: `oob`, or an absolute http or https URL of at most 4096 printable ASCII characters, without
    /// user information, backslash, fragment, dot segments, and `oauth_token` or `oauth_verifier` in its query.
    ///
    /// # Errors
    ///
    /// `parameter_rejected` for any other text.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text == "oob" {
            return Ok(Self::OutOfBand);
        }
        let url = if text.eq_ignore_ascii_case("oob") || text == "urn:ietf:wg:oauth:2.0:oob" {
            Err("For a code that the user copies, oauth_callback is oob, in lower case.")
        } else {
            CallbackUrl::parse(text)
        };
        url.map(Self::Url)
            .map_err(|why| Problem::parameter_rejected("oauth_callback", why))
    }

    /// The callback as it was sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OutOfBand => "oob",
            Self::Url(url) => url.as_str(),
        }
    }
}

impl CallbackUrl {
    /// The URL as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme and authority, for `Content-Security-Policy: form-action`.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// The host.
    pub fn host(&self) -> &str {
        self.origin.host()
    }

    /// The callback with `oauth_token` and `oauth_verifier` appended.
    pub fn authorized_redirect(&self, token: &Token, verifier: &Secret) -> String {
        self.redirect(token, verifier.expose())
    }

    /// The callback with `oauth_token` and `oauth_verifier=denied` appended, which Application Links read as a denial.
    pub fn denied_redirect(&self, token: &Token) -> String {
        self.redirect(token, "denied")
    }

    fn redirect(&self, token: &Token, verifier: &str) -> String {
        let separator = match &self.text {
            text if !text.contains('?') => "?",
            text if text.ends_with(['?', '&']) => "",
            _ => "&",
        };
        let pairs = [("oauth_token", token.as_str()), ("oauth_verifier", verifier)];
        format!("{}{separator}{}", self.text, encoding::form_body(pairs))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 4096 {
            return Err("The callback must have at most 4096 characters.");
        }
        text.chars().try_for_each(check_char)?;
        let (origin, rest) = Origin::split(text)?;
        let decoded = encoding::decode(rest.as_bytes(), Encoding::Percent)
            .map_err(|_| "A percent sign in the callback must begin an escape.")?;
        if decoded.iter().any(u8::is_ascii_control) {
            return Err("The callback must not contain control characters, encoded or not.");
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        reject_dot_segments(path)?;
        let is_appended = |(name, _): (&[u8], &[u8])| {
            let name = encoding::normalize(name, Encoding::Form);
            name.is_ok_and(|name| [&b"oauth_token"[..], b"oauth_verifier"].contains(&&*name))
        };
        if encoding::form_pairs(query.as_bytes()).any(is_appended) {
            return Err("The callback must not have oauth_token or oauth_verifier in its query.");
        }
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            origin,
        })
    }
}

/// A callback that the configuration of a consumer allows: an origin (`https://host[:port]`, the port may be `*`) with an
/// optional path prefix that ends at the end of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedCallback {
    text: String,
    origin: Origin,
    any_port: bool,
    path_prefix: String,
}

impl AllowedCallback {
    /// Parses an allowed callback.
    ///
    /// # Errors
    ///
    /// A sentence that names what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("Write the callback without white space.");
        }
        if text.contains("://*") {
            return Err(ONLY_THE_PORT);
        }
        let url = SplitUrl::parse(text)?;
        let path_prefix = url.rest;
        if path_prefix.contains(['?', '#']) {
            return Err(ONLY_THE_PATH);
        }
        if path_prefix.contains('*') {
            return Err(ONLY_THE_PORT);
        }
        path_prefix.chars().try_for_each(check_char)?;
        encoding::decode(path_prefix.as_bytes(), Encoding::Percent)
            .map_err(|_| "A percent sign in the path must begin an escape.")?;
        reject_dot_segments(path_prefix)?;
        let any_port = url.port == Some("*");
        let port = url.port.filter(|_| !any_port).map(parse_port).transpose()?;
        Ok(Self {
            text: text.to_owned(),
            origin: Origin::new(url.is_secure, url.host, port),
            any_port,
            path_prefix: path_prefix.to_owned(),
        })
    }

    /// The text of the configuration.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a callback is allowed: scheme and host are equal, the port is equal unless it is `*`, and the path begins with
    /// the prefix, which is case-sensitive, and continues with a slash or ends there.
    pub fn allows(&self, url: &CallbackUrl) -> bool {
        let is_origin = if self.any_port {
            self.origin.same_scheme_and_host(&url.origin)
        } else {
            self.origin == url.origin
        };
        let rest = url.path.strip_prefix(self.path_prefix.as_str());
        let is_segment =
            |rest: &str| rest.is_empty() || rest.starts_with('/') || self.path_prefix.ends_with('/');
        is_origin && rest.is_some_and(is_segment)
    }
}

/// Rejects a path in which a server could find the segment `..`: also encoded, and also before a `;`.
fn reject_dot_segments(path: &str) -> Result<(), &'static str> {
    let decoded = encoding::decode(path.as_bytes(), Encoding::Percent).unwrap_or_default();
    if decoded.contains(&b'\\') {
        return Err("The path must not contain a backslash.");
    }
    let is_dots = |segment: &[u8]| {
        let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    };
    if decoded.split(|&byte| byte == b'/').any(is_dots) {
        return Err("The path must not contain the segments `.` and `..`.");
    }
    Ok(())
}

fn check_char(character: char) -> Result<(), &'static str> {
    match character {
        '#' => Err("The callback must not have a fragment."),
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
            Err("Percent-encode backslashes, quotes, brackets and braces in the callback.")
        }
        '!'..='~' => Ok(()),
        _ => Err("The callback must consist of printable ASCII characters."),
    }
}

const ONLY_THE_PATH: &str =
    "Leave the query and the fragment out: scheme, host, port and the beginning of the path.";
const ONLY_THE_PORT: &str =
    "Only the port may be *: name the host, and leave out what may vary at the end of the path.";
