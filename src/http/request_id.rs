//! The reference of a request: the same on its response, its page and its log lines.

use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Extensions;
use rand::TryRng as _;
use rand::rngs::SysRng;

/// Eight letters and digits in two groups, such as `K7QW-3XNP`. No letter is confused with another on the telephone.
///
/// Ids are a sequence from a random start, permuted: one process repeats none, and they are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// The id of the next request.
    pub fn next() -> Self {
        static SEQUENCE: LazyLock<AtomicU64> =
            LazyLock::new(|| SysRng.try_next_u64().unwrap_or_default().into());
        let number = SEQUENCE.fetch_add(1, Ordering::Relaxed) % IDS;
        // Multiplying by a number without a common factor is a permutation.
        Self(u64::try_from(u128::from(number) * SPREAD % u128::from(IDS)).unwrap_or_default())
    }

    /// The id among a request's extensions, or a new one if there is none.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_else(Self::next)
    }
}

impl Display for RequestId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let letter = |place| LETTERS[usize::try_from(self.0 / 30_u64.pow(place) % 30).unwrap_or_default()];
        for place in (0..PLACES).rev() {
            let dash = if place == PLACES / 2 { "-" } else { "" };
            write!(f, "{}{dash}", char::from(letter(place)))?;
        }
        Ok(())
    }
}

/// No I, L, O, U, 0 or 1.
const LETTERS: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
const PLACES: u32 = 8;
const IDS: u64 = 30_u64.pow(PLACES);
/// About the golden section of [`IDS`], so that neighbours differ in each letter.
const SPREAD: u128 = 405_492_100_019;
