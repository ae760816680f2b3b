//! `[applinks]`: what we are to the peers of Application Links, and where the application's own calls come in.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::applinks::ApplicationId;
use crate::model::Consumer;
use crate::oauth::KeyError;
use crate::oauth::{ConsumerKey, PrivateKey, Secret, VerificationKey};

use super::links::Link;
use super::remark::Wrong;
use super::secret::required_secret;
use super::section::Section;

/// What we are to the peers of Application Links.
#[derive(Clone, Debug)]
pub struct AppLinks {
    /// The installation's id, when it is not the one that the database keeps.
    pub id: Option<ApplicationId>,
    /// Whether consumer-info is served, on which Bitbucket signs with its own key.
    pub consumer_info: bool,
    /// Our consumer key at the other sides.
    pub consumer_key: ConsumerKey,
    /// Our own key pairs; the first signs and is shown. Empty: we are no consumer.
    pub keys: Vec<PrivateKey>,
    /// Where the application calls others through us; `None` without `[[links]]`.
    pub listener: Option<LinkListener>,
}

/// The private listener.
#[derive(Clone, Debug)]
pub struct LinkListener {
    /// Where it is.
    pub at: ListenAt,
    /// What the application shows there.
    pub token: Secret,
}

/// An address that only this machine can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAt {
    /// A loopback address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl AppLinks {
    pub(super) fn read(
        section: &Section<'_>,
        public_host: &str,
        links: &[Link],
        consumers: &[Consumer],
    ) -> Option<Self> {
        let id = section.parsed("id", |text| {
            ApplicationId::parse(text).ok_or_else(|| Wrong::unusable(text, "write a UUID, or leave it out"))
        });
        let consumer_info = section.or("consumer_info", false);
        let given_key = section.parsed("consumer_key", consumer_key);
        let keys = read_keys(section);
        if keys.is_empty() && !section.has("key_file") && !section.has("key_files") {
            let why = match (consumer_info, links.is_empty()) {
                (true, _) => Some("consumer-info shows a public key, and there is none"),
                (false, false) => Some("[[links]] are signed with a key of our own, and there is none"),
                (false, true) => None,
            };
            if let Some(why) = why {
                section.wrong(
                    "key_file",
                    why,
                    "make one with `linkgate key generate --rsa --out link.pem`, and write its path",
                );
            }
        }
        if consumer_info {
            warn_of_silence(section, consumers);
        }
        let at = section.parsed("listen", |text| listen_at(text, section));
        let listener = if links.is_empty() {
            section.get::<String>("token");
            section.path("token_file");
            None
        } else {
            let token = required_secret(section, "token", TOKEN_REMEDY);
            let token = token.inspect(|token| check_token(section, token));
            token.map(|token| LinkListener {
                at: at.unwrap_or(ListenAt::Tcp((Ipv4Addr::LOCALHOST, 9082).into())),
                token,
            })
        };
        let own = || ConsumerKey::parse(&format!("linkgate:{public_host}"));
        Some(Self {
            id,
            consumer_info,
            consumer_key: given_key.or_else(own)?,
            keys,
            listener,
        })
    }
}

fn read_keys(section: &Section<'_>) -> Vec<PrivateKey> {
    if section.has("key_file") && section.has("key_files") {
        section.wrong(
            "key_file",
            "key_files is given as well",
            "write all keys into key_files, the one that signs first",
        );
    }
    section.needs_entries("key_files", "name the file of the key that signs");
    let read = |text: &str| {
        let path = section.directory().join(text);
        let shown = path.display();
        let pem = std::fs::read_to_string(&path).map_err(|error| {
            let why = super::reading::unreadable(&error);
            Wrong::new(
                format!("{shown} {why}"),
                "make it with `linkgate key generate --rsa --out link.pem`",
            )
        })?;
        let key = PrivateKey::from_pem(&pem).map_err(|KeyError(why)| {
            let Wrong { wrong, remedy } = Wrong::from_sentence(&why, KEY_REMEDY);
            Wrong::new(format!("{shown}: {wrong}"), remedy)
        })?;
        if key.public_key().bits() < 2048 {
            return Err(Wrong::new(
                format!("{shown}: the key has only {} bits", key.public_key().bits()),
                "make a new one: `linkgate key generate --rsa --out link.pem`",
            ));
        }
        let mode = std::fs::metadata(&path).map_or(0, |file| file.permissions().mode());
        if mode & 0o077 != 0 {
            let key = if section.has("key_file") {
                "key_file"
            } else {
                "key_files"
            };
            section.warn(
                key,
                format!("others may read {shown}"),
                &format!("chmod 600 {shown}"),
            );
        }
        Ok(key)
    };
    let one = section.parsed("key_file", read);
    let several = section.parsed_list("key_files", read);
    one.into_iter().chain(several).collect()
}

/// consumer-info makes Bitbucket sign with its own key: somebody must know that key.
fn warn_of_silence(section: &Section<'_>, consumers: &[Consumer]) {
    let signs = |consumer: &Consumer| {
        consumer
            .keys
            .iter()
            .any(|key| matches!(key, VerificationKey::Rsa(_)))
    };
    if !consumers.iter().any(signs) {
        section.warn(
            "consumer_info",
            "Bitbucket will sign with its own key, and no consumer has a public key: its calls will be refused",
            "register it with `linkgate link add https://bitbucket.example.com`",
        );
    }
}

fn consumer_key(text: &str) -> Result<ConsumerKey, Wrong> {
    ConsumerKey::parse(text).ok_or_else(|| {
        Wrong::unusable(
            text,
            "write 1 to 255 characters, none of them a control character",
        )
    })
}

fn listen_at(text: &str, section: &Section<'_>) -> Result<ListenAt, Wrong> {
    const REMEDY: &str = "write a loopback address, \"127.0.0.1:9082\", or a socket, \"unix:links.sock\"";
    if let Some(path) = text.strip_prefix("unix:") {
        let path = Some(path).filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| Wrong::new("the socket has no path", REMEDY))?;
        return Ok(ListenAt::Unix(section.directory().join(path)));
    }
    let address: SocketAddr = text
        .parse()
        .map_err(|_| Wrong::new(format!("{text:?} is not an address and a port"), REMEDY))?;
    if !address.ip().is_loopback() {
        let wrong = format!("{} can be reached from elsewhere", address.ip());
        return Err(Wrong::new(wrong, REMEDY));
    }
    Ok(ListenAt::Tcp(address))
}

fn check_token(section: &Section<'_>, token: &Secret) {
    let text = token.expose();
    let key = if section.has("token") {
        "token"
    } else {
        "token_file"
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        section.wrong(key, "it cannot stand in a header", TOKEN_REMEDY);
    } else if text.len() < 16 {
        section.wrong(key, "it is short, and so can be guessed", TOKEN_REMEDY);
    }
}

const KEY_REMEDY: &str = "make one with `linkgate key generate --rsa --out link.pem`";
const TOKEN_REMEDY: &str = "write what the application shows when it calls, 16 characters or more: `openssl rand -hex 24 > links.token`";
