//! A linkgate that calls another side: another linkgate, or one that a test plays.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use linkgate::clock::Clock;
use linkgate::config::Config;
use linkgate::oauth::{PrivateKey, Secret, Timestamp, Token, TokenCredentials};
use linkgate::server::Server;
use linkgate::store::Store;
use tempfile::TempDir;

use super::address::reserved;
use super::app::App;
use super::browser::{Browser, Form, location};
use super::databases::Database;
use super::linkgate::users;
use super::raw::{Request, Response};

/// A running linkgate with links.
pub(crate) struct Linked {
    pub(crate) address: SocketAddr,
    /// Its public URL, under which it really is.
    pub(crate) base: String,
    /// Where the application calls others.
    pub(crate) calls: SocketAddr,
    /// The application behind it.
    pub(crate) app: App,
    pub(crate) clock: Clock,
    server: Server,
    folder: TempDir,
    database: Database,
}

/// A linkgate before it starts: its address is known, so that others can be told of it.
pub(crate) struct Planned {
    name: &'static str,
    /// Its public URL.
    pub(crate) base: String,
    address: SocketAddr,
    key: PrivateKey,
    folder: TempDir,
    /// Further keys of `[server]`.
    pub(crate) server: &'static str,
}

impl Planned {
    /// One with an address and a key of its own.
    pub(crate) fn new(name: &'static str) -> Self {
        let address = reserved();
        let folder = tempfile::tempdir().unwrap();
        let key = new_key();
        write_private(&folder.path().join("link.pem"), key.to_pem().expose());
        Self {
            name,
            base: format!("http://{address}"),
            address,
            key,
            folder,
            server: "",
        }
    }

    /// What another one writes into its configuration to let this one call.
    pub(crate) fn as_consumer(&self) -> String {
        let (name, base, key) = (self.name, &self.base, self.key.public_key().to_base64());
        format!(
            "[[consumers]]\nkey = \"linkgate-{name}\"\nname = \"{name}\"\npublic_key = \"{key}\"\n\
             callbacks = [\"{base}\"]\ntwo_legged = true\ntwo_legged_user = \"svc-bitbucket\"\nimpersonation = true\n"
        )
    }

    /// Its public key, as consumer-info shows it.
    pub(crate) fn public_key(&self) -> String {
        self.key.public_key().to_base64()
    }

    /// A file beside its configuration, which only its owner may read.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        write_private(&path, text);
        path
    }

    /// Starts it with further keys of `[applinks]` and further sections.
    pub(crate) async fn start(self, database: &Database, applinks: &str, more: &str) -> Linked {
        let app = App::start().await;
        self.file("linkgate.key", database.keyring().to_text().expose());
        self.file("users.toml", &users(&["alice", "bob", "carol"]));
        let config = self.config(app.address, database, applinks, more);
        let config = self.file("linkgate.toml", &config);
        let clock = Clock::fixed(Timestamp::from_seconds(START));
        let config = Config::load(&config, [], clock.now()).unwrap();
        let server = Server::start(config, clock.clone()).await.unwrap();
        Linked {
            address: self.address,
            base: self.base,
            calls: server.calls_address.unwrap_or(server.admin_address),
            app,
            clock,
            server,
            folder: self.folder,
            database: database.clone(),
        }
    }

    fn config(&self, app: SocketAddr, db: &Database, applinks: &str, more: &str) -> String {
        let (name, address, base, url, server) = (self.name, self.address, &self.base, db.url(), self.server);
        format!(
            "[server]\nlisten = \"{address}\"\nadmin_listen = \"127.0.0.1:0\"\npublic_url = \"{base}\"\n{server}\n\
             [upstream]\nurl = \"http://{app}\"\nname = \"{name}\"\n\
             [store]\nurl = \"{url}\"\n[keys]\nsecret_key_file = \"linkgate.key\"\n\
             [login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n\
             [[routes]]\npath = \"/api/**\"\nauth = \"oauth\"\n\
             [applinks]\nconsumer_key = \"linkgate-{name}\"\ntoken = \"{TOKEN}\"\n{KEY}{applinks}\n{more}\n",
            KEY = if applinks.contains("key_files") {
                ""
            } else {
                "key_file = \"link.pem\"\n"
            },
        )
    }
}

