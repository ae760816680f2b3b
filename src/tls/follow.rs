//! Looks whether the files of the pair have changed: whoever renews certificates need not know how to tell us.

use std::time::Duration;

use super::acceptor::ServerTls;
use super::certificate::Certificate;
use super::files::{CertificateFileError, Fingerprint};

impl ServerTls {
    /// Reads the pair again whenever its files have changed. Never returns.
    ///
    /// What changed is judged when it was the same at two looks: certificate and key are two files, and somebody may be
    /// between them. A new pair that is none is logged once, and the old one stays in use.
    pub async fn watch_files(self) {
        let mut judged = self.files().1;
        let mut seen = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let files = self.files().clone();
            let Some(now) = look(&self).await else {
                continue;
            };
            if now == files.1 || now == judged {
                seen = None;
            } else if seen != Some(now) {
                seen = Some(now);
            } else {
                judged = now;
                let server = self.clone();
                let read = tokio::task::spawn_blocking(move || server.reload(files.0)).await;
                tell(read.map_err(|error| error.to_string()));
            }
        }
    }
}

async fn look(server: &ServerTls) -> Option<Fingerprint> {
    let files = server.files().0.clone();
    let look = tokio::task::spawn_blocking(move || files.fingerprint());
    look.await.ok().flatten()
}

fn tell(outcome: Result<Result<Certificate, CertificateFileError>, String>) {
    match outcome {
        Ok(Ok(pair)) => tracing::info!(not_after = %pair.not_after(), "a new certificate is in use"),
        Ok(Err(error)) => tracing::error!("the old certificate stays in use: {error}"),
        Err(error) => tracing::error!(error, "the new certificate was not read"),
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(2);
