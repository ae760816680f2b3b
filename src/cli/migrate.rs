//! `linkgate migrate`.

use clap::Args;

use crate::server::store;
use crate::store::SCHEMA_VERSION;

use super::config::ConfigFile;

/// Create the database, or bring its tables up to date, as `linkgate serve` does when it starts
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate migrate --status              which version the tables have
  linkgate migrate                       before `linkgate serve --no-migrate`

Tables and columns are only added, so a linkgate of the previous version serves on meanwhile.
Back up first: a database with newer tables is refused by the older version when it starts.")]
pub(super) struct Migrate {
    /// Change nothing, and exit 1 if there is something to do
    #[arg(long)]
    status: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        if self.status {
            store::check_schema(&config).await?;
        } else {
            store::migrate(&config).await?;
        }
        let database = config.store.redacted_url();
        super::print(&format!(
            "{database}: the tables have version {SCHEMA_VERSION}, this linkgate's\n"
        ))
    }
}
