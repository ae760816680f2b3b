//! What ties a page, or a refusal, to its line in the log.

use rand::RngExt as _;

use super::randomness;

/// Eight letters and digits that are hard to confuse, in two groups: easy to read out on the telephone.
pub(super) fn new_reference() -> String {
    let mut rng = randomness();
    let mut reference = String::with_capacity(9);
    for at in 0..8 {
        if at == 4 {
            reference.push('-');
        }
        reference.push(char::from(CLEAR[rng.random_range(0..CLEAR.len())]));
    }
    reference
}

/// No I, L, O, U, 0 or 1.
const CLEAR: &[u8] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
