//! The directory that a demo lives in: the caller's, or a temporary one that goes with it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::oauth::Token;

/// A directory for configuration, keys and database.
#[derive(Debug)]
pub(super) struct Workplace {
    path: PathBuf,
    kept: bool,
}

impl Workplace {
    /// Makes it, for nobody else to read.
    pub(super) fn make(keep: Option<PathBuf>) -> anyhow::Result<Self> {
        let kept = keep.is_some();
        let path = keep.unwrap_or_else(temporary);
        let made = DirBuilder::new().mode(0o700).recursive(kept).create(&path);
        made.with_context(|| format!("the directory {} cannot be made", path.display()))?;
        Ok(Self { path, kept })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is, and what becomes of it.
    pub(super) fn describe(&self) -> String {
        let becomes = if self.kept { "kept" } else { "removed at the end" };
        format!("{} ({becomes})", self.path.display())
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "{} was not removed", self.path.display());
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
fn temporary() -> PathBuf {
    let name = Token::generate("linkgate-demo-", &mut rand::rng());
    std::env::temp_dir().join(name.as_str())
}