impl Linked {
    /// One whose only other side, `other`, is at an address that a test plays.
    pub(crate) async fn with_peer(peer: SocketAddr, link: &str) -> Self {
        Self::with_links(&format!(
            "[[links]]\nname = \"other\"\nurl = \"http://{peer}\"\n{link}"
        ))
        .await
    }

    /// One with these links, and further sections.
    pub(crate) async fn with_links(links: &str) -> Self {
        let planned = Planned::new("left");
        planned
            .start(&Database::sqlite(), "listen = \"127.0.0.1:0\"", links)
            .await
    }

    /// A call of the application, in a user's name or without a user.
    pub(crate) fn asks(target: &str, user: Option<&str>) -> Request {
        let request = Request::get(target).header("Authorization", format!("Bearer {TOKEN}"));
        match user {
            Some(user) => request.header("X-Linkgate-User", user),
            None => request,
        }
    }

    /// Makes such a call.
    pub(crate) async fn ask(&self, target: &str, user: Option<&str>) -> Response {
        Self::asks(target, user).send(self.calls).await
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// Its database, as another process would open it.
    pub(crate) async fn store(&self) -> Store {
        self.database.open().await
    }

    /// Records that a user has connected a link, with this token.
    pub(crate) async fn has_connected(&self, link: &str, user: &str, token: &str) {
        let credentials = TokenCredentials {
            token: Token::parse(token).unwrap(),
            secret: Secret::new("its-secret"),
        };
        let (store, now) = (self.store().await, self.clock.now());
        store
            .connect_link(link, user, &credentials, None, now)
            .await
            .unwrap();
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    /// A user of this one connects `link` at the other side, and approves there.
    pub(crate) async fn connect(&self, link: &str, other: &Self, user: &str) -> Response {
        let mut here = self.browser();
        here.sign_in(user).await;
        let there = here.get(&format!("/oauth/links/{link}/connect")).await;
        assert_eq!(there.status, 303, "{there:?}");
        let question = path(location(&there), &other.base);
        let back = other.answer(&question, user, "approve").await;
        here.get(&path(location(&back), &self.base)).await
    }

    /// A user answers a question here.
    pub(crate) async fn answer(&self, question: &str, user: &str, button: &str) -> Response {
        let mut browser = self.browser();
        let mut page = browser.get(question).await;
        if page.status == 303 {
            page = browser.get(location(&page)).await;
            let signed_in = browser.sign_in_on(&page, user).await;
            page = browser.get(location(&signed_in)).await;
        }
        let form = Form::of(&page, button).unwrap_or_else(|| panic!("no {button}: {page:?}"));
        browser.submit(&form.pressing(button)).await
    }
}

/// Two linkgates, each the other's consumer and provider.
pub(crate) async fn pair(one: &Database, two: &Database) -> (Linked, Linked) {
    let (left, right) = (Planned::new("left"), Planned::new("right"));
    let more = |other: &Planned| {
        format!(
            "{}[[links]]\nname = \"other\"\ntitle = \"The other side\"\nurl = \"{base}\"\nitself = true\n\
             [[links]]\nname = \"other-as\"\nurl = \"{base}\"\nusers = \"impersonate\"\n",
            other.as_consumer(),
            base = other.base,
        )
    };
    let applinks = "listen = \"127.0.0.1:0\"\nconsumer_info = true";
    let (for_left, for_right) = (more(&right), more(&left));
    (
        left.start(one, applinks, &for_left).await,
        right.start(two, applinks, &for_right).await,
    )
}

/// The path and query of a URL of a base.
pub(crate) fn path(url: &str, base: &str) -> String {
    let path = url.strip_prefix(base);
    path.unwrap_or_else(|| panic!("{url} is not at {base}"))
        .to_owned()
}

fn new_key() -> PrivateKey {
    PrivateKey::generate(2048, &mut super::databases::rng()).unwrap()
}

fn write_private(path: &std::path::Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// What the application shows at the private listener.
pub(crate) const TOKEN: &str = "correct-horse-battery-staple";

/// When the fixed clocks start.
const START: i64 = 1_800_000_000;
