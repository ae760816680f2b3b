//! `linkgate consumer list`.

use crate::cli::config::ConfigFile;
use crate::cli::store::open_existing;
use crate::cli::table::Table;
use crate::model::{Consumer, ConsumerSource};
use crate::oauth::{SignatureMethod, VerificationKey};

pub(super) async fn run(config: ConfigFile) -> anyhow::Result<()> {
    let store = open_existing(&config.load()?).await?;
    let consumers = store.consumers().await?;
    store.close().await;
    crate::cli::print(&table(&consumers))
}

fn table(consumers: &[Consumer]) -> String {
    let mut table = Table::new([
        "key",
        "name",
        "methods",
        "callbacks",
        "source",
        "enabled",
        "fingerprint",
    ]);
    for consumer in consumers {
        let source = match consumer.source {
            ConsumerSource::Config => "config",
            ConsumerSource::Command => "command",
        };
        table.row([
            consumer.key.to_string(),
            consumer.name.clone(),
            joined(consumer.methods.iter().copied().map(SignatureMethod::name)),
            joined(consumer.callbacks.iter().map(|pattern| pattern.as_str())),
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

fn fingerprint(key: &VerificationKey) -> String {
    match key {
        VerificationKey::Hmac(_) => "(shared secret)".to_owned(),
        VerificationKey::Rsa(key) => key.fingerprint(),
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
