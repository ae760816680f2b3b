//! `linkgate key generate`: a secret key for the store, or an RSA key pair for links.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};

use crate::oauth::{PrivateKey, Secret};
use crate::store::Keyring;

/// Keys of linkgate's own
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Key {
    /// Make a secret key, or an RSA key pair
    #[command(after_help = EXAMPLES)]
    Generate(Generate),
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

The secret key file has one key on each line, the current one first. To rotate, put a new line above the others.";

impl Key {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Generate(Generate { rsa, out }) = self;
        match rsa {
            Some(bits) => rsa_key(bits.into(), out.as_deref()),
            None => secret_key(out.as_deref()),
        }
    }
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
fn put(secret: &Secret, out: Option<&Path>) -> anyhow::Result<()> {
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
