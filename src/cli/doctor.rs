//! `linkgate doctor login`: the steps of a sign-in, one by one.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use http::HeaderValue;

use crate::clock::Clock;
use crate::config::Config;
use crate::login::{Check, FormLogin, Login, LoginFlow, RedirectLogin, RequestLogin};
use crate::oauth::{Secret, Token};

use super::config::ConfigFile;

/// Find out what does not work, and what to change
#[derive(Debug, Subcommand)]
pub(super) enum Doctor {
    #[command(name = "login")]
    Login(Examine),
}

/// Try the configured login method step by step, and say what was seen
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linkgate doctor login                             asks, connects, reads: whatever the method does
  linkgate doctor login --cookie-file cookie.txt    probe: also as somebody (the file: session=abc)
  linkgate doctor login --name alice                ldap: who is found for alice
  linkgate doctor login --answer 'lg_answer=...'    handoff: is it signed as agreed?

Nobody is signed in, and nothing is written. Exit codes: 0 every step is as it should be, 1 one is not.")]
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

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self::Login(command) = self;
        let config = command.config.load()?;
        let login = Login::new(&config.login, &config.server.trusted_proxies, &Clock::System)?;
        let checks = command.diagnose(&config, &login).await?;
        let mut report = format!("login.method = \"{}\"\n", config.login.method.name());
        for Check { check, seen, help } in &checks {
            let mark = if help.is_some() { "FAILED" } else { "ok" };
            let _ = writeln!(report, "{mark:<7}{check}\n       {seen}");
            if let Some(help) = help {
                let _ = writeln!(report, "       -> {help}");
            }
        }
        super::print(&report)?;
        let failed = checks.iter().filter(|check| check.help.is_some()).count();
        match failed {
            0 => Ok(()),
            1 => bail!("1 step failed"),
            many => bail!("{many} steps failed"),
        }
    }
}

impl Examine {
    async fn diagnose(&self, config: &Config, login: &Login) -> anyhow::Result<Vec<Check>> {
        Ok(match login {
            Login::Form(FormLogin::File(users)) => users.diagnose(),
            #[cfg(feature = "ldap")]
            Login::Form(FormLogin::Ldap(directory)) => {
                directory.diagnose(self.name.as_deref().unwrap_or("alice")).await
            }
            Login::Request(RequestLogin::TrustedHeader(header)) => header.diagnose(),
            Login::Request(RequestLogin::Probe(probe)) => probe.diagnose(self.cookie()?).await,
            Login::Redirect(RedirectLogin::Handoff(handoff)) => {
                let answer = self.answer.as_deref().map(answer).transpose()?;
                handoff.diagnose(&sample_flow(config, "/oauth/login/handoff"), answer)
            }
            #[cfg(feature = "oidc")]
            Login::Redirect(RedirectLogin::Oidc(oidc)) => {
                oidc.diagnose(&sample_flow(config, "/oauth/login/oidc")).await
            }
        })
    }

    fn cookie(&self) -> anyhow::Result<Option<HeaderValue>> {
        let text = match (&self.cookie, &self.cookie_file) {
            (Some(cookie), _) => cookie.clone(),
            (None, Some(file)) => super::read(file)?,
            (None, None) => return Ok(None),
        };
        let mut cookie = HeaderValue::try_from(text.trim()).context("the cookie is none: NAME=VALUE")?;
        cookie.set_sensitive(true);
        Ok(Some(cookie))
    }
}

/// A flow that no browser started: without its cookie, an answer to it is rejected.
fn sample_flow(config: &Config, path: &str) -> LoginFlow {
    LoginFlow {
        id: Token::generate("", &mut super::rng()),
        return_to: config.server.own_url(path),
        force_login: false,
        nonce: Secret::new("sample"),
        verifier: Secret::new("sample"),
        at: Clock::System.now(),
    }
}

/// The two values of an answer's query.
fn answer(query: &str) -> anyhow::Result<(&str, &str)> {
    let query = query.rsplit_once('?').map_or(query, |(_, query)| query);
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    value("lg_answer")
        .zip(value("lg_sig"))
        .context("the answer has no lg_answer or no lg_sig")
}
