//! Pairs on their way to be parameters: one buffer, which is ASCII whatever a peer sent.

use super::{Parameters, Place, rejected, shown};
use crate::oauth::encode::{self, Plus};
use crate::oauth::problem::Problem;

/// A pair in the buffer: the name from `start` to `middle`, the value from there to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) start: usize,
    pub(super) middle: usize,
    pub(super) end: usize,
    pub(super) place: Place,
}

/// Pairs in canonical encoding, not sorted yet.
#[derive(Debug)]
pub(super) struct Pairs {
    text: Vec<u8>,
    pairs: Vec<Pair>,
}

impl Pairs {
    /// Room for pairs that were sent in so many bytes.
    pub(super) fn with_capacity(raw: usize) -> Self {
        Self {
            text: Vec::with_capacity(raw + raw / 8),
            pairs: Vec::with_capacity(16),
        }
    }

    /// Adds the pairs of a form-encoded text.
    pub(super) fn push_form(&mut self, raw: &[u8], place: Place) -> Result<(), Problem> {
        form_pairs(raw).try_for_each(|(name, value)| self.push(name, value, place))
    }

    /// Adds one pair, which a peer encoded in its own way.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8], place: Place) -> Result<(), Problem> {
        if self.pairs.len() == Parameters::LIMIT {
            return Err(rejected(Vec::new(), "Send at most 1000 parameters."));
        }
        let plus = if place == Place::Header {
            Plus::Literal
        } else {
            Plus::Space
        };
        let start = self.text.len();
        let broken = |_| rejected(shown(name), BROKEN_ESCAPE);
        encode::push_recoded(&mut self.text, name, plus).map_err(broken)?;
        let middle = self.text.len();
        encode::push_recoded(&mut self.text, value, plus).map_err(broken)?;
        self.end(start, middle, place);
        Ok(())
    }

    /// Adds one pair that is not encoded at all.
    pub(super) fn push_plain(&mut self, name: &str, value: &str, place: Place) {
        let start = self.text.len();
        self.text.extend_from_slice(encode::encode(name).as_bytes());
        let middle = self.text.len();
        self.text.extend_from_slice(encode::encode(value).as_bytes());
        self.end(start, middle, place);
    }

    /// The parameters that these are, sorted by encoded name, then by encoded value (RFC 5849, section 3.4.1.3.2).
    pub(super) fn sorted(mut self) -> Parameters {
        let key = |pair: &Pair| {
            (
                &self.text[pair.start..pair.middle],
                &self.text[pair.middle..pair.end],
            )
        };
        self.pairs.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        Parameters {
            text: String::from_utf8(self.text).expect("what is encoded is ASCII"),
            pairs: self.pairs,
        }
    }

    fn end(&mut self, start: usize, middle: usize, place: Place) {
        self.pairs.push(Pair {
            start,
            middle,
            end: self.text.len(),
            place,
        });
    }
}

/// The pairs of a form-encoded text, still encoded: `a` is `a=`, an empty piece is nothing, `;` is data.
pub(super) fn form_pairs(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pieces = raw.split(|&byte| byte == b'&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| match piece.iter().position(|&byte| byte == b'=') {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &piece[piece.len()..]),
    })
}

const BROKEN_ESCAPE: &str = "A percent sign must be followed by two hexadecimal digits.";
