//! What was seen in a minute: a set that grows without making anybody wait.
//!
//! A table that is full is moved to a larger one, all of it at once. With a million nonces in it, that takes longer than
//! a hundred requests. So there are many small tables, and each has its own time to grow.

use std::array;
use std::collections::HashSet;

use foldhash::fast::RandomState;

/// What stands for a nonce: see `SignedRequest::nonce_digest`.
pub(super) type Digest = [u8; 16];

/// A set of digests. Of each it keeps one half, which takes half of the memory.
///
/// Two digests share that half and their first byte once in 2^72 pairs: where each minute has a million nonces, a request
/// that nobody has seen is taken for one of them, and refused, once in ten thousand years.
#[derive(Debug)]
pub(super) struct NonceSet(Box<[HashSet<u64, RandomState>]>);

impl NonceSet {
    /// Whether it holds this one.
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.0[part(digest)].contains(&half(digest))
    }

    /// Adds one, or says `false`: it was there.
    pub(super) fn insert(&mut self, digest: &Digest) -> bool {
        self.0[part(digest)].insert(half(digest))
    }

    /// Adds many.
    pub(super) fn extend(&mut self, digests: &[Digest]) {
        for digest in digests {
            self.insert(digest);
        }
    }

    /// How many it holds.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(HashSet::len).sum()
    }
}

impl Default for NonceSet {
    fn default() -> Self {
        Self((0..PARTS).map(|_| HashSet::default()).collect())
    }
}

/// Digests are spread evenly, and so are their first bytes.
fn part(digest: &Digest) -> usize {
    usize::from(digest[0])
}

/// The half that is kept; the first byte of the other one chooses the part.
fn half(digest: &Digest) -> u64 {
    u64::from_be_bytes(array::from_fn(|at| digest[at + size_of::<u64>()]))
}

/// One for each first byte.
const PARTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_added_once() {
        let mut set = NonceSet::default();
        let digests: Vec<Digest> = (0..1_000_u16)
            .map(|n| {
                let mut digest = [7; 16];
                // The first byte repeats itself, the last two tell them apart.
                digest[0] = n.to_le_bytes()[0];
                digest[14..].copy_from_slice(&n.to_be_bytes());
                digest
            })
            .collect();
        set.extend(&digests[..500]);
        for (n, digest) in digests.iter().enumerate() {
            assert_eq!(set.contains(digest), n < 500);
            assert_eq!(set.insert(digest), n >= 500);
        }
        assert_eq!(set.len(), 1_000);
        set.extend(&digests);
        assert_eq!(set.len(), 1_000);
    }
}
