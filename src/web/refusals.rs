//! What this process refused lately, for the administrators who ask why.
//!
//! It is kept in memory, because a stranger's request must not write to the database: only a true signature may. The
//! same refusal, come again, is counted and not kept twice. Requests that name no consumer of ours are kept apart, so
//! that they push nothing else out. Whoever knows a consumer's key can still fill its part of the list, and no more.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::Clock;
use crate::oauth::{ConsumerKey, Problem, Timestamp};
use crate::provider::Refusal;

/// The list.
#[derive(Debug)]
pub struct Refusals {
    clock: Clock,
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
    /// The request's method and path, shortened.
    pub(super) request: String,
    /// Where it came from.
    pub(super) client: IpAddr,
    /// Whom it names as the consumer.
    pub(super) consumer: Option<ConsumerKey>,
    /// The value of `oauth_problem`.
    pub(super) problem: &'static str,
    /// What the consumer was told to do.
    pub(super) advice: String,
}

impl Refusals {
    /// An empty list.
    pub fn new(clock: Clock) -> Self {
        Self {
            since: clock.now(),
            clock,
            rings: Mutex::new([VecDeque::new(), VecDeque::new()]),
        }
    }

    /// From when on it remembers.
    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }

    /// Remembers a refusal that happened now.
    pub(super) fn add(&self, mut refused: Refused) {
        refused.at = self.clock.now();
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
    /// Takes down a refusal; the list says when it happened.
    pub(super) fn new(refusal: &Refusal, reference: String, request: &str, client: IpAddr) -> Self {
        Self {
            at: Timestamp::from_seconds(0),
            times: 1,
            reference,
            request: request.chars().take(LONGEST_REQUEST).collect(),
            client,
            consumer: refusal.consumer.clone(),
            problem: refusal.problem.name(),
            advice: advice(&refusal.problem),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let alike = |refused: &Self| (refused.problem, refused.client, refused.consumer.clone());
        self.request == other.request && self.advice == other.advice && alike(self) == alike(other)
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
/// Characters of method and path that are kept.
const LONGEST_REQUEST: usize = 200;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn list() -> Refusals {
        Refusals::new(Clock::fixed(Timestamp::from_seconds(1_800_000_000)))
    }

    fn refused(problem: Problem, consumer: &str, request: &str) -> Refused {
        let consumer = ConsumerKey::parse(consumer);
        let client = Ipv4Addr::LOCALHOST.into();
        Refused::new(
            &Refusal { problem, consumer },
            "ABCD-2345".to_owned(),
            request,
            client,
        )
    }

    #[test]
    fn the_same_is_counted_and_comes_to_the_front() {
        let list = list();
        for request in ["GET /a", "GET /b", "GET /a"] {
            list.clock.advance(1);
            list.add(refused(Problem::NonceUsed, "a", request));
        }
        let kept = list.list();
        let kept: Vec<_> = kept
            .iter()
            .map(|refused| (refused.request.as_str(), refused.times))
            .collect();
        assert_eq!(kept, [("GET /a", 2), ("GET /b", 1)]);
        assert_eq!(list.list()[0].at, list.since().plus(3));
    }

    #[test]
    fn strangers_push_nothing_of_a_consumer_out_and_nothing_grows_for_ever() {
        let list = list();
        list.add(refused(Problem::NonceUsed, "a", "GET /mine"));
        for at in 0..1000 {
            let request = format!("GET /{at}");
            list.add(refused(Problem::ConsumerKeyUnknown, "who", &request));
            list.add(refused(Problem::VersionRejected, "", &request));
        }
        assert_eq!(list.list().len(), STRANGERS + 1);
        assert!(list.list().iter().any(|refused| refused.request == "GET /mine"));
        let mut request = String::new();
        for _ in 0..1000 {
            request.push('ä');
            list.add(refused(Problem::NonceUsed, "a", &request));
        }
        let kept = list.list();
        assert!(kept.len() <= CONSUMERS + STRANGERS);
        assert!(
            kept.iter()
                .all(|refused| refused.request.chars().count() <= LONGEST_REQUEST)
        );
    }

    #[test]
    fn a_wrong_clock_is_remembered_for_its_consumer() {
        let list = list();
        for seconds in [5, 6] {
            let problem = Problem::TimestampRefused {
                acceptable: seconds..=seconds,
                now: seconds,
            };
            list.add(refused(problem, "late", "GET /"));
        }
        assert_eq!(list.list()[0].times, 2);
        let key = |text| ConsumerKey::parse(text).unwrap();
        assert!(list.clock_differs(&key("late")) && !list.clock_differs(&key("other")));
    }
}
