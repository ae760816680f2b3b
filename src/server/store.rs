//! Opens the store that a configuration names, and reads its secret keys.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::clock::Clock;
use crate::config::Config;
use crate::store::{KeyUse, Keyring, Store, StoreError};

/// Whether a server may create the database, or bring its tables up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// What is missing is created.
    Apply,
    /// The tables must be those of this version.
    Refuse,
}

/// Opens the store for a server.
pub(crate) async fn open(
    config: &Config,
    keyring: Arc<Keyring>,
    migrations: Migrations,
) -> anyhow::Result<Store> {
    let (options, now) = (&config.store, Clock::System.now());
    if migrations == Migrations::Apply {
        return Ok(Store::open(options, keyring, now).await?);
    }
    let store = Store::open_without_keys(options, keyring).await?;
    store.check_keys(now).await?;
    Ok(store)
}

/// Opens a store for a command, and closes it after its work. It must exist, with tables of this version and every key that it
/// needs: a command must not create one, perhaps as another user than the server's.
///
/// # Errors
///
/// There is no such database, it has tables of another version, it needs a key that the key file lacks, or the work failed.
pub async fn with_store<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    check_exists(config)?;
    with_store_without_keys(config, keyring(config).await?, async |store| {
        store.check_keys(Clock::System.now()).await?;
        work(store).await
    })
    .await
}

/// Does so whether or not the key file has every key that the store needs.
///
/// # Errors
///
/// There is no such database, it has tables of another version, or the work failed.
pub async fn with_store_without_keys<T>(
    config: &Config,
    keyring: Arc<Keyring>,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    check_exists(config)?;
    let store = Store::open_without_keys(&config.store, keyring).await?;
    let outcome = work(&store).await;
    store.close().await;
    outcome
}

/// Creates the database, or brings its tables up to date.
///
/// # Errors
///
/// The database cannot be reached or written, or a newer linkgate made it.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    Store::migrate(&config.store, no_keys()).await?.close().await;
    Ok(())
}

/// Checks that the tables are those of this version.
///
/// # Errors
///
/// There is no such database, or its tables have another version.
pub async fn check_schema(config: &Config) -> anyhow::Result<()> {
    with_store_without_keys(config, no_keys(), async |_| Ok(())).await
}

fn check_exists(config: &Config) -> anyhow::Result<()> {
    let file = config.store.sqlite_file();
    if let Some(missing) = file.filter(|file| !file.exists()) {
        let missing = missing.display();
        bail!("there is no database {missing} yet; `linkgate serve` or `linkgate migrate` makes it");
    }
    Ok(())
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
    let path = path.display();
    if file.created {
        tracing::info!("made the secret key {path}: keep a copy, the tokens depend on it");
    }
    if file.world_readable {
        tracing::warn!("others may read the secret key {path}; chmod 600 {path}");
    }
    Ok(Arc::new(file.keyring))
}

async fn check_no_key_is_needed(config: &Config) -> anyhow::Result<()> {
    if check_exists(config).is_err() || config.store.url.contains(":memory:") {
        return Ok(());
    }
    let store = match Store::open_without_keys(&config.store, no_keys()).await {
        Err(StoreError::OlderSchema { found: 0, .. }) => return Ok(()),
        opened => opened?,
    };
    let uses = store.key_uses().await;
    store.close().await;
    let needed = uses?.into_iter().filter(KeyUse::is_needed);
    let needed: Vec<_> = needed.map(|key| key.id).collect();
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

/// For a store that is only looked at: no row was made with this key.
fn no_keys() -> Arc<Keyring> {
    Arc::new(Keyring::generate(&mut StdRng::from_seed([0; 32])))
}
