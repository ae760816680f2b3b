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
    /// Its group or others may read it: the operator should be warned. Not refused, because that is how containers are
    /// often given their secrets.
    pub world_readable: bool,
}

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read or made.
    #[error("cannot {doing} the key file {}", path.display())]
    Io {
        /// `read` or `make`.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a keyring.
    #[error("the key file {} is not usable", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyringError,
    },
}

impl Keyring {
    /// Reads a key file.
    pub fn open_file(path: &Path) -> Result<KeyFile, KeyFileError> {
        let failed = |source| KeyFileError::Io {
            doing: "read",
            path: path.to_owned(),
            source,
        };
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
        let keyring = Self::read(&text).map_err(|source| KeyFileError::Content {
            path: path.to_owned(),
            source,
        })?;
        Ok(KeyFile {
            keyring,
            created: false,
            world_readable: mode & 0o077 != 0,
        })
    }

    /// Reads a key file, or makes it with one new key, readable by its owner alone, when it is missing.
    pub fn open_or_create(path: &Path, rng: &mut impl CryptoRng) -> Result<KeyFile, KeyFileError> {
        let created = match Self::open_file(path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(path, rng).map_err(|source| KeyFileError::Io {
                    doing: "make",
                    path: path.to_owned(),
                    source,
                })?
            }
            opened => return opened,
        };
        let opened = Self::open_file(path)?;
        Ok(KeyFile { created, ..opened })
    }

    /// Replaces a key file whole or not at all. Owner and mode stay.
    ///
    /// # Errors
    ///
    /// The operating system's.
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_missing_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut rng = StdRng::seed_from_u64(1);
        let first = Keyring::open_or_create(&path, &mut rng).unwrap();
        assert!(first.created && !first.world_readable);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let second = Keyring::open_or_create(&path, &mut rng).unwrap();
        assert!(!second.created);
        assert_eq!(second.keyring.to_text(), first.keyring.to_text());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keyring::open_file(&path).unwrap().world_readable);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left behind"
        );
    }

    #[test]
    fn of_two_makers_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let texts: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|seed| {
                    let path = &path;
                    scope.spawn(move || Keyring::open_or_create(path, &mut StdRng::seed_from_u64(seed)))
                })
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap().unwrap().keyring.to_text())
                .collect()
        });
        assert!(texts.iter().all(|text| *text == texts[0]));
    }

    #[test]
    fn an_unusable_file_is_refused_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, "").unwrap();
        let error = Keyring::open_or_create(&path, &mut StdRng::seed_from_u64(1)).unwrap_err();
        assert!(matches!(
            error,
            KeyFileError::Content {
                source: KeyringError::Empty,
                ..
            }
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "");

        let missing = folder.path().join("no such folder/keys");
        let error = Keyring::open_or_create(&missing, &mut StdRng::seed_from_u64(1)).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot make the key file"),
            "{error}"
        );
    }
}
