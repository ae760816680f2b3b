//! The values to enter in Bitbucket, for each consumer, and the state of outgoing links: `/oauth/admin`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::links::Link;
use crate::model::{Consumer, ConsumerSource, LinkState};
use crate::oauth::{Timestamp, VerificationKey};

use super::super::error::PageError;
use super::super::i18n::Messages;
use super::super::render::{Layout, SignOutForm, render_with_script};
use super::super::session::Session;
use super::super::text::Html;
use super::super::{ACCESS_TOKEN, ADMIN, AUTHORIZE, App, REQUEST_TOKEN, Shared, assets};
use super::{Admin, Navigation};

#[derive(Template)]
#[template(path = "admin/links.html")]
struct LinksPage<'a> {
    t: Messages,
    layout: Layout,
    navigation: Navigation,
    application_url: Field,
    warnings: Vec<Html>,
    cards: Vec<ConsumerCard<'a>>,
    outgoing: Vec<(&'a Link, LinkState)>,
    /// The fingerprint of the key that signs requests of outgoing links.
    fingerprint: Option<String>,
    now: Timestamp,
    script: String,
    session: &'a Session,
    sign_out: SignOutForm,
}

struct ConsumerCard<'a> {
    consumer: &'a Consumer,
    has_secret: bool,
    /// The id of the element with all values as text.
    id: String,
    warnings: Vec<Html>,
    fields: Vec<Field>,
}

/// A field of Bitbucket's form.
struct Field {
    /// As Bitbucket calls it, in English.
    name: &'static str,
    /// The id of the element, and the value to copy.
    copy: Option<(String, String)>,
    /// What else there is to say.
    say: Option<Html>,
}

/// `GET /oauth/admin`
pub(super) async fn show(
    State(app): Shared,
    layout: Layout,
    Admin(session): Admin,
) -> Result<Response, PageError> {
    let consumers = app.provider.consumers().await?;
    let mut states = app.links.states().await?;
    let t = layout.messages();
    let cards = consumers.iter().enumerate();
    let mut cards: Vec<_> = cards
        .map(|(at, consumer)| ConsumerCard::new(&app, &t, at, consumer))
        .collect();
    // Values to enter come before values to compare.
    cards.sort_by_key(|card| !card.has_secret);
    let links = app.links.all().iter();
    let page = LinksPage {
        navigation: Navigation::new(&app, "admin-links.title"),
        application_url: Field::copy("Application URL", "application-url-0", app.public_url.origin()),
        warnings: url_warnings(&app, &t),
        cards,
        outgoing: links
            .map(|link| (link, states.remove(link.name()).unwrap_or_default()))
            .collect(),
        fingerprint: app.links.identity().fingerprint(),
        now: app.clock.now(),
        script: app.path(&assets::script()),
        session: &session,
        sign_out: session.sign_out_form(&app, ADMIN),
        t,
        layout,
    };
    Ok(render_with_script(&page))
}

fn url_warnings(app: &App, t: &Messages) -> Vec<Html> {
    let mut warnings = Vec::new();
    let path = app.public_url.path_prefix();
    if !path.is_empty() {
        warnings.push(t.with("path", path).get("admin-links.warn-path"));
    }
    if !app.public_url.is_secure() {
        warnings.push(t.get("admin-links.warn-http"));
    }
    warnings
}

impl<'a> ConsumerCard<'a> {
    fn new(app: &App, t: &Messages, at: usize, consumer: &'a Consumer) -> Self {
        let has_secret = consumer
            .keys
            .iter()
            .any(|key| matches!(key, VerificationKey::Hmac(_)));
        Self {
            consumer,
            has_secret,
            id: format!("all-{at}"),
            warnings: warnings(app, t, consumer),
            fields: if has_secret {
                form_fields(app, t, at, consumer)
            } else {
                own_key_fields(app, t, at, consumer)
            },
        }
    }
}

fn warnings(app: &App, t: &Messages, consumer: &Consumer) -> Vec<Html> {
    let weak = consumer.keys.iter().filter_map(|key| match key {
        VerificationKey::Rsa(key) if key.bits() < 2048 => {
            Some(t.with("bits", key.bits().to_string()).get("admin-links.warn-key"))
        }
        _ => None,
    });
    let others = [
        (!consumer.enabled, "admin-links.warn-off"),
        (
            consumer.callbacks.is_empty() && !consumer.two_legged,
            "admin-links.warn-no-callbacks",
        ),
        (
            app.rejections.clock_differs(&consumer.key),
            "admin-links.warn-clock",
        ),
    ];
    let others = others.into_iter().filter(|(applies, _)| *applies);
    weak.chain(others.map(|(_, id)| t.get(id))).collect()
}

/// Bitbucket's form, field by field. A secret is never shown, only where it is.
fn form_fields(app: &App, t: &Messages, at: usize, consumer: &Consumer) -> Vec<Field> {
    let application = &app.branding.current().name;
    let copy = |name, id: &str, value: &str| Field::copy(name, &format!("{id}-{at}"), value);
    let secret = match (consumer.source, app.administration.secret_file(&consumer.key)) {
        (ConsumerSource::Config, Some(file)) => t.with("file", &file).get("admin-links.secret-in-file"),
        (ConsumerSource::Config, None) => t.get("admin-links.secret-in-entry"),
        (ConsumerSource::Command, _) => t.get("admin-links.secret-by-command"),
    };
    let mut fields = vec![
        copy("Application Name", "name", application),
        copy("Application Type", "type", "Generic Application"),
        copy("Service Provider Name", "provider", application),
        copy("Consumer Key", "consumer-key", consumer.key.as_str()),
        Field::say("Shared secret", secret),
    ];
    fields.extend(url_fields(app, at));
    fields.push(Field::say("Create incoming link", t.get("admin-links.unchecked")));
    fields
}

/// The values that must be equal in linkgate and at a consumer that signs with its own key, and the URLs that it requests.
fn own_key_fields(app: &App, t: &Messages, at: usize, consumer: &Consumer) -> Vec<Field> {
    let key_id = format!("consumer-key-{at}");
    let mut fields = vec![Field::copy("Consumer Key", &key_id, consumer.key.as_str())];
    let keys = consumer.keys.iter().filter_map(|key| match key {
        VerificationKey::Rsa(key) => Some(key),
        VerificationKey::Hmac(_) => None,
    });
    for (number, key) in keys.enumerate() {
        let size = t.with("bits", key.bits().to_string());
        let size = size.with("fingerprint", key.fingerprint());
        fields.push(Field {
            say: Some(size.get("admin-links.key-size")),
            ..Field::copy("Public Key", &format!("key-{number}-{at}"), &key.to_base64())
        });
    }
    fields.extend(url_fields(app, at));
    fields
}

fn url_fields(app: &App, at: usize) -> [Field; 3] {
    [
        ("Request Token URL", "request", REQUEST_TOKEN),
        ("Access Token URL", "access", ACCESS_TOKEN),
        ("Authorize URL", "authorize", AUTHORIZE),
    ]
    .map(|(name, id, paths)| Field::copy(name, &format!("{id}-{at}"), &app.absolute(paths[0])))
}

impl Field {
    fn copy(name: &'static str, id: &str, value: &str) -> Self {
        Self {
            name,
            copy: Some((id.to_owned(), value.to_owned())),
            say: None,
        }
    }

    const fn say(name: &'static str, say: Html) -> Self {
        Self {
            name,
            copy: None,
            say: Some(say),
        }
    }
}
