//! What a signature must open to: EMSA-PKCS1-v1_5 (RFC 8017, section 9.2).

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::oauth::signature::SignatureMethod;

/// `DigestInfo` up to the hash itself, in DER (RFC 8017, section 9.2, note 1).
const SHA1: &[u8] = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
const SHA256: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA512: &[u8] = b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";

/// An encoded message: `00 01 FF … FF 00`, the `DigestInfo`, the hash; as long as the modulus.
pub(super) struct EncodedMessage {
    octets: [u8; Self::LONGEST],
    length: usize,
}

impl EncodedMessage {
    /// Octets of the longest modulus that is encoded for.
    pub(super) const LONGEST: usize = 512;

    /// Encodes a message with the hash of an RSA method, for a modulus of `length` octets: enough for the hash, and at most
    /// [`Self::LONGEST`]. `None` when the method is not an RSA method.
    pub(super) fn new(method: SignatureMethod, message: &[u8], length: usize) -> Option<Self> {
        Some(match method {
            SignatureMethod::RsaSha1 => Self::pad(SHA1, &Sha1::digest(message), length),
            SignatureMethod::RsaSha256 => Self::pad(SHA256, &Sha256::digest(message), length),
            SignatureMethod::RsaSha512 => Self::pad(SHA512, &Sha512::digest(message), length),
            _ => return None,
        })
    }

    /// The octets, most significant first.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    fn pad(info: &[u8], hash: &[u8], length: usize) -> Self {
        let mut octets = [0xff; Self::LONGEST];
        let (hash_at, info_at) = (length - hash.len(), length - hash.len() - info.len());
        octets[..2].copy_from_slice(&[0, 1]);
        octets[info_at - 1] = 0;
        octets[info_at..hash_at].copy_from_slice(info);
        octets[hash_at..length].copy_from_slice(hash);
        Self { octets, length }
    }
}
