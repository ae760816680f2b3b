//! The `Authorization: OAuth` grammar (RFC 5849, section 3.5.1), both directions.

use super::encode;
use super::problem::Problem;
use super::sent::Sent;

/// The credentials of the `OAuth` scheme: what follows its name, nothing read yet.
///
/// `Ok(None)`: no field has this scheme. Several fields of which one has it are ambiguous, and refused.
pub fn credentials<'a>(fields: &[&'a [u8]]) -> Result<Option<&'a [u8]>, Problem> {
    let mut found = fields.iter().filter_map(|field| after_scheme(field));
    match (found.next(), fields.len()) {
        (None, _) => Ok(None),
        (Some(rest), 1) => Ok(Some(rest)),
        (Some(_), _) => Err(malformed(
            None,
            "Send one Authorization header: several of them are ambiguous.",
        )),
    }
}

/// The parameters of OAuth credentials, in order: names and values still encoded, `realm` left out.
///
/// The grammar is strict: `name="value"`, separated by commas with optional white space. A comma inside the quotes is
/// data.
pub fn parameters(credentials: &[u8]) -> impl Iterator<Item = Result<EncodedPair<'_>, Problem>> {
    sent(credentials).map(|pair| pair.map(|(name, value)| (name.raw, value.raw)))
}

/// The same, with what was noted while they were read.
pub(super) fn sent(credentials: &[u8]) -> impl Iterator<Item = Result<SentPair<'_>, Problem>> {
    let mut reader = Reader {
        rest: trim(credentials),
        done: false,
        realm: false,
    };
    std::iter::from_fn(move || reader.next_signed())
}

/// Writes the value of `Authorization` for a call of ours (RFC 5849, section 3.5.1).
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
    encode::ascii(out)
}

/// Writes the value of `WWW-Authenticate`: a challenge, and what was wrong (OAuth Problem Reporting 1.0).
///
/// The realm and every value are encoded, so nothing that a peer sent can break out of its quotes.
pub fn challenge(realm: &str, problem: Option<&Problem>) -> String {
    let pairs = problem.map(Problem::pairs).unwrap_or_default();
    authorization(pairs, Some(realm))
}

/// Writes pairs as `application/x-www-form-urlencoded`, in the encoding that is also the signature's.
pub fn form_body<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = Vec::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push(b'&');
        }
        encode::extend_encoded(&mut out, name.as_ref().as_bytes());
        out.push(b'=');
        encode::extend_encoded(&mut out, value.as_ref().as_bytes());
    }
    encode::ascii(out)
}

/// A name and a value as they were sent.
type EncodedPair<'a> = (&'a [u8], &'a [u8]);
type SentPair<'a> = (Sent<'a>, Sent<'a>);

struct Reader<'a> {
    rest: &'a [u8],
    done: bool,
    realm: bool,
}

impl<'a> Reader<'a> {
    /// The next parameter that is signed.
    fn next_signed(&mut self) -> Option<Result<SentPair<'a>, Problem>> {
        while !self.done && !self.rest.is_empty() {
            match self.next_parameter() {
                Ok((name, _)) if name.raw.eq_ignore_ascii_case(b"realm") => {
                    if self.realm {
                        self.done = true;
                        return Some(Err(Problem::parameter_rejected("realm", "Send realm once.")));
                    }
                    self.realm = true;
                }
                Ok(pair) => return Some(Ok(pair)),
                Err(problem) => {
                    self.done = true;
                    return Some(Err(problem));
                }
            }
        }
        None
    }

    fn next_parameter(&mut self) -> Result<SentPair<'a>, Problem> {
        let name = Sent::until(self.rest, |byte| !is_name(byte));
        let refused = || malformed(Some(name.raw), GRAMMAR);
        let quoted = self.rest[name.raw.len()..].strip_prefix(b"=\"");
        let quoted = quoted.filter(|_| !name.raw.is_empty()).ok_or_else(refused)?;
        let lenient = name.raw.eq_ignore_ascii_case(b"realm");
        let value = Sent::ending(quoted, |rest| closing_quote(rest, lenient)).ok_or_else(refused)?;
        self.rest = after_comma(&quoted[value.raw.len() + 1..]).ok_or_else(refused)?;
        Ok((name, value))
    }
}

