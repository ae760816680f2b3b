//! Verification in two fifths of the time, for usual keys on processors that can: an RSA signature would otherwise be nearly
//! half of what a call costs.

use crate::oauth::signature::SignatureMethod;

use super::encoded::EncodedMessage;
use super::power::Power;

/// A key of 256 to 512 octets (2048 to 4096 bits, as a rule) with the usual exponent, on a processor that can.
pub(super) struct Quick {
    modulus: Vec<u8>,
    power: Power,
}

impl Quick {
    /// Prepares a key: its modulus, big-endian without leading zeros. `None` when it is not usual or the processor cannot.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let usual = (SHORTEST..=EncodedMessage::LONGEST).contains(&modulus.len()) && exponent == EXPONENT;
        let power = usual.then(|| Power::new(modulus)).flatten()?;
        Some(Self {
            modulus: modulus.to_vec(),
            power,
        })
    }

    /// Whether a signature is a message's (RFC 8017, section 8.2.2, steps 1 to 4): of the modulus' length, below it, and
    /// opening to exactly what the message is encoded as.
    pub(super) fn confirms(&self, method: SignatureMethod, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.modulus.len() || signature >= &*self.modulus {
            return false;
        }
        let encoded = EncodedMessage::new(method, message, self.modulus.len());
        encoded.is_some_and(|encoded| self.power.opens(signature, encoded.octets()))
    }
}

/// The public exponent that nearly every key has, and the one of `power`.
const EXPONENT: u64 = 65537;

/// Octets of a modulus; for shorter ones aws-lc is as good.
const SHORTEST: usize = 256;

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};
    use rsa::BoxedUint;

    use super::*;
    use crate::oauth::key::{PrivateKey, PublicKey};

    /// A key and its public half. Without the processor there is nothing to test, which `tests/run` says.
    fn pair(bits: usize, seed: u64) -> (PrivateKey, PublicKey) {
        let private = PrivateKey::generate(bits, &mut StdRng::seed_from_u64(seed)).unwrap();
        let public = private.public_key();
        assert_eq!(public.quick().is_some(), Power::new(&[0xff; 256]).is_some());
        (private, public)
    }

    #[test]
    fn signatures_are_confirmed_for_their_message_and_method() {
        for bits in [2048, 3080] {
            let (private, public) = pair(bits, 1);
            if let Some(quick) = public.quick() {
                are_confirmed(&private, quick, bits / 8);
            }
        }
    }

    fn are_confirmed(private: &PrivateKey, quick: &Quick, octets: usize) {
        for method in SignatureMethod::ALL {
            let Some(signature) = private.sign(method, b"message") else {
                assert!(!quick.confirms(method, b"message", &vec![0; octets]));
                continue;
            };
            for claimed in SignatureMethod::ALL {
                assert_eq!(quick.confirms(claimed, b"message", &signature), claimed == method);
            }
            assert!(!quick.confirms(method, b"massage", &signature));
            for octet in (0..octets).step_by(5) {
                let mut forged = signature.clone();
                forged[octet] ^= 0x10;
                assert!(!quick.confirms(method, b"message", &forged), "{octet}");
            }
        }
    }

    #[test]
    fn only_the_one_number_below_the_modulus_is_a_signature() {
        let (private, public) = pair(2048, 2);
        let Some(quick) = public.quick() else { return };
        let method = SignatureMethod::RsaSha1;
        let modulus = BoxedUint::from_be_slice_vartime(&quick.modulus);
        let signed = |number: u32| {
            let message = number.to_be_bytes();
            let signature = private.sign(method, &message).unwrap();
            assert!(quick.confirms(method, &message, &signature));
            let raised = BoxedUint::from_be_slice_vartime(&signature).wrapping_add(&modulus);
            let fits = raised > modulus;
            fits.then(|| (message, signature, raised.to_be_bytes()))
        };
        let (message, signature, raised) = (0..).find_map(signed).unwrap();
        assert!(!quick.confirms(method, &message, &raised));
        assert!(!quick.confirms(method, &message, &[&[0], &*signature].concat()));
        assert!(!quick.confirms(method, &message, &signature[1..]));
        assert!(!quick.confirms(method, &message, &[]));
        assert!(!quick.confirms(method, &message, &quick.modulus));
    }

    #[test]
    fn unusual_keys_are_left_to_others() {
        assert!(Quick::new(&[0xff; 256], 3).is_none());
        assert!(Quick::new(&[0xff; 255], EXPONENT).is_none());
        assert!(Quick::new(&[0xff; 513], EXPONENT).is_none());
    }
}
