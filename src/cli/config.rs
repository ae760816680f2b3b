//! `linkgate config check`, and the file that the other commands read.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::clock::Clock;
use crate::config;
use crate::login::{Method, PasswordFile};
use crate::store::Keyring;

/// Where the configuration is.
#[derive(Args, Clone, Debug)]
pub(super) struct ConfigFile {
    /// The configuration
    #[arg(
        long = "config",
        value_name = "FILE",
        env = "LINKGATE_CONFIG",
        default_value = "linkgate.toml"
    )]
    pub(super) path: PathBuf,
}

/// Look at the configuration
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with a configuration: where, and what to write instead
    #[command(after_help = EXAMPLES)]
    Check(ConfigFile),
}

const EXAMPLES: &str = "\
Examples:
  linkgate config check                  ./linkgate.toml, or what LINKGATE_CONFIG names
  linkgate config check --config sidecar.toml
  LINKGATE__STORE__URL=sqlite:///tmp/x.db linkgate config check

Variables named LINKGATE__SECTION__KEY replace what the file says; a relative path in one
starts at the directory of the file, too. Nothing is started, and nothing is written.

Exit codes: 0 it can be used, 64 it cannot.";

impl ConfigFile {
    /// Reads it, with the environment over it.
    pub(super) fn load(&self) -> Result<config::Config, config::ConfigError> {
        config::Config::load(&self.path, std::env::vars_os(), Clock::System.now())
    }
}

impl ConfigCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Check(file) = self;
        let config = file.load()?;
        for warning in &config.warnings {
            eprintln!("warning: {warning}");
        }
        check_files(&config)?;
        super::print(&summary(&file, &config))
    }
}

/// Reads the files that the configuration names and other parts understand.
fn check_files(config: &config::Config) -> anyhow::Result<()> {
    if let (Method::File, Some(file)) = (config.login.method, &config.login.file) {
        PasswordFile::read(&file.path).context("login.file.path cannot be used")?;
    }
    let key = &config.keys.secret_key_file;
    if key.exists() {
        Keyring::open_file(key).context("keys.secret_key_file cannot be used")?;
    }
    Ok(())
}

fn summary(file: &ConfigFile, config: &config::Config) -> String {
    let consumers = match config.consumers.len() {
        1 => "1 consumer".to_owned(),
        many => format!("{many} consumers"),
    };
    format!(
        "{} can be used: {} in front of {}, {consumers}, login by {}, {}\n",
        file.path.display(),
        config.server.public_url.as_str(),
        config.upstream.url.as_str(),
        config.login.method.name(),
        if config.store.is_postgres() {
            "PostgreSQL"
        } else {
            "SQLite"
        },
    )
}