/// What follows the comma after a parameter; the empty rest after the last one. The end is trimmed already.
fn after_comma(rest: &[u8]) -> Option<&[u8]> {
    let rest = trim_start(rest);
    if rest.is_empty() {
        return Some(rest);
    }
    let next = trim_start(rest.strip_prefix(b",")?);
    (!next.is_empty()).then_some(next)
}

/// Where a quoted value ends. `realm` is HTTP's own, a quoted-string (RFC 9110, section 5.6.4) with any text and with
/// backslashes; every other value is percent-encoded and has neither.
fn closing_quote(quoted: &[u8], lenient: bool) -> Option<usize> {
    if lenient {
        return end_of_text(quoted);
    }
    let end = quoted.iter().position(|&byte| byte == b'"')?;
    // To look at all of them is faster than to stop early: the compiler takes many in one step.
    let is_value = |fits, &byte: &u8| fits & matches!(byte, b' '..=b'[' | b']'..=b'~');
    quoted[..end].iter().fold(true, is_value).then_some(end)
}

fn end_of_text(quoted: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, &byte) in quoted.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'"' => return Some(at),
            b'\\' => escaped = true,
            b'\t' | b' '..=b'~' | 0x80.. => {}
            _ => return None,
        }
    }
    None
}

fn after_scheme(field: &[u8]) -> Option<&[u8]> {
    let field = trim(field);
    let end = field
        .iter()
        .position(|&byte| is_space(byte))
        .unwrap_or(field.len());
    let (scheme, rest) = field.split_at(end);
    scheme.eq_ignore_ascii_case(b"OAuth").then_some(rest)
}

fn malformed(name: Option<&[u8]>, why: &'static str) -> Problem {
    let name = name.and_then(|name| std::str::from_utf8(name).ok());
    let names = name
        .filter(|name| (1..=64).contains(&name.len()))
        .map(str::to_owned);
    Problem::ParameterRejected {
        names: names.into_iter().collect(),
        why,
    }
}

fn push_quoted(out: &mut Vec<u8>, name: &str, value: &str) {
    if out.ends_with(b"\"") {
        out.extend_from_slice(b", ");
    }
    encode::extend_encoded(out, name.as_bytes());
    out.extend_from_slice(b"=\"");
    encode::extend_encoded(out, value.as_bytes());
    out.push(b'"');
}

const fn is_name(byte: u8) -> bool {
    encode::is_unreserved(byte) || byte == b'%'
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(bytes: &[u8]) -> &[u8] {
    let bytes = trim_start(bytes);
    let end = bytes
        .iter()
        .rposition(|&byte| !is_space(byte))
        .map_or(0, |at| at + 1);
    &bytes[..end]
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| !is_space(byte));
    &bytes[start.unwrap_or(bytes.len())..]
}

