//! The configuration: a TOML file, environment variables over it, and one validated value.
//!
//! The way of a file through this folder:
//!
//! 1. `file`: the TOML exactly as written, each value with its line and column;
//! 2. `variables`: `LINKGATE__SECTION__KEY` over it;
//! 3. `section` (and `reading`, what all sections share): asks for keys, by way of `value`, `duration`, `choice` and
//!    `secret`, and remarks on whatever is missing, wrong, or not asked for (`nearest` guesses what was meant);
//! 4. one file for each section: `server` (with `tls`), `upstream`, `store`, `keys`, `login`, `consumers` (with
//!    `consumer_keys`), `impersonation`, `identity`, `routes`, `tokens`, `branding`, `admin`, `log`, `applinks`, `links`;
//! 5. `remark`: what there is to say, everything at once.
//!
//! Only `cli` reads a [`Config`]; every other module takes what it needs as plain values.

mod admin;
mod applinks;
mod branding;
mod choice;
mod consumer_keys;
mod consumers;
mod duration;
mod file;
mod identity;
mod impersonation;
mod keys;
mod links;
mod log;
mod login;
mod nearest;
mod reading;
mod remark;
mod routes;
mod secret;
mod section;
mod server;
mod store;
mod tls;
mod tokens;
mod upstream;
mod value;
mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::branding::Branding;
use crate::model::Consumer;
use crate::oauth::{ConsumerKey, Timestamp};

pub use self::admin::Admin;
pub use self::applinks::{AppLinks, LinkListener, ListenAt};
pub use self::duration::parse_duration;
pub use self::identity::{Identity, IdentityHeaders};
pub use self::impersonation::Impersonation;
pub use self::keys::Keys;
pub use self::links::{Link, LinkUsers};
pub use self::log::{Log, LogFormat, LogLevel};
pub use self::login::{Ldap, Login, Oidc, Probe, Reject, Sessions, UserLookup};
pub use self::remark::{ConfigError, Place, Remark};
pub use self::routes::{Route, RouteAuth};
pub use self::server::Server;
pub use self::store::Store;
pub use self::tokens::Tokens;
pub use self::upstream::{Upstream, UpstreamTls};

use self::reading::{Reading, unreadable};
use self::section::Section;

/// A configuration that can be used. Nothing in it means "default" any more.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where we listen, and under which URLs the world knows us.
    pub server: Server,
    /// The application behind us.
    pub upstream: Upstream,
    /// What the pages look like, and the application's name on them.
    pub branding: Branding,
    /// The database.
    pub store: Store,
    /// The secret key.
    pub keys: Keys,
    /// How the person at the browser is known.
    pub login: Login,
    /// How long they stay signed in, and how often they may try.
    pub sessions: Sessions,
    /// Who may sign.
    pub consumers: Vec<Consumer>,
    /// The files in which consumers' shared secrets stand, as they are written, for those whose secrets stand in files.
    pub secret_files: BTreeMap<ConsumerKey, String>,
    /// Whom consumers may name.
    pub impersonation: Impersonation,
    /// How the application is told who calls.
    pub identity: Identity,
    /// Which paths ask for OAuth; the first that matches decides.
    pub routes: Vec<Route>,
    /// How long things live.
    pub tokens: Tokens,
    /// Who may see the administration pages.
    pub admin: Admin,
    /// What is logged, and how.
    pub log: Log,
    /// What we are to the peers of Application Links, and where the application's own calls come in.
    pub applinks: AppLinks,
    /// The other direction: whom the application may call through us.
    pub links: Vec<Link>,
    /// What works and may yet be unwise.
    pub warnings: Vec<Remark>,
}

impl Config {
    /// Reads a file, with environment variables over it. Nothing is opened but the files that it names.
    ///
    /// `now` is for certificates, which expire.
    pub fn load(
        file: &Path,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        let refuse = |mistakes| ConfigError::new(file, mistakes);
        let text = std::fs::read_to_string(file).map_err(|error| {
            let remedy = "name the file with --config or LINKGATE_CONFIG";
            refuse(vec![Remark::new(
                &Place::File(file.into()),
                "",
                format!("it {}", unreadable(&error)),
                remedy,
            )])
        })?;
        let table = file::parse(file, &text).map_err(refuse)?;
        let reading = Reading::new(file, now);
        let table = variables::lay_over(table, variables, &reading);
        let config = Section::read_root(file, &table, &reading, Self::read);
        let (mistakes, warnings) = reading.into_remarks();
        match config {
            Some(config) if mistakes.is_empty() => Ok(Self { warnings, ..config }),
            _ => Err(refuse(mistakes)),
        }
    }

    fn read(root: &Section<'_>) -> Option<Self> {
        let server = root.section("server", Server::read);
        let public_url = server.as_ref().map(|server| &server.public_url);
        let host = public_url.map_or("", |url| url.host());
        let (upstream, name) = root.section("upstream", Upstream::read);
        let branding = root.section("branding", |section| branding::read(section, name, host));
        let store = root.section("store", Store::read);
        let keys = root.section("keys", |section| Keys::read(section, store.as_ref()));
        let login = root.section("login", |section| Login::read(section, server.as_ref()));
        let (consumers, secret_files) = consumers::read(root, server.as_ref());
        let impersonation = root.section("impersonation", |section| {
            Impersonation::read(section, login.as_ref().map(|(login, _)| login))
        });
        let identity = root.section("identity", |section| Identity::read(section, public_url));
        let routes = root.sections("routes", Route::read);
        let tokens = root.section("tokens", Tokens::read);
        let admin = root.section("admin", Admin::read);
        let log = root.section("log", Log::read);
        let links = links::read(root);
        let applinks = root.section("applinks", |section| {
            AppLinks::read(section, host, &links, &consumers)
        });
        let (login, sessions) = login?;
        Some(Self {
            server: server?,
            upstream: upstream?,
            branding,
            store: store?,
            keys,
            login,
            sessions,
            consumers,
            secret_files,
            impersonation,
            identity,
            routes,
            tokens,
            admin,
            log,
            applinks: applinks?,
            links,
            warnings: Vec::new(),
        })
    }
}
