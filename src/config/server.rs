//! `[server]`: where we listen, and under which URLs the world knows us.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use crate::oauth::PublicUrl;
use crate::tls::CertificateFiles;

use super::remark::Wrong;
use super::section::Section;
use super::tls;

/// Where we listen, and under which URLs the world knows us.
#[derive(Clone, Debug)]
pub struct Server {
    /// Consumers, browsers, the guarded application.
    pub listen: SocketAddr,
    /// Health, readiness and metrics, for operators.
    pub admin_listen: SocketAddr,
    /// The URL that consumers sign and browsers see.
    pub public_url: PublicUrl,
    /// Further URLs that consumers may sign.
    pub public_urls: Vec<PublicUrl>,
    /// Proxies in front of us, whose word about the peer's address we take.
    pub trusted_proxies: Vec<IpNet>,
    /// The certificate that `listen` shows; `None`: it speaks plain HTTP.
    pub tls: Option<CertificateFiles>,
    /// Whether HTTP/2 is served in clear text on `listen`.
    pub h2c: bool,
}

impl Server {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let listen = section.or("listen", local(9080));
        let admin_listen = section.or("admin_listen", local(9081));
        if listen == admin_listen && listen.port() != 0 {
            let wrong = "it is the same as server.listen";
            section.wrong(
                "admin_listen",
                wrong,
                "write another port: the health checks are not for the world",
            );
        }
        section.needs(
            "public_url",
            "write the URL that consumers sign: public_url = \"https://builds.example.com\"",
        );
        let public_url = section.parsed("public_url", parse_url);
        if let Some(url) = &public_url {
            warn_of_traps(section, url);
        }
        let public_urls = section.parsed_list("public_urls", parse_url);
        let trusted_proxies = section.list("trusted_proxies");
        let tls = section.section("tls", |tls| tls::read(tls, public_url.as_ref()));
        let h2c = section.or("h2c", false);
        if h2c && tls.is_some() {
            let wrong = "with [server.tls], nothing is served in clear text";
            section.wrong(
                "h2c",
                wrong,
                "remove it: over TLS, clients choose HTTP/2 by themselves",
            );
        }
        Some(Self {
            listen,
            admin_listen,
            public_url: public_url?,
            public_urls,
            trusted_proxies,
            tls,
            h2c,
        })
    }
}

fn warn_of_traps(section: &Section<'_>, url: &PublicUrl) {
    if !url.path_prefix().is_empty() {
        section.warn(
            "public_url",
            format!(
                "it has a path: an Application URL with this path makes Bitbucket call {}/oauth/..., without it",
                url.origin()
            ),
            &format!("enter {} as the Application URL in Bitbucket, without the path", url.origin()),
        );
    }
    let host = url.authority();
    let is_local = ["127.", "localhost", "[::1]"]
        .iter()
        .any(|name| host.starts_with(name));
    if !url.is_secure() && !is_local {
        section.warn(
            "public_url",
            "it is http: tokens, and the passwords of a sign-in page, travel in clear",
            "end TLS here with [server.tls], or in a proxy in front, and write the https URL",
        );
    }
}

fn parse_url(text: &str) -> Result<PublicUrl, Wrong> {
    PublicUrl::parse(text).map_err(|why| Wrong::unusable(text, why))
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
