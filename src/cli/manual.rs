//! `linkgate completions` and `linkgate man`: what clap makes of the command line.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Linkgate;

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate completions bash > /etc/bash_completion.d/linkgate
  linkgate completions zsh > ~/.zfunc/_linkgate
  linkgate completions fish > ~/.config/fish/completions/linkgate.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

/// Write a man page for each command
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate man /usr/local/share/man/man1    then: man linkgate-consumer-add")]
pub(super) struct Man {
    /// A directory, which is created if it is missing
    directory: PathBuf,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Linkgate::command(), "linkgate", &mut script);
        super::print(&String::from_utf8(script)?)
    }
}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.directory.display());
        std::fs::create_dir_all(&self.directory).with_context(cannot)?;
        clap_mangen::generate_to(Linkgate::command(), &self.directory).with_context(cannot)
    }
}
