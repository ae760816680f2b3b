//! What to enter in Bitbucket.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::model::{Consumer, User};
use crate::oauth::{AllowedCallback, Timestamp};

use super::super::account::{Account, SignOutForm};
use super::super::{Frame, Html, respond_under, visible, with_script};
use super::Navigation;
use super::other_sides::{OtherSideCard, OtherSides};

/// What the page is made of.
#[derive(Debug)]
pub(in crate::web) struct Links<'a> {
    /// The ways to the other pages.
    pub(in crate::web) navigation: Navigation,
    /// The application's name.
    pub(in crate::web) application: &'a str,
    /// Our addresses.
    pub(in crate::web) endpoints: Endpoints,
    /// One for each consumer.
    pub(in crate::web) list: Vec<Link<'a>>,
    /// The other direction.
    pub(in crate::web) outgoing: OtherSides<'a>,
    /// The time.
    pub(in crate::web) now: Timestamp,
    /// The path of the script that copies.
    pub(in crate::web) script: String,
    /// Who is signed in.
    pub(in crate::web) user: &'a User,
    /// Where signing out goes, and what it holds.
    pub(in crate::web) sign_out: SignOutForm,
}

/// Our addresses, as Bitbucket's form asks for them.
#[derive(Debug)]
pub(in crate::web) struct Endpoints {
    /// The application's: the origin alone.
    pub(in crate::web) application: String,
    /// The path that Bitbucket would lose.
    pub(in crate::web) path: String,
    /// Whether it is https.
    pub(in crate::web) is_secure: bool,
    /// Request Token URL.
    pub(in crate::web) request_token: String,
    /// Access Token URL.
    pub(in crate::web) access_token: String,
    /// Authorize URL.
    pub(in crate::web) authorize: String,
}

/// A consumer, and what there is to say about its link.
#[derive(Debug)]
pub(in crate::web) struct Link<'a> {
    /// The consumer.
    pub(in crate::web) consumer: &'a Consumer,
    /// Its own keys.
    pub(in crate::web) public_keys: Vec<LinkKey>,
    /// Where the secret that it shares with us stands.
    pub(in crate::web) secret: Option<SecretPlace>,
    /// Whether its clock was lately too far from ours.
    pub(in crate::web) clock_differs: bool,
}

/// A public key of a consumer.
#[derive(Debug)]
pub(in crate::web) struct LinkKey {
    /// As Bitbucket shows it.
    pub(in crate::web) base64: String,
    /// Its size.
    pub(in crate::web) bits: usize,
    /// Short enough to compare.
    pub(in crate::web) fingerprint: String,
}

/// Where a shared secret stands. It is never shown itself.
#[derive(Debug)]
pub(in crate::web) enum SecretPlace {
    /// In a file, which the configuration names.
    File(String),
    /// In the consumer's entry.
    Entry,
    /// In the hands of whoever added the consumer.
    Command,
}

#[derive(Template)]
#[template(path = "admin/links.html")]
struct Page<'a> {
    frame: Frame,
    navigation: &'a Navigation,
    application_url: Row<'a>,
    warnings: Vec<Html>,
    cards: Vec<Card<'a>>,
    outgoing: Vec<OtherSideCard<'a>>,
    fingerprint: Option<&'a str>,
    now: Html,
    script: &'a str,
    account: Account<'a>,
}

/// A consumer, ready to be shown.
struct Card<'a> {
    name: String,
    enabled: bool,
    has_secret: bool,
    warnings: Vec<Html>,
    rows: Vec<Row<'a>>,
    methods: String,
    callbacks: Vec<&'a str>,
    two_legged: Html,
    impersonation: &'static str,
}

/// A field of Bitbucket's form, and what belongs into it.
struct Row<'a> {
    /// As Bitbucket calls it, in English.
    name: &'static str,
    /// What to copy, and a name for the button to find it by.
    copy: Option<(String, &'a str)>,
    /// What else there is to say.
    say: Option<Html>,
}

