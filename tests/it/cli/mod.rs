//! The command line, as a person or a script runs it: what it prints, and with which code it exits.

mod backup;
mod config;
mod consumers;
mod doctor;
mod keys;
mod links;
mod migrate;
mod operate;
mod secrets;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with the sidecar example, in which commands run.
struct Here {
    directory: TempDir,
}

/// What a command answered.
#[derive(Debug)]
struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Here {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/examples");
        for name in ["users.toml", "bitbucket-old.pem"] {
            fs::copy(examples.join(name), directory.path().join(name)).unwrap();
        }
        fs::copy(
            examples.join("sidecar.toml"),
            directory.path().join("linkgate.toml"),
        )
        .unwrap();
        Self { directory }
    }

    /// The same with a database.
    fn migrated() -> Self {
        let here = Self::new();
        assert_eq!(here.run("migrate").code, 0);
        here
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, line: &str) -> Answer {
        self.run_with(line, "", &[])
    }

    fn run_with(&self, line: &str, input: &str, variables: &[(&str, &str)]) -> Answer {
        let mut child = Command::new(env!("CARGO_BIN_EXE_linkgate"))
            .args(line.split_whitespace())
            .current_dir(self.directory.path())
            .env_remove("LINKGATE_CONFIG")
            .env_remove("RUST_LOG")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Answer::from(child.wait_with_output().unwrap())
    }
}

impl Answer {
    /// Asserts that the command failed with 1, and that this is part of what it printed as an error.
    #[track_caller]
    fn fails(&self, error: &str) {
        assert!(self.code == 1 && self.err.contains(error), "{self:?}");
    }

    /// Asserts that the command succeeded.
    #[track_caller]
    fn succeeds(&self) {
        assert_eq!(self.code, 0, "{self:?}");
    }
}

#[test]
fn shells_and_man_know_every_command() {
    let here = Here::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = here.run(&format!("completions {shell}"));
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{shell}");
        assert!(answer.out.contains("consumer"), "{shell}");
        assert!(answer.out.contains("purge"), "{shell}");
    }
    assert_eq!(here.run("man pages/man1").code, 0);
    let page = fs::read_to_string(here.path("pages/man1/linkgate-consumer-add.1")).unwrap();
    assert!(page.contains("shared\\-secret\\-file"), "{page}");
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
