//! Products modulo an odd number.
//!
//! With `R = 2^(52 · 8 V)`, a product is taken as `a · b / R mod n`, digit by digit of `b`: as much of `n` is added as makes
//! the lowest digit vanish, then all move down by one (P. L. Montgomery, "Modular multiplication without trial division",
//! 1985). Where `a` and `b` are below `2 n`, and `4 n` below `R`, the product is below `2 n` again, so nothing is subtracted
//! between products (C. D. Walter, "Montgomery exponentiation needs no final subtractions", 1999).

use std::arch::x86_64::{
    __m512i, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_set1_epi64, _mm512_setzero_si512,
};

use fearless_simd::Avx512;
use rsa::BoxedUint;

use super::number::{DIGIT, MASK, Number, broadcast, carried, digits, down, first, number, vectors};

/// An odd modulus of `8 V` digits, the highest 32 bits of which are free: more than the products need, so that what comes
/// out at last is as good as always below the modulus.
pub(super) struct Modulus<const V: usize> {
    n: Number<V>,
    /// `R² mod n`, which takes a number to where products are divided by `R`.
    square: Number<V>,
    /// `-1 / n mod 2^52`.
    inverse: u64,
}

impl<const V: usize> Modulus<V> {
    const BITS: usize = DIGIT * 8 * V;

    /// Prepares an odd modulus, big-endian. `None` when it is even, or longer than that.
    pub(super) fn new(big_endian: &[u8]) -> Option<Box<Self>> {
        let n = BoxedUint::from_be_slice_vartime(big_endian);
        let fits = n.bit_width_vartime() as usize + 32 <= Self::BITS;
        let odd = big_endian.last().is_some_and(|low| low % 2 == 1);
        if !(fits && odd) {
            return None;
        }
        let mut square = vec![0; 2 * Self::BITS / 8 + 1];
        square[0] = 1;
        let square = BoxedUint::from_be_slice_vartime(&square);
        let square = square.rem_vartime(&n.to_nz().into_option()?);
        let n = number(big_endian);
        Some(Box::new(Self {
            square: number(&square.to_be_bytes()),
            inverse: negative_inverse(n[0][0]),
            n,
        }))
    }

    /// Whether `base^65537` is `value`, as `Power` says it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(super) fn opens(&self, avx512: Avx512, base: &[u8], value: &[u8]) -> bool {
        let (base, value) = (number(base), number(value));
        self.power(avx512, &base) == value
    }

    /// `base^65537 mod n` for a base below `n`, or `n` more: it is below `n + 2 n² / R`, a `2^31`th more than `n`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn power(&self, avx512: Avx512, base: &Number<V>) -> Number<V> {
        let n = vectors(avx512, &self.n);
        let mut power = self.product(&n, &vectors(avx512, base), &self.square);
        for _ in 0..16 {
            power = self.product(&n, &power, &digits(avx512, &power));
        }
        digits(avx512, &self.product(&n, &power, base))
    }

    /// `a · b / R mod n`, below `2 n` when both are. Every digit of both has at most 52 bits.
    ///
    /// The lowest digit, on which the multiple of `n` depends, is kept beside the vectors, where it is sooner known; theirs
    /// is not looked at. A lane sums at most four halves of products for each step that it is moved, `2^61` in all.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn product(&self, n: &[__m512i; V], a: &[__m512i; V], b: &Number<V>) -> [__m512i; V] {
        let mut sum = [_mm512_setzero_si512(); V];
        let mut lowest = 0;
        for &digit in b.as_flattened() {
            let multiple;
            (lowest, multiple) = self.cancel(lowest, first(a), digit);
            let (digit, multiple) = (broadcast(digit), broadcast(multiple));
            for ((sum, a), n) in sum.iter_mut().zip(a).zip(n) {
                *sum = _mm512_madd52lo_epu64(*sum, *a, digit);
                *sum = _mm512_madd52lo_epu64(*sum, *n, multiple);
            }
            sum = down(sum);
            lowest += first(&sum);
            for ((sum, a), n) in sum.iter_mut().zip(a).zip(n) {
                *sum = _mm512_madd52hi_epu64(*sum, *a, digit);
                *sum = _mm512_madd52hi_epu64(*sum, *n, multiple);
            }
        }
        sum[0] = _mm512_mask_set1_epi64(sum[0], 1, lowest.cast_signed());
        carried(sum)
    }

    /// Adds `a · digit` to the lowest digit, and the multiple of `n` that makes it vanish. What it carries, and the multiple.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a multiple is modulo 2^52, a carry below 2^64"
    )]
    fn cancel(&self, lowest: u64, a: u64, digit: u64) -> (u64, u64) {
        let sum = u128::from(lowest) + u128::from(a) * u128::from(digit);
        let multiple = (sum as u64).wrapping_mul(self.inverse) & MASK;
        let sum = sum + u128::from(self.n[0][0]) * u128::from(multiple);
        ((sum >> DIGIT) as u64, multiple)
    }
}

/// `-1 / odd mod 2^52`: each step doubles the number of bits that are right, of which there are three at first.
fn negative_inverse(odd: u64) -> u64 {
    let step = |inverse: u64, _| inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
    (0..5).fold(odd, step).wrapping_neg() & MASK
}
