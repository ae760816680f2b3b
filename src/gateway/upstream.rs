//! Where the application listens.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Deserializer};

use crate::http::client::{Address, Connector, HttpClient, Reach};
use crate::setting::{self, FromFile, deserialize_text, duration, seconds};
use crate::tls::{ClientTls, Roots, RootsError, ServerName};

/// `[upstream]`: the application.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config/linkgate.toml says what each key means")]
pub struct UpstreamConfig {
    pub url: Upstream,
    pub ca_file: Option<FromFile<Roots>>,
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(default, deserialize_with = "server_name")]
    pub server_name: Option<ServerName<'static>>,
    pub name: Option<String>,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<5>", deserialize_with = "duration")]
    pub connect_timeout: Duration,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<60>", deserialize_with = "duration")]
    pub response_timeout: Duration,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<300>", deserialize_with = "duration")]
    pub idle_timeout: Duration,
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(default = "seconds::<60>", deserialize_with = "duration")]
    pub upload_timeout: Duration,
    #[serde(default = "max_requests")]
    pub max_requests: NonZeroUsize,
}

impl UpstreamConfig {
    /// A client of the application.
    pub(super) fn client(&self) -> Result<HttpClient, RootsError> {
        let mut address = self.url.address.clone();
        if let Some(name) = &self.server_name {
            address = address.with_server_name(name.clone());
        }
        let roots = || Roots::or_system(self.ca_file.as_ref());
        let roots = address.is_secure().then(roots).transpose()?;
        let connector = Connector {
            tls: roots.map(ClientTls::with_roots),
            reach: Reach::Anywhere,
            timeout: self.connect_timeout,
        };
        let client = HttpClient::new(address, connector, self.idle_timeout);
        Ok(client.with_limits(self.upload_timeout, self.max_requests.get()))
    }
}

/// The address of the application: `http://host[:port]`, or `https://host[:port]`.
///
/// It has no path: linkgate's paths are the application's, byte for byte, or its links and redirects would not work.
#[derive(Clone, Debug)]
pub struct Upstream {
    url: String,
    address: Address,
}

impl Upstream {
    /// Reads an address. The error names what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| EXAMPLE)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(EXAMPLE);
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err("write http://host:port without a path: paths are passed through as they arrive");
        }
        let address = Address::of(&uri).ok_or(EXAMPLE)?;
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            address,
        })
    }

    /// Whether the address is an `https` one.
    pub const fn is_secure(&self) -> bool {
        self.address.is_secure()
    }

    /// Whether a listener of this machine is at the address.
    pub fn leads_to(&self, listener: SocketAddr) -> bool {
        let is_local = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        let Address { host, port, .. } = &self.address;
        let is_host = match host.parse::<IpAddr>() {
            Ok(ip) => ip == listener.ip() || (is_local(ip) && is_local(listener.ip())),
            Err(_) => host.eq_ignore_ascii_case("localhost") && is_local(listener.ip()),
        };
        is_host && *port == listener.port()
    }

    /// The address as a URL, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.url
    }
}

deserialize_text! { Upstream = Self::parse; }

fn server_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ServerName<'static>>, D::Error> {
    setting::text(deserializer, |text| {
        let name = ServerName::try_from(text.to_owned());
        name.map(Some)
            .map_err(|_| "write a name or an address that stands in its certificate")
    })
}

const fn max_requests() -> NonZeroUsize {
    NonZeroUsize::new(4096).expect("it is not zero")
}

const EXAMPLE: &str = "write scheme, host and port: \"http://127.0.0.1:8080\"";
