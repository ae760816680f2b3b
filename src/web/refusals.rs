//! What this process refused lately, for the administrators who ask why.
//!
//! It is kept in memory, because a stranger's request must not write to the database: only a true signature may. The
//! same refusal, come again, is counted and not kept twice. Requests that name no consumer of ours are kept apart, so
//! that they push nothing else out. Whoever knows a consumer's key can still fill its part of the list, and no more.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::oauth::{ConsumerKey, Problem, Timestamp};
use crate::provider::Refusal;

/// The list.
#[derive(Debug)]
pub struct Refusals {
    since: Timestamp,
    rings: Mutex<[VecDeque<Refused>; 2]>,
}

/// A request that was refused, without its query and its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// When it happened last.
    pub(super) at: Timestamp,
    /// How often.
    pub(super) times: u64,
    /// What its last line in the log has.
    pub(super) reference: String,
    /// The request's method.
    pub(super) method: String,
    /// The request's path, shortened.
    pub(super) path: String,
    /// Where it came from.
    pub(super) client: Option<IpAddr>,
    /// Whom it names as the consumer.
    pub(super) consumer: Option<ConsumerKey>,
    /// The value of `oauth_problem`.
    pub(super) problem: &'static str,
    /// What the consumer was told to do.
    pub(super) advice: String,
}

impl Refusals {
    /// An empty list.
    pub const fn new(since: Timestamp) -> Self {
        Self {
            since,
            rings: Mutex::new([VecDeque::new(), VecDeque::new()]),
        }
    }

    /// From when on it remembers.
    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }

    /// Remembers a refusal.
    pub(super) fn add(&self, mut refused: Refused) {
        let (at, longest) = match refused.problem {
            _ if refused.consumer.is_none() => (1, STRANGERS),
            "consumer_key_unknown" => (1, STRANGERS),
            _ => (0, CONSUMERS),
        };
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = &mut rings[at];
        if let Some(same) = ring.iter().position(|kept| kept.is_like(&refused)) {
            refused.times += ring.remove(same).map_or(0, |kept| kept.times);
        }
        ring.push_front(refused);
        ring.truncate(longest);
    }

    /// What is remembered, the newest first.
    pub(super) fn list(&self) -> Vec<Refused> {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = rings.iter().flatten().cloned().collect();
        drop(rings);
        all.sort_by_key(|refused| std::cmp::Reverse(refused.at));
        all
    }

    /// Whether a consumer's clock was lately too far from ours.
    pub(super) fn clock_differs(&self, consumer: &ConsumerKey) -> bool {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_consumers = rings[0].iter();
        of_consumers.any(|refused| {
            refused.problem == "timestamp_refused" && refused.consumer.as_ref() == Some(consumer)
        })
    }
}

impl Refused {
    /// Takes down a refusal.
    pub(super) fn new(refusal: &Refusal, at: Timestamp, reference: String, method: &str, path: &str) -> Self {
        let shortened = path
            .char_indices()
            .nth(LONGEST_PATH)
            .map_or(path, |(end, _)| &path[..end]);
        Self {
            at,
            times: 1,
            reference,
            method: method.to_owned(),
            path: shortened.to_owned(),
            client: None,
            consumer: refusal.consumer.clone(),
            problem: refusal.problem.name(),
            advice: advice(&refusal.problem),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        (
            &self.consumer,
            self.problem,
            &self.method,
            &self.path,
            self.client,
        ) == (
            &other.consumer,
            other.problem,
            &other.method,
            &other.path,
            other.client,
        ) && self.advice == other.advice
    }
}

/// The advice, without the time in it: else no two would be alike.
fn advice(problem: &Problem) -> String {
    match problem {
        Problem::TimestampRefused { .. } => "Set the consumer's clock.".to_owned(),
        other => other.advice(),
    }
}

/// How many refusals of requests that name a consumer of ours are kept.
const CONSUMERS: usize = 200;
/// How many of those that name none.
const STRANGERS: usize = 50;
/// Characters of a path that are kept.
const LONGEST_PATH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(problem: Problem, consumer: &str) -> Refusal {
        Refusal {
            problem,
            consumer: ConsumerKey::parse(consumer),
        }
    }

    fn refused(problem: Problem, consumer: &str, at: i64, path: &str) -> Refused {
        let at = Timestamp::from_seconds(at);
        Refused::new(
            &refusal(problem, consumer),
            at,
            "ABCD-2345".to_owned(),
            "GET",
            path,
        )
    }

    #[test]
    fn the_same_is_counted_and_comes_to_the_front() {
        let list = Refusals::new(Timestamp::from_seconds(1));
        for (at, path) in [(1, "/a"), (2, "/b"), (3, "/a")] {
            list.add(refused(Problem::NonceUsed, "a", at, path));
        }
        let kept: Vec<_> = list
            .list()
            .into_iter()
            .map(|refused| (refused.path, refused.times))
            .collect();
        assert_eq!(kept, [("/a".to_owned(), 2), ("/b".to_owned(), 1)]);
    }

    #[test]
    fn strangers_push_nothing_of_a_consumer_out_and_nothing_grows_for_ever() {
        let list = Refusals::new(Timestamp::from_seconds(1));
        list.add(refused(Problem::NonceUsed, "a", 0, "/mine"));
        for at in 0..1000 {
            list.add(refused(Problem::ConsumerKeyUnknown, "who", at, &format!("/{at}")));
            list.add(refused(Problem::VersionRejected, "", at, &format!("/{at}")));
        }
        assert_eq!(list.list().len(), STRANGERS + 1);
        assert!(list.list().iter().any(|refused| refused.path == "/mine"));
        let mut path = String::new();
        for at in 0..1000 {
            path.push('ä');
            list.add(refused(Problem::NonceUsed, "a", at, &path));
        }
        let kept = list.list();
        assert!(kept.len() <= CONSUMERS + STRANGERS);
        assert!(
            kept.iter()
                .all(|refused| refused.path.chars().count() <= LONGEST_PATH)
        );
    }

    #[test]
    fn a_wrong_clock_is_remembered_for_its_consumer() {
        let list = Refusals::new(Timestamp::from_seconds(1));
        let now = Timestamp::from_seconds(5);
        for seconds in [5, 6] {
            let now = Timestamp::from_seconds(seconds);
            let problem = Problem::TimestampRefused {
                acceptable: now..=now,
                now,
            };
            list.add(refused(problem, "late", seconds, "/"));
        }
        assert_eq!(list.list()[0].times, 2);
        assert_eq!(list.since(), Timestamp::from_seconds(1));
        let key = |text| ConsumerKey::parse(text).unwrap();
        assert!(
            list.clock_differs(&key("late")) && !list.clock_differs(&key("other")),
            "{now}"
        );
    }
}
