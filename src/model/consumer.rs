//! The client (RFC 5849, section 1.1): what an administrator lets it do.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use strum::{EnumString, IntoStaticStr};

use crate::oauth::{AllowedCallback, Callback, ConsumerKey, Problem, SignatureMethod, VerificationKey};

/// A registered consumer.
#[expect(clippy::struct_excessive_bools, reason = "the consumer's switches")]
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq)]
pub struct Consumer {
    pub key: ConsumerKey,
    pub name: String,
    /// Live keys: more than one while a key is rotated.
    pub keys: Vec<VerificationKey>,
    /// The methods it may sign with; each fits the family of one of its keys.
    pub methods: BTreeSet<SignatureMethod>,
    /// Where its users may return. Empty: out-of-band only.
    pub callbacks: Vec<AllowedCallback>,
    /// Used when a request-token call names no callback.
    pub default_callback: Option<Callback>,
    /// May call as itself (2LO).
    pub two_legged: bool,
    /// Whom the application sees when it calls as itself; `None`: only the consumer.
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
    pub source: ConsumerSource,
}

impl Consumer {
    /// Whether the consumer may sign at all, with this method, from this address. What forbids it is no problem of a token.
    pub fn check_signer(
        &self,
        method: SignatureMethod,
        is_secure: bool,
        address: Option<IpAddr>,
    ) -> Result<(), Problem> {
        if !self.enabled {
            return Err(DISABLED);
        }
        let is_allowed = |address| self.addresses.iter().any(|net| net.contains(&address));
        if !self.addresses.is_empty() && !address.is_some_and(is_allowed) {
            return Err(OTHER_ADDRESS);
        }
        method.check_keys(&self.keys)?;
        let is_plaintext = method == SignatureMethod::Plaintext;
        let why = match (self.methods.contains(&method), is_plaintext) {
            (false, true) => NO_PLAINTEXT,
            (false, false) => OTHER_HASH,
            (true, true) if !is_secure => "PLAINTEXT is accepted over https only.",
            (true, _) => return Ok(()),
        };
        let used = method.name().to_owned();
        Err(Problem::SignatureMethodRejected { used, why })
    }
}

const DISABLED: Problem = Problem::ConsumerKeyRejected("This consumer is disabled in linkgate.");
const OTHER_ADDRESS: Problem = Problem::ConsumerKeyRejected("This consumer may not call from this address.");
const NO_PLAINTEXT: &str =
    "PLAINTEXT is off for this consumer: sign with HMAC-SHA1, or add PLAINTEXT to its signature_methods.";
const OTHER_HASH: &str =
    "This consumer may sign with another hash only: compare its link with its signature_methods in linkgate.";

/// Who registered a consumer, and so who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum ConsumerSource {
    /// An entry in the configuration file, which is the truth for it.
    Config,
    /// `linkgate consumer add`.
    Command,
}
