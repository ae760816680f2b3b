//! A consumer as its row has it: columns for what is asked for, JSON for the other settings, and its sealed secrets.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::Deserialize;
use serde_json::json;

use crate::model::Consumer;
use crate::oauth::{
    AllowedCallback, Callback, ConsumerKey, PublicKey, Secret, SignatureMethod, VerificationKey,
};

use super::db::Row;
use super::{Keyring, StoreError};

/// A row of the table.
pub(super) struct ConsumerRow {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) source: String,
    pub(super) enabled: bool,
    pub(super) settings: String,
    pub(super) secrets: Option<Vec<u8>>,
    /// The key that sealed the secrets.
    pub(super) key_id: Option<String>,
}

/// What is not secret and never asked for alone. A setting that this version does not know is an error: it may forbid
/// something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the consumer's switches")]
struct Settings {
    keys: Vec<Key>,
    methods: BTreeSet<SignatureMethod>,
    callbacks: Vec<AllowedCallback>,
    default_callback: Option<Callback>,
    two_legged: bool,
    two_legged_user: Option<String>,
    impersonation: bool,
    session_handles: bool,
    require_body_hash: bool,
    addresses: Vec<String>,
}

/// A key, or the place of one: the shared secrets are sealed, in the same order.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Key {
    SharedSecret,
    Rsa(PublicKey),
}

impl ConsumerRow {
    /// Reads the columns of a row.
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            key: row.get("key")?,
            name: row.get("name")?,
            source: row.get("source")?,
            enabled: row.get("enabled")?,
            settings: row.get("settings")?,
            secrets: row.nullable("secrets")?,
            key_id: row.nullable("key_id")?,
        })
    }

    /// Seals a consumer into a row.
    pub(super) fn new(consumer: &Consumer, keyring: &Keyring) -> Self {
        let mut secrets = Vec::new();
        let keys = consumer.keys.iter().map(|key| match key {
            VerificationKey::Hmac(secret) => {
                secrets.push(secret.expose());
                json!("shared-secret")
            }
            VerificationKey::Rsa(key) => json!({ "rsa": key.to_base64() }),
        });
        let keys: Vec<_> = keys.collect();
        let methods: Vec<_> = consumer.methods.iter().map(|method| method.name()).collect();
        let callbacks: Vec<_> = consumer.callbacks.iter().map(AllowedCallback::as_str).collect();
        let addresses: Vec<_> = consumer.addresses.iter().map(ToString::to_string).collect();
        let settings = json!({
            "keys": keys,
            "methods": methods,
            "callbacks": callbacks,
            "default_callback": consumer.default_callback.as_ref().map(Callback::as_str),
            "two_legged": consumer.two_legged,
            "two_legged_user": consumer.two_legged_user,
            "impersonation": consumer.impersonation,
            "session_handles": consumer.session_handles,
            "require_body_hash": consumer.require_body_hash,
            "addresses": addresses,
        });
        let sealed = (!secrets.is_empty()).then(|| {
            let plain = serde_json::to_string(&secrets).expect("a list of texts is JSON");
            keyring.seal(&Secret::new(plain), &place(consumer.key.as_str()))
        });
        Self {
            key: consumer.key.as_str().to_owned(),
            name: consumer.name.clone(),
            source: <&str>::from(consumer.source).to_owned(),
            enabled: consumer.enabled,
            settings: settings.to_string(),
            key_id: sealed.as_ref().map(|_| keyring.current().id_text().to_owned()),
            secrets: sealed,
        }
    }

    /// Opens a row.
    pub(super) fn open(&self, keyring: &Keyring) -> Result<Consumer, StoreError> {
        let wrong = |why: &dyn Display| StoreError::inconsistent(TABLE, format!("`{}`: {why}", self.key));
        let settings: Settings = serde_json::from_str(&self.settings).map_err(|error| wrong(&error))?;
        let mut secrets = Vec::new().into_iter();
        if let Some(sealed) = &self.secrets {
            let plain = keyring.open(sealed, &place(&self.key))?;
            // serde_json's own words could repeat a part of the secret.
            let opened = serde_json::from_str::<Vec<Secret>>(plain.expose());
            secrets = opened
                .map_err(|_| wrong(&"the secrets are not a list"))?
                .into_iter();
        }
        let keys = settings.keys.into_iter().map(|key| match key {
            Key::SharedSecret => secrets.next().map(VerificationKey::Hmac),
            Key::Rsa(key) => Some(VerificationKey::Rsa(key)),
        });
        let keys = keys
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(&"a shared secret is missing"))?;
        if secrets.next().is_some() {
            return Err(wrong(&"a shared secret has no place"));
        }
        let addresses = settings.addresses.iter().map(|address| address.parse());
        Ok(Consumer {
            key: ConsumerKey::parse(&self.key).ok_or_else(|| wrong(&"the key is not one"))?,
            keys,
            methods: settings.methods,
            callbacks: settings.callbacks,
            default_callback: settings.default_callback,
            two_legged: settings.two_legged,
            two_legged_user: settings.two_legged_user,
            impersonation: settings.impersonation,
            session_handles: settings.session_handles,
            require_body_hash: settings.require_body_hash,
            addresses: addresses
                .collect::<Result<_, _>>()
                .map_err(|error| wrong(&error))?,
            enabled: self.enabled,
            source: self
                .source
                .parse()
                .map_err(|_| wrong(&format_args!("it is registered by `{}`", self.source)))?,
            name: self.name.clone(),
        })
    }
}

/// What the sealed secrets of a consumer are bound to.
fn place(key: &str) -> String {
    format!("the consumer `{key}`")
}

const TABLE: &str = "consumers";
