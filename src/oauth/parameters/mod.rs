//! Collects parameters from header, query and form; sorts and normalises them (RFC 5849, section 3.4.1.3).
//!
//! A parameter lives in its canonical *encoded* form from the first moment: that is the form which is sorted and signed,
//! and bytes that are not UTF-8 survive in it. One buffer holds them all, and a pair is three positions in it.

use std::borrow::Cow;

use super::encode::{self, Plus};
use super::header;
use super::problem::Problem;
use super::request::RequestView;

mod pairs;

use pairs::{Pair, Pairs, form_pairs};

/// The parameters of one request, sorted as they are signed.
#[derive(Clone, Debug)]
pub struct Parameters {
    text: String,
    pairs: Vec<Pair>,
}

/// Where a parameter came from (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `Authorization: OAuth`.
    Header,
    /// The query of the URL.
    Query,
    /// The form body.
    Form,
}

/// One parameter, in canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The encoded name.
    pub name: &'a str,
    /// The encoded value.
    pub value: &'a str,
    /// Where it came from.
    pub place: Place,
}

impl Parameters {
    /// More parameters than this are refused: no form that people fill in has so many, and sorting stays cheap.
    pub const LIMIT: usize = 1000;

    /// Collects what a request carries. `Ok(None)`: it carries no OAuth at all.
    ///
    /// A request carries OAuth when it has the `OAuth` scheme in `Authorization`, or one of the parameters that only a
    /// signature needs in its query or form. `oauth_token` and `oauth_verifier` alone do not count: that is what another
    /// provider's callback to the application looks like.
    ///
    /// Refused with `parameter_rejected`: an `oauth_` parameter that comes twice, even with the same value
    /// (RFC 5849, section 3.1), `oauth_` parameters in more than one place (section 3.5), broken escapes, and more than
    /// [`Parameters::LIMIT`] parameters. An unknown `oauth_` parameter is accepted, and is signed like any other.
    pub fn collect(view: &RequestView<'_>) -> Result<Option<Self>, Problem> {
        let credentials = header::credentials(view.authorization)?;
        let query = view.query.unwrap_or_default().as_bytes();
        let form = view.form.unwrap_or_default();
        if credentials.is_none() && !carries_signature(query) && !carries_signature(form) {
            return Ok(None);
        }
        let credentials = credentials.unwrap_or_default();
        let mut pairs = Pairs::with_capacity(credentials.len() + query.len() + form.len());
        for pair in header::parameters(credentials) {
            let (name, value) = pair?;
            pairs.push(name, value, Place::Header)?;
        }
        pairs.push_form(query, Place::Query)?;
        pairs.push_form(form, Place::Form)?;
        let all = pairs.sorted();
        all.check_protocol_parameters()?;
        Ok(Some(all))
    }

    /// Reads one form-encoded text, sorted: what a consumer does before it signs.
    pub fn from_form(raw: &[u8], place: Place) -> Result<Self, Problem> {
        let mut pairs = Pairs::with_capacity(raw.len());
        pairs.push_form(raw, place)?;
        Ok(pairs.sorted())
    }

    /// Collects what a call of ours carries: a query, a form, and protocol parameters, which are not encoded yet.
    pub(super) fn of_call<N: AsRef<str>, V: AsRef<str>>(
        query: &[u8],
        form: &[u8],
        protocol: &[(N, V)],
    ) -> Result<Self, Problem> {
        let mut pairs = Pairs::with_capacity(query.len() + form.len());
        pairs.push_form(query, Place::Query)?;
        pairs.push_form(form, Place::Form)?;
        for (name, value) in protocol {
            pairs.push_plain(name.as_ref(), value.as_ref(), Place::Header);
        }
        Ok(pairs.sorted())
    }

