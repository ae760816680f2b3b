//! A network between linkgate and PostgreSQL.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use super::databases::Database;

/// A way to the database that can fall silent: what is under way then stays there.
pub(crate) struct Network {
    port: u16,
    is_silent: watch::Sender<bool>,
    last_words: Arc<Mutex<Option<&'static str>>>,
}

impl Network {
    /// The database never notices that a client has gone.
    pub(crate) async fn before(db: &Database) -> Self {
        Self::make(db, None).await
    }

    /// After this time of silence the database ends the session, as by keepalives (RFC 9293, section 3.8.4).
    pub(crate) async fn with_keepalive(db: &Database, keepalive: Duration) -> Self {
        Self::make(db, Some(keepalive)).await
    }

    async fn make(db: &Database, keepalive: Option<Duration>) -> Self {
        let url = db.url();
        let server = url.rsplit_once('@').map_or(&*url, |(_, rest)| rest);
        let server = server
            .trim_start_matches("postgres://")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let network = Self {
            port: listener.local_addr().unwrap().port(),
            is_silent: watch::Sender::new(false),
            last_words: Arc::default(),
        };
        let (is_silent, last_words) = (network.is_silent.clone(), Arc::clone(&network.last_words));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, is_silent, last_words) = (server.clone(), is_silent.clone(), last_words.clone());
                tokio::spawn(async move {
                    drop(is_silent.subscribe().wait_for(|silent| !silent).await);
                    let server = TcpStream::connect(server).await.unwrap();
                    pass(client, server, &is_silent, &last_words, keepalive).await;
                });
            }
        });
        network
    }

    pub(crate) fn url(&self, db: &Database) -> String {
        let url = db.url();
        let (before, name) = url.rsplit_once('/').unwrap();
        let user = before.rsplit_once('@').map_or("postgres:/", |(user, _)| user);
        format!("{user}@127.0.0.1:{}/{name}", self.port)
    }

    pub(crate) fn go_silent(&self) {
        self.is_silent.send_replace(true);
    }

    /// Falls silent when a statement with these words has reached the database.
    pub(crate) fn go_silent_after(&self, words: &'static str) {
        *self.last_words.lock().unwrap() = Some(words);
    }

    pub(crate) fn come_back(&self) {
        *self.last_words.lock().unwrap() = None;
        self.is_silent.send_replace(false);
    }
}

/// Passes bytes until one side ends. After a silence, neither side hears of the other again.
async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    is_silent: &watch::Sender<bool>,
    last_words: &Mutex<Option<&'static str>>,
    keepalive: Option<Duration>,
) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut state = is_silent.subscribe();
    let silence = async { drop(state.wait_for(|silent| *silent).await) };
    let is_silent = tokio::select! {
        biased;
        () = silence => true,
        () = pass_statements(&mut from_client, &mut to_server, is_silent, last_words) => false,
        _ = copy(&mut from_server, &mut to_client) => false,
    };
    if is_silent {
        if let Some(keepalive) = keepalive {
            sleep(keepalive).await;
            drop(server);
        }
        std::future::pending::<()>().await;
    }
}

async fn pass_statements(
    client: &mut ReadHalf<'_>,
    server: &mut WriteHalf<'_>,
    is_silent: &watch::Sender<bool>,
    last_words: &Mutex<Option<&'static str>>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = client.read(&mut bytes).await {
        if server.write_all(&bytes[..length]).await.is_err() {
            return;
        }
        let words = *last_words.lock().unwrap();
        if words.is_some_and(|words| String::from_utf8_lossy(&bytes[..length]).contains(words)) {
            is_silent.send_replace(true);
        }
    }
}
