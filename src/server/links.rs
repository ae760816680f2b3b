//! From a configuration to the other direction, and to what peers see of us.

use anyhow::Context;
use listenfd::ListenFd;
use rand::RngExt;

use crate::applinks::{ApplicationId, AuthType, ConsumerInfo, Manifest};
use crate::clock::Clock;
use crate::config::{Config, ListenAt};
use crate::http::Socket;
use crate::links::{ConsumerIdentity, Link, LinkConfig, Links, Users};
use crate::oauth::Secret;
use crate::store::Store;
use crate::web::{self, AppLinksIdentity};

use super::sockets;

/// The id of this installation: the configuration's, or the one that the database keeps, made on the first start.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where randomness comes from"
)]
pub(crate) async fn installation(config: &Config, store: &Store) -> anyhow::Result<ApplicationId> {
    if let Some(id) = &config.applinks.id {
        return Ok(id.clone());
    }
    let new = ApplicationId::from_random(rand::rng().random());
    Ok(store.installation_id(&new).await?)
}

/// The other sides, and who we are there.
pub(crate) fn links(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<Links> {
    let make = |link: &LinkConfig| {
        let failed = || format!("the link {} cannot be made", link.name);
        Link::new(link.clone()).with_context(failed)
    };
    let all: anyhow::Result<Vec<_>> = config.links.iter().map(make).collect();
    let all = all?;
    let consumer_key = config.applinks.consumer_key.clone();
    let consumer_key =
        consumer_key.context("applinks.consumer_key is missing, and the public host is too long for one")?;
    let keys = config.applinks.keys().cloned().collect();
    Ok(Links {
        store: store.clone(),
        clock: clock.clone(),
        own_url: config.server.own_url("/oauth"),
        identity: ConsumerIdentity { consumer_key, keys },
        all,
    })
}

/// What peers see of us.
pub(crate) fn identity(config: &Config, installation: ApplicationId, links: &Links) -> AppLinksIdentity {
    let ConsumerIdentity { consumer_key, keys } = &links.identity;
    let shown = keys.first().filter(|_| config.applinks.consumer_info);
    AppLinksIdentity {
        manifest: Manifest::new(
            installation,
            config.branding.name.clone(),
            config.server.public_url.as_str(),
            config.server.own_url(&web::icon()),
            AuthType::ALL.to_vec(),
            outbound(&config.links),
        ),
        consumer_info: shown.map(|shown| ConsumerInfo {
            key: consumer_key.as_str().to_owned(),
            name: config.branding.name.clone(),
            public_key: shown.public_key().to_base64(),
            description: None,
            callback: None,
        }),
    }
}

/// Opens the private listener, when there are links; and what the application shows there.
pub(super) fn socket(config: &Config, opened: &mut ListenFd) -> anyhow::Result<Option<(Socket, Secret)>> {
    let token = config.applinks.token.clone();
    let Some(token) = token.filter(|_| !config.links.is_empty()) else {
        return Ok(None);
    };
    let socket = match &config.applinks.listen {
        ListenAt::Tcp(address) => sockets::tcp(opened, sockets::LINKS, *address)?.0,
        ListenAt::Unix(path) => sockets::unix(opened, sockets::LINKS, path)?,
    };
    Ok(Some((socket, token)))
}

fn outbound(links: &[LinkConfig]) -> Vec<AuthType> {
    let any = |kind: &AuthType| {
        links.iter().any(|link| match kind {
            AuthType::ThreeLegged => link.users == Users::Connect,
            AuthType::TwoLegged => link.itself,
            AuthType::Impersonation => link.users == Users::Impersonate,
        })
    };
    AuthType::ALL.into_iter().filter(any).collect()
}
