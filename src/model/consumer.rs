//! The client (RFC 5849, section 1.1): what an administrator lets it do.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::oauth::{Callback, CallbackPattern, ConsumerKey, SignatureMethod, VerificationKey};

/// A registered consumer.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    /// Who signs.
    pub key: ConsumerKey,
    /// The name to show to people.
    pub name: String,
    /// Live keys: more than one while a key is rotated.
    pub keys: Vec<VerificationKey>,
    /// The methods it may sign with; each fits the family of one of its keys.
    pub methods: BTreeSet<SignatureMethod>,
    /// Where its users may return. Empty: out-of-band only.
    pub callbacks: Vec<CallbackPattern>,
    /// Used when a request-token call names no callback.
    pub default_callback: Option<Callback>,
    /// May call as itself (2LO).
    pub two_legged: bool,
    /// Whom the application sees when it calls as itself; `None`: nobody, only the consumer.
    pub two_legged_user: Option<String>,
    /// May name a user in `xoauth_requestor_id` (2LO with impersonation).
    pub impersonation: bool,
    /// Access-token answers carry `oauth_session_handle` and both `expires_in`.
    pub session_handles: bool,
    /// Refuses a body without `oauth_body_hash`.
    pub require_body_hash: bool,
    /// Source addresses it may call from; empty: any.
    pub addresses: Vec<IpNet>,
    /// A disabled consumer keeps its tokens and can do nothing.
    pub enabled: bool,
    /// Who registered it.
    pub source: ConsumerSource,
}

/// Who registered a consumer, and so who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerSource {
    /// An entry in the configuration file, which is the truth for it.
    Config,
    /// `linkgate consumer add`.
    Command,
}
