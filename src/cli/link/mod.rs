//! `linkgate link add | list | show | check`: other sides, as the administrator of this one sees them.

mod add;
mod inspect;

use clap::Subcommand;

use super::config::ConfigFile;

/// Links to other sides
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum LinkCommand {
    /// Fetch another side's key, show it, and write it into the configuration
    Add(Box<add::AddLink>),
    /// List the links, and how their last calls went
    #[command(after_help = EXAMPLES)]
    List(ConfigFile),
    /// Print what to enter at the other side, field by field
    #[command(after_help = EXAMPLES)]
    Show(ConfigFile),
    /// Ask every other side whether it is there, which key it has, what time it is, and whether it knows us
    #[command(after_help = EXAMPLES)]
    Check(ConfigFile),
}

const EXAMPLES: &str = "\
Examples:
  linkgate link add https://bitbucket.example.com              Bitbucket may call us
  linkgate link add https://bitbucket.example.com --outgoing   and the application may call Bitbucket
  linkgate link show
  linkgate link list
  linkgate link check";

impl LinkCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run().await,
            Self::List(config) => inspect::list(config).await,
            Self::Show(config) => inspect::show(&config),
            Self::Check(config) => inspect::check(config).await,
        }
    }
}
