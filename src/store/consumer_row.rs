//! A consumer as its row has it: columns for what is asked for, JSON for the other settings, and its sealed secrets.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::model::{Consumer, ConsumerSource};
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
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the consumer's switches")]
struct Settings {
    keys: Vec<Key>,
    methods: Vec<String>,
    callbacks: Vec<String>,
    default_callback: Option<String>,
    two_legged: bool,
    two_legged_user: Option<String>,
    impersonation: bool,
    session_handles: bool,
    require_body_hash: bool,
    addresses: Vec<String>,
}

/// A key, or the place of one: the shared secrets are sealed, in the same order.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Key {
    SharedSecret,
    Rsa(String),
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
    pub(super) fn new(consumer: &Consumer, keyring: &Keyring) -> Result<Self, StoreError> {
        let mut secrets = Vec::new();
        let keys = consumer.keys.iter().map(|key| match key {
            VerificationKey::Hmac(secret) => {
                secrets.push(secret.expose());
                Key::SharedSecret
            }
            VerificationKey::Rsa(key) => Key::Rsa(key.to_base64()),
        });
        let settings = Settings {
            keys: keys.collect(),
            methods: consumer
                .methods
                .iter()
                .map(|method| method.name().to_owned())
                .collect(),
            callbacks: consumer
                .callbacks
                .iter()
                .map(|pattern| pattern.as_str().to_owned())
                .collect(),
            default_callback: consumer
                .default_callback
                .as_ref()
                .map(|callback| callback.as_str().to_owned()),
            two_legged: consumer.two_legged,
            two_legged_user: consumer.two_legged_user.clone(),
            impersonation: consumer.impersonation,
            session_handles: consumer.session_handles,
            require_body_hash: consumer.require_body_hash,
            addresses: consumer.addresses.iter().map(ToString::to_string).collect(),
        };
        let json = |error: serde_json::Error| StoreError::inconsistent(TABLE, error.to_string());
        let sealed = match secrets.as_slice() {
            [] => None,
            secrets => {
                let plain = Secret::new(serde_json::to_string(secrets).map_err(json)?);
                Some(keyring.seal(&plain, &place(consumer.key.as_str())))
            }
        };
        Ok(Self {
            key: consumer.key.as_str().to_owned(),
            name: consumer.name.clone(),
            source: <&str>::from(consumer.source).to_owned(),
            enabled: consumer.enabled,
            settings: serde_json::to_string(&settings).map_err(json)?,
            key_id: sealed.as_ref().map(|_| keyring.current().id_text().to_owned()),
            secrets: sealed,
        })
    }

    /// Opens a row.
    pub(super) fn open(&self, keyring: &Keyring) -> Result<Consumer, StoreError> {
        let wrong = |why: String| StoreError::inconsistent(TABLE, format!("`{}`: {why}", self.key));
        let settings: Settings =
            serde_json::from_str(&self.settings).map_err(|error| wrong(error.to_string()))?;
        let secrets = match &self.secrets {
            Some(sealed) => opened(keyring, sealed, &self.key)?,
            None => Vec::new(),
        };
        Ok(Consumer {
            key: ConsumerKey::parse(&self.key).ok_or_else(|| wrong("the key is not one".to_owned()))?,
            keys: keys(settings.keys, secrets).map_err(wrong)?,
            methods: read_all(settings.methods, |name| {
                SignatureMethod::parse(name).ok_or("not a signature method")
            })
            .map_err(wrong)?
            .into_iter()
            .collect(),
            callbacks: read_all(settings.callbacks, AllowedCallback::parse).map_err(wrong)?,
            default_callback: read_all(settings.default_callback, Callback::parse)
                .map_err(wrong)?
                .pop(),
            two_legged: settings.two_legged,
            two_legged_user: settings.two_legged_user,
            impersonation: settings.impersonation,
            session_handles: settings.session_handles,
            require_body_hash: settings.require_body_hash,
            addresses: read_all(settings.addresses, str::parse).map_err(wrong)?,
            enabled: self.enabled,
            source: self
                .source
                .parse()
                .map_err(|_| wrong(format!("it is registered by `{}`", self.source)))?,
            name: self.name.clone(),
        })
    }

    /// Whether this consumer was registered so.
    pub(super) fn is_from(&self, source: ConsumerSource) -> bool {
        self.source == <&str>::from(source)
    }
}

fn opened(keyring: &Keyring, sealed: &[u8], key: &str) -> Result<Vec<Zeroizing<String>>, StoreError> {
    let plain = keyring.open(sealed, &place(key))?;
    let texts: Vec<String> = serde_json::from_str(plain.expose())
        // serde_json's own words could repeat a part of the secret.
        .map_err(|_| StoreError::inconsistent(TABLE, format!("`{key}`: the secrets are not a list")))?;
    Ok(texts.into_iter().map(Zeroizing::new).collect())
}

/// Puts the secrets back into their places.
fn keys(keys: Vec<Key>, secrets: Vec<Zeroizing<String>>) -> Result<Vec<VerificationKey>, String> {
    let mut secrets = secrets.into_iter();
    let keys = keys
        .into_iter()
        .map(|key| match key {
            Key::SharedSecret => secrets
                .next()
                .map(|secret| VerificationKey::Hmac(Secret::new(secret.as_str())))
                .ok_or_else(|| "a shared secret is missing".to_owned()),
            Key::Rsa(key) => PublicKey::parse(&key)
                .map(VerificationKey::Rsa)
                .map_err(|error| error.to_string()),
        })
        .collect();
    match secrets.next() {
        None => keys,
        Some(_) => Err("a shared secret has no place".to_owned()),
    }
}

fn read_all<T, E: ToString>(
    texts: impl IntoIterator<Item = String>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, String> {
    texts
        .into_iter()
        .map(|text| read(&text).map_err(|error| format!("`{text}`: {}", error.to_string())))
        .collect()
}

/// What the sealed secrets of a consumer are bound to.
fn place(key: &str) -> String {
    format!("the consumer `{key}`")
}

const TABLE: &str = "consumers";
