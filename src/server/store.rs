//! Opens the store that a configuration names, and reads its secret keys.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::clock::Clock;
use crate::config::Config;
use crate::store::{KeyUse, Keyring, Options, Store};

/// Opens the store, and creates what is missing: the SQLite database, and its key file.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Store> {
    open_with(config, keyring(config).await?).await
}

/// Opens the store with keys that were read already.
pub(crate) async fn open_with(config: &Config, keyring: Arc<Keyring>) -> anyhow::Result<Store> {
    Ok(Store::open(&options(config), keyring, Clock::System.now()).await?)
}

/// Opens a store that exists: a command that only looks must not create one, perhaps as another user than the server's.
pub(crate) async fn open_existing(config: &Config) -> anyhow::Result<Store> {
    check_exists(config)?;
    open(config).await
}

/// Opens a store that exists, whether or not the key file has every key that it needs.
pub(crate) async fn open_without_keys(config: &Config, keyring: Keyring) -> anyhow::Result<Store> {
    check_exists(config)?;
    Ok(Store::open_without_keys(&options(config), Arc::new(keyring)).await?)
}

fn check_exists(config: &Config) -> anyhow::Result<()> {
    match config.store.sqlite_file.as_deref() {
        Some(file) if !file.exists() => {
            bail!(
                "there is no database {} yet; `linkgate serve` makes it",
                file.display()
            )
        }
        _ => Ok(()),
    }
}

/// Reads the secret keys. A missing key file is created on the first start, if that is the configuration's choice, and never
/// beside a database that needs the keys of another one.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
pub(crate) async fn keyring(config: &Config) -> anyhow::Result<Arc<Keyring>> {
    let path = &config.keys.secret_key_file;
    let file = if !config.store.is_postgres() && !path.exists() {
        check_no_key_is_needed(config).await?;
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

async fn check_no_key_is_needed(config: &Config) -> anyhow::Result<()> {
    if check_exists(config).is_err() || config.store.url().contains(":memory:") {
        return Ok(());
    }
    let any = Keyring::generate(&mut StdRng::from_seed([0; 32]));
    let store = open_without_keys(config, any).await?;
    let uses = store.key_uses().await;
    store.close().await;
    let needed: Vec<_> = uses?
        .into_iter()
        .filter(KeyUse::is_needed)
        .map(|key| key.id)
        .collect();
    ensure!(
        needed.is_empty(),
        "the key file {} is missing, and the database needs its key {}: restore the file from a backup. If it is lost, make \
         a new one with `linkgate key generate --out {0}`, and `linkgate key retire KEY --lost` deletes what only the old \
         key opens",
        config.keys.secret_key_file.display(),
        needed.join(", "),
    );
    Ok(())
}

fn options(config: &Config) -> Options {
    Options {
        url: config.store.url().to_owned(),
        password: config.store.password.clone(),
        max_connections: config.store.max_connections.get(),
    }
}
