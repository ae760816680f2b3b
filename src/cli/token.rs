//! `linkgate token list | revoke`: what users have connected.

use anyhow::bail;
use clap::Subcommand;

use crate::clock::Clock;
use crate::config::{Config, parse_consumer_key};
use crate::model::AccessToken;
use crate::oauth::{ConsumerKey, Timestamp};
use crate::server::store::with_store;
use crate::store::{self, Actor, Filter, Store};

use super::config::ConfigFile;
use super::output::{format_time, table};

/// Access tokens: what users have connected
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  linkgate token list
  linkgate token list --consumer Stash:8277239845 --user alice
  linkgate token list --limit 20
  linkgate token revoke 3f9a1c22b07d4e51

The id is no secret: nobody can call with it.")]
pub(super) enum TokenCommand {
    /// List access tokens
    List {
        /// Only those of this consumer
        #[arg(long, value_name = "KEY", value_parser = parse_consumer_key)]
        consumer: Option<ConsumerKey>,
        /// Only those that stand for this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// How many to show, at most, the newest first; all of them when this is not given
        #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Revoke an access token: its next call is refused, and the consumer asks its user to connect again
    Revoke {
        /// The token's id, as `linkgate token list` shows it
        id: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

impl TokenCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List {
                consumer,
                user,
                limit,
                config,
            } => {
                let filter = Filter {
                    consumer,
                    subject: user,
                    limit,
                };
                list(&config.load()?, &filter).await
            }
            Self::Revoke { id, config } => {
                with_store(&config.load()?, async |store| revoke(store, &id).await).await
            }
        }
    }
}

async fn list(config: &Config, filter: &Filter) -> anyhow::Result<()> {
    let tokens = with_store(config, async |store| Ok(store.access_tokens(filter).await?)).await?;
    let now = Clock::System.now();
    let headings = [
        "id",
        "consumer",
        "user",
        "issued",
        "last used",
        "expires",
        "state",
    ];
    super::print(&table(headings, tokens.iter().map(|token| row(token, now))))
}

async fn revoke(store: &Store, id: &str) -> anyhow::Result<()> {
    let which = store::Revoke::One { id };
    let by_command = Actor {
        name: "command",
        address: None,
    };
    let revoked = store.revoke(which, by_command, Clock::System.now()).await?;
    if let Some(AccessToken { user, consumer, .. }) = revoked.first() {
        let user = &user.subject;
        return super::print(&format!(
            "{id} is revoked: {consumer} cannot act as {user} any more\n"
        ));
    }
    if store.access_token_by_id(id).await?.is_none() {
        bail!("there is no token {id:?}; `linkgate token list` shows them");
    }
    super::print(&format!("{id} was revoked before\n"))
}

fn row(token: &AccessToken, now: Timestamp) -> [String; 7] {
    let last_used = token.last_used.as_ref();
    [
        token.id.clone(),
        token.consumer.to_string(),
        token.user.subject.clone(),
        format_time(token.issued_at),
        last_used.map_or("never".to_owned(), |(at, _)| format_time(*at)),
        format_time(token.expires_at),
        state(token, now).to_owned(),
    ]
}

fn state(token: &AccessToken, now: Timestamp) -> &'static str {
    match token.revoked_at {
        Some(_) => "revoked",
        None if token.expires_at > now => "live",
        None if token.ends_at() > now => "renewable",
        None => "expired",
    }
}
