//! `linkgate consumer list`.

use crate::cli::config::ConfigFile;
use crate::cli::table::Table;
use crate::model::{Consumer, ConsumerSource};
use crate::oauth::{AllowedCallback, SignatureMethod, VerificationKey};
use crate::server::store::open_existing;

pub(super) async fn run(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    let store = open_existing(&config).await?;
    let consumers = store.consumers().await;
    store.close().await;
    crate::cli::print(&table(&consumers?, &config.consumers))
}

/// What the store has, and what the configuration will put into it.
fn table(stored: &[Consumer], configured: &[Consumer]) -> String {
    let mut table = Table::new([
        "key",
        "name",
        "methods",
        "callbacks",
        "source",
        "enabled",
        "fingerprint",
    ]);
    let to_come = configured.iter().filter(|consumer| !stored.contains(consumer));
    let listed = stored
        .iter()
        .map(|consumer| (consumer, source(consumer, configured)));
    for (consumer, source) in listed.chain(to_come.map(|consumer| (consumer, "config, not loaded yet"))) {
        table.row([
            consumer.key.to_string(),
            consumer.name.clone(),
            joined(consumer.methods.iter().copied().map(SignatureMethod::name)),
            joined(consumer.callbacks.iter().map(AllowedCallback::as_str)),
            source.to_owned(),
            if consumer.enabled { "yes" } else { "no" }.to_owned(),
            consumer
                .keys
                .iter()
                .map(fingerprint)
                .collect::<Vec<_>>()
                .join(" "),
        ]);
    }
    table.to_text()
}

fn source(consumer: &Consumer, configured: &[Consumer]) -> &'static str {
    match consumer.source {
        ConsumerSource::Command => "command",
        ConsumerSource::Config if configured.iter().any(|other| other.key == consumer.key) => "config",
        ConsumerSource::Config => "config, removed",
    }
}

fn fingerprint(key: &VerificationKey) -> String {
    match key {
        VerificationKey::Hmac(_) => "(shared secret)".to_owned(),
        VerificationKey::Rsa(key) => key.fingerprint(),
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
