//! `[applinks]`: linkgate as a peer of Application Links, and the internal listener of the application's own calls.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::applinks::ApplicationId;
use crate::links::Users;
use crate::oauth::{ConsumerKey, PrivateKey, Secret, VerificationKey};
use crate::setting::{FromFile, deserialize_text};

use super::Config;
use super::problem::Report;
use super::server::is_local;

/// linkgate as a peer of Application Links.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppLinksConfig {
    pub id: Option<ApplicationId>,
    pub consumer_info: bool,
    pub consumer_key: Option<ConsumerKey>,
    pub(super) key_file: Option<FromFile<PrivateKey>>,
    pub(super) key_files: Option<Vec<FromFile<PrivateKey>>>,
    pub listen: ListenAt,
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
    if !config.links.is_empty() {
        check_listener(config, report);
    }
    check_links(config, report);
    let is_rsa = |key: &VerificationKey| matches!(key, VerificationKey::Rsa(_));
    let mut keys = config.consumers.iter().flat_map(|consumer| &consumer.keys);
    report.warn_if(
        config.applinks.consumer_info && !keys.any(is_rsa),
        "applinks.consumer_info",
        "Bitbucket will sign with its own key, and no consumer has a public key: its calls will be refused\n\
         register it with `linkgate link add https://bitbucket.example.com`",
    );
}

fn check_keys(config: &Config, report: &mut Report) {
    let applinks = &config.applinks;
    let key = if applinks.key_file.is_some() {
        "applinks.key_file"
    } else {
        "applinks.key_files"
    };
    let why_needed = match config {
        _ if applinks.consumer_info => Some("consumer-info shows a public key"),
        _ if !config.links.is_empty() => Some("[[links]] are signed with a key of linkgate's own"),
        _ => None,
    };
    match (&applinks.key_file, &applinks.key_files, why_needed) {
        (Some(_), Some(_), _) => report.error(
            key,
            "key_files is given as well\nwrite all keys into key_files, the one that signs first",
        ),
        (None, None, Some(why)) => report.error(
            "applinks.key_file",
            format!(
                "{why}, and there is none\n\
                 make one with `linkgate key generate --rsa --out link.pem`, and write its path"
            ),
        ),
        (None, Some(files), _) if files.is_empty() => {
            report.error(key, "the list is empty\nname the file of the key that signs");
        }
        _ => {}
    }
    for file in applinks.key_files() {
        let path = file.path.display();
        let mode = std::fs::metadata(&file.path).map_or(0, |file| file.permissions().mode());
        let text = format!("others may read {path}\nchmod 600 {path}");
        report.warn_if(mode & 0o077 != 0, key, text);
    }
}

fn check_listener(config: &Config, report: &mut Report) {
    const REMEDY: &str = "write what the application shows when it calls, 16 characters or more: `openssl rand -hex 24 > links.token`";
    let applinks = &config.applinks;
    report.error_if(
        applinks.listen == ListenAt::Tcp(config.server.listen),
        "applinks.listen",
        "it is the same as server.listen\nwrite another port",
    );
    let (key, wrong) = match applinks.token.as_ref().map(Secret::expose) {
        None => ("applinks.token_file", "it is missing"),
        Some(token) if !token.bytes().all(|byte| byte.is_ascii_graphic()) => {
            ("applinks.token", "it cannot be sent in a header")
        }
        Some(token) if token.len() < 16 => ("applinks.token", "it is short, and so can be guessed"),
        Some(_) => return,
    };
    report.error(key, format!("{wrong}\n{REMEDY}"));
}

fn check_links(config: &Config, report: &mut Report) {
    for (at, link) in config.links.iter().enumerate() {
        let key = |name: &str| format!("links[{at}].{name}");
        report.error_if(
            config.links[..at].iter().any(|earlier| earlier.name == link.name),
            &key("name"),
            format!(
                "another link has the name {:?} too\neach needs a name of its own",
                link.name
            ),
        );
        report.error_if(
            link.users == Users::None && !link.itself,
            &key("users"),
            "no call could be made: none that names a user, and none as linkgate itself\n\
             write itself = true, or users = \"connect\"",
        );
        report.warn_if(
            !link.url.is_secure() && !is_local(&link.url),
            &key("url"),
            "it is http: whoever is in between reads what the application reads\nwrite the other side's https URL",
        );
    }
}
