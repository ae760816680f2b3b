//! `[server]`, `[admin]` and `[keys]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::oauth::{PathPrefix, PublicUrl};
use crate::setting::{self, duration, duration_or_none, networks, seconds};
use crate::tls::CertificateFiles;

/// The listeners, and the URLs under which consumers and browsers reach them.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    #[serde(default = "local::<9080>", deserialize_with = "address")]
    pub listen: SocketAddr,
    #[serde(default = "local::<9081>", deserialize_with = "address")]
    pub admin_listen: SocketAddr,
    pub public_url: PublicUrl,
    #[serde(default)]
    pub path_prefix: PathPrefix,
    #[serde(default)]
    pub public_urls: Vec<PublicUrl>,
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    #[serde(default, deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub tls: Option<CertificateFiles>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<60>", deserialize_with = "duration")]
    pub download_timeout: Duration,
    /// How long browsers use only https for this host, after a page over https; `None` (`"0s"`): they are not told.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "one_year", deserialize_with = "duration_or_none")]
    pub hsts: Option<Duration>,
    #[serde(default)]
    pub h2c: bool,
}

impl ServerConfig {
    /// A page or an endpoint of linkgate as a URL; `path` begins with `/oauth`.
    pub fn own_url(&self, path: &str) -> String {
        format!("{}{}", self.public_url.as_str(), self.path_prefix.place(path))
    }
}

/// Who may use the administration pages.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    pub subjects: Vec<String>,
}

/// The secret key, which is kept outside of the database.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyConfig {
    pub secret_key_file: PathBuf,
}

fn local<const PORT: u16>() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, PORT).into()
}

#[expect(clippy::unnecessary_wraps, reason = "the type of the setting")]
const fn one_year() -> Option<Duration> {
    Some(seconds::<31_536_000>())
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    setting::text(deserializer, |text| {
        let remedy =
            "write an IP address and a port: \"127.0.0.1:9080\", or \"0.0.0.0:9080\" for all interfaces";
        text.parse().map_err(|_| remedy)
    })
}

/// Whether a URL leads to this machine, so that nothing of it crosses a network.
pub(super) fn is_local(url: &PublicUrl) -> bool {
    let host = url.host();
    host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}
