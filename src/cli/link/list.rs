//! `linkgate link list`.

use super::super::config::ConfigFile;
use super::super::table::Table;
use super::super::{print, when};
use crate::server::store::open_existing;

/// Runs the command.
pub(super) async fn run(config: ConfigFile) -> anyhow::Result<()> {
    let config = config.load()?;
    if config.links.is_empty() {
        return print("There are no links: `linkgate link add URL --outgoing` makes one.\n");
    }
    let store = open_existing(&config).await?;
    let (states, connections) = (store.link_states().await, store.link_connections(None).await);
    store.close().await;
    let (states, connections) = (states?, connections?);
    let mut table = Table::new([
        "name",
        "url",
        "users",
        "itself",
        "connected",
        "reached",
        "clock",
        "last success",
        "last problem",
    ]);
    for link in &config.links {
        let state = states.get(&link.name).cloned().unwrap_or_default();
        let connected = connections.iter().filter(|kept| kept.link == link.name).count();
        let problem = state.problem.map(|(at, why)| format!("{} {why}", when::when(at)));
        table.row([
            link.name.clone(),
            link.url.as_str().to_owned(),
            link.users.name().to_owned(),
            if link.itself { "yes" } else { "no" }.to_owned(),
            connected.to_string(),
            state.reached_at.map(when::when).unwrap_or_default(),
            state
                .clock_difference
                .map(|ahead| format!("{ahead:+} s"))
                .unwrap_or_default(),
            state.success_at.map(when::when).unwrap_or_default(),
            problem.unwrap_or_default(),
        ]);
    }
    print(&table.to_text())
}
