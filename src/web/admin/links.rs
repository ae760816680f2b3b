//! What to enter in Bitbucket, for each consumer: `/oauth/admin`.

use axum::response::Response;
use http::HeaderMap;

use crate::model::{Consumer, ConsumerSource};
use crate::oauth::VerificationKey;

use super::super::pages::{Endpoints, Link, LinkKey, Links, OtherSide, OtherSides, SecretPlace};
use super::super::{ACCESS_TOKEN, ADMIN, AUTHORIZE, REQUEST_TOKEN, Visit, assets, login};
use super::{administrator, navigation};

/// `GET /oauth/admin`
#[tracing::instrument(name = "links", skip_all, fields(user.subject))]
pub(super) async fn show(visit: Visit, headers: HeaderMap) -> Result<Response, Response> {
    let session = administrator(&visit, &headers, ADMIN).await?;
    let consumers = visit.provider.consumers().await;
    let consumers = consumers.map_err(|error| visit.refuse(error))?;
    let states = visit.links.states().await;
    let mut states = states.map_err(|error| visit.refuse(error))?;
    let page = Links {
        outgoing: OtherSides {
            fingerprint: visit.links.identity().fingerprint(),
            links: visit
                .links
                .all()
                .iter()
                .map(|link| OtherSide {
                    title: link.title(),
                    url: link.url().as_str(),
                    state: states.remove(link.name()).unwrap_or_default(),
                })
                .collect(),
        },
        navigation: navigation(&visit),
        application: &visit.look.now().name,
        endpoints: endpoints(&visit),
        list: consumers.iter().map(|consumer| link(&visit, consumer)).collect(),
        now: visit.clock.now(),
        script: visit.path(&assets::copy_script()),
        user: &session.user,
        sign_out: login::sign_out_form(&visit, &session, ADMIN.to_owned()),
    };
    Ok(page.respond(&visit.frame()))
}

fn endpoints(visit: &Visit) -> Endpoints {
    let absolute = |path: &str| format!("{}{}", visit.public_url.origin(), visit.path(path));
    Endpoints {
        application: visit.public_url.origin().to_owned(),
        path: visit.public_url.path_prefix().to_owned(),
        is_secure: visit.public_url.is_secure(),
        request_token: absolute(REQUEST_TOKEN[0]),
        access_token: absolute(ACCESS_TOKEN[0]),
        authorize: absolute(AUTHORIZE[0]),
    }
}

fn link<'a>(visit: &Visit, consumer: &'a Consumer) -> Link<'a> {
    let public = consumer.keys.iter().filter_map(|key| match key {
        VerificationKey::Rsa(key) => Some(LinkKey {
            base64: key.to_base64(),
            bits: key.bits(),
            fingerprint: key.fingerprint(),
        }),
        VerificationKey::Hmac(_) => None,
    });
    let has_secret = consumer
        .keys
        .iter()
        .any(|key| matches!(key, VerificationKey::Hmac(_)));
    Link {
        consumer,
        public_keys: public.collect(),
        secret: has_secret.then(|| secret_place(visit, consumer)),
        clock_differs: visit.refusals.clock_differs(&consumer.key),
    }
}

fn secret_place(visit: &Visit, consumer: &Consumer) -> SecretPlace {
    match (consumer.source, visit.administration.secret_file(&consumer.key)) {
        (ConsumerSource::Config, Some(file)) => SecretPlace::File(file),
        (ConsumerSource::Config, None) => SecretPlace::Entry,
        (ConsumerSource::Command, _) => SecretPlace::Command,
    }
}
