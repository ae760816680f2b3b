//! `nonce_used`: a signature is good once (RFC 5849, section 3.3).

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linkgate::oauth::{Timestamp, TimestampWindow};
use linkgate::store::Store;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{CALLBACK, Call, Database, Linkgate, Network, Peer, on_both, read_head, with};

fn call(linkgate: &Linkgate) -> Call {
    Peer::robot().call(linkgate, "GET", "/api/x")
}

#[tokio::test]
async fn a_nonce_is_1_to_255_characters() {
    let linkgate = Linkgate::start().await;
    for nonce in [
        String::new(),
        "n".repeat(256),
        "\u{fc}".repeat(256),
        "a\nb".to_owned(),
        "a\0".to_owned(),
        "a\u{7f}".to_owned(),
    ] {
        let sent = call(&linkgate).oauth("oauth_nonce", &nonce);
        let answer = sent.refused(&linkgate, "parameter_rejected").await;
        answer.assert_value("oauth_parameters_rejected", "oauth_nonce");
    }
    for nonce in [
        "n".repeat(255),
        "\u{1f600}".repeat(255),
        " ".to_owned(),
        "\u{fc}\u{1f600}".to_owned(),
        "'; drop table nonces; --".to_owned(),
    ] {
        let call = call(&linkgate).oauth("oauth_nonce", &nonce);
        call.passes(&linkgate).await;
        call.refused(&linkgate, "nonce_used").await;
    }
}

on_both! {
    async fn the_same_request_passes_once(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let first = call(&linkgate);
        let second = call(&linkgate);
        first.passes(&linkgate).await;
        first.refused(&linkgate, "nonce_used").await;
        second.passes(&linkgate).await;
        // Two nonces of one second: the first is still remembered, and the place of the parameters makes no other request.
        first.refused(&linkgate, "nonce_used").await;
        first.clone().in_query().refused(&linkgate, "nonce_used").await;
        assert_eq!(linkgate.app.received().len(), 2);
    }

    async fn a_replay_is_refused_after_a_restart(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let call = call(&linkgate);
        call.passes(&linkgate).await;
        let linkgate = linkgate.restarted().await;
        call.refused(&linkgate, "nonce_used").await;
    }
}

#[tokio::test]
async fn a_replayed_token_call_gives_nothing() {
    let linkgate = Linkgate::start().await;
    let peer = Peer::hmac();
    let call = peer
        .call(&linkgate, "POST", "/oauth/request-token")
        .oauth("oauth_callback", CALLBACK)
        .in_form();
    call.passes(&linkgate).await;
    call.refused(&linkgate, "nonce_used").await;
    let token = peer.request_token(&linkgate, CALLBACK).await;
    let verifier = linkgate.browser().approve(&token, "alice").await;
    let exchange = peer.exchange(&linkgate, &token, &verifier);
    exchange.passes(&linkgate).await;
    exchange.refused(&linkgate, "nonce_used").await;
    // A new signature with the nonce of before: another request, the same nonce.
    let again = peer.exchange(&linkgate, &token, "other");
    let (_, used) = &exchange
        .oauth
        .iter()
        .find(|(name, _)| name == "oauth_nonce")
        .unwrap();
    again
        .oauth("oauth_nonce", used)
        .refused(&linkgate, "nonce_used")
        .await;
}

#[tokio::test]
async fn a_nonce_belongs_to_its_time_its_token_and_its_consumer() {
    let linkgate = Linkgate::start().await;
    let one = Peer::hmac().connect(&linkgate, "alice").await;
    let other = Peer::hmac().connect(&linkgate, "alice").await;
    let later = (linkgate.now() + 1).to_string();
    let of_user = |token| Peer::hmac().call(&linkgate, "GET", "/api/x").token(token);
    for call in [
        of_user(&one),
        of_user(&other),
        of_user(&one).oauth("oauth_timestamp", &later),
        Peer::robot().call(&linkgate, "GET", "/api/x"),
        Peer::rsa().call(&linkgate, "GET", "/api/x"),
    ] {
        let call = call.oauth("oauth_nonce", "shared");
        call.passes(&linkgate).await;
        call.refused(&linkgate, "nonce_used").await;
    }
}

