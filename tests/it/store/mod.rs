//! Every statement of the store, on both databases.
//!
//! `schema` compares the two databases; then one file for each table; `at_rest` looks at what the disk holds; `opening`
//! and `pressure` at what happens when things go wrong.

use std::collections::BTreeSet;

use linkgate::model::{
    Consumer, ConsumerSource, NewAccess, RequestToken, RequestTokenState, TokenSession, User,
};
use linkgate::oauth::{
    AllowedCallback, Callback, ConsumerKey, Secret, SignatureMethod, Timestamp, Token, VerificationKey,
};
use linkgate::store::{Actor, Store, StoreError};

use crate::support::{Database, on_both, rng};

mod access_tokens;
mod at_rest;
mod audit;
mod connections;
mod consumers;
mod keyring;
mod keys;
mod links;
mod nonces;
mod nonces_lost;
mod opening;
mod pressure;
mod request_tokens;
mod schema;
mod sessions;
mod sign_ins;
mod sweep;
mod users;

/// The time at which most of these tests happen.
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Who revokes.
const BY: Actor<'_> = Actor {
    name: "carol",
    address: None,
};

fn key(text: &str) -> ConsumerKey {
    ConsumerKey::parse(text).unwrap()
}

fn consumer(name: &str) -> Consumer {
    Consumer {
        key: key(name),
        name: format!("The consumer {name}"),
        keys: vec![VerificationKey::Hmac(Secret::new(format!(
            "shared secret of {name}"
        )))],
        methods: BTreeSet::from([SignatureMethod::HmacSha1]),
        callbacks: vec![AllowedCallback::parse("https://bitbucket.example.com").unwrap()],
        default_callback: None,
        two_legged: false,
        two_legged_user: None,
        impersonation: false,
        session_handles: true,
        require_body_hash: false,
        addresses: Vec::new(),
        enabled: true,
        source: ConsumerSource::Config,
    }
}

fn user(subject: &str) -> User {
    User {
        subject: subject.to_owned(),
        display_name: format!("{subject} Example €"),
        proved_by: "file".to_owned(),
        proved_at: NOW.plus(-5),
    }
}

/// A question of this consumer, open for ten minutes.
fn question(consumer: &str) -> RequestToken {
    RequestToken {
        consumer: key(consumer),
        callback: Callback::parse("https://bitbucket.example.com/cb?a=1&b=%20").unwrap(),
        issued_at: NOW,
        expires_at: NOW.plus(600),
        wrong_verifiers: 0,
        state: RequestTokenState::Pending,
    }
}

/// An answer that stands for an hour, within a session of a day.
fn access(session_id: &str) -> NewAccess {
    NewAccess {
        issued_at: NOW,
        expires_at: NOW.plus(3_600),
        session: Some(TokenSession {
            id: session_id.to_owned(),
            expires_at: NOW.plus(86_400),
        }),
    }
}

fn token(db: &Database) -> Token {
    db.keyring().new_token(&mut rng())
}

/// A store that knows the consumers `a` and `b`.
async fn open_with_consumers(db: &Database) -> Store {
    let store = db.open().await;
    store
        .synchronise_consumers(&[consumer("a"), consumer("b")], NOW)
        .await
        .unwrap();
    store
}

/// A question of consumer `a` that alice answered with yes.
async fn approved(db: &Database, store: &Store) -> Token {
    let token = token(db);
    store.add_request_token(&token, &question("a")).await.unwrap();
    let done = store
        .authorize_request_token(&token, &user("alice"), None, NOW)
        .await;
    assert!(done.unwrap());
    token
}

/// An access token of consumer `a` for alice, in the session `session`.
async fn granted(db: &Database, store: &Store) -> Token {
    let (question, answer) = (approved(db, store).await, token(db));
    store
        .exchange(&question, &key("a"), NOW, &answer, &access("session"), None)
        .await
        .unwrap()
        .unwrap();
    answer
}

/// What tasks give that run at the same time.
async fn at_once<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.collect::<tokio::task::JoinSet<_>>().join_all().await
}

/// How many of them are true.
fn count(outcomes: &[bool]) -> usize {
    outcomes.iter().filter(|outcome| **outcome).count()
}

/// When a nonce must be recorded.
fn soon() -> tokio::time::Instant {
    tokio::time::Instant::now() + std::time::Duration::from_secs(5)
}

/// Records the `n`th nonce of a request that was signed then.
async fn record(store: &Store, signed_at: Timestamp, n: u64) -> Result<bool, StoreError> {
    let mut digest = [0xa5; 16];
    digest[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    store.record_nonce(signed_at, digest, NOW, soon()).await
}
