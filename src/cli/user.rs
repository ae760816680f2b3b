//! `linkgate user hash`: the line for a password file.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use clap::Subcommand;

use crate::oauth::Secret;

/// Users of the password file
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum UserCommand {
    /// Read a password and print its hash (argon2id), for `password` in the password file
    #[command(after_help = EXAMPLES)]
    Hash,
}

const EXAMPLES: &str = "\
Examples:
  linkgate user hash                     asks twice, shows nothing
  linkgate user hash < password.txt      reads one line

  # users.toml
  [[users]]
  name = \"alice\"
  display_name = \"Alice Example\"
  password = \"$argon2id$v=19$m=19456,t=2,p=1$...\"";

impl UserCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Hash = self;
        let password = read_password()?;
        if password.expose().is_empty() {
            bail!("the password is empty");
        }
        // Argon2id with m=19456, t=2, p=1, and a salt of the system's randomness.
        let hash = Argon2::default()
            .hash_password(password.expose().as_bytes())
            .context("the password cannot be hashed")?;
        super::print(&format!("{hash}\n"))
    }
}

fn read_password() -> anyhow::Result<Secret> {
    if !std::io::stdin().is_terminal() {
        let mut line = zeroize::Zeroizing::new(String::new());
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .context("standard input cannot be read")?;
        return Ok(Secret::new(line.trim_end_matches(['\r', '\n'])));
    }
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(Secret::new)
            .context("the terminal cannot be read")
    };
    let password = ask("Password: ")?;
    if ask("Once more: ")? != password {
        bail!("the two passwords differ");
    }
    Ok(password)
}
