//! `linkgate audit`: what happened, and who did it.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames as _;

use crate::clock::Clock;
use crate::config::parse_consumer_key;
use crate::model::AuditKind;
use crate::oauth::ConsumerKey;
use crate::server::store::with_store;
use crate::setting::parse_duration;
use crate::store::AuditFilter;

use super::config::ConfigFile;
use super::output::{cell, format_time_exactly, table};

/// The audit log: what happened, who did it, and from where
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate audit
  linkgate audit --user alice --since 7d
  linkgate audit --consumer Stash:8277239845 --kind revoked

Lines are kept for 400 days. Refusals are not among them: look for them in linkgate's log.")]
pub(super) struct Audit {
    /// Only what is about this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only what is about this consumer
    #[arg(long, value_name = "KEY", value_parser = parse_consumer_key)]
    consumer: Option<ConsumerKey>,
    /// Only what is of this kind
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: Option<AuditKind>,
    /// Only what happened since so long ago: 12h, 7d
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    since: Option<Duration>,
    /// How many lines to show, at most, the newest first
    #[arg(long, value_name = "LINES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    config: ConfigFile,
}

impl Audit {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let since = self
            .since
            .map(|ago| Clock::System.now().plus(-ago.as_secs().cast_signed()));
        let filter = AuditFilter {
            kind: self.kind,
            consumer: self.consumer,
            subject: self.user,
            since,
            // One more than is shown, to learn whether there are more.
            limit: Some(self.limit.saturating_add(1)),
        };
        let mut events = with_store(&self.config.load()?, async |store| {
            Ok(store.audit(&filter).await?)
        })
        .await?;
        let limit = self.limit as usize;
        let has_more = events.len() > limit;
        events.truncate(limit);
        let headings = ["when", "what", "user", "consumer", "from", "detail"];
        let rows = events.into_iter().map(|event| {
            [
                format_time_exactly(event.at),
                event.kind.name().to_owned(),
                cell(event.subject),
                cell(event.consumer),
                cell(event.address),
                event.detail,
            ]
        });
        super::print(&table(headings, rows))?;
        if has_more {
            eprintln!("there are more than these {limit}; --limit shows more of them");
        }
        Ok(())
    }
}

fn kinds() -> impl TypedValueParser<Value = AuditKind> {
    let names = PossibleValuesParser::new(AuditKind::VARIANTS);
    names.try_map(|name| name.parse().map_err(|_| "nothing of this kind happens"))
}
