//! `linkgate key generate | status | rotate | retire`: secret keys of the store, and RSA key pairs for links.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use clap::{Args, Subcommand};

use crate::clock::Clock;
use crate::config::Config;
use crate::oauth::{PrivateKey, Secret};
use crate::server::store::open_without_keys;
use crate::store::{KeyUse, Keyring, Store};

use super::config::ConfigFile;
use super::output::{Table, format_time};

/// Keys of linkgate's own
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Key {
    /// Make a secret key, or an RSA key pair
    #[command(after_help = EXAMPLES)]
    Generate(Generate),
    /// Show the secret keys in the key file and in the database, and how many rows need each
    #[command(after_help = EXAMPLES)]
    Status(Status),
    /// Rotate the secret key in two steps: add a new key below the first, then, run again, put it in front
    #[command(after_help = EXAMPLES)]
    Rotate(Rotate),
    /// Retire a secret key that nothing needs any more: from the database and the key file
    #[command(after_help = EXAMPLES)]
    Retire(Retire),
}

/// Where the configuration is.
#[derive(Args, Debug)]
pub(super) struct Status {
    #[command(flatten)]
    config: ConfigFile,
}

/// Where the configuration is.
#[derive(Args, Debug)]
pub(super) struct Rotate {
    #[command(flatten)]
    config: ConfigFile,
}

/// Which key.
#[derive(Args, Debug)]
pub(super) struct Retire {
    /// The key's id, as `linkgate key status` shows it
    id: String,
    /// The key is lost: delete the tokens and secrets that only it opens; their users connect again
    #[arg(long)]
    lost: bool,
    #[command(flatten)]
    config: ConfigFile,
}

/// What to make, and where it goes.
#[derive(Args, Debug)]
pub(super) struct Generate {
    /// Make an RSA key pair instead, of 2048 bits or as many as are given
    #[arg(long, value_name = "BITS", num_args = 0..=1, default_missing_value = "2048",
          value_parser = clap::value_parser!(u16).range(2048..=8192))]
    rsa: Option<u16>,
    /// Write it to a new file that only this user may read, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  linkgate key generate --out linkgate.key     for keys.secret_key_file; the same on every replica
  linkgate key generate --rsa --out link.pem   prints the public key, for Bitbucket
  linkgate key generate --rsa 4096
  linkgate key status                          which keys are needed, and by how much
  linkgate key rotate                          adds a new key: copy the file to every replica, and restart each
  linkgate key rotate                          once more: the new key makes what is new; copy and restart again
  linkgate key retire AbC1                     when `key status` says that nothing needs it any more

The secret key file has one key on each line, the current one first.";

impl Key {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Generate(Generate { rsa: Some(bits), out }) => rsa_key(bits.into(), out.as_deref()),
            Self::Generate(Generate { rsa: None, out }) => secret_key(out.as_deref()),
            Self::Status(status) => super::block_on(status.run()),
            Self::Rotate(rotate) => super::block_on(rotate.run()),
            Self::Retire(retire) => super::block_on(retire.run()),
        }
    }
}

impl Status {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let (keyring, uses) = keys(&config).await?;
        let mut table = Table::new(["key", "key file", "first used", "consumers", "tokens"]);
        let place = |id: &str| match keyring.ids().position(|other| other == id) {
            Some(0) => "in front",
            Some(_) => "there",
            None => "MISSING",
        };
        for key in &uses {
            table.row([
                key.id.clone(),
                place(&key.id).to_owned(),
                format_time(key.first_used_at),
                key.consumers.to_string(),
                key.tokens.to_string(),
            ]);
        }
        for id in keyring.ids().filter(|id| uses.iter().all(|key| key.id != **id)) {
            let nothing = || "0".to_owned();
            table.row([
                id.to_owned(),
                place(id).to_owned(),
                "never".to_owned(),
                nothing(),
                nothing(),
            ]);
        }
        super::print(&table.to_text())
    }
}

impl Rotate {
    #[expect(
        clippy::disallowed_methods,
        reason = "the command line is where randomness comes from"
    )]
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let path = &config.keys.secret_key_file;
        let (keyring, uses) = keys(&config).await?;
        let next = keyring.ids().nth(1).map(str::to_owned);
        let next = next.filter(|id| uses.iter().all(|key| key.id != *id));
        let (keyring, done) = if let Some(id) = next {
            let done = format!("{id} is in front now. Copy the file to every replica, and restart each.");
            (keyring.rotated(), done)
        } else {
            let keyring = keyring.with_next(&mut rand::rng());
            let id = keyring.ids().nth(1).unwrap_or_default();
            let done = format!(
                "{id} is new. Copy the file to every replica, restart each, and run `linkgate key rotate` again."
            );
            (keyring, done)
        };
        let failed = || format!("{} cannot be written", path.display());
        keyring.replace_file(path).with_context(failed)?;
        super::print(&format!("{}: the key {done}\n", path.display()))
    }
}

impl Retire {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let (id, path) = (&self.id, &config.keys.secret_key_file);
        let (file, keyring) = (path.display(), Keyring::open_file(path)?.keyring);
        let place = keyring.ids().position(|other| other == id);
        ensure!(
            place != Some(0),
            "{id} is in front in {file}: `linkgate key rotate` puts another one there"
        );
        ensure!(place.is_none() || !self.lost, "{id} is not lost: {file} has it");
        let store = open_without_keys(&config, Keyring::open_file(path)?.keyring).await?;
        let retired = retire(&store, id, self.lost, place.is_some()).await;
        store.close().await;
        retired?;
        if place.is_some() {
            let failed = || format!("{file} cannot be written");
            keyring.without(id).replace_file(path).with_context(failed)?;
        }
        super::print(&format!("{id} is retired\n"))
    }
}

async fn retire(store: &Store, id: &str, lost: bool, is_in_file: bool) -> anyhow::Result<()> {
    let uses = store.key_uses().await?;
    let Some(key) = uses.iter().find(|key| key.id == id) else {
        ensure!(is_in_file, "there is no key {id}: see `linkgate key status`");
        return Ok(());
    };
    let KeyUse {
        consumers, tokens, ..
    } = key;
    ensure!(
        lost || !key.is_needed(),
        "{id} is needed by {consumers} consumers and {tokens} tokens; they are renewed, or end, in time"
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
async fn keys(config: &Config) -> anyhow::Result<(Keyring, Vec<KeyUse>)> {
    let path = &config.keys.secret_key_file;
    let store = open_without_keys(config, Keyring::open_file(path)?.keyring).await?;
    let uses = store.key_uses().await;
    store.close().await;
    Ok((Keyring::open_file(path)?.keyring, uses?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
fn rsa_key(bits: usize, out: Option<&Path>) -> anyhow::Result<()> {
    let key = PrivateKey::generate(bits, &mut rand::rng())?;
    put(&key.to_pem(), out)?;
    let public = key.public_key();
    // Standard error, so that redirected output is the private key alone.
    eprintln!("public key ({}):\n{}", public.fingerprint(), public.to_base64());
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
fn secret_key(out: Option<&Path>) -> anyhow::Result<()> {
    put(&Keyring::generate(&mut rand::rng()).to_text(), out)
}

/// Writes a secret to standard output, or to a new file that only its owner may read.
pub(super) fn put(secret: &Secret, out: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = out else {
        return super::print(secret.expose());
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => anyhow!("{} exists already, and is left as it is", path.display()),
            _ => anyhow!(error).context(format!("{} cannot be written", path.display())),
        })?;
    file.write_all(secret.expose().as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{} cannot be written", path.display()))
}