    /// All parameters in the order in which they are signed: by encoded name, then by encoded value
    /// (RFC 5849, section 3.4.1.3.2).
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.pairs.iter().map(|&pair| self.parameter(pair))
    }

    /// The parameters that are signed: all but `oauth_signature`. `realm` never came in.
    pub fn signed(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.iter()
            .filter(|parameter| parameter.name != "oauth_signature")
    }

    /// The one protocol parameter of a name, decoded. `None` when it is absent.
    ///
    /// Bytes that are not UTF-8 are refused here: no protocol parameter has them.
    pub fn protocol(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, Problem> {
        let found = self.named(name).next();
        found.map(|parameter| decoded(parameter.value, name)).transpose()
    }

    /// Every parameter of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Parameter<'a>> {
        // Requests have a dozen parameters: looking at each is faster than dividing them.
        let text = self.text.as_bytes();
        let named = move |pair: &&Pair| text[pair.start..pair.middle] == *name.as_bytes();
        self.pairs.iter().filter(named).map(|&pair| self.parameter(pair))
    }

    /// Where the protocol parameters stand. `None` when there are none.
    pub fn place(&self) -> Option<Place> {
        self.protocol_parameters().map(|parameter| parameter.place).min()
    }

    /// How many characters the canonical encodings have together, and how many of them are `%`.
    pub(super) fn size(&self) -> (usize, usize) {
        (
            self.text.len(),
            self.text.bytes().filter(|&byte| byte == b'%').count(),
        )
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn parameter(&self, pair: Pair) -> Parameter<'_> {
        Parameter {
            name: &self.text[pair.start..pair.middle],
            value: &self.text[pair.middle..pair.end],
            place: pair.place,
        }
    }

    fn protocol_parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        let text = self.text.as_bytes();
        let begins = |pair: &&Pair| text[pair.start..pair.middle].starts_with(PREFIX.as_bytes());
        self.pairs.iter().filter(begins).map(|&pair| self.parameter(pair))
    }

    fn check_protocol_parameters(&self) -> Result<(), Problem> {
        let mut twice = Vec::new();
        let mut before = None;
        for parameter in self.protocol_parameters() {
            if before == Some(parameter.name) && twice.last().map(String::as_str) != before {
                twice.push(parameter.name.to_owned());
            }
            before = Some(parameter.name);
        }
        if !twice.is_empty() {
            return Err(rejected(twice, "Send each oauth_ parameter once."));
        }
        let place = self.place();
        let strays = self
            .protocol_parameters()
            .filter(|parameter| Some(parameter.place) != place);
        let strays: Vec<_> = strays.map(|parameter| parameter.name.to_owned()).collect();
        if strays.is_empty() {
            Ok(())
        } else {
            Err(rejected(
                strays,
                "Send all oauth_ parameters in one place: the header, the query or the form body.",
            ))
        }
    }
}

/// Decodes a canonical value into text.
pub(super) fn decoded<'a>(value: &'a str, name: &str) -> Result<Cow<'a, str>, Problem> {
    if !value.contains('%') {
        return Ok(Cow::Borrowed(value));
    }
    let text = encode::decode(value)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned)
        .ok_or_else(|| Problem::parameter_rejected(name, "Send text in UTF-8."))
}

/// Whether a query or a form has a parameter that only a signature needs.
fn carries_signature(raw: &[u8]) -> bool {
    form_pairs(raw)
        .filter(|(name, _)| matches!(name.first(), Some(b'o' | b'%')))
        .any(|(name, _)| {
            SIGNING
                .iter()
                .any(|signing| encode::means(name, signing, Plus::Space))
        })
}

/// Refuses some parameters. The answer does not grow with what a stranger sends: few names are told, and no long ones.
fn rejected(mut names: Vec<String>, why: &'static str) -> Problem {
    names.retain(|name| name.len() <= 64);
    names.truncate(16);
    Problem::ParameterRejected { names, why }
}

/// A raw name, when it can be shown.
fn shown(name: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(name).ok();
    let text = text.filter(|text| (1..=64).contains(&text.len()));
    text.map(str::to_owned).into_iter().collect()
}

const PREFIX: &str = "oauth_";

/// What every signed request carries (RFC 5849, section 3.1, with timestamp and nonce also for PLAINTEXT).
pub(super) const SIGNING: [&str; 5] = [
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
];

#[cfg(test)]
mod tests;
