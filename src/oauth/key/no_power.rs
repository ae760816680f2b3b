//! [`Power`] where there is no AVX-512: there is none.

/// Nothing.
pub(super) enum Power {}

impl Power {
    /// `None`.
    pub(super) fn new(_modulus: &[u8]) -> Option<Self> {
        None
    }

    /// Not called, because nothing can be made to call it on.
    pub(super) fn opens(&self, _base: &[u8], _value: &[u8]) -> bool {
        match *self {}
    }
}
