//! One request, asked about twice, gets one verdict.
//!
//! nginx asks again when it redirects a request within itself (`try_files`, `index`, `error_page`): by then the nonce is
//! spent, and an honest second look would call the request a replay of itself.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::oauth::{RequestView, Timestamp};
use crate::provider::Caller;

/// What was asked, whole: two questions are the same when the same proxy asks about the same request of the same client,
/// byte for byte, under the same `X-Request-Id`.
///
/// The id is what tells a question that is repeated from a request that is replayed, so nginx must make it
/// (`$request_id`, 128 random bits) and pass on none of the client's. Should it be the client's after all, whoever has
/// seen a signed request together with its id can have that very request admitted again: not another one, for
/// [`LIFETIME`] seconds at most, and [`MOST_REPEATS`] times at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RequestFingerprint([u8; 32]);

impl RequestFingerprint {
    /// The question of a proxy about a request without a body.
    pub(super) fn about(
        view: &RequestView<'_>,
        id: &HeaderValue,
        proxy: IpAddr,
        client: Option<IpAddr>,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(id.as_bytes());
        add(proxy.to_string().as_bytes());
        add(client
            .map(|client| client.to_string())
            .unwrap_or_default()
            .as_bytes());
        add(view.method.as_bytes());
        add(view.url.as_str().as_bytes());
        add(&[u8::from(view.secure), u8::from(view.query.is_some())]);
        add(view.path.as_bytes());
        add(view.query.unwrap_or_default().as_bytes());
        for field in view.authorization {
            add(field);
        }
        Self(hash.finalize().into())
    }
}

/// The verdicts of the last seconds: admitted requests only, and no more than [`MOST`].
#[derive(Debug, Default)]
pub(super) struct VerdictCache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    verdicts: HashMap<RequestFingerprint, Verdict>,
    /// The oldest first.
    order: VecDeque<(Timestamp, RequestFingerprint)>,
}

#[derive(Debug)]
struct Verdict {
    caller: Caller,
    since: Timestamp,
    repeats: u8,
}

impl VerdictCache {
    /// Who was admitted when this was asked before.
    pub(super) fn recall(&self, question: RequestFingerprint, now: Timestamp) -> Option<Caller> {
        let kept = &mut *self.lock();
        let verdict = kept.verdicts.get_mut(&question)?;
        if !is_fresh(verdict.since, now) || verdict.repeats == MOST_REPEATS {
            return None;
        }
        verdict.repeats += 1;
        Some(verdict.caller.clone())
    }

    /// Keeps who was admitted.
    pub(super) fn remember(&self, question: RequestFingerprint, caller: &Caller, now: Timestamp) {
        let kept = &mut *self.lock();
        while let Some(&(since, oldest)) = kept.order.front()
            && (!is_fresh(since, now) || kept.order.len() >= MOST)
        {
            kept.order.pop_front();
            kept.verdicts.remove(&oldest);
        }
        let verdict = Verdict {
            caller: caller.clone(),
            since: now,
            repeats: 0,
        };
        kept.verdicts.insert(question, verdict);
        kept.order.push_back((now, question));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that was set back makes nothing live longer.
fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    (0..LIFETIME).contains(&(now.seconds() - since.seconds()))
}

/// In seconds. nginx redirects within itself at once; what takes time is the application that `error_page` waits for.
const LIFETIME: i64 = 10;

/// nginx gives up after ten redirects.
const MOST_REPEATS: u8 = 10;

/// What is kept at most. Past it the oldest is forgotten, and its second question refused as a replay.
const MOST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Consumer, ConsumerSource};
    use crate::oauth::{ConsumerKey, PublicUrl};
    use crate::provider::CallKind;

    fn caller() -> Caller {
        let consumer = Consumer {
            key: ConsumerKey::parse("peer").unwrap(),
            name: "Peer".to_owned(),
            keys: Vec::new(),
            methods: [].into(),
            callbacks: Vec::new(),
            default_callback: None,
            two_legged: true,
            two_legged_user: None,
            impersonation: false,
            session_handles: false,
            require_body_hash: false,
            addresses: Vec::new(),
            enabled: true,
            source: ConsumerSource::Command,
        };
        Caller {
            consumer: Arc::new(consumer),
            user: None,
            kind: CallKind::TwoLegged,
        }
    }

    fn question(id: &'static str, path: &str) -> RequestFingerprint {
        let url = PublicUrl::parse("https://builds.example.com").unwrap();
        let view = RequestView {
            method: "GET",
            url: &url,
            secure: true,
            path,
            query: None,
            authorization: &[b"OAuth a=\"b\""],
            form: None,
        };
        let proxy = IpAddr::from([127, 0, 0, 1]);
        RequestFingerprint::about(&view, &HeaderValue::from_static(id), proxy, None)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn what_is_asked_again_soon_is_answered_again() {
        let repeats = VerdictCache::default();
        repeats.remember(question("1", "/a"), &caller(), at(100));
        assert!(repeats.recall(question("1", "/a"), at(109)).is_some());
        for (other, now) in [
            (question("2", "/a"), 100),
            (question("1", "/b"), 100),
            (question("1", "/a"), 110),
            (question("1", "/a"), 99),
        ] {
            assert!(repeats.recall(other, at(now)).is_none(), "{now}");
        }
    }

    #[test]
    fn nobody_asks_for_ever() {
        let repeats = VerdictCache::default();
        repeats.remember(question("1", "/a"), &caller(), at(100));
        let answers = (0..20).filter(|_| repeats.recall(question("1", "/a"), at(100)).is_some());
        assert_eq!(answers.count(), usize::from(MOST_REPEATS));
    }

    #[test]
    fn keeps_no_more_than_it_may() {
        let repeats = VerdictCache::default();
        for at_second in 0..3 {
            for number in 0..MOST {
                let path = format!("/{at_second}/{number}");
                repeats.remember(question("1", &path), &caller(), at(100 + at_second * 4));
            }
            let kept = repeats.lock();
            assert_eq!((kept.verdicts.len(), kept.order.len()), (MOST, MOST));
        }
        repeats.remember(question("1", "/last"), &caller(), at(200));
        assert_eq!(repeats.lock().verdicts.len(), 1);
    }
}
