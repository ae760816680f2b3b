//! `linkgate doctor login`: the steps of a sign-in, one by one.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use http::HeaderValue;

use crate::clock::Clock;
use crate::config::Config;
use crate::login::{Login, Step, Trip, examine};
use crate::oauth::{Secret, Token};

use super::config::ConfigFile;
use crate::server::login::login;

/// Find out what does not work, and what to change
#[derive(Debug, Subcommand)]
pub(super) enum Doctor {
    #[command(name = "login")]
    Login(Examine),
}

/// Try the configured login method step by step, and say what was seen
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Examine {
    #[command(flatten)]
    config: ConfigFile,
    /// probe: a cookie of a signed-in browser. Others on this machine can see it in the list of processes
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "cookie_file")]
    cookie: Option<String>,
    /// probe: a file with that cookie
    #[arg(long, value_name = "FILE")]
    cookie_file: Option<PathBuf>,
    /// ldap: the name to look for
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// handoff: the query that the application answered with, `lg_answer=...&lg_sig=...`
    #[arg(long, value_name = "QUERY")]
    answer: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  linkgate doctor login                             asks, connects, reads: whatever the method does
  linkgate doctor login --cookie-file cookie.txt    probe: also as somebody (the file: session=abc)
  linkgate doctor login --name alice                ldap: who is found for alice
  linkgate doctor login --answer 'lg_answer=...'    handoff: is it signed as agreed?

Nobody is signed in, and nothing is written. Exit codes: 0 every step is as it should be, 1 one is not.";

impl Doctor {
    /// Runs the command.
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self::Login(command) = self;
        let config = command.config.load()?;
        let login = login(&config, &Clock::System)?;
        let steps = command.steps(&config, &login).await?;
        let mut said = format!("login.method = \"{}\"\n", login.method().name());
        for step in &steps {
            show(&mut said, step);
        }
        super::print(&said)?;
        let failed = steps.iter().filter(|step| step.remedy.is_some()).count();
        match failed {
            0 => Ok(()),
            1 => bail!("1 step failed"),
            many => bail!("{many} steps failed"),
        }
    }
}

impl Examine {
    async fn steps(&self, config: &Config, login: &Login) -> anyhow::Result<Vec<Step>> {
        Ok(match login {
            Login::File(users) => examine::file(users),
            #[cfg(feature = "ldap")]
            Login::Ldap(directory) => directory.examine(self.name.as_deref().unwrap_or("alice")).await,
            Login::Probe(probe) => examine::probe(probe, self.cookie()?).await,
            Login::TrustedHeader(header) => examine::trusted_header(header),
            Login::Handoff(handoff) => {
                let answer = self.answer.as_deref().map(answer).transpose()?;
                examine::handoff(handoff, &trip(config, "/oauth/login/handoff"), answer)
            }
            Login::Oidc(oidc) => examine::oidc(oidc, &trip(config, "/oauth/login/oidc")).await,
        })
    }

    fn cookie(&self) -> anyhow::Result<Option<HeaderValue>> {
        let text = match (&self.cookie, &self.cookie_file) {
            (Some(cookie), _) => cookie.clone(),
            (None, Some(file)) => {
                std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?
            }
            (None, None) => return Ok(None),
        };
        let mut cookie = HeaderValue::try_from(text.trim()).context("the cookie is none: NAME=VALUE")?;
        cookie.set_sensitive(true);
        Ok(Some(cookie))
    }
}

/// A trip that nobody makes: its answer would be refused, because no browser has its cookie.
#[expect(clippy::disallowed_methods, reason = "a sample needs an id of its own")]
fn trip(config: &Config, path: &str) -> Trip {
    let url = &config.server.public_url;
    Trip {
        id: Token::generate("", &mut rand::rng()),
        back: format!("{}{}{path}", url.origin(), url.path_prefix()),
        fresh: false,
        nonce: Secret::new("sample"),
        verifier: Secret::new("sample"),
        at: Clock::System.now(),
    }
}

/// The two values of an answer's query.
fn answer(query: &str) -> anyhow::Result<(&str, &str)> {
    let query = query.rsplit_once('?').map_or(query, |(_, query)| query);
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    value("lg_answer")
        .zip(value("lg_sig"))
        .context("the answer has no lg_answer or no lg_sig")
}

fn show(said: &mut String, step: &Step) {
    let mark = if step.remedy.is_some() { "FAILED" } else { "ok" };
    let _ = writeln!(said, "{mark:<7}{}\n       {}", step.what, step.saw);
    if let Some(remedy) = &step.remedy {
        let _ = writeln!(said, "       -> {remedy}");
    }
}