const GRAMMAR: &str = "Write the header as OAuth name=\"value\", name=\"value\".";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Vec<String>, Problem> {
        let credentials = credentials(&[header.as_bytes()])?.unwrap_or(b"not OAuth");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        parameters(credentials)
            .map(|pair| pair.map(|(name, value)| format!("{}={}", text(name), text(value))))
            .collect()
    }

    #[test]
    fn names_and_quoted_values_are_read_in_order() {
        for header in [
            "OAuth a=\"1\",b=\"2,=\"",
            "oauth a=\"1\" , b=\"2,=\"",
            "OAUTH\trealm=\"x, \\\"y\u{e9}\",\ta=\"1\",  b=\"2,=\" ",
            "OAuth a=\"1\", b=\"2,=\", Realm=\"\"",
        ] {
            assert_eq!(read(header).unwrap(), ["a=1", "b=2,="], "{header}");
        }
    }

    #[test]
    fn what_is_not_the_grammar_is_refused() {
        for header in [
            "OAuth garbage",
            "OAuth oauth_nonce=n",
            "OAuth oauth_nonce=",
            "OAuth oauth_nonce=\"n",
            "OAuth oauth_nonce=\"n\"x",
            "OAuth oauth_nonce=\"n\" a=\"b\"",
            "OAuth oauth_nonce=\"n\",",
            "OAuth ,oauth_nonce=\"n\"",
            "OAuth oauth_nonce=\"n\",,a=\"b\"",
            "OAuth oauth_nonce =\"n\"",
            "OAuth oauth_nonce= \"n\"",
            "OAuth =\"n\"",
            "OAuth oauth nonce=\"n\"",
            "OAuth oauth_nonce='n'",
            "OAuth oauth_nonce=\"a\\\"b\"",
            "OAuth oauth_nonce=\"\u{e9}\"",
            "OAuth oauth_nonce=\"a\tb\"",
            "OAuth a=\"b\", Basic eDp5",
        ] {
            assert_eq!(read(header).unwrap_err().name(), "parameter_rejected", "{header}");
        }
    }

    #[test]
    fn a_refusal_names_the_parameter() {
        let problem = read("OAuth a=\"b\", oauth_nonce=n").unwrap_err();
        assert_eq!(
            problem.pairs()[1],
            ("oauth_parameters_rejected", "oauth_nonce".to_owned())
        );
    }

    #[test]
    fn the_scheme_is_a_whole_word_in_any_case() {
        let found = |fields: &[&[u8]]| credentials(fields).map(|found| found.map(<[u8]>::to_vec));
        assert_eq!(found(&[b"oAuTh a"]), Ok(Some(b" a".to_vec())));
        assert_eq!(found(&[b"OAuth"]), Ok(Some(Vec::new())));
        for field in ["", "OAuth2 a", "XOAuth a", "OAuth,a", "Basic eDp5, OAuth a=\"b\""] {
            assert_eq!(found(&[field.as_bytes()]), Ok(None), "{field}");
        }
        assert_eq!(found(&[b"Basic eDp5", b"Bearer t"]), Ok(None));
        assert_eq!(found(&[]), Ok(None));
        for fields in [
            [b"OAuth a".as_slice(), b"Bearer t"],
            [b"Bearer t", b"OAuth a"],
            [b"OAuth a", b"OAuth a"],
        ] {
            assert_eq!(found(&fields).unwrap_err().name(), "parameter_rejected");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let pairs = [("oauth_token", "a b\""), ("oauth_nonce", "\r\n,")];
        let header = authorization(pairs, Some("https://h/\""));
        assert_eq!(
            header,
            "OAuth realm=\"https%3A%2F%2Fh%2F%22\", oauth_token=\"a%20b%22\", oauth_nonce=\"%0D%0A%2C\""
        );
        assert_eq!(
            read(&header).unwrap(),
            ["oauth_token=a%20b%22", "oauth_nonce=%0D%0A%2C"]
        );
        assert_eq!(form_body(pairs), "oauth_token=a%20b%22&oauth_nonce=%0D%0A%2C");
        assert_eq!(authorization([("a", "b")], None), "OAuth a=\"b\"");
    }

    #[test]
    fn a_challenge_says_what_is_wrong() {
        assert_eq!(challenge("https://h", None), "OAuth realm=\"https%3A%2F%2Fh\"");
        let problem = Problem::ParameterAbsent(vec!["oauth_nonce", "oauth_timestamp"]);
        assert_eq!(
            challenge("r", Some(&problem)),
            "OAuth realm=\"r\", oauth_problem=\"parameter_absent\", \
             oauth_parameters_absent=\"oauth_nonce%26oauth_timestamp\", \
             oauth_problem_advice=\"Send%20oauth_nonce%2C%20oauth_timestamp.\""
        );
    }
}
