//! Clocks of replicas that differ, and a database that takes its time.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{App, Database, Linkgate, Peer, Program, databases, on_both};

#[tokio::test(flavor = "multi_thread")]
async fn signed_requests_are_rejected_while_the_clock_is_not_the_databases() {
    databases::with(Database::postgres().await, async |db: Database| {
        let app = App::start().await;
        let mut linkgate = Program::start(&db, app.address);
        assert_eq!(linkgate.run(&["health"]).0, 0);
        assert!(signed(&linkgate).await.starts_with("HTTP/1.1 400 "), "its timestamp is an old one");
        // A database whose clock is another one.
        db.execute(
            "create function clock_timestamp() returns timestamptz language sql as \
             'select pg_catalog.clock_timestamp() + interval ''1 minute''';
             do $$ begin execute 'alter database ' || current_database() || ' set search_path = public, pg_catalog'; end $$",
        )
        .await;
        linkgate.crash_and_restart();
        let (code, said) = linkgate.run(&["health"]);
        assert!(code == 1 && said.contains("503"), "{said}");
        assert!(linkgate.log().contains(" s ahead of this server's"), "{}", linkgate.log());
        let answer = signed(&linkgate).await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: "), "{answer}");
        assert!(!answer.contains("oauth_problem"), "{answer}");
    })
    .await;
}

/// A call whose signature need not be looked at.
async fn signed(linkgate: &Program) -> String {
    let parameters = "oauth_consumer_key=\"a\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"AA%3D%3D\", \
                      oauth_timestamp=\"1500000000\", oauth_nonce=\"n\", oauth_callback=\"oob\"";
    let request = format!(
        "POST /oauth/request-token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\
         Authorization: OAuth {parameters}\r\n\r\n",
        linkgate.address()
    );
    let mut stream = TcpStream::connect(linkgate.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

on_both! {
    async fn a_call_waits_for_the_database_for_five_seconds_at_most(db: Database) {
        let linkgate = Linkgate::on(&db).await;
        let call = async || Peer::robot().call(&linkgate, "GET", "/api/x").send(&linkgate).await.status;
        assert_eq!(call().await, 200);
        let holder = db.hold_nonces().await;
        // The second one comes while the first one's nonce is being written, and is not written together with it.
        let second = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let began = Instant::now();
            (call().await, began.elapsed())
        };
        let (first, (second, took)) = tokio::join!(call(), second);
        assert_eq!((first, second), (503, 503));
        assert!(took < Duration::from_millis(5_900), "{took:?}");
        drop(holder);
    }
}
