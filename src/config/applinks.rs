//! `[applinks]`: linkgate as a peer of Application Links, and the internal listener of the application's own calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::applinks::ApplicationId;
use crate::oauth::{ConsumerKey, PrivateKey, Secret, VerificationKey};
use crate::setting::{FromFile, deserialize_text};

use super::Config;
use super::problem::Report;
use super::server::is_local;

/// linkgate as a peer of Application Links.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppLinksConfig {
    /// The installation's id, if it is not the one that the database keeps.
    pub id: Option<ApplicationId>,
    /// Whether consumer-info is served, on which Bitbucket signs with its own key.
    #[serde(default)]
    pub consumer_info: bool,
    /// linkgate's consumer key at remote applications.
    pub consumer_key: Option<ConsumerKey>,
    pub(super) key_file: Option<FromFile<PrivateKey>>,
    pub(super) key_files: Option<Vec<FromFile<PrivateKey>>>,
    /// Where the application calls remote applications.
    #[serde(default)]
    pub listen: ListenAt,
    /// The bearer token that the application sends there; without `[[links]]`, nothing listens.
    pub token: Option<Secret>,
}

/// An address that only this machine can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAt {
    /// A loopback address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl AppLinksConfig {
    /// The files of linkgate's own key pairs; the first key signs and is shown.
    pub(super) fn key_files(&self) -> impl Iterator<Item = &FromFile<PrivateKey>> {
        self.key_file.iter().chain(self.key_files.iter().flatten())
    }

    /// linkgate's own key pairs; the first signs and is shown. Without one, linkgate is no consumer.
    pub fn keys(&self) -> impl Iterator<Item = &PrivateKey> {
        self.key_files().map(|file| &file.content)
    }

    pub(super) fn fill_in(&mut self, host: &str, directory: &Path) {
        if self.consumer_key.is_none() {
            self.consumer_key = ConsumerKey::parse(&format!("linkgate:{host}"));
        }
        if let ListenAt::Unix(path) = &mut self.listen {
            *path = directory.join(&*path);
        }
    }
}

impl Default for ListenAt {
    fn default() -> Self {
        Self::Tcp((Ipv4Addr::LOCALHOST, 9082).into())
    }
}

deserialize_text! { ListenAt = Self::parse; }

impl ListenAt {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const REMEDY: &str = "write a loopback address, \"127.0.0.1:9082\", or a socket, \"unix:links.sock\"";
        match text.strip_prefix("unix:") {
            Some("") => Err(REMEDY),
            Some(path) => Ok(Self::Unix(path.into())),
            None => {
                let address: SocketAddr = text.parse().map_err(|_| REMEDY)?;
                let is_private = address.ip().is_loopback();
                is_private.then_some(Self::Tcp(address)).ok_or(REMEDY)
            }
        }
    }
}

/// Checks the keys, and the internal listener that `[[links]]` need.
pub(super) fn check(config: &Config, report: &mut Report) {
    check_keys(config, report);
    check_listener(config, report);
    check_links(config, report);
    let is_rsa = |key: &VerificationKey| matches!(key, VerificationKey::Rsa(_));
    let mut keys = config.consumers.iter().flat_map(|consumer| &consumer.keys);
    if config.applinks.consumer_info && !keys.any(is_rsa) {
        report.warn(
            "applinks.consumer_info",
            "Bitbucket will sign with its own key, and no consumer has a public key: its calls will be refused",
            "register it with `linkgate link add https://bitbucket.example.com`",
        );
    }
}

fn check_keys(config: &Config, report: &mut Report) {
    const REMEDY: &str = "make one with `linkgate key generate --rsa --out link.pem`, and write its path";
    let applinks = &config.applinks;
    let key = if applinks.key_file.is_some() {
        "applinks.key_file"
    } else {
        "applinks.key_files"
    };
    match (&applinks.key_file, &applinks.key_files) {
        (Some(_), Some(_)) => report.error(
            key,
            "key_files is given as well",
            "write all keys into key_files, the one that signs first",
        ),
        (None, None) if applinks.consumer_info => {
            let wrong = "consumer-info shows a public key, and there is none";
            report.error("applinks.key_file", wrong, REMEDY);
        }
        (None, None) if !config.links.is_empty() => {
            let wrong = "[[links]] are signed with a key of linkgate's own, and there is none";
            report.error("applinks.key_file", wrong, REMEDY);
        }
        (None, Some(files)) if files.is_empty() => {
            report.error(key, "the list is empty", "name the file of the key that signs");
        }
        _ => {}
    }
    for file in applinks.key_files() {
        let path = file.path.display();
        let mode = std::fs::metadata(&file.path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            report.warn(
                key,
                format!("others may read {path}"),
                &format!("chmod 600 {path}"),
            );
        }
    }
}

fn check_listener(config: &Config, report: &mut Report) {
    const REMEDY: &str = "write what the application shows when it calls, 16 characters or more: `openssl rand -hex 24 > links.token`";
    let applinks = &config.applinks;
    if config.links.is_empty() {
        return;
    }
    if applinks.listen == ListenAt::Tcp(config.server.listen) {
        let wrong = "it is the same as server.listen";
        report.error("applinks.listen", wrong, "write another port");
    }
    let Some(token) = applinks.token.as_ref().map(Secret::expose) else {
        report.error("applinks.token_file", "it is missing", REMEDY);
        return;
    };
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        report.error("applinks.token", "it cannot be sent in a header", REMEDY);
    } else if token.len() < 16 {
        report.error("applinks.token", "it is short, and so can be guessed", REMEDY);
    }
}

fn check_links(config: &Config, report: &mut Report) {
    for (at, link) in config.links.iter().enumerate() {
        let key = |name: &str| format!("links[{at}].{name}");
        if config.links[..at].iter().any(|earlier| earlier.name == link.name) {
            let wrong = format!("another link has the name {:?} too", link.name);
            report.error(&key("name"), wrong, "each needs a name of its own");
        }
        if link.users == crate::links::Users::None && !link.itself {
            report.error(
                &key("users"),
                "no call could be made: none that names a user, and none as linkgate itself",
                "write itself = true, or users = \"connect\"",
            );
        }
        if !link.url.is_secure() && !is_local(&link.url) {
            report.warn(
                &key("url"),
                "it is http: whoever is in between reads what the application reads",
                "write the other side's https URL",
            );
        }
    }
}
