//! `application/x-www-form-urlencoded`, both directions: what the simulated peers write and read.

use crate::oauth::encoding;

/// Writes pairs as the OAuth libraries do: strictly percent-encoded, a space as `%20` (RFC 5849, section 3.6).
pub fn strict<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    join(pairs, encoding::encode)
}

/// Writes pairs as browsers and HTTP clients do: a space as `+`.
pub fn plus<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    join(pairs, |text| encoding::encode(text).replace("%20", "+"))
}

/// Reads pairs in their order; a name without `=` has an empty value.
pub fn read(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// The first value of a name.
pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}

/// Undoes percent-encoding; what is no escape stays as it is.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn join<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)], encode: impl Fn(&str) -> String) -> String {
    let encoded = |(name, value): &(N, V)| format!("{}={}", encode(name.as_ref()), encode(value.as_ref()));
    pairs.iter().map(encoded).collect::<Vec<_>>().join("&")
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let pairs = [("a b", "ä=&+%"), ("empty", ""), ("a b", "🚀")];
        let owned: Vec<_> = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(read(&strict(&pairs)), owned);
        assert_eq!(read(&plus(&pairs)), owned);
        assert_eq!(plus(&[("q", "a b")]), "q=a+b");
        assert_eq!(strict(&[("q", "a b")]), "q=a%20b");
    }

    #[test]
    fn a_lone_percent_sign_is_no_escape() {
        assert_eq!(decode("50%"), "50%");
        assert_eq!(decode("%zz%41"), "%zzA");
    }
}
