//! The texts of the pages: one Fluent file for each language, and the language that a browser asks for.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::FromRequestParts;
use chrono::Datelike as _;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use http::request::Parts;

use crate::clock::{rfc3339, utc};
use crate::http::negotiate::weighted_values;
use crate::oauth::Timestamp;

use super::App;
use super::assets::Layout;
use super::text::{ENGLISH, FIRST_STRONG_ISOLATE, Html, MAX_NAME, MAX_REASON, POP_ISOLATE, sanitize};

/// The tag and the messages of each language, the default first. A further one is a file and a line here.
pub(super) const FILES: &[(&str, &str)] = &[
    ("en", include_str!("../../templates/i18n/en.ftl")),
    ("ja", include_str!("../../templates/i18n/ja.ftl")),
    ("de", include_str!("../../templates/i18n/de.ftl")),
];

pub(super) static LANGUAGES: LazyLock<Vec<Language>> =
    LazyLock::new(|| FILES.iter().map(|(tag, file)| Language::new(tag, file)).collect());

/// A language, and its messages.
pub(super) struct Language {
    tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Language {
    /// Parses the messages of a language. Tests check that all of them can be read.
    pub(super) fn new(tag: &'static str, messages: &str) -> Self {
        let (Ok(messages) | Err((messages, _))) = FluentResource::try_new(messages.to_owned());
        let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
        bundle.add_resource_overriding(messages);
        Self { tag, bundle }
    }

    /// The language of the highest quality in `Accept-Language` (RFC 9110, section 12.5.4), and of equals the first. `de-AT`
    /// is German, `*` is English, and a quality of zero means never.
    pub(super) fn preferred<'a>(headers: &HeaderMap, languages: &'a [Self]) -> &'a Self {
        let mut best = (&languages[0], 0);
        for (range, weight) in weighted_values(headers, &ACCEPT_LANGUAGE) {
            match language_in(range, languages) {
                Some(language) if weight > best.1 => best = (language, weight),
                _ => {}
            }
        }
        best.0
    }
}

/// The language that a range such as `de-AT` or `*` names.
fn language_in<'a>(range: &str, languages: &'a [Language]) -> Option<&'a Language> {
    match range.split('-').next().unwrap_or(range) {
        "*" => languages.first(),
        primary => languages
            .iter()
            .find(|known| known.tag.eq_ignore_ascii_case(primary)),
    }
}

/// The messages of a page: its language, and the values that they may name. `$application` is always one of them. An
/// extractor.
#[derive(Clone)]
pub(super) struct Messages {
    language: &'static Language,
    pub(super) layout: Arc<Layout>,
    values: Vec<(&'static str, FluentValue<'static>)>,
}

impl Messages {
    /// The messages of a language for an application.
    pub(super) fn new(language: &'static Language, layout: Arc<Layout>) -> Self {
        let application = ("application", layout.application.clone().into());
        let values = vec![application];
        Self {
            language,
            layout,
            values,
        }
    }

    /// The same messages in English, for the log.
    pub(super) fn in_english(&self) -> Self {
        Self {
            language: &LANGUAGES[0],
            ..self.clone()
        }
    }

    /// Adds a name.
    pub(super) fn with(&self, name: &'static str, value: impl AsRef<str>) -> Self {
        self.with_value(name, sanitize(value.as_ref(), MAX_NAME).into())
    }

    /// Adds `$why`, an English sentence or two of linkgate or of another server.
    pub(super) fn with_reason(&self, why: &str) -> Self {
        let why = format!("{ENGLISH}{}", sanitize(why, MAX_REASON));
        self.with_value("why", why.into())
    }

    fn with_value(&self, name: &'static str, value: FluentValue<'static>) -> Self {
        let mut messages = self.clone();
        messages.values.push((name, value));
        messages
    }

