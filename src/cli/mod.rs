//! The command line: one file for each command. Only here is a [`Config`](crate::config::Config) read and taken apart.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | it failed, and standard error has the reason |
//! | 2 | the command line is wrong |
//! | 64 | the configuration is wrong, and standard error names the place |

mod audit;
mod backup;
mod config;
mod consumer;
mod doctor;
mod health;
mod key;
mod link;
mod manual;
mod migrate;
mod output;
mod serve;
mod token;
mod user;

use std::future::Future;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::login::{LoginError, PasswordFileError};
use crate::store::KeyFileError;

/// Puts any web application behind Atlassian Application Links.
#[derive(Debug, Parser)]
#[command(name = "linkgate", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Linkgate {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    Backup(backup::Backup),
    Restore(backup::Restore),
    #[cfg(feature = "demo")]
    Demo(crate::demo::Demo),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Key(key::KeyCommand),
    #[command(subcommand)]
    Consumer(consumer::ConsumerCommand),
    #[command(subcommand)]
    Link(link::LinkCommand),
    #[command(subcommand)]
    Token(token::TokenCommand),
    Audit(audit::Audit),
    Health(health::Health),
    #[command(subcommand)]
    Doctor(doctor::Doctor),
    Completions(manual::Completions),
    Man(manual::Man),
}

const EXAMPLES: &str = "\
Examples:
  linkgate demo                                  try it: a simulated Bitbucket, a small application, and linkgate between
  linkgate config check --config linkgate.toml   say everything that is wrong with a configuration
  linkgate serve --config linkgate.toml          run
  linkgate doctor login                          try the login method step by step
  linkgate consumer list                         show who may sign
  linkgate link add https://bitbucket.example.com  register Bitbucket's key
  linkgate token list --user alice               show what alice has connected
  linkgate audit --since 24h                     show what happened in the last 24 hours, and who did it

Exit codes: 0 done, 1 failed, 2 wrong command line, 64 wrong configuration.";

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let outcome = match Linkgate::parse().command {
        Command::Serve(command) => block_on(command.run()),
        Command::Migrate(command) => block_on(command.run()),
        Command::Backup(command) => block_on(command.run()),
        Command::Restore(command) => block_on(command.run()),
        #[cfg(feature = "demo")]
        Command::Demo(command) => block_on(command.run()),
        Command::Config(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Key(command) => block_on(command.run()),
        Command::Consumer(command) => block_on(command.run()),
        Command::Link(command) => block_on(command.run()),
        Command::Token(command) => block_on(command.run()),
        Command::Audit(command) => block_on(command.run()),
        Command::Health(command) => block_on(command.run()),
        Command::Doctor(command) => block_on(command.run()),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    outcome.map_or_else(|error| report(&error), |()| ExitCode::SUCCESS)
}

/// Prints an error with its causes, and chooses the exit code.
fn report(error: &anyhow::Error) -> ExitCode {
    let mut lines = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        lines.push_str("  because: ");
        lines.push_str(&cause.to_string().replace('\n', "\n  "));
        lines.push('\n');
    }
    // A closed standard error has no reader.
    let _ = std::io::stderr().write_all(lines.as_bytes());
    let is_configuration = error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(LoginError::PasswordFile(_)))
            || cause.is::<ConfigError>()
            || cause.is::<PasswordFileError>()
            || cause.is::<KeyFileError>()
    });
    if is_configuration {
        ExitCode::from(64)
    } else {
        ExitCode::FAILURE
    }
}

/// Writes to standard output. A reader that has gone away is no error: `linkgate token list | head`.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("standard output cannot be written"),
    }
}

/// Runs a command that waits for something: a server, a database.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the threads cannot be started")?;
    runtime.block_on(future)
}

/// Where the randomness of commands comes from.
#[expect(clippy::disallowed_methods, reason = "it is passed in from here")]
fn rng() -> rand::rngs::ThreadRng {
    rand::rng()
}

/// Reads a file that the command line names.
fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}
