//! `linkgate consumer disable | enable | purge`.

use anyhow::bail;

use crate::clock::Clock;
use crate::config::Config;
use crate::model::ConsumerSource;
use crate::oauth::ConsumerKey;
use crate::server::store::open_existing;
use crate::store::Store;

use super::Named;

/// What to do with a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Disable,
    Enable,
    Purge,
}

pub(super) async fn run(named: Named, change: Change) -> anyhow::Result<()> {
    let config = named.config.load()?;
    refuse_configured(&config, &named, change)?;
    let store = open_existing(&config).await?;
    let outcome = apply(&store, &named.key, change).await;
    store.close().await;
    crate::cli::print(&format!("{}\n", outcome?))
}

/// The configuration is the truth for what it names.
fn refuse_configured(config: &Config, named: &Named, change: Change) -> anyhow::Result<()> {
    let Some(at) = config
        .consumers
        .iter()
        .position(|consumer| consumer.key == named.key)
    else {
        return Ok(());
    };
    let remedy = match change {
        Change::Disable => "write enabled = false there, and reload linkgate (SIGHUP)",
        Change::Enable => "write enabled = true there, and reload linkgate (SIGHUP)",
        Change::Purge => "remove it there and reload linkgate (SIGHUP), which disables it; then purge it",
    };
    bail!(
        "{} is consumers[{at}] of {}, and only changed there: {remedy}",
        named.key,
        named.config.path.display()
    );
}

async fn apply(store: &Store, key: &ConsumerKey, change: Change) -> anyhow::Result<String> {
    let Some(consumer) = store.consumer(key).await? else {
        bail!("there is no consumer {key}; `linkgate consumer list` shows them");
    };
    if change == Change::Enable && consumer.source == ConsumerSource::Config {
        bail!(
            "{key} was removed from the configuration; write it there again, or purge it and add it by command"
        );
    }
    let now = Clock::System.now();
    let (changed, done, not_done) = match change {
        Change::Disable => (
            store.set_consumer_enabled(key, false, now).await?,
            "is disabled; it keeps its tokens",
            "was disabled before",
        ),
        Change::Enable => (
            store.set_consumer_enabled(key, true, now).await?,
            "is enabled",
            "was enabled before",
        ),
        Change::Purge => (
            store.purge_consumer(key, now).await?,
            "is deleted, with all its tokens",
            "was deleted before",
        ),
    };
    let became = if changed { done } else { not_done };
    Ok(format!("{key} {became}"))
}
