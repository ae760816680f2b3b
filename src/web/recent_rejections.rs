//! Recently rejected signed requests, for administrators.
//!
//! They are kept in memory, because an unverified request must not write to the database. Equal rejections are one entry with
//! a count. Requests that name no registered consumer have a list of their own, so that they push out no others; who knows a
//! consumer key can fill the other list.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::IpAddr;

use crate::clock::Clock;
use crate::http::RequestId;
use crate::oauth::{ConsumerKey, Problem, Timestamp};
use crate::provider::Refusal;
use parking_lot::Mutex;

/// The rejected requests of this process: the last 200 of registered consumers, and the last 50 others.
#[derive(Debug)]
pub struct RecentRejections {
    clock: Clock,
    since: Timestamp,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    known: VecDeque<RejectedRequest>,
    unknown: VecDeque<RejectedRequest>,
}

/// A rejected request, without its query and its header fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RejectedRequest {
    /// The last time.
    pub(super) at: Timestamp,
    pub(super) times: u64,
    /// The id of the last one, which is in its log line.
    pub(super) reference: RequestId,
    /// Method and path, at most 200 characters.
    pub(super) request: String,
    pub(super) client: IpAddr,
    /// The consumer that it names.
    pub(super) consumer: Option<ConsumerKey>,
    /// The value of `oauth_problem`.
    pub(super) problem: &'static str,
    /// The advice for the consumer.
    pub(super) advice: String,
}

impl RecentRejections {
    /// An empty list.
    pub fn new(clock: Clock) -> Self {
        Self {
            since: clock.now(),
            clock,
            lists: Mutex::default(),
        }
    }

    /// The time since which rejected requests are kept.
    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }

    /// Adds a request that was rejected now: its id, its method and path, and the client's address.
    pub(super) fn add(&self, refusal: &Refusal, reference: RequestId, request: &str, client: IpAddr) {
        let mut rejected = RejectedRequest {
            at: self.clock.now(),
            times: 1,
            reference,
            request: request.chars().take(MAX_REQUEST).collect(),
            client,
            consumer: refusal.consumer.clone(),
            problem: refusal.problem.name(),
            advice: match &refusal.problem {
                // Without the time, which would make each one different.
                Problem::TimestampRefused { .. } => "The consumer's clock is wrong.".to_owned(),
                problem => problem.advice(),
            },
        };
        let is_known = rejected.consumer.is_some() && rejected.problem != "consumer_key_unknown";
        let mut lists = self.lists.lock();
        let (list, max) = if is_known {
            (&mut lists.known, MAX_KNOWN)
        } else {
            (&mut lists.unknown, MAX_UNKNOWN)
        };
        if let Some(equal) = list.iter().position(|kept| kept.key() == rejected.key()) {
            rejected.times += list.remove(equal).map_or(0, |kept| kept.times);
        }
        list.push_front(rejected);
        list.truncate(max);
    }

    /// The rejected requests, the newest first.
    pub(super) fn list(&self) -> Vec<RejectedRequest> {
        let lists = self.lists.lock();
        let mut all: Vec<_> = lists.known.iter().chain(&lists.unknown).cloned().collect();
        drop(lists);
        all.sort_by_key(|rejected| Reverse(rejected.at));
        all
    }

    /// Whether a consumer's clock differed too much from ours.
    pub(super) fn clock_differs(&self, consumer: &ConsumerKey) -> bool {
        self.lists.lock().known.iter().any(|rejected| {
            rejected.problem == "timestamp_refused" && rejected.consumer.as_ref() == Some(consumer)
        })
    }
}

impl RejectedRequest {
    /// What equal rejections have in common.
    fn key(&self) -> impl PartialEq {
        (
            &self.request,
            &self.advice,
            self.problem,
            self.client,
            &self.consumer,
        )
    }
}

const MAX_KNOWN: usize = 200;
const MAX_UNKNOWN: usize = 50;
const MAX_REQUEST: usize = 200;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn list() -> RecentRejections {
        RecentRejections::new(Clock::fixed(Timestamp::from_seconds(1_800_000_000)))
    }

    fn add(list: &RecentRejections, problem: Problem, consumer: &str, request: &str) {
        let consumer = ConsumerKey::parse(consumer);
        let refusal = Refusal { problem, consumer };
        list.add(&refusal, RequestId::next(), request, Ipv4Addr::LOCALHOST.into());
    }

    #[test]
    fn equal_ones_are_counted_and_come_first() {
        let list = list();
        for request in ["GET /a", "GET /b", "GET /a"] {
            list.clock.advance(1);
            add(&list, Problem::NonceUsed, "a", request);
        }
        let kept = list.list();
        let kept: Vec<_> = kept
            .iter()
            .map(|rejected| (rejected.request.as_str(), rejected.times))
            .collect();
        assert_eq!(kept, [("GET /a", 2), ("GET /b", 1)]);
        assert_eq!(list.list()[0].at, list.since().plus(3));
    }

    #[test]
    fn unknown_consumers_push_out_no_others_and_nothing_grows_without_limit() {
        let list = list();
        add(&list, Problem::NonceUsed, "a", "GET /mine");
        for at in 0..1000 {
            let request = format!("GET /{at}");
            add(&list, Problem::ConsumerKeyUnknown, "who", &request);
            add(&list, Problem::VersionRejected, "", &request);
        }
        assert_eq!(list.list().len(), MAX_UNKNOWN + 1);
        assert!(list.list().iter().any(|rejected| rejected.request == "GET /mine"));
        let mut request = String::new();
        for _ in 0..1000 {
            request.push('ä');
            add(&list, Problem::NonceUsed, "a", &request);
        }
        let kept = list.list();
        assert!(kept.len() <= MAX_KNOWN + MAX_UNKNOWN);
        let lengths = kept.iter().map(|rejected| rejected.request.chars().count());
        assert_eq!(lengths.max(), Some(MAX_REQUEST));
    }

    #[test]
    fn a_wrong_clock_is_kept_for_its_consumer() {
        let list = list();
        for seconds in [5, 6] {
            let problem = Problem::TimestampRefused {
                acceptable: seconds..=seconds,
                now: seconds,
            };
            add(&list, problem, "late", "GET /");
        }
        assert_eq!(list.list()[0].times, 2);
        let key = |text| ConsumerKey::parse(text).unwrap();
        assert!(list.clock_differs(&key("late")) && !list.clock_differs(&key("other")));
    }
}
