//! `linkgate link check`: asks every other side.

use std::fmt::Write as _;

use anyhow::bail;

use crate::clock::Clock;
use crate::config::Config;
use crate::links::{Link, connector};
use crate::oauth::VerificationKey;

use super::super::config::ConfigFile;
use super::super::print;
use super::found::Found;
use crate::server::links;
use crate::server::store::open_existing;

/// Runs the command.
pub(super) async fn run(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    let store = open_existing(&config).await?;
    let links = links::links(&config, &store, &Clock::System)?;
    if let Some(fingerprint) = links.identity().fingerprint() {
        let key = &links.identity().consumer_key;
        print(&format!("We are {key} with the key {fingerprint}\n"))?;
    }
    let mut failed = 0;
    for (link, configured) in links.all().iter().zip(&config.links) {
        let connector = connector(configured.ca_file.as_ref(), configured.connect_timeout)?;
        let mut text = format!("{} {}\n", link.name(), link.url().as_str());
        match Found::fetch(&connector, link.url()).await {
            Ok(found) => {
                let _ = writeln!(
                    text,
                    "  ok      it is there; its key is {}",
                    found.public_key.fingerprint()
                );
                if let Some(why) = unregistered(&config, &found) {
                    let _ = writeln!(text, "  note    {why}");
                }
            }
            Err(error) => {
                let _ = writeln!(text, "  note    its consumer-info says nothing: {error:#}");
            }
        }
        failed += u32::from(!knock(&links, link, &mut text).await);
        print(&text)?;
    }
    store.close().await;
    if failed > 0 {
        bail!("{failed} of {} links do not work", links.all().len());
    }
    Ok(())
}

/// Whether the other side knows our key, and what it says.
async fn knock(links: &crate::links::Links, link: &Link, text: &mut String) -> bool {
    let outcome = links.test_credentials(link).await;
    let clock = links
        .states()
        .await
        .ok()
        .and_then(|mut states| states.remove(link.name()));
    if let Some(difference) = clock.and_then(|state| state.clock_difference) {
        let mark = if difference.abs() < 60 { "ok  " } else { "note" };
        let _ = writeln!(text, "  {mark}    its clock differs from ours by {difference} s");
    }
    match outcome {
        Ok(()) => {
            text.push_str("  ok      it knows our key: it gave us a request token\n");
            true
        }
        Err(error) => {
            let _ = writeln!(text, "  FAILED  {error}");
            false
        }
    }
}

/// What is to be said of the key that it shows.
fn unregistered(config: &Config, found: &Found) -> Option<String> {
    let consumer = config.consumers.iter().find(|consumer| consumer.key == found.key);
    let Some(consumer) = consumer else {
        return Some(format!(
            "its consumer {} is not registered here: `linkgate link add` does it",
            found.key
        ));
    };
    let known = consumer
        .keys
        .contains(&VerificationKey::Rsa(found.public_key.clone()));
    (!known).then(|| {
        "it shows another key than the one that is registered here: `linkgate link add` says more".to_owned()
    })
}
