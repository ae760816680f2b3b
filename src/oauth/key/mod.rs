//! RSA keys: every form in which a public key is pasted becomes one key, or a sentence that says what it is.
//!
//! 1. `pasted`: from text to DER, by armour or by structure;
//! 2. [`PublicKey`]: checked, parsed once, ready to verify;
//! 3. [`PrivateKey`]: for links, for the simulated Bitbucket, and for tests.

mod pasted;
mod private;
mod public;

pub use private::PrivateKey;
pub use public::{KeyWarning, PublicKey};

/// Why a text is not a usable key: a sentence that says what it is and what to paste instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

impl From<&str> for KeyError {
    fn from(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

#[cfg(test)]
mod tests;
