//! A consumer as its row has it: columns for what is asked for, JSON for the other settings, and its sealed secrets.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde::Deserialize;
use serde_json::json;

use crate::model::Consumer;
use crate::oauth::{
    AllowedCallback, Callback, PublicKey, Secret, SignatureMethod, Timestamp, VerificationKey,
};

use super::db::{Row, Sql, consumer_key, sql};
use super::{Keyring, StoreError};

/// What is not secret. A setting that this version does not know is an error: it may forbid something.
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

/// Seals a consumer into a new row; `conflict` is the clause for a row with the same key.
pub(super) fn insert(consumer: &Consumer, keyring: &Keyring, conflict: &'static str, now: Timestamp) -> Sql {
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
    sql([
        "insert into consumers (key, name, source, enabled, settings, secrets, key_id, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (key)",
        conflict,
    ])
    .bind([
        &consumer.key.as_str(),
        &consumer.name,
        &<&str>::from(consumer.source),
        &consumer.enabled,
        &settings.to_string(),
        &sealed,
        &sealed.as_ref().map(|_| keyring.current().id_text()),
        &now,
    ])
}

/// Opens a row, as far as it has [`COLUMNS`].
pub(super) fn consumer(row: &Row, keyring: &Keyring) -> Result<Consumer, StoreError> {
    let key: String = row.get("key")?;
    let wrong = |why: &dyn Display| StoreError::inconsistent(TABLE, format!("`{key}`: {why}"));
    let settings: String = row.get("settings")?;
    let settings: Settings = serde_json::from_str(&settings).map_err(|error| wrong(&error))?;
    let mut secrets = Vec::new().into_iter();
    if let Some(sealed) = row.nullable::<Vec<u8>>("secrets")? {
        let plain = keyring.open(&sealed, &place(&key))?;
        // serde_json's own words could repeat a part of the secret.
        let opened = serde_json::from_str::<Vec<Secret>>(plain.expose());
        let opened = opened.map_err(|_| wrong(&"the secrets are not a list"))?;
        secrets = opened.into_iter();
    }
    let keys = settings.keys.into_iter().map(|key| match key {
        Key::SharedSecret => secrets.next().map(VerificationKey::Hmac),
        Key::Rsa(key) => Some(VerificationKey::Rsa(key)),
    });
    let keys: Option<_> = keys.collect();
    let keys = keys.ok_or_else(|| wrong(&"a shared secret is missing"))?;
    if secrets.next().is_some() {
        return Err(wrong(&"a shared secret has no place"));
    }
    let addresses = settings.addresses.iter().map(|address| address.parse());
    let addresses: Result<_, _> = addresses.collect();
    Ok(Consumer {
        key: row.parse(TABLE, "key", consumer_key)?,
        keys,
        methods: settings.methods,
        callbacks: settings.callbacks,
        default_callback: settings.default_callback,
        two_legged: settings.two_legged,
        two_legged_user: settings.two_legged_user,
        impersonation: settings.impersonation,
        session_handles: settings.session_handles,
        require_body_hash: settings.require_body_hash,
        addresses: addresses.map_err(|error: ipnet::AddrParseError| wrong(&error))?,
        enabled: row.get("enabled")?,
        source: row.parse(TABLE, "source", str::parse)?,
        name: row.get("name")?,
    })
}

/// What the sealed secrets of a consumer are bound to.
fn place(key: &str) -> String {
    format!("the consumer `{key}`")
}

/// What [`consumer`] reads, and the key that sealed the secrets.
pub(super) const COLUMNS: &str = "key, name, source, enabled, settings, secrets, key_id";

const TABLE: &str = "consumers";
