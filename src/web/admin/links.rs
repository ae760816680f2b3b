//! The values to enter in Bitbucket, for each consumer, and the state of outgoing links: `/oauth/admin`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::links::Link;
use crate::model::{Consumer, ConsumerSource, LinkState};
use crate::oauth::{PublicKey, Timestamp, VerificationKey};

use super::super::error::PageError;
use super::super::i18n::Messages;
use super::super::render::render_with_script;
use super::super::session::Session;
use super::super::text::Html;
use super::super::{ACCESS_TOKEN, ADMIN, AUTHORIZE, App, REQUEST_TOKEN, Shared};
use super::{Admin, PAGES};

#[derive(Template)]
#[template(path = "admin/links.html")]
struct LinksPage<'a> {
    t: Messages,
    app: &'a App,
    session: &'a Session,
    consumers: &'a [Consumer],
    outgoing: Vec<(&'a Link, LinkState)>,
    now: Timestamp,
}

/// A field of Bitbucket's form.
struct Field {
    /// As Bitbucket calls it, in English.
    name: &'static str,
    /// The value to copy.
    copy: Option<String>,
    /// An instruction or a remark.
    note: Option<Html>,
}

/// `GET /oauth/admin`
pub(super) async fn show(
    State(app): Shared,
    t: Messages,
    Admin(session): Admin,
) -> Result<Response, PageError> {
    let mut consumers = app.provider.consumers().await?;
    // Values to enter come before values to compare.
    consumers.sort_by_key(|consumer| !has_secret(consumer));
    let mut states = app.links.states().await?;
    let links = app.links.all.iter();
    let page = LinksPage {
        t,
        app: &app,
        session: &session,
        consumers: &consumers,
        outgoing: links
            .map(|link| (link, states.remove(link.name()).unwrap_or_default()))
            .collect(),
        now: app.clock.now(),
    };
    Ok(render_with_script(&page))
}

impl LinksPage<'_> {
    /// The fields of Bitbucket's form for a consumer with a shared secret, which is never shown. For a consumer that signs with
    /// its own key: the values that must be equal on both sides.
    fn fields(&self, consumer: &Consumer) -> Vec<Field> {
        let t = &self.t;
        let key = Field::copy("Consumer Key", consumer.key.as_str());
        let mut fields = if has_secret(consumer) {
            let application = &self.app.branding.current().name;
            let host = self.app.public_url.host();
            let is_named = application != host;
            vec![
                Field {
                    note: (!is_named).then(|| t.with("host", host).get("admin-links.name-is-host")),
                    ..Field::copy("Application Name", application)
                },
                Field::copy("Application Type", "Generic Application"),
                Field::copy("Service Provider Name", application),
                key,
                Field::note("Shared secret", self.secret(consumer)),
            ]
        } else {
            let keys = rsa_keys(consumer).map(|key| {
                let size = t.with("bits", key.bits().to_string());
                let size = size.with("fingerprint", key.fingerprint());
                Field {
                    note: Some(size.get("admin-links.key-size")),
                    ..Field::copy("Public Key", &key.to_base64())
                }
            });
            [key].into_iter().chain(keys).collect()
        };
        let urls = [
            ("Request Token URL", REQUEST_TOKEN),
            ("Access Token URL", ACCESS_TOKEN),
            ("Authorize URL", AUTHORIZE),
        ];
        fields.extend(urls.map(|(name, paths)| Field::copy(name, &self.app.absolute(paths[0]))));
        if has_secret(consumer) {
            fields.push(Field::note(
                "Create incoming link",
                t.get("admin-links.unchecked"),
            ));
        }
        fields
    }

    /// Where the shared secret of a consumer is.
    fn secret(&self, consumer: &Consumer) -> Html {
        let file = self.app.administration.secret_file(&consumer.key);
        match (consumer.source, file) {
            (ConsumerSource::Config, Some(file)) => {
                self.t.with("file", &file).get("admin-links.secret-in-file")
            }
            (ConsumerSource::Config, None) => self.t.get("admin-links.secret-in-entry"),
            (ConsumerSource::Command, _) => self.t.get("admin-links.secret-by-command"),
        }
    }
}

fn has_secret(consumer: &Consumer) -> bool {
    let mut keys = consumer.keys.iter();
    keys.any(|key| matches!(key, VerificationKey::Hmac(_)))
}

fn rsa_keys(consumer: &Consumer) -> impl Iterator<Item = &PublicKey> {
    consumer.keys.iter().filter_map(|key| match key {
        VerificationKey::Rsa(key) => Some(key),
        VerificationKey::Hmac(_) => None,
    })
}

impl Field {
    fn copy(name: &'static str, value: &str) -> Self {
        Self {
            name,
            copy: Some(value.to_owned()),
            note: None,
        }
    }

    const fn note(name: &'static str, note: Html) -> Self {
        Self {
            name,
            copy: None,
            note: Some(note),
        }
    }
}
