//! The files that the real server starts with: a configuration like that of any installation, two users, and a logo.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use askama::Template;

use crate::oauth::{PrivateKey, PublicUrl, Secret};
use crate::store::Keyring;

use super::{random, rng};

#[derive(Template)]
#[template(path = "demo/linkgate.toml", escape = "none")]
pub(crate) struct Settings {
    /// Where browsers and consumers reach linkgate; it listens there.
    pub(crate) linkgate: PublicUrl,
    pub(crate) bitbucket: PublicUrl,
    pub(crate) buildboard: PublicUrl,
    pub(crate) admin: String,
    /// `host:port` where Buildboard calls Bitbucket through linkgate.
    pub(crate) calls: String,
    pub(crate) calls_token: Secret,
    pub(crate) store: String,
    pub(crate) shared_secret: Secret,
    pub(crate) bitbucket_key: PrivateKey,
    pub(crate) linkgate_key: PrivateKey,
    /// Whether the store needs a secret key file that exists (PostgreSQL); SQLite's is made on the first start.
    pub(crate) is_key_needed: bool,
}

impl Settings {
    pub(crate) fn generate(
        [bitbucket, linkgate, buildboard]: [PublicUrl; 3],
        [admin, calls]: [String; 2],
        postgres: Option<&str>,
    ) -> anyhow::Result<Self> {
        let generate = || PrivateKey::generate(KEY_BITS, &mut rng()).context("no key can be generated");
        Ok(Self {
            linkgate,
            bitbucket,
            buildboard,
            admin,
            calls,
            calls_token: Secret::new(random()),
            store: postgres.unwrap_or("sqlite://linkgate.db").to_owned(),
            shared_secret: Secret::new(random()),
            bitbucket_key: generate()?,
            linkgate_key: generate()?,
            is_key_needed: postgres.is_some(),
        })
    }

    /// Writes the files into a directory, readable for their owner only. Returns the path of the configuration.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<PathBuf> {
        let config = directory.join("linkgate.toml");
        write_private(&config, &self.render()?)?;
        write_private(&directory.join("link.pem"), self.linkgate_key.to_pem().expose())?;
        let key = directory.join("linkgate.key");
        if self.is_key_needed && !key.exists() {
            write_private(&key, Keyring::generate(&mut rng()).to_text().expose())?;
        }
        fs::write(directory.join("users.toml"), USERS)?;
        fs::write(directory.join("logo.svg"), LOGO)?;
        Ok(config)
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

pub(crate) const FORM_KEY: &str = "bitbucket-form";
/// Bitbucket's own consumer key: product name, colon, digits.
pub(crate) const OWN_KEY: &str = "Stash:8277239845";
pub(crate) const LINKGATE_KEY: &str = "linkgate:demo";

const KEY_BITS: usize = 2048;
const USERS: &str = include_str!("../../templates/demo/users.toml");
const LOGO: &str = include_str!("../../templates/demo/logo.svg");
