//! The configuration: what works, and what is said of whatever is wrong: its place, its key, its remedy.
//!
//! 1. [`examples`]: the files that must work as they stand; the defaults;
//! 2. [`reference`]: the commented file of every key, so that it cannot rot;
//! 3. [`mistakes`], [`sections`], [`consumers`], [`links`]: what is said, word for word;
//! 4. [`variables`]: the environment over the file;
//! 5. `tls`: certificates; `branding`: names, logos and colours.

mod branding;
mod consumers;
mod examples;
mod links;
mod mistakes;
mod reference;
mod sections;
mod tls;
mod variables;

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use linkgate::config::{Config, ConfigError, ConfigProblem};
use linkgate::oauth::Timestamp;
use tempfile::TempDir;

use crate::published::published_keys;

/// 2026-11-23, when the certificate in the example is good.
const NOW: Timestamp = Timestamp::from_seconds(1_795_473_360);

/// The smallest configuration that works, to which each test adds its own.
const SMALLEST: &str = r#"
[server]
public_url = "https://builds.example.com"
[upstream]
url = "http://127.0.0.1:9090"
[login]
method = "file"
[login.file]
path = "users.toml"
"#;

/// An RSA key of 1024 bits.
const SHORT_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDJZ752FUxSwLWXVeV77WTH4zkN5KJ7yHiavm8rjOxqYS2qhBLok6kElvZU+spxprPEe0xQpGYrc24EE6LmVj2hg8KTpUobcFWZRq4P5ZGCCpiabI9OtWZaTFEr7ycAodohqNlnYZI/oCLkxbbhpbwu3oCyWQgoM2rnAS869bTS1QIDAQAB";

/// A key of an elliptic curve.
const CURVE_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfsb3r3aYqombMjwwx/WzEOct/A5PvFHVYXQn/WJPn2Ef4PhLEwmoqIroo8ZpB1AkqInXpOydQRvubpILtqIOWQ==";

/// A directory with a configuration and the files that it may name.
struct Written {
    directory: TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples");
        for name in ["users.toml", "bitbucket-old.pem"] {
            fs::copy(examples.join(name), directory.path().join(name)).unwrap();
        }
        fs::write(directory.path().join("linkgate.toml"), text).unwrap();
        Self { directory }
    }

    fn smallest_and(text: &str) -> Self {
        Self::new(&format!("{SMALLEST}{text}"))
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.directory.path().join(name), text).unwrap();
        self
    }

    /// A private key that only its owner may read.
    fn with_link_key(self, name: &str) -> Self {
        let written = self.with(name, &link_key());
        fs::set_permissions(written.path(name), Permissions::from_mode(0o600)).unwrap();
        written
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Config::load(&self.path("linkgate.toml"), variables, NOW)
    }

    /// The problems that it has, without the directory; the first line counts them.
    fn refused(&self, variables: &[(&str, &str)]) -> String {
        let shown = self.shown(&self.load(variables).unwrap_err().to_string());
        let (first, problems) = shown.split_once('\n').unwrap();
        let counted = match problems.lines().filter(|line| !line.starts_with(' ')).count() {
            1 => String::new(),
            count => format!(": {count} problems"),
        };
        assert_eq!(first, format!("linkgate.toml cannot be used{counted}"));
        problems.to_owned()
    }

    fn warned(&self) -> String {
        let warnings = self.load(&[]).unwrap().warnings;
        let lines: Vec<_> = warnings.iter().map(ConfigProblem::to_string).collect();
        self.shown(&lines.join("\n"))
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

fn refused(text: &str) -> String {
    Written::smallest_and(text).refused(&[])
}

/// A private key of 2048 bits.
fn link_key() -> String {
    let keys = published_keys();
    let key = keys.iter().find(|key| key.name == "netoauth-rsa");
    key.and_then(|key| key.private_pem.clone()).unwrap()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/examples")
        .join(name)
}
