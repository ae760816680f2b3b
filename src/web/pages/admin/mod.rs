//! The pages for administrators: `links` (with `other_sides`, the other direction), `tokens`, `refusals`.

mod links;
mod other_sides;
mod refusals;
mod tokens;

pub(in crate::web) use links::{Endpoints, Link, LinkKey, Links, SecretPlace};
pub(in crate::web) use other_sides::{OtherSide, OtherSides};
pub(in crate::web) use refusals::Refusals;
pub(in crate::web) use tokens::Tokens;

/// Where the pages lead to each other.
#[derive(Debug)]
pub(in crate::web) struct Navigation {
    /// What to enter in Bitbucket.
    pub(in crate::web) links: String,
    /// What users have connected.
    pub(in crate::web) tokens: String,
    /// What was refused lately.
    pub(in crate::web) refusals: String,
}
