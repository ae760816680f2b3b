//! Another program beside linkgate.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Running;

/// A running program.
pub(super) struct Counterpart(#[expect(dead_code, reason = "it is dropped")] Running);

impl Counterpart {
    /// Starts it, and waits until it prints that it listens.
    pub(super) fn listening(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; tests/run installs it"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok);
        let listens = said.take(50).any(|line| line.contains("listening"));
        let started = Self(Running(child));
        assert!(listens, "{command:?} does not listen");
        std::thread::spawn(move || lines.for_each(drop));
        started
    }

    /// Keeps one that was started otherwise.
    #[cfg(feature = "ldap")]
    pub(super) const fn of(child: std::process::Child) -> Self {
        Self(Running(child))
    }
}

/// A file of the project.
pub(super) fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
