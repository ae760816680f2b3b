//! Writes entries at the end of a configuration: whatever stands there stays as it is, comments and all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::clock::Clock;
use crate::config::Config;

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Puts entries at the end of a file, at once or not at all. A configuration that would not work is not written.
pub(super) fn append(file: &Path, entries: &str) -> anyhow::Result<()> {
    let file = fs::canonicalize(file).with_context(|| format!("{} cannot be found", file.display()))?;
    let before = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    let draft = Draft(file.with_extension("toml.new"));
    draft.write(&format!("{}\n\n{entries}", before.trim_end()), mode)?;
    if let Err(error) = Config::load(&draft.0, std::env::vars_os(), Clock::System.now()) {
        let said = error
            .to_string()
            .replace(&draft.0.display().to_string(), &file.display().to_string());
        bail!("nothing was written, because it would not work:\n{said}");
    }
    if fs::read_to_string(&file)? != before {
        bail!("{} was changed meanwhile; nothing was written", file.display());
    }
    fs::rename(&draft.0, &file).with_context(|| format!("{} cannot be replaced", file.display()))
}

/// A file that is not left behind.
struct Draft(PathBuf);

impl Draft {
    fn write(&self, text: &str, mode: u32) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.0.display());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&self.0)
            .with_context(cannot)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(cannot)?;
        fs::set_permissions(&self.0, Permissions::from_mode(mode)).with_context(cannot)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone already when it took the file's place.
        let _ = fs::remove_file(&self.0);
    }
}
