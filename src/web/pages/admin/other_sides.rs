//! How the links in the other direction fare, in which the application calls others through us.

use crate::model::LinkState;

use super::super::{Frame, Html};

/// The links on which the application calls others.
#[derive(Debug)]
pub(in crate::web) struct OtherSides<'a> {
    /// The fingerprint of the key that signs our calls.
    pub(in crate::web) fingerprint: Option<String>,
    /// One for each other side.
    pub(in crate::web) links: Vec<OtherSide<'a>>,
}

/// Another side, and how our calls of it went.
#[derive(Debug)]
pub(in crate::web) struct OtherSide<'a> {
    /// Its name for people.
    pub(in crate::web) title: &'a str,
    /// Its URL.
    pub(in crate::web) url: &'a str,
    /// How the calls went.
    pub(in crate::web) state: LinkState,
}

/// Another side, ready to be shown.
pub(super) struct OtherSideCard<'a> {
    pub(super) title: &'a str,
    pub(super) url: &'a str,
    pub(super) reached: Html,
    pub(super) success: Html,
    pub(super) clock: Html,
    pub(super) problem: Option<(Html, String)>,
}

impl OtherSides<'_> {
    pub(super) fn cards(&self, frame: &Frame) -> Vec<OtherSideCard<'_>> {
        self.links.iter().map(|link| link.card(frame)).collect()
    }
}

impl OtherSide<'_> {
    fn card(&self, frame: &Frame) -> OtherSideCard<'_> {
        let texts = &frame.texts.admin.other_sides;
        let when = |at| match at {
            Some(at) => frame.moment(at),
            None => frame.html(texts.never, &[]),
        };
        let state = &self.state;
        OtherSideCard {
            title: self.title,
            url: self.url,
            reached: when(state.reached_at),
            success: when(state.success_at),
            clock: match state.clock_difference {
                Some(seconds) => frame.html(texts.seconds, &[("seconds", &seconds.to_string())]),
                None => frame.html(texts.never, &[]),
            },
            problem: state
                .problem
                .as_ref()
                .map(|(at, why)| (frame.moment(*at), why.clone())),
        }
    }
}