    /// The tag of the language, for `lang`.
    pub(super) fn lang(&self) -> &'static str {
        self.language.tag
    }

    /// A message, or with a dot one of its attributes, as HTML: each value is escaped and isolated.
    pub(super) fn get(&self, id: impl AsRef<str>) -> Html {
        Html::from_isolated(&self.format(id.as_ref()))
    }

    /// The same as plain text, for a title or an attribute.
    pub(super) fn text(&self, id: impl AsRef<str>) -> String {
        self.format(id.as_ref())
            .replace([FIRST_STRONG_ISOLATE, POP_ISOLATE, ENGLISH], "")
    }

    /// A name as HTML, isolated from the text around it.
    #[expect(clippy::unused_self, reason = "templates call it beside `get`")]
    pub(super) fn name(&self, name: impl AsRef<str>) -> Html {
        Html::name(name.as_ref())
    }

    /// A name as plain text, where no element can be.
    #[expect(clippy::unused_self, reason = "templates call it beside `get`")]
    pub(super) fn plain(&self, name: impl AsRef<str>) -> String {
        sanitize(name.as_ref(), MAX_NAME)
    }

    /// A text with a number in it.
    pub(super) fn count(&self, id: &str, count: impl Borrow<u64>) -> String {
        self.with_value("count", (*count.borrow()).into()).text(id)
    }

    /// A moment to the minute, in UTC: the server does not know the time zone of its reader.
    pub(super) fn moment(&self, at: impl Borrow<Timestamp>) -> Html {
        let at = *at.borrow();
        Html::time(&rfc3339(at), &self.moment_text(at))
    }

    /// A message with a moment as its `$time`.
    pub(super) fn get_at(&self, id: &str, at: impl Borrow<Timestamp>) -> Html {
        let text = self.moment_text(*at.borrow());
        let message = self.with_value("time", text.clone().into()).get(id);
        message.replace(&text, &self.moment(at))
    }

    /// A message with an address as its `$address`.
    pub(super) fn get_address(&self, id: &str, address: impl AsRef<str>) -> Html {
        let address = address.as_ref();
        let message = self.with_value("address", address.to_owned().into()).get(id);
        message.replace(address, &Html::address(address))
    }

    /// A duration, rounded up: seconds up to 90, then minutes.
    pub(super) fn wait(&self, duration: Duration) -> String {
        match duration.as_secs() + u64::from(duration.subsec_nanos() > 0) {
            seconds @ ..=90 => self.count("wait-seconds", seconds),
            seconds => self.count("wait-minutes", seconds.div_ceil(60)),
        }
    }

    fn moment_text(&self, at: Timestamp) -> String {
        let at = utc(at);
        let messages = self
            .with_value("year", at.year().into())
            .with_value("month", at.month().into())
            .with_value("day", at.day().into());
        messages.with("time", at.format("%R").to_string()).text("moment")
    }

    fn format(&self, id: &str) -> String {
        let (message, attribute) = id.split_once('.').unzip();
        let bundle = &self.language.bundle;
        let found = bundle
            .get_message(message.unwrap_or(id))
            .and_then(|message| match attribute {
                Some(attribute) => Some(message.get_attribute(attribute)?.value()),
                None => message.value(),
            });
        let mut errors = Vec::new();
        let text = found.map(|pattern| {
            let values: FluentArgs<'_> = self.values.iter().cloned().collect();
            bundle
                .format_pattern(pattern, Some(&values), &mut errors)
                .into_owned()
        });
        let Some(text) = text.filter(|_| errors.is_empty()) else {
            debug_assert!(false, "{id}: {errors:?}");
            tracing::error!(id, ?errors, "a text of a page is missing or lacks a value");
            return id.to_owned();
        };
        text
    }
}

impl FromRequestParts<Arc<App>> for Messages {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let language = Language::preferred(&parts.headers, &LANGUAGES);
        Ok(Self::new(language, Arc::new(Layout::new(app))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_durations_are_written_as_each_language_writes_them() {
        let written = |write: &dyn Fn(Messages) -> String| {
            let languages = LANGUAGES.iter();
            let written = languages.map(|language| write(Messages::new(language, Arc::default())));
            written.collect::<Vec<_>>().join("|")
        };
        let at = Timestamp::from_seconds(1_795_473_360);
        assert_eq!(
            written(&|t| t.moment(at).to_string()),
            "<time datetime=\"2026-11-23T22:36:00Z\">23 November 2026, 22:36\u{a0}UTC</time>|\
             <time datetime=\"2026-11-23T22:36:00Z\">2026年11月23日 22:36\u{2060}（UTC）</time>|\
             <time datetime=\"2026-11-23T22:36:00Z\">23. November 2026, 22:36\u{a0}Uhr\u{a0}UTC</time>"
        );
        for (millis, expected) in [
            (1_000, "1 second|1 秒|1 Sekunde"),
            (1_001, "2 seconds|2 秒|2 Sekunden"),
            (90_000, "90 seconds|90 秒|90 Sekunden"),
            (91_000, "2 minutes|2 分|2 Minuten"),
            (3_600_000, "60 minutes|60 分|60 Minuten"),
        ] {
            assert_eq!(written(&|t| t.wait(Duration::from_millis(millis))), expected);
        }
    }

    #[test]
    fn values_are_escaped_isolated_and_filled_in_once() {
        let file = "a = { $consumer } & { $user }\nb = { $why } .\nc = since { $time }.\n";
        let language: &'static Language = Box::leak(Box::new(Language::new("en", file)));
        let t = Messages::new(language, Arc::default()).with("user", "Alice");
        let hostile = t.with(
            "consumer",
            "<img src=x onerror='alert(1)'>{ $user }\u{2069}</bdi>",
        );
        assert_eq!(
            hostile.get("a").to_string(),
            "<bdi>&#60;img src=x onerror=&#39;alert(1)&#39;&#62;{ $user }\u{FFFD}&#60;/bdi&#62;</bdi> &#38; <bdi>Alice</bdi>"
        );
        assert_eq!(t.with("consumer", "A").text("a"), "A & Alice");
        let why = t.with_reason(&"x".repeat(MAX_REASON + 1)).get("b").to_string();
        assert!(
            why.starts_with("<bdi lang=\"en\">xxx") && why.ends_with("x…</bdi> ."),
            "{why}"
        );
    }
}
