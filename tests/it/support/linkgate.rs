//! A running linkgate in the test's own process, in front of an application that records what reached it.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, ParamsBuilder, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkgate::clock::Clock;
use linkgate::config::{Config, ConfigError};
use linkgate::oauth::Timestamp;
use linkgate::server::Server;
use linkgate::store::{Keyring, Store};
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::EncodePublicKey as _;
use tempfile::TempDir;

use super::app::App;
use super::browser::Browser;
use super::databases::{Database, rng};
use crate::published::published_keys;

/// A running linkgate. It is called under its address, and signed for under its public URL.
pub(crate) struct Linkgate {
    pub(crate) address: SocketAddr,
    /// The public URL.
    pub(crate) base: String,
    /// The application behind it.
    pub(crate) app: Arc<App>,
    pub(crate) clock: Clock,
    server: Server,
    home: Arc<Home>,
}

/// The configuration of a test, before it starts.
pub(crate) struct Setup {
    base: &'static str,
    server: &'static str,
    identity: &'static str,
    more: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

/// What a restart finds again.
struct Home {
    folder: TempDir,
    database: Database,
}

impl Linkgate {
    /// One on an SQLite database of its own.
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    /// One on a given database.
    pub(crate) async fn on(database: &Database) -> Self {
        Setup::new().start_on(database).await
    }

    async fn make(database: &Database, setup: &Setup) -> Self {
        let app = Arc::new(App::start().await);
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("linkgate.key");
        fs::write(&key, database.keyring().to_text().expose()).unwrap();
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
        fs::write(
            folder.path().join("users.toml"),
            users(&["alice", "bob", "carol"]),
        )
        .unwrap();
        fs::write(
            folder.path().join("linkgate.toml"),
            config(setup, app.address, database),
        )
        .unwrap();
        for (name, content) in setup.files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let home = Home {
            folder,
            database: database.clone(),
        };
        let clock = Clock::fixed(Timestamp::from_seconds(START));
        Self::run(Arc::new(home), app, clock, setup.base.to_owned()).await
    }

    async fn run(home: Arc<Home>, app: Arc<App>, clock: Clock, base: String) -> Self {
        let config = Config::load(&home.file("linkgate.toml"), [], clock.now()).unwrap();
        let server = Server::start(config, clock.clone()).await.unwrap();
        Self {
            address: server.public_address,
            base,
            app,
            clock,
            server,
            home,
        }
    }

    /// Where operators ask.
    pub(crate) fn operators(&self) -> SocketAddr {
        self.server.admin_address
    }

    /// A second server over the same database, with the same key, at the same time.
    pub(crate) async fn replica(&self) -> Self {
        let (home, app) = (Arc::clone(&self.home), Arc::clone(&self.app));
        Self::run(home, app, self.clock.clone(), self.base.clone()).await
    }

    /// A second server over the same database, whose key file has been rotated already.
    pub(crate) async fn rotated_replica(&self) -> Self {
        let keyring = Keyring::read(self.home.database.keyring().to_text().expose()).unwrap();
        let rotated = keyring.with_next(&mut rng()).rotated();
        rotated.replace_file(&self.home.file("linkgate.key")).unwrap();
        self.replica().await
    }

    /// Stopped, and started again on the same database.
    pub(crate) async fn restarted(self) -> Self {
        assert!(self.server.stop().await, "nothing was cut off");
        Self::run(self.home, self.app, self.clock, self.base).await
    }

    /// Stops it; what it was asked is answered.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    /// From now on there are these users.
    pub(crate) async fn only_users(&self, names: &[&str]) {
        fs::write(self.home.file("users.toml"), users(names)).unwrap();
        self.try_reload().await.unwrap();
    }

    /// What a SIGHUP does: the configuration is read again, unless it cannot be.
    pub(crate) async fn try_reload(&self) -> Result<(), ConfigError> {
        let config = Config::load(&self.home.file("linkgate.toml"), [], self.clock.now())?;
        self.server.reload(&config).await;
        Ok(())
    }

    /// What a SIGHUP does after a change of the configuration.
    pub(crate) async fn change(&self, from: &str, to: &str) -> Result<(), ConfigError> {
        let file = self.home.file("linkgate.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replace(from, to)).unwrap();
        self.try_reload().await
    }

    /// Its time, in seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser in which this user has signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(user).await;
        browser
    }

    /// Its database, as another process would open it.
    pub(crate) async fn store(&self) -> Store {
        self.home.database.open().await
    }

    /// Its database, past the store.
    pub(crate) fn database(&self) -> &Database {
        &self.home.database
    }

    /// The SQLite database as it lies on the disk: whatever is committed changes it.
    pub(crate) fn on_disk(&self) -> Vec<Vec<u8>> {
        let file = PathBuf::from(self.home.database.url().trim_start_matches("sqlite://"));
        let log = file.with_extension("db-wal");
        let nonces = self.home.database.nonces();
        let nonce_log = nonces.with_extension("db-nonces-wal");
        let files = [file, log, nonces, nonce_log].into_iter();
        files.map(|file| fs::read(file).unwrap_or_default()).collect()
    }

    /// Runs a statement past the store.
    pub(crate) async fn execute(&self, sql: &'static str) {
        self.home.database.execute(sql).await;
    }