#[tokio::test]
async fn a_refused_request_burns_no_nonce() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let call = Peer::hmac().call(&linkgate, "GET", "/api/x").token(&token);
    let forged = call.request_with("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    forged.refused(linkgate.address, "signature_invalid").await;
    let mut tampered = call.request(&linkgate);
    tampered.target = "/api/y".to_owned();
    tampered.refused(linkgate.address, "signature_invalid").await;
    call.passes(&linkgate).await;
}

/// A consumer's clock may be ahead: its nonce lives until its own time is over, not until ours is.
#[tokio::test]
async fn a_nonce_is_remembered_as_long_as_its_timestamp_is_admitted() {
    let linkgate = Linkgate::start().await;
    let store = linkgate.store().await;
    for end in [0, 59] {
        // Timestamps at the beginning and at the end of a minute: what is forgotten is forgotten by the minute.
        let ahead = (linkgate.now() + 240) / 60 * 60 + end;
        let call = call(&linkgate).oauth("oauth_timestamp", &ahead.to_string());
        call.passes(&linkgate).await;
        while linkgate.now() <= ahead + 300 {
            forget_at(&store, linkgate.clock.now()).await;
            call.refused(&linkgate, "nonce_used").await;
            linkgate
                .clock
                .advance((ahead + 300 - linkgate.now()).clamp(1, 30));
        }
        // A replica whose clock is a little ahead may sweep while another still admits.
        assert_eq!(linkgate.now(), ahead + 301);
        forget_at(&store, linkgate.clock.now().plus(30)).await;
        linkgate.clock.advance(-1);
        call.refused(&linkgate, "nonce_used").await;
        linkgate.clock.advance(1);
        call.refused(&linkgate, "timestamp_refused").await;
    }
    assert_eq!(linkgate.app.received().len(), 2);
}

/// Another replica forgets, after it has recorded the latest request that it can verify.
async fn forget_at(store: &Store, now: Timestamp) {
    let (window, digest) = (TimestampWindow::default(), rand::random());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    store
        .record_nonce(now.plus(window.future), digest, now, deadline)
        .await
        .unwrap();
    store.sweep(now, window).await.unwrap();
}

on_both! {
    /// The consumer keeps its token, and is told when to come again.
    async fn a_request_of_a_time_whose_nonces_are_lost_is_answered_503(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let first = call(&linkgate);
        first.passes(&linkgate).await;
        db.execute_on_nonces("delete from nonces").await;
        for _ in 0..3 {
            let answer = call(&linkgate).send(&linkgate).await;
            assert_eq!((answer.status, answer.body.as_str()), (503, ""), "{answer:?}");
            let found = (answer.header("www-authenticate"), answer.header("retry-after"));
            assert_eq!(found, (None, Some("1")));
        }
        // Two minutes later requests pass again, but not this one.
        linkgate.clock.advance(120);
        call(&linkgate).passes(&linkgate).await;
        assert_eq!(first.send(&linkgate).await.status, 503);
        assert_eq!(linkgate.app.received().len(), 2);
    }

    /// The nonce is recorded when the body is there.
    async fn w1_a_body_that_comes_after_the_window_is_refused(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        for (pause, status) in [(300, "200"), (301, "400")] {
            let hash = STANDARD.encode(Sha1::digest("whole"));
            let call = Peer::robot().call(&linkgate, "POST", "/api/x").oauth("oauth_body_hash", &hash);
            let head = format!(
                "POST /api/x HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nExpect: 100-continue\r\n\
                 Connection: close\r\nContent-Length: 5\r\n\r\n",
                call.request(&linkgate).headers[0].1
            );
            let mut stream = BufReader::new(TcpStream::connect(linkgate.address).await.unwrap());
            stream.write_all(head.as_bytes()).await.unwrap();
            assert!(read_head(&mut stream).await.unwrap().starts_with("HTTP/1.1 100"));
            linkgate.clock.advance(pause);
            stream.write_all(b"whole").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
            assert_eq!(answer.contains("timestamp_refused"), status == "400", "{answer}");
        }
        assert_eq!(linkgate.app.received().len(), 1);
    }
}