impl<'a> Row<'a> {
    fn copy(name: &'static str, id: &str, at: usize, text: &'a str) -> Self {
        Self {
            name,
            copy: Some((format!("{id}-{at}"), text)),
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

impl Links<'_> {
    /// Renders the page.
    pub(in crate::web) fn respond(&self, frame: &Frame) -> Response {
        respond_under(with_script(), StatusCode::OK, &self.page(frame))
    }

    fn page(&self, frame: &Frame) -> Page<'_> {
        let texts = &frame.texts.admin.links;
        let path = [("path", self.endpoints.path.as_str())];
        let with_path = (!self.endpoints.path.is_empty()).then(|| frame.html(texts.warn_path, &path));
        let insecure = (!self.endpoints.is_secure).then(|| frame.html(texts.warn_http, &[]));
        let cards = self.list.iter().enumerate();
        Page {
            navigation: &self.navigation,
            application_url: Row::copy(
                "Application URL",
                "application-url",
                0,
                &self.endpoints.application,
            ),
            warnings: with_path.into_iter().chain(insecure).collect(),
            cards: cards.map(|(at, link)| self.card(frame, at, link)).collect(),
            outgoing: self.outgoing.cards(frame),
            fingerprint: self.outgoing.fingerprint.as_deref(),
            now: frame.moment(self.now),
            script: &self.script,
            account: Account::new(frame, self.user, &self.sign_out),
            frame: frame.titled(texts.title, &[]),
        }
    }

    fn card<'a>(&'a self, frame: &Frame, at: usize, link: &'a Link<'_>) -> Card<'a> {
        let (texts, consumer) = (&frame.texts.admin.links, link.consumer);
        let methods = consumer.methods.iter().map(|method| method.name());
        let rows = match &link.secret {
            Some(secret) => self.form(frame, at, link, secret),
            None => self.own_keys(frame, at, link),
        };
        Card {
            name: visible(&consumer.name),
            enabled: consumer.enabled,
            has_secret: link.secret.is_some(),
            warnings: warnings(frame, link),
            rows,
            methods: methods.collect::<Vec<_>>().join(", "),
            callbacks: consumer.callbacks.iter().map(AllowedCallback::as_str).collect(),
            two_legged: match (&consumer.two_legged_user, consumer.two_legged) {
                (Some(user), true) => frame.html(texts.yes_as, &[("user", user)]),
                (_, allowed) => frame.html(yes_or_no(frame, allowed), &[]),
            },
            impersonation: yes_or_no(frame, consumer.impersonation && consumer.two_legged),
        }
    }

    /// Bitbucket's form, field by field.
    fn form<'a>(
        &'a self,
        frame: &Frame,
        at: usize,
        link: &'a Link<'_>,
        secret: &SecretPlace,
    ) -> Vec<Row<'a>> {
        let texts = &frame.texts.admin.links;
        let secret = match secret {
            SecretPlace::File(file) => frame.html(texts.secret_in_file, &[("file", file)]),
            SecretPlace::Entry => frame.html(texts.secret_in_entry, &[]),
            SecretPlace::Command => frame.html(texts.secret_by_command, &[]),
        };
        let [request, access, authorize] = self.urls(at);
        vec![
            Row::copy("Application Name", "name", at, self.application),
            Row::copy("Application Type", "type", at, "Generic Application"),
            Row::copy("Service Provider Name", "provider", at, self.application),
            Row::copy("Consumer Key", "consumer-key", at, link.consumer.key.as_str()),
            Row::say("Shared secret", secret),
            request,
            access,
            authorize,
            Row::say("Create incoming link", frame.html(texts.unchecked, &[])),
        ]
    }

    /// What must be the same here and at a consumer that signs with its own key, and the URLs that it calls.
    fn own_keys<'a>(&'a self, frame: &Frame, at: usize, link: &'a Link<'_>) -> Vec<Row<'a>> {
        let texts = &frame.texts.admin.links;
        let consumer_key = Row::copy("Consumer Key", "consumer-key", at, link.consumer.key.as_str());
        let keys = link.public_keys.iter().enumerate().map(|(number, key)| {
            let bits = key.bits.to_string();
            let names = [("bits", bits.as_str()), ("fingerprint", key.fingerprint.as_str())];
            Row {
                say: Some(frame.html(texts.key_size, &names)),
                ..Row::copy("Public Key", &format!("key-{number}"), at, &key.base64)
            }
        });
        std::iter::once(consumer_key)
            .chain(keys)
            .chain(self.urls(at))
            .collect()
    }

    fn urls(&self, at: usize) -> [Row<'_>; 3] {
        let Endpoints {
            request_token,
            access_token,
            authorize,
            ..
        } = &self.endpoints;
        [
            Row::copy("Request Token URL", "request", at, request_token),
            Row::copy("Access Token URL", "access", at, access_token),
            Row::copy("Authorize URL", "authorize", at, authorize),
        ]
    }
}

fn warnings(frame: &Frame, link: &Link<'_>) -> Vec<Html> {
    let texts = &frame.texts.admin.links;
    let short = link.public_keys.iter().filter(|key| key.bits < 2048);
    let mut warnings: Vec<_> = short
        .map(|key| frame.html(texts.warn_key, &[("bits", &key.bits.to_string())]))
        .collect();
    for (applies, text) in [
        (!link.consumer.enabled, texts.warn_off),
        (
            link.consumer.callbacks.is_empty() && !link.consumer.two_legged,
            texts.warn_no_callbacks,
        ),
        (link.clock_differs, texts.warn_clock),
    ] {
        if applies {
            warnings.push(frame.html(text, &[]));
        }
    }
    warnings
}

const fn yes_or_no(frame: &Frame, yes: bool) -> &'static str {
    let texts = &frame.texts.admin.links;
    if yes { texts.yes } else { texts.no }
}
