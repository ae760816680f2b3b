//! A round trip of a browser: away to whoever knows its user, and back with an answer.

use crate::oauth::{Secret, Timestamp, Token};

/// What a browser takes along.
///
/// Its `id` is public: it stands in the addresses that the browser visits. The secrets are derived from it with a key of
/// ours, so they need no storage, and any replica finds them again.
#[derive(Clone, Debug)]
pub struct Trip {
    /// What names it: letters and digits, good once.
    pub id: Token,
    /// Where the browser comes back to: an absolute URL of ours.
    pub back: String,
    /// Whether the user is to prove anew who they are, even with a session there.
    pub fresh: bool,
    /// The `nonce` of the ID token (OpenID Connect Core, section 3.1.2.1).
    pub nonce: Secret,
    /// The `code_verifier` (RFC 7636, section 4.1).
    pub verifier: Secret,
    /// When it began.
    pub at: Timestamp,
}

/// Seconds that a trip may take.
pub const TRIP_SECONDS: i64 = 600;
