//! `linkgate key generate | status | rotate | retire`: secret keys of the store, and RSA key pairs for links.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;

use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::{PrivateKey, Secret};
use crate::server::store::with_store_without_keys;
use crate::store::{KeyUse, Keyring, Store};

use super::config::ConfigFile;
use super::output::{format_time, table};

/// Keys of linkgate's own
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  linkgate key generate --out linkgate.key     for keys.secret_key_file; the same on every replica
  linkgate key generate --rsa --out link.pem   prints the public key, for Bitbucket
  linkgate key generate --rsa 4096
  linkgate key status                          which keys are needed, and by how much
  linkgate key rotate                          adds a new key: copy the file to every replica, and restart each
  linkgate key rotate                          once more: the new key makes what is new; copy and restart again
  linkgate key retire AbC1                     when `key status` says that nothing needs it any more

The secret key file has one key on each line, the current one first.")]
pub(super) enum KeyCommand {
    /// Make a secret key, or an RSA key pair
    Generate {
        /// Make an RSA key pair instead, of 2048 bits or as many as are given
        #[arg(long, value_name = "BITS", num_args = 0..=1, default_missing_value = "2048",
              value_parser = clap::value_parser!(u16).range(2048..=8192))]
        rsa: Option<u16>,
        /// Write it to a new file that only this user may read, instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Show the secret keys in the key file and in the database, and how many rows need each
    Status(ConfigFile),
    /// Rotate the secret key in two steps: add a new key below the first, then, run again, put it in front
    Rotate(ConfigFile),
    /// Retire a secret key that nothing needs any more: from the database and the key file
    Retire {
        /// The key's id, as `linkgate key status` shows it
        id: String,
        /// The key is lost: delete the tokens and secrets that only it opens; their users connect again
        #[arg(long)]
        lost: bool,
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl KeyCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Generate { rsa, out } => generate(rsa, out.as_deref()),
            Self::Status(file) => status(&file.load()?).await,
            Self::Rotate(file) => rotate(&file.load()?).await,
            Self::Retire { id, lost, config } => retire(&id, lost, &config.load()?).await,
        }
    }
}

fn generate(rsa: Option<u16>, out: Option<&Path>) -> anyhow::Result<()> {
    let rng = &mut super::rng();
    let Some(bits) = rsa else {
        return put(&Keyring::generate(rng).to_text(), out);
    };
    let key = PrivateKey::generate(bits.into(), rng)?;
    put(&key.to_pem(), out)?;
    let public = key.public_key();
    // Standard error, so that redirected output is the private key alone.
    eprintln!("public key ({}):\n{}", public.fingerprint(), public.to_base64());
    Ok(())
}

async fn status(config: &Config) -> anyhow::Result<()> {
    let (keyring, uses) = keys(config).await?;
    let row = |id: &str, first_used: String, consumers: u64, tokens: u64| {
        let place = match keyring.ids().position(|other| other == id) {
            Some(0) => "in front",
            Some(_) => "there",
            None => "MISSING",
        };
        let [consumers, tokens] = [consumers, tokens].map(|count| count.to_string());
        [id.to_owned(), place.to_owned(), first_used, consumers, tokens]
    };
    let known = uses.iter();
    let known = known.map(|key| row(&key.id, format_time(key.first_used_at), key.consumers, key.tokens));
    let unused = keyring.ids().filter(|id| uses.iter().all(|key| key.id != **id));
    let rows = known.chain(unused.map(|id| row(id, "never".to_owned(), 0, 0)));
    super::print(&table(
        ["key", "key file", "first used", "consumers", "tokens"],
        rows,
    ))
}

async fn rotate(config: &Config) -> anyhow::Result<()> {
    let path = &config.keys.secret_key_file;
    let (keyring, uses) = keys(config).await?;
    let next = keyring.ids().nth(1);
    let next = next.filter(|id| uses.iter().all(|key| key.id != **id));
    let (keyring, done) = if let Some(id) = next {
        let done = format!("{id} is in front now. Copy the file to every replica, and restart each.");
        (open(path)?.rotated(), done)
    } else {
        let keyring = open(path)?.with_next(&mut super::rng());
        let id = keyring.ids().nth(1).unwrap_or_default();
        let done = format!(
            "{id} is new. Copy the file to every replica, restart each, and run `linkgate key rotate` again."
        );
        (keyring, done)
    };
    write(&keyring, path)?;
    super::print(&format!("{}: the key {done}\n", path.display()))
}

async fn retire(id: &str, lost: bool, config: &Config) -> anyhow::Result<()> {
    let path = &config.keys.secret_key_file;
    let (file, keyring) = (path.display(), Arc::new(open(path)?));
    let place = keyring.ids().position(|other| other == id);
    ensure!(
        place != Some(0),
        "{id} is in front in {file}: `linkgate key rotate` puts another one there"
    );
    ensure!(place.is_none() || !lost, "{id} is not lost: {file} has it");
    with_store_without_keys(config, keyring.clone(), async |store| {
        retire_in(store, id, lost, place.is_some()).await
    })
    .await?;
    if place.is_some() {
        write(&open(path)?.without(id), path)?;
    }
    super::print(&format!("{id} is retired\n"))
}

async fn retire_in(store: &Store, id: &str, lost: bool, is_in_file: bool) -> anyhow::Result<()> {
    let uses = store.key_uses().await?;
    let Some(key) = uses.iter().find(|key| key.id == id) else {
        ensure!(is_in_file, "there is no key {id}: see `linkgate key status`");
        return Ok(());
    };
    ensure!(
        lost || !key.is_needed(),
        "{id} is needed by {} consumers and {} tokens; they are renewed, or end, in time",
        key.consumers,
        key.tokens
    );
    if lost {
        store.delete_lost(id, Clock::System.now()).await?;
    }
    let is_retired = store.retire_key(id).await?;
    ensure!(
        is_retired,
        "{id} has come into use again: see `linkgate key status`"
    );
    Ok(())
}

/// The keys in the key file, and those that the database knows.
async fn keys(config: &Config) -> anyhow::Result<(Arc<Keyring>, Vec<KeyUse>)> {
    let keyring = Arc::new(open(&config.keys.secret_key_file)?);
    let uses = async |store: &Store| Ok(store.key_uses().await?);
    let uses = with_store_without_keys(config, keyring.clone(), uses).await?;
    Ok((keyring, uses))
}

fn open(path: &Path) -> anyhow::Result<Keyring> {
    Ok(Keyring::open_file(path)?.keyring)
}

fn write(keyring: &Keyring, path: &Path) -> anyhow::Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    keyring.replace_file(path).with_context(failed)
}

/// Writes a secret to standard output, or to a new file that only its owner may read.
pub(super) fn put(secret: &Secret, out: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = out else {
        return super::print(secret.expose());
    };
    let cannot = || format!("{} cannot be written", path.display());
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists already, and is left as it is", path.display())
        }
        opened => opened.with_context(cannot)?,
    };
    let written = file.write_all(secret.expose().as_bytes());
    written.and_then(|()| file.sync_all()).with_context(cannot)
}
