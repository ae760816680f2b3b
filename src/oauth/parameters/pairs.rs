//! Pairs on their way to be parameters: one buffer, which is ASCII whatever a peer sent.

use super::{Parameters, Source, rejected};
use crate::oauth::encode::{self, BrokenEscape, Plus};
use crate::oauth::problem::Problem;
use crate::oauth::sent::Sent;

/// A pair in the buffer, written there as a base string has it when nothing in it is escaped: `name%3Dvalue%26`.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) struct Pair {
    /// The [`beginning`] of the name.
    pub(super) beginning: u128,
    /// Where the name begins.
    pub(super) start: usize,
    /// Where the name ends, and `%3D` begins.
    pub(super) middle: usize,
    /// Where the value ends, and `%26` begins.
    pub(super) end: usize,
    /// Where the pair came from.
    pub(in crate::oauth) source: Source,
    /// Whether neither name nor value has an escape.
    pub(super) plain: bool,
}

impl Pair {
    /// Where the value begins.
    pub(super) fn value(&self) -> usize {
        self.middle + EQUALS.len()
    }

    /// Where the next pair begins.
    pub(super) fn next(&self) -> usize {
        self.end + AND.len()
    }
}

/// Pairs in canonical encoding, not sorted yet.
#[derive(Debug)]
pub(super) struct Pairs {
    text: Vec<u8>,
    list: Vec<Pair>,
    /// How long the pairs are that have escapes.
    escaped: usize,
}

impl Pairs {
    /// Room for pairs that were sent in so many bytes.
    pub(super) fn with_capacity(raw: usize) -> Self {
        Self {
            text: Vec::with_capacity(raw + raw / 2),
            list: Vec::with_capacity(16),
            escaped: 0,
        }
    }

    /// Adds the pairs of a form-encoded text.
    pub(super) fn push_form(&mut self, raw: &[u8], source: Source) -> Result<(), Problem> {
        form_pairs(raw).try_for_each(|(name, value)| self.push(name, value, source))
    }

    /// Adds one pair, which a peer encoded in its own way.
    pub(super) fn push(&mut self, name: Sent<'_>, value: Sent<'_>, source: Source) -> Result<(), Problem> {
        if self.list.len() == Parameters::LIMIT {
            return Err(rejected(&[], "Send at most 1000 parameters."));
        }
        self.add(name, value, source)
    }

    /// Adds one pair that is not encoded at all.
    pub(super) fn push_plain(&mut self, name: &str, value: &str, source: Source) {
        let (name, value) = (encode::encode(name), encode::encode(value));
        let [name, value] = [&name, &value].map(|text| Sent::until(text.as_bytes(), |_| false));
        self.add(name, value, source)
            .expect("what was encoded has no broken escape");
    }

    /// The parameters that these are, sorted by encoded name, then by encoded value (RFC 5849, section 3.4.1.3.2).
    pub(super) fn sorted(mut self) -> Parameters {
        let text = String::from_utf8(self.text).expect("what is encoded is ASCII");
        self.list.sort_unstable_by_key(|pair| pair.beginning);
        let alike = |a: &Pair, b: &Pair| a.beginning == b.beginning;
        if self.list.array_windows().any(|[a, b]| alike(a, b)) {
            let whole = |pair: &Pair| (&text[pair.start..pair.middle], &text[pair.value()..pair.end]);
            let alike = self.list.chunk_by_mut(alike);
            alike.for_each(|pairs| pairs.sort_unstable_by(|a, b| whole(a).cmp(&whole(b))));
        }
        let before = |pair: &&Pair| pair.beginning < PROTOCOL;
        let first = self.list.iter().take_while(before).count();
        let protocol = self.list[first..].iter();
        let protocol = protocol
            .take_while(|pair| pair.beginning >> 80 == PROTOCOL >> 80)
            .count();
        Parameters {
            text,
            protocol: first..first + protocol,
            pairs: self.list,
            escaped: self.escaped,
        }
    }

    fn add(&mut self, name: Sent<'_>, value: Sent<'_>, source: Source) -> Result<(), Problem> {
        let broken = |BrokenEscape| rejected(shown(name.raw).as_slice(), BROKEN_ESCAPE);
        let start = self.text.len();
        self.write(name, source).map_err(broken)?;
        let middle = self.text.len();
        self.text.extend_from_slice(EQUALS);
        self.write(value, source).map_err(broken)?;
        let end = self.text.len();
        self.text.extend_from_slice(AND);
        let plain = name.plain && value.plain;
        if !plain {
            self.escaped += end - start;
        }
        self.list.push(Pair {
            beginning: beginning(&self.text[start..middle]),
            start,
            middle,
            end,
            source,
            plain,
        });
        Ok(())
    }

    fn write(&mut self, sent: Sent<'_>, source: Source) -> Result<(), BrokenEscape> {
        if sent.plain {
            self.text.extend_from_slice(sent.raw);
            return Ok(());
        }
        self.recode(sent.raw, source)
    }

    /// Stands apart, so that what is nearly always done stays short.
    #[inline(never)]
    fn recode(&mut self, raw: &[u8], source: Source) -> Result<(), BrokenEscape> {
        let plus = if source == Source::Header {
            Plus::Literal
        } else {
            Plus::Space
        };
        encode::push_recoded(&mut self.text, raw, plus)
    }
}

/// The first bytes of a canonical name, as a number that is ordered as they are: it decides nearly every comparison of two
/// names, and in one step. What a short name lacks is zero, which is less than any byte of a name.
pub(super) const fn beginning(name: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let length = if name.len() < 16 { name.len() } else { 16 };
    bytes
        .split_at_mut(length)
        .0
        .copy_from_slice(name.split_at(length).0);
    u128::from_be_bytes(bytes)
}

/// A raw name, when it can be shown.
fn shown(name: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(name).ok();
    text.filter(|text| !text.is_empty())
}

/// The pairs of a form-encoded text, still encoded: `a` is `a=`, an empty piece is nothing, `;` is data.
pub(super) fn form_pairs(raw: &[u8]) -> impl Iterator<Item = (Sent<'_>, Sent<'_>)> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        while let [b'&', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return None;
        }
        let name = Sent::until(rest, |byte| matches!(byte, b'=' | b'&'));
        rest = &rest[name.raw.len()..];
        let Some(after) = rest.strip_prefix(b"=") else {
            return Some((name, Sent::default()));
        };
        let value = Sent::until(after, |byte| byte == b'&');
        rest = &after[value.raw.len()..];
        Some((name, value))
    })
}

/// What stands between a name and its value in a base string, and between two pairs.
pub(super) const EQUALS: &[u8] = b"%3D";
pub(super) const AND: &[u8] = b"%26";
/// How the names of protocol parameters begin.
const PROTOCOL: u128 = beginning(b"oauth_");
const BROKEN_ESCAPE: &str = "A percent sign must be followed by two hexadecimal digits.";
