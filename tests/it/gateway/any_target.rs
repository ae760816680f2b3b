//! For every path and query that hyper accepts: the application receives the same bytes, or the client a refusal.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::start;
use crate::support::App;

/// What a path consists of: mostly what proxies like to change.
fn target() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        12 => (0x21_u8..0x7f).prop_map(|byte| vec![byte]),
        6 => any::<u8>().prop_map(|byte| format!("%{byte:02x}").into_bytes()),
        6 => prop::sample::select(vec![
            &b"/"[..], b"//", b"/../", b"/./", b"..", b"?", b"&", b"=", b"%2F", b"%2e%2E", b"%5c", b"\\", b";", b"+", b"%", b"#",
            b"@", b":", b"http://", b"\xc3\xbc", b"{}", b"'",
        ]).prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| [b"/", pieces.concat().as_slice()].concat())
}

#[test]
fn whatever_is_accepted_arrives_unchanged() {
    let runtime = Runtime::new().unwrap();
    let (app, gateway) = runtime.block_on(async {
        let app = App::start().await;
        let gateway = start(&app).await;
        (app, gateway)
    });
    let mut runner = TestRunner::new(Config {
        cases: 1_500,
        failure_persistence: None,
        ..Config::default()
    });
    let (accepted, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(&target(), |target| {
        let before = app.count();
        let head = [
            b"GET ",
            target.as_slice(),
            b" HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n\r\n",
        ];
        let answer = runtime.block_on(exchange(gateway, &head.concat()));
        let received = app.lines_since(before);
        match answer.get(9..12) {
            // The path needs OAuth, by one of its readings.
            Some(b"401" | b"400") => {
                refused.set(refused.get() + 1);
                prop_assert!(received.is_empty(), "refused, and passed on");
            }
            Some(b"200") => {
                accepted.set(accepted.get() + 1);
                // A fragment is neither path nor query (RFC 9112, section 3.2 has none), and hyper forgets it.
                let sent = target.split(|&byte| byte == b'#').next().unwrap();
                let expected = [b"GET ", sent, b" HTTP/1.1"].concat();
                prop_assert_eq!(received, vec![expected]);
            }
            _ => prop_assert!(false, "an answer: {}", String::from_utf8_lossy(&answer)),
        }
        Ok(())
    });
    outcome.unwrap();
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > 200, "{accepted} accepted, {refused} refused");
    assert!(refused > 100, "{accepted} accepted, {refused} refused");
}

async fn exchange(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}
