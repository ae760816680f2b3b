//! Opens the store that a configuration names.

use std::sync::Arc;

use anyhow::{Context, bail};

use crate::config::Config;
use crate::store::{Keyring, Options, Store};

/// Opens the store, and makes what is missing: the SQLite database, and its key file.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Store> {
    open_with(config, keyring(config)?).await
}

/// Opens the store with keys that were read already.
pub(crate) async fn open_with(config: &Config, keyring: Arc<Keyring>) -> anyhow::Result<Store> {
    Ok(Store::open(&options(config), keyring).await?)
}

/// Opens a store that is there already: looking at it must not make one, perhaps as a user whom `serve` does not run as.
pub(crate) async fn open_existing(config: &Config) -> anyhow::Result<Store> {
    if let Some(file) = config.store.sqlite_file.as_deref().filter(|file| !file.exists()) {
        bail!(
            "there is no database {} yet; `linkgate serve` makes it",
            file.display()
        );
    }
    open(config).await
}

/// Reads the secret key, or makes it on the first start when that is the configuration's choice.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
pub(crate) fn keyring(config: &Config) -> anyhow::Result<Arc<Keyring>> {
    let path = &config.keys.secret_key_file;
    let file = if config.keys.make_if_missing {
        Keyring::open_or_create(path, &mut rand::rng())
    } else {
        Keyring::open_file(path)
    };
    let file = file.context("keys.secret_key_file cannot be used")?;
    if file.made {
        tracing::info!(
            "made the secret key {}: keep a copy, the tokens depend on it",
            path.display()
        );
    }
    if file.exposed {
        tracing::warn!(
            "others may read the secret key {0}; chmod 600 {0}",
            path.display()
        );
    }
    Ok(Arc::new(file.keyring))
}

fn options(config: &Config) -> Options {
    Options {
        url: config.store.url.clone(),
        password: config.store.password.clone(),
        max_connections: config.store.max_connections,
    }
}
