//! The `Authorization: OAuth` header field (RFC 5849, section 3.5.1): parsed, and written.

use std::borrow::Cow;

use super::encoding::{self, Encoding};
use super::problem::Problem;

/// Finds the credentials of the `OAuth` scheme among the values of all `Authorization` fields: what follows the scheme, not
/// parsed.
///
/// # Errors
///
/// `parameter_rejected` if there are several fields and one of them has the scheme, and for the parameters of a signature in a
/// field that does not begin with it.
pub fn credentials<'a>(fields: &[&'a [u8]]) -> Result<Option<&'a [u8]>, Problem> {
    let rejected = |why| Err(Problem::parameters_rejected(&[], why));
    let has_signature = |field: &&[u8]| field.windows(16).any(|text| text == b"oauth_signature=");
    match (fields.iter().find_map(|field| after_scheme(field)), fields.len()) {
        (Some(_), 2..) => rejected("Send one Authorization header: several of them are ambiguous."),
        (None, _) if fields.iter().any(has_signature) => {
            rejected("Begin the Authorization header with OAuth and a space, and put nothing before it.")
        }
        (found, _) => Ok(found),
    }
}

/// Parses credentials into names and values in their order, in canonical encoding. `realm` is left out, and an error ends the
/// iteration. The grammar is strict: `name="value"`, separated by commas with optional white space; elements may be empty (RFC
/// 9110, section 5.6.1.2).
pub fn parameters(credentials: &[u8]) -> impl Iterator<Item = Result<NormalizedPair<'_>, Problem>> {
    let mut rest = trim_commas(credentials);
    let mut has_realm = false;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let parsed = parse_parameter(rest);
            rest = parsed.as_ref().map_or(&b""[..], |(_, after)| after);
            match parsed {
                Ok((pair, _)) if !is_realm(&pair.0) => return Some(Ok(pair)),
                Ok(_) if !has_realm => has_realm = true,
                Ok(_) => {
                    rest = b"";
                    return Some(Err(Problem::parameter_rejected("realm", "Send realm once.")));
                }
                Err(problem) => return Some(Err(problem)),
            }
        }
        None
    })
}

/// Writes the value of `Authorization`.
pub fn authorization<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
    realm: Option<&str>,
) -> String {
    let mut out = b"OAuth ".to_vec();
    if let Some(realm) = realm {
        push_quoted(&mut out, "realm", realm);
    }
    for (name, value) in pairs {
        push_quoted(&mut out, name.as_ref(), value.as_ref());
    }
    encoding::into_ascii(out)
}

/// Writes the value of `WWW-Authenticate`, with the problem if there is one (OAuth Problem Reporting 1.0), all
/// percent-encoded.
pub fn challenge(realm: &str, problem: Option<&Problem>) -> String {
    let pairs = problem.map(Problem::pairs).unwrap_or_default();
    authorization(pairs, Some(realm))
}

type NormalizedPair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Parses one parameter. Returns it with the text after the comma that follows, which is empty after the last parameter.
fn parse_parameter(text: &[u8]) -> Result<(NormalizedPair<'_>, &[u8]), Problem> {
    let is_end_of_name = |&byte: &u8| byte != b'%' && !encoding::is_unreserved(byte);
    let (name, rest) =
        encoding::normalize_until(text, Encoding::Percent, is_end_of_name).map_err(|error| {
            Problem::invalid_encoding(text.split(is_end_of_name).next().unwrap_or_default(), error)
        })?;
    let malformed = || {
        let name = std::str::from_utf8(&name).unwrap_or_default();
        Problem::parameters_rejected(&[name], GRAMMAR)
    };
    let quoted = rest.strip_prefix(b"=\"").filter(|_| !name.is_empty());
    let quoted = quoted.ok_or_else(malformed)?;
    let (value, rest) = if is_realm(&name) {
        let end = end_of_quoted_string(quoted).ok_or_else(malformed)?;
        (Cow::Borrowed(&quoted[..0]), &quoted[end..])
    } else {
        let (value, rest) = encoding::normalize_until(quoted, Encoding::Percent, |&byte| byte == b'"')
            .map_err(|error| Problem::invalid_encoding(&name, error))?;
        let raw = &quoted[..quoted.len() - rest.len()];
        if matches!(value, Cow::Owned(_)) && !raw.iter().all(|byte| matches!(byte, b' '..=b'[' | b']'..=b'~'))
        {
            return Err(malformed());
        }
        (value, rest)
    };
    let rest = rest.strip_prefix(b"\"").ok_or_else(malformed)?.trim_ascii_start();
    let next = match rest {
        [] => rest,
        [b',', next @ ..] => trim_commas(next),
        _ => return Err(malformed()),
    };
    Ok(((name, value), next))
}

fn is_realm(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"realm")
}

/// The closing quote of a quoted-string (RFC 9110, section 5.6.4), with any text and with backslashes: `realm` is HTTP's.
fn end_of_quoted_string(quoted: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    for (at, &byte) in quoted.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'"' => return Some(at),
            b'\\' => is_escaped = true,
            b'\t' | b' '..=b'~' | 0x80.. => {}
            _ => return None,
        }
    }
    None
}

fn trim_commas(list: &[u8]) -> &[u8] {
    let is_element = |byte: &u8| *byte != b',' && !byte.is_ascii_whitespace();
    let start = list.iter().position(is_element).unwrap_or(list.len());
    list[start..].trim_ascii_end()
}

fn after_scheme(field: &[u8]) -> Option<&[u8]> {
    let field = field.trim_ascii();
    let end = field.iter().position(u8::is_ascii_whitespace);
    let (scheme, rest) = field.split_at(end.unwrap_or(field.len()));
    scheme.eq_ignore_ascii_case(b"OAuth").then_some(rest)
}

const GRAMMAR: &str = "Write the header as OAuth name=\"value\", name=\"value\".";

fn push_quoted(out: &mut Vec<u8>, name: &str, value: &str) {
    if out.ends_with(b"\"") {
        out.extend_from_slice(b", ");
    }
    encoding::push_encoded(out, name.as_bytes());
    out.extend_from_slice(b"=\"");
    encoding::push_encoded(out, value.as_bytes());
    out.push(b'"');
}