    /// How many rows each table has.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let tables = [
            "consumers",
            "request_tokens",
            "access_tokens",
            "sessions",
            "audit",
        ];
        let each =
            tables.map(|table| format!("select '{table} ' || cast(count(*) as text) as rows from {table}"));
        self.home.database.texts(each.join(" union all ")).await
    }
}

impl Home {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Setup {
    pub(crate) const fn new() -> Self {
        Self {
            base: "http://builds.example.com",
            server: "",
            identity: "",
            more: "",
            files: &[],
        }
    }

    /// Another public URL.
    pub(crate) const fn base(self, base: &'static str) -> Self {
        Self { base, ..self }
    }

    /// Further lines of `[server]`.
    pub(crate) const fn server(self, server: &'static str) -> Self {
        Self { server, ..self }
    }

    /// Trusts proxies on this machine.
    pub(crate) const fn trusting(self) -> Self {
        self.server("trusted_proxies = [\"127.0.0.1\"]")
    }

    /// Further lines of `[identity]`.
    pub(crate) const fn identity(self, identity: &'static str) -> Self {
        Self { identity, ..self }
    }

    /// Further sections.
    pub(crate) const fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    /// Further files beside the configuration.
    pub(crate) const fn files(self, files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self { files, ..self }
    }

    /// Starts it on an SQLite database of its own.
    pub(crate) async fn start(self) -> Linkgate {
        self.start_on(&Database::sqlite()).await
    }

    /// Starts it on a given database.
    pub(crate) async fn start_on(self, database: &Database) -> Linkgate {
        Linkgate::make(database, &self).await
    }
}

/// The private half of the key of `Stash:8277239845`.
pub(crate) fn private_key() -> PrivateKey {
    static KEY: LazyLock<PrivateKey> = LazyLock::new(|| {
        let keys = published_keys();
        let pem = keys
            .iter()
            .find(|key| key.name == "netoauth-rsa")
            .and_then(|key| key.private_pem.as_deref());
        PrivateKey::from_pkcs1_pem(pem.unwrap().trim()).unwrap()
    });
    KEY.clone()
}

/// The public half, as Bitbucket shows it: bare base64.
pub(crate) fn public_key() -> String {
    STANDARD.encode(private_key().to_public_key().to_public_key_der().unwrap())
}

/// Each user's password is `NAME-password`, hashed as cheaply as argon2 can.
pub(super) fn users(names: &[&str]) -> String {
    let hash = |name: &&str| {
        let mut cheap = ParamsBuilder::new();
        cheap.m_cost(8).t_cost(1).p_cost(1);
        let argon2 = cheap.context(Algorithm::Argon2id, Version::V0x13).unwrap();
        let hash = argon2
            .hash_password(format!("{name}-password").as_bytes())
            .unwrap();
        format!("[[users]]\nname = \"{name}\"\ndisplay_name = \"{name} Example\"\npassword = \"{hash}\"\n\n")
    };
    let users: String = names.iter().map(hash).collect();
    format!("{users}[[users]]\nname = \"svc-bitbucket\"\ndisplay_name = \"Bitbucket\"\nsign_in = false\n")
}

fn config(setup: &Setup, application: SocketAddr, database: &Database) -> String {
    let (base, server, identity, more) = (setup.base, setup.server, setup.identity, setup.more);
    let (url, key) = (database.url(), public_key());
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
public_url = "{base}"
{server}

[upstream]
url = "http://{application}"
name = "Buildboard"

[store]
url = "{url}"

[keys]
secret_key_file = "linkgate.key"

[login]
method = "file"

[login.file]
path = "users.toml"

[admin]
subjects = ["alice"]

[identity]
preset = "remote-user"
{identity}

[[routes]]
path = "/api/**"
auth = "oauth"

[[routes]]
path = "/static/**"
auth = "none"

[[consumers]]
key = "Stash:8277239845"
name = "Bitbucket (own key)"
public_key = "{key}"
callbacks = ["https://bitbucket.example.com"]
two_legged = true
two_legged_user = "svc-bitbucket"
impersonation = true

{CONSUMERS}

{more}
"#
    )
}

const CONSUMERS: &str = r#"
[[consumers]]
key = "bitbucket-form"
name = "Bitbucket"
shared_secret = "correct-horse-battery-staple"
callbacks = ["https://bitbucket.example.com", "http://127.0.0.1:*", "https://path.example.com/cb"]

[[consumers]]
key = "second"
name = "<img src=x onerror=alert(1)> & \"Second\""
shared_secret = "another-shared-secret"
callbacks = ["https://second.example.com"]
session_handles = false

[[consumers]]
key = "robot"
name = "Robot"
shared_secret = "a-robot-needs-a-secret"
two_legged = true

[[consumers]]
key = "switched-off"
name = "Switched off"
shared_secret = "a-secret-for-nothing"
callbacks = ["https://bitbucket.example.com"]
two_legged = true
enabled = false

[[consumers]]
key = "elsewhere"
name = "Elsewhere"
shared_secret = "a-secret-of-elsewhere"
callbacks = ["https://bitbucket.example.com"]
two_legged = true
addresses = ["192.0.2.0/24"]

[[consumers]]
key = "defaulting"
name = "Defaulting"
shared_secret = "a-secret-with-default"
callbacks = ["https://default.example.com"]
default_callback = "https://default.example.com/back"

[[consumers]]
key = "hashing"
name = "Hashing"
shared_secret = "a-secret-with-hashes"
two_legged = true
require_body_hash = true
"#;

/// When the fixed clock starts.
const START: i64 = 1_800_000_000;
