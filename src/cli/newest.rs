//! The newest of what may be a lot.

use clap::Args;

/// How many to show.
#[derive(Args, Debug)]
pub(super) struct Newest {
    /// How many to show, at most, the newest first
    #[arg(long, value_name = "LINES", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl Newest {
    /// How many to ask the store for: one more than is shown, to learn whether there are more.
    pub(super) const fn asked(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// Prints those that are to be shown, and says when there are more.
    pub(super) fn print<T>(
        &self,
        mut found: Vec<T>,
        table: impl FnOnce(&[T]) -> String,
    ) -> anyhow::Result<()> {
        let limit = self.limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        super::print(&table(&found))?;
        if has_more {
            eprintln!("there are more than these {limit}; --limit shows more of them");
        }
        Ok(())
    }
}