/// The time that one part of a request waits for the database is gone for the next part.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_a_silent_database_until_its_deadline() {
    with(Database::postgres().await, async |db| {
        let (linkgate, network) = behind_a_network(&db).await;
        call(&linkgate).passes(&linkgate).await;
        network.go_silent();
        // The first finds its consumer in memory, and waits with its nonce; the others wait for the consumer.
        for call in [call(&linkgate), call(&linkgate), request_token(&linkgate)] {
            let begun = Instant::now();
            let answer = call.send(&linkgate).await;
            assert_eq!((answer.status, answer.body.as_str()), (503, ""), "{answer:?}");
            let found = (answer.header("www-authenticate"), answer.header("retry-after"));
            assert_eq!(found, (None, Some("1")));
            let waited = begun.elapsed();
            assert!(waited > TIMEOUT / 2 && waited < 2 * TIMEOUT, "{waited:?}");
        }
        network.come_back();
        passes_again(&linkgate).await;
        linkgate.stop().await;
    })
    .await;
}

/// The server of PostgreSQL does not see for hours that its client is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_a_silent_network_cuts_off_gives_its_locks_back() {
    with(Database::postgres().await, async |db| {
        let (linkgate, network) = behind_a_network(&db).await;
        network.go_silent_after("update nonce_lease");
        assert_eq!(call(&linkgate).send(&linkgate).await.status, 503);
        network.come_back();
        passes_again(&linkgate).await;
        linkgate.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_database_does_not_keep_linkgate_from_its_end() {
    with(Database::postgres().await, async |db| {
        let (linkgate, network) = behind_a_network(&db).await;
        call(&linkgate).passes(&linkgate).await;
        network.go_silent();
        for call in [call(&linkgate), request_token(&linkgate)] {
            assert_eq!(call.send(&linkgate).await.status, 503);
        }
        timeout(10 * TIMEOUT, linkgate.stop()).await.unwrap();
    })
    .await;
}

const TIMEOUT: Duration = Duration::from_secs(3);

/// linkgate with a limit of [`TIMEOUT`] for its database, which is behind a network.
async fn behind_a_network(db: &Database) -> (Linkgate, Network) {
    let (linkgate, network) = (Linkgate::on(db).await, Network::before(db).await);
    let behind = format!("{}\"\ntimeout = \"{}s", network.url(db), TIMEOUT.as_secs());
    linkgate.change(&db.url(), &behind).await.unwrap();
    (linkgate.restarted().await, network)
}

fn request_token(linkgate: &Linkgate) -> Call {
    let call = Peer::hmac().call(linkgate, "POST", "/oauth/request-token");
    call.oauth("oauth_callback", CALLBACK)
}

/// Each silent connection of the pool may cost one request its time.
async fn passes_again(linkgate: &Linkgate) {
    for _ in 0..30 {
        if call(linkgate).send(linkgate).await.status == 200 {
            request_token(linkgate).passes(linkgate).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("the database is not found again");
}

#[tokio::test]
async fn without_the_memory_of_nonces_nothing_passes() {
    let linkgate = Linkgate::start().await;
    let token = Peer::hmac().connect(&linkgate, "alice").await;
    let next = (linkgate.now() + 60).to_string();
    let signed = || Peer::hmac().call(&linkgate, "GET", "/api/x").token(&token);
    signed().passes(&linkgate).await;
    linkgate.database().hide_nonces().await;
    let request_token = Peer::hmac().call(&linkgate, "POST", "/oauth/request-token");
    for call in [
        signed(),
        request_token.oauth("oauth_callback", CALLBACK).in_form(),
    ] {
        let call = call.oauth("oauth_timestamp", &next);
        let answer = call.send(&linkgate).await;
        assert_eq!((answer.status, answer.body.as_str()), (503, ""), "{answer:?}");
        let found = (answer.header("www-authenticate"), answer.header("retry-after"));
        assert_eq!(found, (None, Some("1")));
    }
    assert_eq!(linkgate.app.received().len(), 1);
    linkgate.database().show_nonces().await;
    let again = signed().oauth("oauth_timestamp", &next);
    again.passes(&linkgate).await;
}
