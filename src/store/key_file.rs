//! The file of the secret keys: read, or made on the first start.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rand::CryptoRng;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::keyring::{Keyring, KeyringError};

/// A key file that was read or made.
#[derive(Debug)]
pub struct KeyFile {
    /// Its keys.
    pub keyring: Keyring,
    /// It was missing, and is new.
    pub created: bool,
    /// Its group or others may read it. Not refused, because that is how containers are often given their secrets.
    pub world_readable: bool,
}

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum KeyFileError {
    #[error("cannot {doing} the key file {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("the key file {} is not usable", path.display())]
    Content { path: PathBuf, source: KeyringError },
}

impl KeyFileError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { doing, path, source }
    }
}

impl Keyring {
    /// Reads a key file.
    pub fn open_file(path: &Path) -> Result<KeyFile, KeyFileError> {
        let failed = |source| KeyFileError::io("read", path, source);
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        let unusable = |source| {
            let path = path.to_owned();
            KeyFileError::Content { path, source }
        };
        let (keyring, created) = (Self::read(&text).map_err(unusable)?, false);
        let world_readable = mode & 0o077 != 0;
        Ok(KeyFile {
            keyring,
            created,
            world_readable,
        })
    }

    /// Reads a key file, or makes it with one new key, readable by its owner alone, when it is missing.
    pub fn open_or_create(path: &Path, rng: &mut impl CryptoRng) -> Result<KeyFile, KeyFileError> {
        match Self::open_file(path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let created = make(path, rng).map_err(|source| KeyFileError::io("make", path, source))?;
                let opened = Self::open_file(path)?;
                Ok(KeyFile { created, ..opened })
            }
            opened => opened,
        }
    }

    /// Replaces a key file whole or not at all. Owner and mode stay.
    pub fn replace_file(&self, path: &Path) -> io::Result<()> {
        let (file, old) = (written(path, self)?, fs::metadata(path)?);
        file.as_file().set_permissions(old.permissions())?;
        std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        file.persist(path).map_err(|failed| failed.error)?;
        File::open(folder(path))?.sync_all()
    }
}

/// Creates the file. `false`: another process was faster, and its file stays.
fn make(path: &Path, rng: &mut impl CryptoRng) -> io::Result<bool> {
    let made = match written(path, &Keyring::generate(rng))?.persist_noclobber(path) {
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(failed) => return Err(failed.error),
        Ok(_) => true,
    };
    File::open(folder(path))?.sync_all()?;
    Ok(made)
}

/// Writes a keyring to a file of its own beside `path`, readable by its owner alone.
fn written(path: &Path, keyring: &Keyring) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_prefix_in(".linkgate-key-", folder(path))?;
    file.write_all(keyring.to_text().expose().as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
