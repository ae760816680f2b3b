//! The pages for administrators: `links`, `tokens`, `refusals`.

mod links;
mod refusals;
mod tokens;

pub(in crate::web) use links::{Endpoints, Link, LinkKey, Links, SecretPlace};
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
