//! A name or a value as a peer sent it.

use super::encode;

/// A stretch of a header, a query or a form up to its delimiter, still encoded.
///
/// Nearly everything that is sent is letters and digits. Whoever looks for the delimiter passes every byte, and notes on
/// the way whether all of them stand for themselves: then nobody has to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent<'a> {
    /// The bytes as they arrived.
    pub(super) raw: &'a [u8],
    /// Whether they are their own canonical encoding, because all are unreserved (RFC 5849, section 3.6).
    pub(super) plain: bool,
}

impl<'a> Sent<'a> {
    /// What stands in front of a delimiter, or everything. No delimiter is an unreserved byte.
    pub(super) fn until(bytes: &'a [u8], delimits: impl Fn(u8) -> bool) -> Self {
        let end = |rest: &[u8]| {
            let end = rest.iter().position(|&byte| delimits(byte));
            Some(end.unwrap_or(rest.len()))
        };
        Self::ending(bytes, end).unwrap_or_default()
    }

    /// What stands in front of an end that has to be found. The search is shown what follows the unreserved bytes.
    pub(super) fn ending(bytes: &'a [u8], end: impl FnOnce(&[u8]) -> Option<usize>) -> Option<Self> {
        let (plain, rest) = bytes.split_at(encode::unreserved(bytes));
        let more = end(rest)?;
        Some(Self {
            raw: &bytes[..plain.len() + more],
            plain: more == 0,
        })
    }
}

impl Default for Sent<'_> {
    /// Nothing, which stands for itself.
    fn default() -> Self {
        Self {
            raw: b"",
            plain: true,
        }
    }
}
