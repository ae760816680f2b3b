//! What happened, newest first, for the page to show.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::demo::wire::Exchange;

use super::link::LinkKind;

/// Something that Bitbucket did, and everything that went over the wire for it.
#[derive(Clone, Debug)]
pub struct Event {
    /// The link that it used.
    pub link: LinkKind,
    /// What was done.
    pub title: &'static str,
    /// How it ended.
    pub mood: Mood,
    /// What it means, in a sentence or two.
    pub story: String,
    /// The calls and their answers.
    pub exchanges: Vec<Exchange>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Done,
    /// Refused, as it should be.
    Refused,
    /// The token is lost.
    Lost,
    /// Not as it should.
    Wrong,
}

/// The last events.
#[derive(Debug, Default)]
pub struct Journal(Mutex<(usize, VecDeque<(usize, Event)>)>);

impl Mood {
    /// A word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Lost => "token dropped",
            Self::Wrong => "unexpected",
        }
    }

    /// The name in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "good",
            Self::Refused | Self::Lost => "refused",
            Self::Wrong => "wrong",
        }
    }
}

impl Journal {
    /// Adds an event; its number.
    pub fn add(&self, event: Event) -> usize {
        let mut journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        journal.0 += 1;
        let number = journal.0;
        journal.1.push_front((number, event));
        journal.1.truncate(KEPT);
        number
    }

    /// The events with their numbers, newest first.
    pub fn events(&self) -> Vec<(usize, Event)> {
        let journal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        journal.1.iter().cloned().collect()
    }
}

const KEPT: usize = 25;
