//! Numbers: digits of 52 bits, and the vectors in which they are reckoned with.

use std::arch::x86_64::{
    __m512i, _mm_cvtsi128_si64, _mm512_add_epi64, _mm512_alignr_epi64, _mm512_and_si512,
    _mm512_castsi512_si128, _mm512_cmpeq_epu64_mask, _mm512_cmpgt_epu64_mask, _mm512_mask_sub_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
};
use std::array;

use fearless_simd::{Avx512, SimdFrom, u64x8};

/// Bits of a digit.
pub(super) const DIGIT: usize = 52;
/// The highest digit.
pub(super) const MASK: u64 = (1 << DIGIT) - 1;

/// A number: digits, the least significant first, eight to a vector.
pub(super) type Number<const V: usize> = [[u64; 8]; V];

/// The digits of a number, big-endian, that is no longer than they are.
pub(super) fn number<const V: usize>(big_endian: &[u8]) -> Number<V> {
    let mut number = [[0; 8]; V];
    let mut digits = number.as_flattened_mut().iter_mut();
    let (mut held, mut bits) = (0_u128, 0);
    for octets in big_endian.rchunks(8) {
        let word = octets
            .iter()
            .fold(0, |word, &octet| word << 8 | u128::from(octet));
        held |= word << bits;
        bits += 8 * octets.len();
        while bits >= DIGIT
            && let Some(digit) = digits.next()
        {
            *digit = cut(held);
            held >>= DIGIT;
            bits -= DIGIT;
        }
    }
    if let Some(digit) = digits.next() {
        *digit = cut(held);
    }
    number
}

/// The lowest digit of what is held.
#[expect(clippy::cast_possible_truncation, reason = "masked to 52 bits")]
fn cut(bits: u128) -> u64 {
    bits as u64 & MASK
}

/// All digits moved down by one, and the lowest away.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn down<const V: usize>(vectors: [__m512i; V]) -> [__m512i; V] {
    let zero = _mm512_setzero_si512();
    array::from_fn(|at| {
        let above = vectors.get(at + 1).copied().unwrap_or(zero);
        _mm512_alignr_epi64::<1>(above, vectors[at])
    })
}

/// The same number in digits of 52 bits, for digits of at most 64 bits, if there is room for the last carry.
///
/// After one carry from each lane to the next, a second one is at most 1. It goes up by as many digits as are full, as it
/// would in the addition of two integers of one bit for each digit.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn carried<const V: usize>(mut vectors: [__m512i; V]) -> [__m512i; V] {
    let mask = broadcast(MASK);
    let (mut over, mut full) = ([0; 16], [0; 16]);
    let mut below = _mm512_setzero_si512();
    for (at, vector) in vectors.iter_mut().enumerate() {
        let carry = _mm512_srli_epi64::<52>(*vector);
        let moved = _mm512_alignr_epi64::<7>(carry, below);
        *vector = _mm512_add_epi64(_mm512_and_si512(*vector, mask), moved);
        below = carry;
        over[at] = _mm512_cmpgt_epu64_mask(*vector, mask);
        full[at] = _mm512_cmpeq_epu64_mask(*vector, mask);
    }
    let (over, full) = (u128::from_le_bytes(over), u128::from_le_bytes(full));
    let carries = ((over << 1) + full) ^ full;
    for (vector, carries) in vectors.iter_mut().zip(carries.to_le_bytes()) {
        *vector = _mm512_mask_sub_epi64(*vector, carries, *vector, mask);
        *vector = _mm512_and_si512(*vector, mask);
    }
    vectors
}

/// A digit in all lanes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn broadcast(digit: u64) -> __m512i {
    _mm512_set1_epi64(digit.cast_signed())
}

/// The lowest digit.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn first<const V: usize>(vectors: &[__m512i; V]) -> u64 {
    _mm_cvtsi128_si64(_mm512_castsi512_si128(vectors[0])).cast_unsigned()
}

/// A number's vectors.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn vectors<const V: usize>(avx512: Avx512, number: &Number<V>) -> [__m512i; V] {
    number.map(|eight| u64x8::simd_from(avx512, eight).into())
}

/// A number's digits.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn digits<const V: usize>(avx512: Avx512, vectors: &[__m512i; V]) -> Number<V> {
    vectors.map(|vector| u64x8::simd_from(avx512, vector).into())
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    use rsa::BoxedUint;

    use super::*;

    #[test]
    fn carries_go_as_far_as_digits_are_full() {
        fearless_simd::kernel!(
            fn carry(avx512: Avx512, number: &Number<2>) -> Number<2> {
                digits(avx512, &carried(vectors(avx512, number)))
            }
        );
        let Some(avx512) = Level::new().as_avx512() else {
            return;
        };
        let value = |number: &Number<2>| {
            let digits = number.as_flattened().iter().rev();
            digits.fold(BoxedUint::zero_with_precision(960), |value, &digit| {
                value.shl(52) + BoxedUint::from(digit)
            })
        };
        let mut rng = StdRng::seed_from_u64(52);
        for _ in 0..10_000 {
            let mut number = [[0; 8]; 2];
            for digit in &mut number.as_flattened_mut()[..15] {
                *digit = match rng.random_range(0..4) {
                    0 => MASK,
                    1 => rng.random_range(0..3) + MASK,
                    2 => rng.random_range(0..1 << 62),
                    _ => rng.random_range(0..1 << 52),
                };
            }
            let carried = carry(avx512, &number);
            assert!(carried.as_flattened().iter().all(|&digit| digit <= MASK));
            assert_eq!(value(&carried), value(&number), "{number:x?}");
        }
    }
}
