//! `linkgate consumer list | add | disable | enable | purge`: who may sign.
//!
//! What the configuration names is the configuration's: commands change only the others, and delete what the
//! configuration named once.

mod add;
mod list;
mod switch;

use clap::{Args, Subcommand};

use crate::config::parse_consumer_key;
use crate::oauth::ConsumerKey;

use super::config::ConfigFile;

/// Consumers: who may sign
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum Consumer {
    /// List the consumers, those of the configuration too
    #[command(after_help = EXAMPLES)]
    List(ConfigFile),
    /// Register a consumer
    Add(Box<add::Add>),
    /// Stop a consumer: it can do nothing, and keeps its tokens
    #[command(after_help = EXAMPLES)]
    Disable(Named),
    /// Let a stopped consumer act again
    #[command(after_help = EXAMPLES)]
    Enable(Named),
    /// Delete a consumer and all its tokens
    #[command(after_help = EXAMPLES)]
    Purge(Named),
}

/// Which consumer.
#[derive(Args, Debug)]
pub(super) struct Named {
    /// The consumer key
    #[arg(value_parser = parse_consumer_key)]
    key: ConsumerKey,
    #[command(flatten)]
    config: ConfigFile,
}

const EXAMPLES: &str = "\
Examples:
  linkgate consumer list
  linkgate consumer add Stash:8277239845 --name Bitbucket --public-key-file bitbucket.pem \\
      --callback https://bitbucket.example.com
  linkgate consumer disable Stash:8277239845
  linkgate consumer enable Stash:8277239845
  linkgate consumer purge Stash:8277239845

A consumer that the configuration names is changed there.";

impl Consumer {
    /// Runs the command.
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(config) => super::block_on(list::run(config)),
            Self::Add(add) => super::block_on(add.run()),
            Self::Disable(named) => super::block_on(switch::run(named, switch::Change::Disable)),
            Self::Enable(named) => super::block_on(switch::run(named, switch::Change::Enable)),
            Self::Purge(named) => super::block_on(switch::run(named, switch::Change::Purge)),
        }
    }
}
