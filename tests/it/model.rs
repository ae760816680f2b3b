//! Who may do what with a token, and when; names of users; and what is shown of a database.

use linkgate::model::{
    AccessToken, NamePattern, RequestToken, RequestTokenState, TokenSession, UNKNOWN_TOKEN, User,
};
use linkgate::oauth::{Callback, ConsumerKey, Problem, Secret, Timestamp};
use linkgate::store::StoreConfig;

use crate::support::rows;

const EXPIRES_AT: i64 = 10;

const UNKNOWN: Problem = Problem::TokenRejected(UNKNOWN_TOKEN);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn key(text: &str) -> ConsumerKey {
    ConsumerKey::parse(text).unwrap()
}

fn alice() -> User {
    User {
        subject: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        proved_by: "file".to_owned(),
        proved_at: at(0),
    }
}

/// An access token of the consumer `a`.
fn access_token(is_revoked: bool, session_end: Option<i64>) -> AccessToken {
    AccessToken {
        id: "0123456789abcdef".to_owned(),
        consumer: key("a"),
        user: alice(),
        connected_at: at(0),
        host: None,
        issued_at: at(0),
        expires_at: at(EXPIRES_AT),
        session: session_end.map(|end| TokenSession {
            id: "s".to_owned(),
            expires_at: at(end),
        }),
        revoked_at: is_revoked.then_some(at(5)),
        last_used: None,
    }
}

#[test]
fn only_an_approved_token_of_this_consumer_is_exchanged() {
    use RequestTokenState::{Authorized, Denied, Pending, Used};
    let denied = Problem::PermissionDenied("The user said no.");
    for (state, consumer, now, expected) in [
        (Authorized { by: alice() }, "a", 9, None),
        (Authorized { by: alice() }, "a", 10, Some(Problem::TokenExpired)),
        (Authorized { by: alice() }, "b", 9, Some(UNKNOWN)),
        (Pending, "a", 9, Some(Problem::PermissionUnknown)),
        (Pending, "a", 10, Some(Problem::TokenExpired)),
        (Denied, "a", 9, Some(denied)),
        (Denied, "a", 10, Some(Problem::TokenExpired)),
        (Used { by: alice() }, "a", 9, Some(Problem::TokenUsed)),
        (Used { by: alice() }, "a", 10, Some(Problem::TokenUsed)),
        (Used { by: alice() }, "b", 9, Some(UNKNOWN)),
    ] {
        let token = RequestToken {
            consumer: key("a"),
            callback: Callback::OutOfBand,
            issued_at: at(0),
            expires_at: at(EXPIRES_AT),
            wrong_verifiers: 0,
            state,
        };
        let approver = expected.map_or(Ok(alice()), Err);
        let checked = token.check_exchange(&key(consumer), at(now)).cloned();
        assert_eq!(checked, approver, "{:?} {consumer} {now}", token.state);
    }
}

#[test]
fn a_token_is_used_by_its_consumer_until_it_expires_or_is_revoked() {
    for (is_revoked, consumer, now, expected) in [
        (false, "a", 9, Ok(())),
        (false, "a", 10, Err(Problem::TokenExpired)),
        (true, "a", 9, Err(Problem::TokenRevoked)),
        (true, "a", 10, Err(Problem::TokenRevoked)),
        (false, "b", 9, Err(UNKNOWN)),
        (true, "b", 9, Err(UNKNOWN)),
    ] {
        let checked = access_token(is_revoked, None).check_use(&key(consumer), at(now));
        assert_eq!(checked, expected, "{is_revoked} {consumer} {now}");
    }
}

#[test]
fn a_token_is_renewed_within_its_session_also_when_it_has_expired() {
    for (is_revoked, session, now, expected) in [
        (false, Some(20), 9, "Ok"),
        (false, Some(20), 19, "Ok"),
        (false, Some(20), 20, "permission_denied"),
        (true, Some(20), 9, "token_revoked"),
        (false, None, 9, "token_rejected"),
    ] {
        let token = access_token(is_revoked, session);
        let session = token.check_renewal(&key("a"));
        let checked = session.and_then(|session| session.check_end(at(now)));
        let name = checked.as_ref().map_or_else(Problem::name, |()| "Ok");
        assert_eq!(name, expected, "{token:?} {now}");
    }
}

#[test]
fn a_pattern_names_users() {
    for (pattern, names, others) in [
        (
            "alice",
            &["alice"][..],
            &["alic", "alicea", "Alice", "", "alice*"][..],
        ),
        (
            "build-*",
            &["build-", "build-7", "build-*"],
            &["build", "xbuild-7", "Build-7"],
        ),
        ("*-bot", &["-bot", "a-bot", "-bot-bot"], &["bot", "a-bots"]),
        ("a*b*c", &["abc", "axbxc", "abbbcc"], &["ac", "acb", "abcx", "ab"]),
        ("xy*yx", &["xyyx", "xyzyx"], &["xyx", "xy"]),
        ("é*", &["é", "éa"], &["e", "è"]),
    ] {
        let pattern = NamePattern::parse(pattern).unwrap();
        assert!(names.iter().all(|name| pattern.matches(name)), "{pattern:?}");
        assert!(!others.iter().any(|name| pattern.matches(name)), "{pattern:?}");
    }
    for text in ["", "*", "**"] {
        assert!(NamePattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_password_of_a_database_is_never_shown() {
    for [url, shown] in rows(
        "postgres://me:s3cr%40t@db.example.com/links?sslmode=prefer | postgres://me@db.example.com:5432/links
         postgresql://me@db.example.com:6543/links | postgresql://me@db.example.com:6543/links
         postgres://me@db.example.com/x?password=s3cr | postgres://me@db.example.com:5432/x
         postgres://me:s3cr/t@db.example.com/links | postgres:…
         mysql://me:s3cr@db.example.com/links | mysql:…
         sqlite:///var/lib/link@gate.db?mode=rwc | sqlite:///var/lib/link@gate.db
         sqlite::memory: | sqlite::memory:",
    ) {
        let options = StoreConfig {
            password: Some(Secret::new("s3cr")),
            ..StoreConfig::new(url)
        };
        assert_eq!(options.redacted_url(), shown);
        assert!(!format!("{options:?}").contains("s3cr"));
    }
}
