//! The name of an installation: a UUID (RFC 9562) that never changes.

use std::fmt;

/// A UUID in its one spelling: lower case, in groups of 8, 4, 4, 4 and 12.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationId(String);

impl ApplicationId {
    /// Reads a UUID of any version.
    pub fn parse(text: &str) -> Option<Self> {
        let groups: Vec<_> = text.split('-').collect();
        let fits = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups
                .iter()
                .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()));
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// A random UUID (RFC 9562, section 5.4) of these bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = format!("{:032x}", u128::from_be_bytes(bytes));
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        Self(text)
    }

    /// The UUID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_is_a_uuid_of_version_four() {
        let id = ApplicationId::from_random([0xff; 16]);
        assert_eq!(id.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            ApplicationId::from_random([0; 16]).as_str(),
            "00000000-0000-4000-8000-000000000000"
        );
        assert_eq!(ApplicationId::parse(id.as_str()), Some(id));
    }

    #[test]
    fn only_a_uuid_is_an_id() {
        assert!(ApplicationId::parse("5F0C7A52-5c0f-3b0e-9d6a-1e0a7f0f6d11").is_some());
        for text in [
            "",
            "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d1",
            "5f0c7a525c0f3b0e9d6a1e0a7f0f6d11",
            "5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d1g",
            "../../../../../../../../../../../..",
            "\"5f0c7a52-5c0f-3b0e-9d6a-1e0a7f0f6d11\"",
        ] {
            assert_eq!(ApplicationId::parse(text), None, "{text}");
        }
    }
}
