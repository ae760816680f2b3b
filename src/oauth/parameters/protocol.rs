//! The protocol parameters (RFC 5849, section 3.1): each once, all in one place, each in its slot.

use super::pairs::Pair;
use super::{Parameters, SIGNING, Source, rejected};
use crate::oauth::problem::Problem;

/// Where the protocol parameters are that linkgate reads: found in one walk, since a request is asked for them all.
#[derive(Debug, Default)]
pub(in crate::oauth) struct Protocol<'a> {
    pub(in crate::oauth) consumer_key: Slot<'a>,
    pub(in crate::oauth) signature_method: Slot<'a>,
    pub(in crate::oauth) signature: Slot<'a>,
    pub(in crate::oauth) timestamp: Slot<'a>,
    pub(in crate::oauth) nonce: Slot<'a>,
    pub(in crate::oauth) version: Slot<'a>,
    pub(in crate::oauth) token: Slot<'a>,
    pub(in crate::oauth) callback: Slot<'a>,
    pub(in crate::oauth) verifier: Slot<'a>,
    pub(in crate::oauth) session_handle: Slot<'a>,
    pub(in crate::oauth) body_hash: Slot<'a>,
}

/// A parameter that may be absent; [`Parameters::text`] reads it.
pub(in crate::oauth) type Slot<'a> = Option<&'a Pair>;

impl<'a> Protocol<'a> {
    /// Finds them among all parameters, of which none of these comes twice.
    pub(in crate::oauth) fn of(parameters: &'a Parameters) -> Self {
        let mut found = Self::default();
        for pair in parameters.protocol_pairs() {
            if let Some(slot) = found.slot(parameters.name(pair)) {
                *slot = Some(pair);
            }
        }
        found
    }

    /// Those that every signed request carries, and this one does not.
    pub(in crate::oauth) fn absent(&self) -> Vec<&'static str> {
        let required = [
            self.consumer_key,
            self.signature_method,
            self.signature,
            self.timestamp,
            self.nonce,
        ];
        let all = SIGNING.into_iter().zip(required);
        all.filter_map(|(name, found)| found.is_none().then_some(name))
            .collect()
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Slot<'a>> {
        let slot = match name {
            b"oauth_consumer_key" => &mut self.consumer_key,
            b"oauth_signature_method" => &mut self.signature_method,
            b"oauth_signature" => &mut self.signature,
            b"oauth_timestamp" => &mut self.timestamp,
            b"oauth_nonce" => &mut self.nonce,
            b"oauth_version" => &mut self.version,
            b"oauth_token" => &mut self.token,
            b"oauth_callback" => &mut self.callback,
            b"oauth_verifier" => &mut self.verifier,
            b"oauth_session_handle" => &mut self.session_handle,
            b"oauth_body_hash" => &mut self.body_hash,
            _ => return None,
        };
        Some(slot)
    }
}

impl Parameters {
    /// Where the protocol parameters stand, all of them. `None` when there are none.
    pub fn source(&self) -> Option<Source> {
        self.protocol_pairs().first().map(|pair| pair.source)
    }

    /// Refuses a protocol parameter that comes twice (section 3.1), and one that stands elsewhere than the others
    /// (section 3.5).
    pub(super) fn check_protocol_parameters(&self) -> Result<(), Problem> {
        // They are sorted: the same names are neighbours.
        let fits = |[a, b]: &[Pair; 2]| {
            a.source == b.source && (a.beginning != b.beginning || self.name(a) != self.name(b))
        };
        if self.protocol_pairs().array_windows().all(fits) {
            return Ok(());
        }
        let source = self.protocol_pairs().iter().map(|pair| pair.source).min();
        let (mut twice, mut strays) = (Vec::new(), Vec::new());
        let mut before = None;
        for parameter in self.protocol_pairs().iter().map(|pair| self.parameter(pair)) {
            let name = parameter.name;
            if before == Some(name) && twice.last() != Some(&name) {
                twice.push(name);
            }
            if Some(parameter.source) != source {
                strays.push(name);
            }
            before = Some(name);
        }
        Err(if twice.is_empty() {
            rejected(&strays, ONE_PLACE)
        } else {
            rejected(&twice, "Send each oauth_ parameter once.")
        })
    }

    fn protocol_pairs(&self) -> &[Pair] {
        &self.pairs[self.protocol.clone()]
    }
}

const ONE_PLACE: &str = "Send all oauth_ parameters in one source: the header, the query or the form body.";
