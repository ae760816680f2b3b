//! `[keys]`: the secret key, which lives outside the database.

use std::path::PathBuf;

use super::section::Section;
use super::store::Store;

/// The secret key from which token secrets are derived.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key file, `linkgate key generate`.
    pub secret_key_file: PathBuf,
    /// Whether a missing file is made on first start. Not with PostgreSQL: every replica needs the same key.
    pub make_if_missing: bool,
}

impl Keys {
    /// Reads the section. The default is `linkgate.key` beside the SQLite database.
    pub(super) fn read(section: &Section<'_>, store: Option<&Store>) -> Self {
        let written = section.path("secret_key_file");
        let is_postgres = store.is_some_and(Store::is_postgres);
        if is_postgres {
            section.needs(
                "secret_key_file",
                "with PostgreSQL every replica needs the same key: make it with `linkgate key generate --out \
                 linkgate.key`, and write its path",
            );
        }
        if is_postgres && written.as_ref().is_some_and(|file| !file.exists()) {
            // Reading it is the keyring's business; that it is there is ours.
            section.file("secret_key_file");
        }
        let beside_database = || {
            let file = store.and_then(|store| store.sqlite_file.as_deref());
            let directory = file.and_then(|file| file.parent()).unwrap_or(section.directory());
            directory.join("linkgate.key")
        };
        Self {
            secret_key_file: written.unwrap_or_else(beside_database),
            make_if_missing: !is_postgres,
        }
    }
}
