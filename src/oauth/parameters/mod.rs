//! Collects parameters from header, query and form; sorts and normalises them (RFC 5849, section 3.4.1.3).
//!
//! A parameter lives in its canonical *encoded* form from the first moment: that is the form which is sorted and signed,
//! and bytes that are not UTF-8 survive in it. One buffer holds them all, and a pair is three positions in it.
//!
//! 1. `pairs`: what was sent becomes pairs in the buffer, and is sorted;
//! 2. [`Parameters`]: all of them in the order in which they are signed;
//! 3. `protocol`: those that are OAuth's own.

use std::borrow::Cow;
use std::ops::Range;

use super::encode::{self, Plus};
use super::header;
use super::problem::Problem;
use super::request::RequestView;

mod pairs;
mod protocol;

use pairs::{AND, EQUALS, Pair, Pairs, beginning, form_pairs};
pub(super) use protocol::{Protocol, Slot};

/// The parameters of one request, sorted as they are signed.
#[derive(Clone, Debug)]
pub struct Parameters {
    text: String,
    pairs: Vec<Pair>,
    /// Which of the pairs are protocol parameters: neighbours, since they begin alike.
    protocol: Range<usize>,
    /// How long the pairs are that have escapes.
    escaped: usize,
}

/// Where a parameter came from (RFC 5849, section 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
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
    pub source: Source,
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
        for pair in header::sent(credentials) {
            let (name, value) = pair?;
            pairs.push(name, value, Source::Header)?;
        }
        pairs.push_form(query, Source::Query)?;
        pairs.push_form(form, Source::Form)?;
        let all = pairs.sorted();
        all.check_protocol_parameters()?;
        Ok(Some(all))
    }

    /// Reads one form-encoded text, sorted: what a consumer does before it signs.
    pub fn from_form(raw: &[u8], source: Source) -> Result<Self, Problem> {
        let mut pairs = Pairs::with_capacity(raw.len());
        pairs.push_form(raw, source)?;
        Ok(pairs.sorted())
    }

    /// Collects what a call of ours carries: a query, a form, and protocol parameters, which are not encoded yet.
    pub(super) fn of_call<N: AsRef<str>, V: AsRef<str>>(
        query: &[u8],
        form: &[u8],
        protocol: &[(N, V)],
    ) -> Result<Self, Problem> {
        let mut pairs = Pairs::with_capacity(query.len() + form.len());
        pairs.push_form(query, Source::Query)?;
        pairs.push_form(form, Source::Form)?;
        for (name, value) in protocol {
            pairs.push_plain(name.as_ref(), value.as_ref(), Source::Header);
        }
        Ok(pairs.sorted())
    }

    /// All parameters in the order in which they are signed: by encoded name, then by encoded value
    /// (RFC 5849, section 3.4.1.3.2).
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.pairs.iter().map(|pair| self.parameter(pair))
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
        self.text(self.named_pairs(name).next())
    }

    /// Every parameter of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Parameter<'a>> {
        self.named_pairs(name).map(|pair| self.parameter(pair))
    }

    /// The value of a parameter, decoded into text. Bytes that are not UTF-8 are refused.
    pub(super) fn text(&self, slot: Slot<'_>) -> Result<Option<Cow<'_, str>>, Problem> {
        let text = |pair: &Pair| {
            if pair.plain {
                Ok(Cow::Borrowed(&self.text[pair.value()..pair.end]))
            } else {
                self.decoded(pair).map(Cow::Owned)
            }
        };
        slot.map(text).transpose()
    }

    #[inline(never)]
    fn decoded(&self, pair: &Pair) -> Result<String, Problem> {
        let Parameter { name, value, .. } = self.parameter(pair);
        let bytes = encode::decode(value).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| Problem::parameter_rejected(name, "Send text in UTF-8."))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many characters they have in a base string at most.
    pub(super) fn size(&self) -> usize {
        self.text.len() + 2 * self.escaped
    }

    /// Appends what a base string has of them: encoded once more and joined, without `oauth_signature`
    /// (RFC 5849, section 3.4.1.1).
    pub(super) fn push_signed(&self, out: &mut Vec<u8>) {
        let text = self.text.as_bytes();
        let before = out.len();
        for pair in self.pairs.iter().filter(|pair| pair.beginning != SIGNATURE) {
            if pair.plain {
                out.extend_from_slice(&text[pair.start..pair.next()]);
            } else {
                encode::extend_encoded(out, &text[pair.start..pair.middle]);
                out.extend_from_slice(EQUALS);
                encode::extend_encoded(out, &text[pair.value()..pair.end]);
                out.extend_from_slice(AND);
            }
        }
        if out.len() > before {
            out.truncate(out.len() - AND.len());
        }
    }

    /// The pairs of a name. They are neighbours, and stand where the order puts them.
    pub(super) fn named_pairs(&self, name: &str) -> impl Iterator<Item = &Pair> {
        let first = beginning(name.as_bytes());
        let before = self.pairs.partition_point(|pair| pair.beginning < first);
        let alike = self.pairs[before..].iter();
        let alike = alike.take_while(move |pair| pair.beginning == first);
        alike.filter(move |pair| self.name(pair) == name.as_bytes())
    }

    fn name(&self, pair: &Pair) -> &[u8] {
        &self.text.as_bytes()[pair.start..pair.middle]
    }

    fn parameter(&self, pair: &Pair) -> Parameter<'_> {
        Parameter {
            name: &self.text[pair.start..pair.middle],
            value: &self.text[pair.value()..pair.end],
            source: pair.source,
        }
    }
}

/// Whether a query or a form has a parameter that only a signature needs.
fn carries_signature(raw: &[u8]) -> bool {
    let is_signing = |name: &[u8]| {
        let mut signing = SIGNING.iter();
        signing.any(|signing| encode::means(name, signing, Plus::Space))
    };
    may_carry_signature(raw) && form_pairs(raw).any(|(name, _)| is_signing(name.raw))
}

/// The first look, after which most of what is not signed needs no other: whether any name begins as `oauth_` may, with
/// `oa`, or with an escape in these two.
///
/// It never stops early, which lets the compiler look at sixteen places in one step.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "what is lazy is a jump for each byte"
)]
fn may_carry_signature(raw: &[u8]) -> bool {
    let begins = |first, second| (first == b'%') | (first == b'o') & ((second == b'a') | (second == b'%'));
    let opens = matches!(raw, [first, second, ..] if begins(*first, *second));
    let (after_one, after_two) = (raw.get(1..).unwrap_or_default(), raw.get(2..).unwrap_or_default());
    let three = raw.iter().zip(after_one).zip(after_two);
    three.fold(opens, |found, ((&before, &first), &second)| {
        found | (before == b'&') & begins(first, second)
    })
}

/// Refuses some parameters. The answer does not grow with what a stranger sends: few names are told, and no long ones.
fn rejected(names: &[&str], why: &'static str) -> Problem {
    let told = names.iter().filter(|name| name.len() <= 64).take(16);
    Problem::ParameterRejected {
        names: told.map(|&name| name.to_owned()).collect(),
        why,
    }
}

/// No other name begins as this one, which is shorter than sixteen bytes.
const SIGNATURE: u128 = beginning(b"oauth_signature");

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
