//! The listeners as clients meet them: the order of the answers, where a connection ends, what a stop waits for, and what
//! remains of a request whose client has gone.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

use crate::gateway;
use crate::support::{App, Database, Linked, Linkgate, Peer, Program, Response, Text as _, app, lower_names};

const SOON: Duration = Duration::from_secs(20);

/// A connection on which some bytes have been sent.
async fn sent(to: SocketAddr, bytes: &[u8]) -> BufReader<TcpStream> {
    let mut client = BufReader::new(TcpStream::connect(to).await.unwrap());
    client.write_all(bytes).await.unwrap();
    client
}

/// What still comes before the other side closes, which it does soon.
async fn rest(client: &mut BufReader<TcpStream>) -> String {
    let mut rest = Vec::new();
    let read = timeout(SOON, client.read_to_end(&mut rest)).await;
    read.expect("the connection is closed").unwrap();
    lower_names(&String::from_utf8(rest).unwrap())
}

async fn is_refused_soon(address: SocketAddr) {
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, refused).await.expect("connections are refused");
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: builds.example.com\r\n\r\n")
}

#[tokio::test]
async fn requests_are_answered_in_their_order_however_they_arrive() {
    let app = App::scripted(|_, mut stream| async move {
        while let Some(head) = app::read_head(&mut stream).await {
            let line = head.lines().next().unwrap().to_owned();
            let mut body = [0; 3];
            if head.contains("content-length: 3") {
                stream.read_exact(&mut body).await.unwrap();
            } else if head.contains("chunked") {
                stream.read_exact(&mut [0; 13]).await.unwrap();
            }
            let body = if line.starts_with("HEAD") { "" } else { &*line };
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", line.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = gateway::start(&app).await;
    let post = "POST /2 HTTP/1.1\r\nHost: builds.example.com\r\nContent-Length: 3\r\n\r\nabc";
    let chunks = "POST /3 HTTP/1.1\r\nHost: builds.example.com\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let head = "HEAD /4 HTTP/1.1\r\nHost: builds.example.com\r\n\r\n";
    let last = "GET /5 HTTP/1.1\r\nHost: builds.example.com\r\nConnection: close\r\n\r\n";
    let all = [&get("/1"), post, chunks, head, last, &get("/6")].concat();
    for cut in [all.len(), 20, get("/1").len() + 20, all.len() / 2, all.len() - 50] {
        let mut client = sent(gateway, &all.as_bytes()[..cut]).await;
        sleep(Duration::from_millis(5)).await;
        client.write_all(&all.as_bytes()[cut..]).await.unwrap();
        let answers = rest(&mut client).await;
        let bodies: Vec<_> = answers.split("\r\n\r\n").skip(1).collect();
        let starts = ["GET /1", "POST /2", "POST /3", "HTTP/1.1 200", "GET /5"];
        assert_eq!(bodies.len(), starts.len(), "{cut}: {answers}");
        assert!(
            bodies
                .iter()
                .zip(starts)
                .all(|(body, start)| body.starts_with(start)),
            "{cut}: {answers}"
        );
        let answers = answers.to_ascii_lowercase();
        assert_eq!(answers.matches("\r\ndate: ").count(), 5, "{cut}: {answers}");
        let found = answers.matches("\r\nconnection: close\r\n").count();
        assert_eq!(found, 1, "{cut}: {answers}");
    }
}

#[tokio::test]
async fn an_old_client_of_http_1_0_is_answered() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
    for (answer, body) in [
        (chunked, "body"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok"),
    ] {
        let app = App::answering(answer).await;
        let gateway = gateway::start(&app).await;
        for request in [
            "GET /x HTTP/1.0\r\n\r\n",
            "POST /x HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
        ] {
            let got = rest(&mut sent(gateway, request.as_bytes()).await).await;
            let got = Response::read(got.as_bytes());
            assert_eq!((got.status, got.body.as_str()), (200, body), "{request}");
            assert_eq!(got.header("transfer-encoding"), None, "it knows no chunks");
            let request = app.last();
            assert!(request.line().ends_with(" /x HTTP/1.1"), "{request:?}");
            assert_eq!(request.header("host"), ["builds.example.com"]);
        }
        assert_eq!(app.received()[1].body, b"abc");
    }
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_answers_what_is_under_way() {
    let linkgate = Linkgate::start().await;
    let (address, app) = (linkgate.address, linkgate.app.clone());
    let mut silent = sent(address, b"").await;
    let mut idle = sent(address, get("/x").as_bytes()).await;
    assert!(
        app::read_head(&mut idle)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    idle.read_exact(&mut [0; 2]).await.unwrap();
    // Its nonce is spent when its body is there: after the stop has begun, so the store must still be open.
    let hash = STANDARD.encode(Sha1::digest("whole"));
    let call = Peer::robot()
        .call(&linkgate, "POST", "/api/x")
        .oauth("oauth_body_hash", &hash);
    let head = format!(
        "POST /api/x HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        call.request(&linkgate).headers[0].1
    );
    let mut upload = sent(address, head.as_bytes()).await;
    assert!(
        app::read_head(&mut upload)
            .await
            .unwrap()
            .starts_with("HTTP/1.1 100")
    );
    upload.write_all(b"wh").await.unwrap();

    let stopping = tokio::spawn(linkgate.restarted());
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut silent).await, "");
    is_refused_soon(address).await;
    upload.write_all(b"ole").await.unwrap();
    let answer = rest(&mut upload).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("ok"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(app.last().body, b"whole");
    // It asserts that nothing was cut off.
    stopping.await.unwrap().stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_calls_to_the_other_side_too() {
    let (seen, mut calls) = mpsc::unbounded_channel();
    let (go, gone) = tokio::sync::watch::channel(false);
    let other = App::scripted(move |_, mut stream| {
        let (seen, mut gone) = (seen.clone(), gone.clone());
        async move {
            app::read_head(&mut stream).await.unwrap();
            seen.send(()).unwrap();
            gone.wait_for(|go| *go).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let left = Linked::with_peer(other.address, "itself = true\n").await;
    let (address, private) = (left.address, left.calls);
    let call = tokio::spawn(async move { Linked::asks("/other/x", None).send(private).await });
    calls.recv().await.unwrap();
    let stopping = tokio::spawn(left.stop());
    is_refused_soon(address).await;
    is_refused_soon(private).await;
    go.send(true).unwrap();
    let answer = call.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{answer:?}");
    timeout(SOON, stopping).await.expect("it stops").unwrap();
}

/// An application that reports the path of each request, begins an answer to some, and reports when it is left alone.
async fn patient() -> (App, mpsc::UnboundedReceiver<String>) {
    let (events, happened) = mpsc::unbounded_channel();
    let app = App::scripted(move |_, mut stream| {
        let events = events.clone();
        async move {
            let Some(head) = app::read_head(&mut stream).await else {
                return;
            };
            let path = head.split(' ').nth(1).unwrap().to_owned();
            if path == "/after" {
                let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
                return stream.write_all(answer).await.unwrap();
            }
            if path == "/begun" {
                let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
                stream.write_all(begun).await.unwrap();
            }
            events.send(path).unwrap();
            while stream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
            events.send("closed".to_owned()).unwrap();
        }
    })
    .await;
    (app, happened)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_has_gone_drops_its_request_and_leaves_a_line_in_the_log() {
    let (app, mut happened) = patient().await;
    let linkgate = block_in_place(|| Program::start(&Database::sqlite(), app.address));
    let post = |rest: &str| format!("POST /{rest}");
    for (request, read) in [
        (get("/waiting"), ""),
        (
            post("uploading HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf"),
            "",
        ),
        (
            post("uploaded HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"),
            "",
        ),
        (get("/begun"), "half"),
    ] {
        let mut client = sent(linkgate.address(), request.as_bytes()).await;
        let path = timeout(SOON, happened.recv()).await.unwrap().unwrap();
        assert!(request.contains(&path), "{path}");
        if !read.is_empty() {
            app::read_head(&mut client).await.unwrap();
            client.read_exact(&mut [0; 4]).await.unwrap();
        }
        drop(client);
        let end = timeout(SOON, happened.recv()).await;
        assert_eq!(end.expect("its request is dropped").unwrap(), "closed", "{path}");
    }
    let answer = gateway::get(linkgate.address(), "/after", "").await;
    assert_eq!(gateway::status(&answer), "200");
    let log = linkgate.log();
    for path in ["/waiting", "/uploading", "/uploaded", "/begun", "/after"] {
        let found = log.matches(&format!("path=\"{path}\"")).count();
        assert_eq!(found, 1, "{path}: {log}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_later_has_no_end() {
    let (go, gone) = tokio::sync::watch::channel(0);
    let app = App::scripted(move |_, mut stream| {
        let mut gone = gone.clone();
        async move {
            let head = app::read_head(&mut stream).await.unwrap();
            let turn = if head.starts_with("GET") { 1 } else { 2 };
            let begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
            stream.write_all(begun).await.unwrap();
            gone.wait_for(|at| *at == turn).await.unwrap();
        }
    })
    .await;
    let gateway = gateway::start(&app).await;
    let post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: x\r\n\r\n";
    for (turn, request) in [(1, get("/x")), (2, post.to_owned())] {
        let mut client = sent(gateway, request.as_bytes()).await;
        app::read_head(&mut client).await.unwrap();
        let mut piece = [0; 8];
        client.read_exact(&mut piece).await.unwrap();
        assert_eq!(&piece, b"3\r\none\r\n");
        go.send(turn).unwrap();
        assert_eq!(rest(&mut client).await, "", "no last chunk");
    }
}

/// Silence, a part of a head or of HTTP/2's preface, and a connection that is not used any more.
#[tokio::test]
async fn a_connection_without_a_whole_head_is_closed_after_the_head_timeout() {
    let app = App::start().await;
    let mut options = gateway::options(&app).await;
    options.head_timeout = Duration::from_secs(3);
    let gateway = gateway::serve(options).await;
    let mut silent = Vec::new();
    for begun in [
        "",
        "P",
        "PRI * ",
        "PRI * HTTP/2.0\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n",
        "POST /x HTTP/1.1\r\nContent-Le",
    ] {
        silent.push((begun, sent(gateway, begun.as_bytes()).await));
    }
    let began = Instant::now();
    let mut kept = sent(gateway, b"").await;
    for _ in 0..2 {
        kept.write_all(get("/x").as_bytes()).await.unwrap();
        let head = app::read_head(&mut kept).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        kept.read_exact(&mut [0; 2]).await.unwrap();
    }
    for (begun, mut client) in silent {
        let mut rest = Vec::new();
        // Reset, if bytes were left unread.
        let _ = timeout(SOON, client.read_to_end(&mut rest))
            .await
            .expect("it is closed");
        // HTTP/2 begins with the server's settings (RFC 9113, section 3.4).
        assert!(rest.is_empty() || begun.starts_with("PRI"), "{begun:?}");
        assert!(began.elapsed() < Duration::from_secs(6), "{begun:?}");
    }
    assert_eq!(rest(&mut kept).await, "");
    assert_eq!(app.received().len(), 2);
}

/// The limit is lowered from outside, so that the next connection cannot be accepted.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ran_out_of_descriptors_serves_again() {
    let app = App::start().await;
    let linkgate = block_in_place(|| Program::start(&Database::sqlite(), app.address));
    let limit = |files: &str| {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &linkgate.id().to_string(), &format!("--nofile={files}:")]);
        assert!(prlimit.status().expect("util-linux is installed").success());
    };
    limit("3");
    let mut waiting = sent(linkgate.address(), get("/x").as_bytes()).await;
    let warned = async {
        while !linkgate.log().contains("connections cannot be accepted") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, warned).await.expect("it is logged");
    sleep(Duration::from_millis(500)).await;
    let found = linkgate.log().matches("cannot be accepted").count();
    assert_eq!(found, 1, "it is logged once");
    limit("1024");
    let answer = timeout(SOON, app::read_head(&mut waiting)).await.unwrap();
    assert!(answer.unwrap().starts_with("HTTP/1.1 200"));
    linkgate.log().has("are accepted again");
}

/// A shell starts a program with 1024 descriptors, and a connection takes one or two.
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_open_files_is_raised() {
    let app = App::start().await;
    let own = std::process::id().to_string();
    let lowered = Command::new("prlimit")
        .args(["--pid", &own, "--nofile=256:"])
        .status();
    assert!(lowered.expect("util-linux is installed").success());
    let linkgate = block_in_place(|| Program::start(&Database::sqlite(), app.address));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", linkgate.id())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap();
    let numbers: Vec<_> = line
        .split_whitespace()
        .filter(|word| word.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

/// A path may have 64 KiB; a line of the log has its beginning. An IPv4 client of a listener for both is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_line_is_short_and_names_an_ipv4_client_as_such() {
    let app = App::start().await;
    let directory = tempfile::tempdir().unwrap();
    let users = include_str!("examples/users.toml");
    std::fs::write(directory.path().join("users.toml"), users).unwrap();
    let linkgate = block_in_place(|| {
        Program::serve(directory, |address, admin| {
            let port = address.port();
            format!(
                "[server]\nlisten = \"[::]:{port}\"\nadmin_listen = \"{admin}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
             [upstream]\nurl = \"http://{}\"\n[login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n",
                app.address
            )
        })
    });
    let path = format!("/{}", "a".repeat(60_000));
    let address = linkgate.address();
    let answer = gateway::get(address, &path, "").await;
    assert_eq!(gateway::status(&answer), "200");
    let mut client = sent(address, b"nonsense\r\n\r\n").await;
    rest(&mut client).await;
    let log = linkgate.log();
    let line = log.lines().find(|line| line.contains("/aaaa")).unwrap();
    assert!(line.len() < 2_000, "{line}");
    line.has("127.0.0.1");
    line.lacks("::ffff");
    assert!(!log.contains("::ffff"), "{log}");
}

#[tokio::test]
async fn a_form_that_does_not_arrive_is_given_up() {
    let linkgate = Linkgate::start().await;
    let head = "POST /oauth/login HTTP/1.1\r\nHost: builds.example.com\r\nContent-Length: 10\r\n\
                Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://builds.example.com\r\n\r\n";
    let mut client = sent(linkgate.address, head.as_bytes()).await;
    let read = async {
        for _ in 0..4 {
            sleep(Duration::from_secs(10)).await;
            let _ = client.write_all(b"a").await;
        }
        rest(&mut client).await
    };
    let answer = timeout(Duration::from_secs(45), read)
        .await
        .expect("it is given up");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}
