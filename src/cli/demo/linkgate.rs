//! The real server, started from its configuration file as `linkgate serve` starts it.

use std::path::PathBuf;

use anyhow::Context;
use tokio::sync::Mutex;

use crate::cli::token::BY_COMMAND;
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::operator::OperatorError;
use crate::oauth::Token;
use crate::server::Server;
use crate::server::store::open_existing;
use crate::store::Revoke;

/// linkgate with its configuration; serving or not.
#[derive(Debug)]
pub(super) struct Linkgate {
    config: PathBuf,
    server: Mutex<Option<Server>>,
}

impl Linkgate {
    /// Takes a configuration; nothing is started.
    pub(super) fn new(config: PathBuf) -> Self {
        Self {
            config,
            server: Mutex::default(),
        }
    }

    /// Starts it.
    pub(super) async fn start(&self) -> anyhow::Result<()> {
        let server = Server::start(self.load()?, Clock::System)
            .await
            .context("linkgate does not start")?;
        *self.server.lock().await = Some(server);
        Ok(())
    }

    /// Stops it, and waits until it has.
    pub(super) async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await;
        }
    }

    /// Stops it, and starts it on the same store.
    pub(super) async fn restart(&self) -> anyhow::Result<()> {
        self.stop().await;
        self.start().await
    }

    /// Revokes a token as `linkgate token revoke` does: in the store, beside the server. `false`: it is not there.
    pub(super) async fn revoke(&self, token: &Token) -> anyhow::Result<bool> {
        let store = open_existing(&self.load()?).await?;
        let kept = store.access_token(token).await;
        let revoked = match &kept {
            Ok(Some(kept)) => {
                let which = Revoke::One { id: &kept.id };
                store.revoke(which, BY_COMMAND, Clock::System.now()).await
            }
            _ => Ok(Vec::new()),
        };
        store.close().await;
        kept?;
        Ok(!revoked?.is_empty())
    }

    /// The configuration alone decides: the environment is that of an installation, not of a demo.
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config, [], Clock::System.now())?)
    }
}

/// An error with its causes, for the page and the report.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
pub(super) fn told(error: anyhow::Error) -> OperatorError {
    OperatorError(format!("{error:#}"))
}
