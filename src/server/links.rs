//! From a configuration to the other direction, and to what peers see of us.

use std::time::Duration;

use anyhow::{Context, anyhow};
use rand::RngExt;

use crate::applinks::{AuthType, ConsumerInfo, Manifest, PeerId};
use crate::clock::Clock;
use crate::config::{Config, Link as LinkConfig, LinkUsers, ListenAt};
use crate::http::Socket;
use crate::http::client::{Connector, Reach};
use crate::links::{ConsumerIdentity, Link, LinkOptions, Links, Users};
use crate::oauth::Secret;
use crate::store::Store;
use crate::tls::{ClientTls, Roots};
use crate::web;

/// The id of this installation: the configuration's, or the one that the database keeps, made on the first start.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
pub(crate) async fn installation(config: &Config, store: &Store) -> anyhow::Result<PeerId> {
    if let Some(id) = &config.applinks.id {
        return Ok(id.clone());
    }
    let new = PeerId::from_random(rand::rng().random());
    Ok(store.installation_id(&new).await?)
}

/// The other sides, and who we are there.
pub(crate) fn links(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<Links> {
    let links: anyhow::Result<Vec<_>> = config.links.iter().map(link).collect();
    let identity = ConsumerIdentity {
        consumer_key: config.applinks.consumer_key.clone(),
        keys: config.applinks.keys.clone(),
    };
    Ok(Links::new(
        store.clone(),
        clock.clone(),
        config.server.public_url.clone(),
        identity,
        links?,
    ))
}

/// What peers see of us.
pub(crate) fn identity(config: &Config, installation: PeerId) -> web::AppLinksIdentity {
    let (applinks, public_url) = (&config.applinks, config.server.public_url.as_str());
    let shown = applinks.keys.first().filter(|_| applinks.consumer_info);
    web::AppLinksIdentity {
        manifest: Manifest {
            id: installation,
            name: config.branding.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            url: public_url.to_owned(),
            icon_url: format!("{public_url}{}", web::icon()),
            inbound: AuthType::ALL.to_vec(),
            outbound: outbound(&config.links),
        },
        consumer_info: shown.map(|key| ConsumerInfo {
            key: applinks.consumer_key.as_str().to_owned(),
            name: config.branding.name.clone(),
            public_key: key.public_key().to_base64(),
            description: None,
            callback: None,
        }),
    }
}

/// Binds the private listener, when there are links; and what the application shows there.
pub(crate) fn socket(config: &Config) -> anyhow::Result<Option<(Socket, Secret)>> {
    let Some(listener) = &config.applinks.listener else {
        return Ok(None);
    };
    let socket = match &listener.at {
        ListenAt::Tcp(address) => {
            Socket::tcp(*address).with_context(|| format!("{address} cannot be listened on"))?
        }
        ListenAt::Unix(path) => {
            Socket::unix(path).with_context(|| format!("{} cannot be listened on", path.display()))?
        }
    };
    Ok(Some((socket, listener.token.clone())))
}

/// Connects to remote applications. `roots`: the trust roots, otherwise those of the operating system.
pub(crate) fn connector(roots: Option<&Roots>, timeout: Duration) -> anyhow::Result<Connector> {
    let roots = roots.cloned().map_or_else(Roots::system, Ok);
    let roots = roots.map_err(|why| anyhow!("ca_file: {why}"))?;
    Ok(Connector {
        tls: Some(ClientTls::with_roots(roots)),
        reach: Reach::NotMetadata,
        timeout,
    })
}

fn link(link: &LinkConfig) -> anyhow::Result<Link> {
    let failed = || format!("the link {} cannot be made", link.name);
    let connector = connector(link.roots.as_ref(), link.connect_timeout).with_context(failed)?;
    let options = LinkOptions {
        name: link.name.clone(),
        title: link.title.clone(),
        url: link.url.clone(),
        users: match link.users {
            LinkUsers::Connect => Users::Connect,
            LinkUsers::Impersonate => Users::Impersonate,
            LinkUsers::None => Users::None,
        },
        itself: link.itself,
        response_timeout: link.response_timeout,
    };
    Link::new(options, connector)
        .context("no certificate can be for the host of its url")
        .with_context(failed)
}

fn outbound(links: &[LinkConfig]) -> Vec<AuthType> {
    let any = |kind: &AuthType| {
        links.iter().any(|link| match kind {
            AuthType::ThreeLegged => link.users == LinkUsers::Connect,
            AuthType::TwoLegged => link.itself,
            AuthType::Impersonation => link.users == LinkUsers::Impersonate,
        })
    };
    AuthType::ALL.into_iter().filter(any).collect()
}
