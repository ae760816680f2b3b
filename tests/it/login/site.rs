//! A running linkgate with two users and a few consumers, and a hand in its database.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::support::Browser;
use linkgate::clock::Clock;
use linkgate::config::Config;
use linkgate::model::{RequestToken, RequestTokenState};
use linkgate::oauth::{Callback, ConsumerKey, Timestamp, Token};
use linkgate::server::Server;
use linkgate::store::{Keyring, Store, StoreConfig};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;

/// A running linkgate.
pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    server: Server,
    keyring: Arc<Keyring>,
    directory: TempDir,
}

impl Site {
    /// Starts one on plain http.
    pub(crate) async fn start() -> Self {
        Self::start_at("http://127.0.0.1:9080").await
    }

    /// Starts one that is reached under a public URL.
    pub(crate) async fn start_at(public_url: &str) -> Self {
        Self::with(public_url, "", FILE).await
    }

    /// Starts one with a `[login]` of its own, and further lines of `[server]`.
    pub(crate) async fn with(public_url: &str, server: &str, login: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        let config = CONFIG
            .replace("{public_url}", public_url)
            .replace("{server}", server)
            .replace("{login}", login);
        write("linkgate.toml", &config);
        write("users.toml", USERS);
        let clock = Clock::fixed(NOW);
        let server = Server::start(load(&directory), clock.clone()).await.unwrap();
        let keyring = Keyring::open_file(&directory.path().join("linkgate.key"))
            .unwrap()
            .keyring;
        let keyring = Arc::new(keyring);
        let url = format!("sqlite://{}", directory.path().join("linkgate.db").display());
        let options = StoreConfig::new(url);
        let store = Store::open(&options, Arc::clone(&keyring), Clock::System.now())
            .await
            .unwrap();
        Self {
            store,
            clock,
            server,
            keyring,
            directory,
        }
    }

    /// A second server over the same database, with the same key, at the same time.
    pub(crate) async fn replica(&self) -> Server {
        Server::start(load(&self.directory), self.clock.clone())
            .await
            .unwrap()
    }

    /// A browser that was never here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address())
    }

    /// A browser whose user has signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.log_in("/", user, &format!("{user}-password")).await;
        answer.assert(303, "location", Some("/"));
        browser
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.public_address
    }

    /// A question of the consumer `bitbucket`.
    pub(crate) async fn question(&self) -> Token {
        self.question_of("bitbucket", CALLBACK).await
    }

    /// One on plain http with a request token to approve, and alice's browser.
    pub(crate) async fn asked() -> (Self, Token, Browser) {
        let site = Self::start().await;
        let (token, alice) = (site.question().await, site.signed_in("alice").await);
        (site, token, alice)
    }

    /// A question of some consumer.
    pub(crate) async fn question_of(&self, consumer: &str, callback: &str) -> Token {
        let token = self.token();
        let now = self.clock.now();
        let request = RequestToken {
            consumer: ConsumerKey::parse(consumer).unwrap(),
            callback: Callback::parse(callback).unwrap(),
            issued_at: now,
            expires_at: now.plus(600),
            wrong_verifiers: 0,
            state: RequestTokenState::Pending,
        };
        self.store.add_request_token(&token, &request).await.unwrap();
        token
    }

    /// A token as the provider makes them.
    #[expect(clippy::disallowed_methods, reason = "a test needs randomness from somewhere")]
    pub(crate) fn token(&self) -> Token {
        self.keyring.new_token(&mut rand::rng())
    }

    /// What became of a question.
    pub(crate) async fn state(&self, token: &Token) -> RequestTokenState {
        self.store.request_token(token).await.unwrap().unwrap().state
    }

    /// Runs a statement behind linkgate's back, and counts the rows.
    pub(crate) async fn sql(&self, statement: &'static str) -> usize {
        let file = SqliteConnectOptions::new().filename(self.directory.path().join("linkgate.db"));
        let pool = SqlitePool::connect_with(file).await.unwrap();
        let rows = sqlx::query(statement).fetch_all(&pool).await.unwrap();
        pool.close().await;
        rows.len()
    }

    /// Every row of every table, as text.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let file = SqliteConnectOptions::new().filename(self.directory.path().join("linkgate.db"));
        let pool = SqlitePool::connect_with(file).await.unwrap();
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select t.name, c.name from sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut tables = BTreeMap::<String, Vec<String>>::new();
        for (table, column) in columns {
            tables
                .entry(table)
                .or_default()
                .push(format!("quote(\"{column}\")"));
        }
        let mut rows = BTreeMap::new();
        for (table, columns) in tables {
            let row = columns.join(" || ' ' || ");
            let select = format!("select {row} as row from \"{table}\" order by row");
            let each = sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&pool).await;
            rows.insert(table, each.unwrap());
        }
        pool.close().await;
        rows
    }

    /// Replaces the password file, and tells linkgate.
    pub(crate) async fn users(&self, text: &str) {
        fs::write(self.directory.path().join("users.toml"), text).unwrap();
        self.server.reload(&load(&self.directory)).await;
    }
}

fn load(directory: &TempDir) -> Config {
    Config::load(&directory.path().join("linkgate.toml"), [], NOW).unwrap()
}

pub(crate) const CALLBACK: &str = "https://bitbucket.example.com/plugins/access?applicationLinkID=7";
pub(crate) const USERS: &str = include_str!("../examples/users.toml");
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

const FILE: &str = r#"
[login]
method = "file"

[login.file]
path = "users.toml"
"#;

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
public_url = "{public_url}"
{server}

[upstream]
url = "http://127.0.0.1:9"
name = "Buildboard"

[store]
url = "sqlite://linkgate.db"

[keys]
secret_key_file = "linkgate.key"

{login}

[[consumers]]
key = "bitbucket"
name = "Bitbucket"
shared_secret = "correct-horse-battery-staple"
callbacks = ["https://bitbucket.example.com"]

[[consumers]]
key = "hostile"
name = "<script>alert(1)</script>\"'\u202E"
shared_secret = "correct-horse-battery-staple"
callbacks = ["https://bitbucket.example.com"]
"#;
