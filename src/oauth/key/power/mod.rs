//! Powers modulo an odd number, on the integer multiplier of AVX-512 (`VPMADD52LUQ`, `VPMADD52HUQ`).
//!
//! 1. `number`: digits, and the vectors in which they are reckoned with;
//! 2. `modulus`: products, and the power that is made of them;
//! 3. [`Power`]: the two for the usual sizes.
//!
//! What it works on is public, so its time may tell.

mod modulus;
mod number;

use fearless_simd::{Avx512, Level};

use modulus::Modulus;

/// A modulus, and the processor's leave to work with it.
pub(super) struct Power {
    avx512: Avx512,
    modulus: Size,
}

/// Moduli of the usual sizes: up to 2048, 3296 and 4128 bits.
enum Size {
    Small(Box<Modulus<5>>),
    Middle(Box<Modulus<8>>),
    Large(Box<Modulus<10>>),
}

impl Power {
    /// Prepares an odd modulus, big-endian, of at most 4128 bits. `None` when it is not, or the processor cannot.
    pub(super) fn new(modulus: &[u8]) -> Option<Self> {
        let avx512 = Level::new().as_avx512()?;
        let small = || Modulus::new(modulus).map(Size::Small);
        let middle = || Modulus::new(modulus).map(Size::Middle);
        let large = || Modulus::new(modulus).map(Size::Large);
        let modulus = small().or_else(middle).or_else(large)?;
        Some(Self { avx512, modulus })
    }

    /// Whether `base^65537` is `value` modulo the modulus; both big-endian, below it, and no longer.
    ///
    /// `true` is always so. `false` may be wrong for a value below a `2^31`th of the modulus, which no encoded message is.
    pub(super) fn opens(&self, base: &[u8], value: &[u8]) -> bool {
        opens(self.avx512, &self.modulus, base, value)
    }
}

fearless_simd::kernel!(
    fn opens(avx512: Avx512, modulus: &Size, base: &[u8], value: &[u8]) -> bool {
        match modulus {
            Size::Small(modulus) => modulus.opens(avx512, base, value),
            Size::Middle(modulus) => modulus.opens(avx512, base, value),
            Size::Large(modulus) => modulus.opens(avx512, base, value),
        }
    }
);

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
    use rsa::BoxedUint;

    use super::*;

    /// Numbers of `length` octets at which carries run far, and others.
    fn numbers(length: usize, rng: &mut StdRng) -> Vec<Vec<u8>> {
        let mut drawn = || {
            let mut octets = vec![0; length];
            rng.fill_bytes(&mut octets);
            octets
        };
        let mut numbers = vec![drawn(), drawn(), vec![0; length], vec![0xff; length]];
        for mut half in [drawn(), drawn(), drawn(), drawn()] {
            let from = rng.random_range(0..length);
            let to = rng.random_range(from..length);
            half[from..to].fill(if from % 2 == 0 { 0xff } else { 0 });
            numbers.push(half);
        }
        let mut one = vec![0; length];
        one[length - 1] = 1;
        numbers.push(one);
        numbers
    }

    /// `base^65537 mod n`, as `crypto-bigint` divides.
    fn raised(base: &BoxedUint, n: &BoxedUint) -> BoxedUint {
        let n = n.to_nz().unwrap();
        let product = |a: &BoxedUint, b: &BoxedUint| {
            let precision = a.bits_precision() + b.bits_precision();
            let a = BoxedUint::from_be_slice(&a.to_be_bytes(), precision).unwrap();
            a.wrapping_mul(b).rem_vartime(&n)
        };
        let power = (0..16).fold(base.clone(), |power, _| product(&power, &power));
        product(&power, base)
    }

    /// Checks one power, and that none of its neighbours is taken for it.
    fn check(power: &Power, base: &BoxedUint, n: &BoxedUint) {
        let octets = n.bit_width_vartime().div_ceil(8) as usize;
        let octets_of = |number: &BoxedUint| number.to_be_bytes().rchunks(octets).next().unwrap().to_vec();
        let (base, expected) = (octets_of(base), octets_of(&raised(base, n)));
        assert!(power.opens(&base, &expected), "{base:02x?}\nmod {n:x}");
        for bit in (0..8 * expected.len()).step_by(1021) {
            let mut other = expected.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!power.opens(&base, &other), "{base:02x?}\nmod {n:x}, bit {bit}");
        }
    }

    #[test]
    fn powers_are_those_of_another_library() {
        let mut rng = StdRng::seed_from_u64(65537);
        for length in [1, 255, 256, 257, 384, 412, 413, 512, 516] {
            for mut modulus in numbers(length, &mut rng) {
                modulus[0] |= 0x80;
                modulus[length - 1] |= 1;
                let Some(power) = Power::new(&modulus) else {
                    assert!(Level::new().as_avx512().is_none(), "{modulus:02x?}");
                    // Then `tests/run` says that this was not tested.
                    assert!(
                        !is_x86_feature_detected!("avx512ifma"),
                        "but not all that belongs to it"
                    );
                    return;
                };
                let n = BoxedUint::from_be_slice_vartime(&modulus);
                let highest = n.wrapping_sub(BoxedUint::one());
                check(&power, &highest, &n);
                for base in numbers(length, &mut rng) {
                    let base = BoxedUint::from_be_slice_vartime(&base);
                    check(&power, &base.rem_vartime(&n.to_nz().unwrap()), &n);
                }
            }
        }
    }

    #[test]
    fn moduli_that_do_not_fit_are_left_to_others() {
        assert!(Power::new(&[]).is_none());
        assert!(Power::new(&[0xff; 517]).is_none());
        assert!(Power::new(&[0xfe; 256]).is_none());
    }
}
