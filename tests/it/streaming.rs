//! What does not fit into memory, and what never ends: gigabytes, events, web sockets, through the program itself.

use std::fs;
use std::net::{SocketAddr, TcpStream as Socket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::block_in_place;

use crate::support::{App, Authority, Database, Program, Running, Text as _, app, reserved};

const GIGABYTE: usize = 1 << 30;
const PIECE: usize = 1 << 18;

/// An application that swallows what is posted, counts it, and sends a gigabyte on request.
async fn glutton() -> App {
    App::scripted(|_, mut stream| async move {
        let head = app::read_head(&mut stream).await.unwrap();
        if head.starts_with("GET") {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {GIGABYTE}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            let piece = vec![b'a'; PIECE];
            for _ in 0..GIGABYTE / PIECE {
                stream.write_all(&piece).await.unwrap();
            }
            return;
        }
        let count = count_chunked(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{count}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await
}

/// Reads chunks (RFC 9112, section 7.1) to the last one.
async fn count_chunked(stream: &mut BufReader<TcpStream>) -> usize {
    let (mut count, mut chunk, mut line) = (0, Vec::new(), String::new());
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        chunk.resize(size + 2, 0);
        stream.read_exact(&mut chunk).await.unwrap();
        if size == 0 {
            return count;
        }
        count += size;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gigabytes_pass_at_constant_memory() {
    let app = glutton().await;
    let linkgate = block_in_place(|| Program::start(&Database::sqlite(), app.address));
    let mut client = TcpStream::connect(linkgate.address()).await.unwrap();
    let head = "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let chunk = [format!("{PIECE:x}\r\n").as_bytes(), &vec![b'a'; PIECE], b"\r\n"].concat();
    client.write_all(&chunk).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = linkgate.kilobytes("VmRSS");
    for _ in 1..GIGABYTE / PIECE {
        client.write_all(&chunk).await.unwrap();
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.has(GIGABYTE.to_string());

    let mut client = TcpStream::connect(linkgate.address()).await.unwrap();
    client
        .write_all(b"GET /download HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let (mut count, mut piece) = (0, vec![0; PIECE]);
    loop {
        match client.read(&mut piece).await.unwrap() {
            0 => break,
            n => count += n,
        }
    }
    assert!((GIGABYTE..GIGABYTE + 1024).contains(&count), "{count}");
    let most = linkgate.kilobytes("VmHWM");
    assert!(
        most - before < 32 * 1024,
        "{before} kB at first, {most} kB at most"
    );
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let (say, said) = tokio::sync::watch::channel(0);
    let app = App::scripted(move |_, mut stream| {
        let mut said = said.clone();
        async move {
            let head = app::read_head(&mut stream).await.unwrap();
            assert!(head.contains("\r\naccept: text/event-stream\r\n"), "{head}");
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            while said.changed().await.is_ok() {
                let event = format!("data: {}\n\n", *said.borrow());
                stream.write_all(event.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let gateway = crate::gateway::start(&app).await;
    let mut client = BufReader::new(TcpStream::connect(gateway).await.unwrap());
    let head = "GET /events HTTP/1.1\r\nHost: builds.example.com\r\nAccept: text/event-stream\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let head = app::read_head(&mut client).await.unwrap();
    assert!(head.contains("\r\ncontent-type: text/event-stream\r\n"), "{head}");
    for event in 1..=5 {
        say.send(event).unwrap();
        // Nothing else follows until this one was read.
        let expected = format!("9\r\ndata: {event}\n\n\r\n");
        let mut arrived = vec![0; expected.len()];
        let reading = tokio::time::timeout(Duration::from_secs(10), client.read_exact(&mut arrived));
        reading.await.expect("an event is not held back").unwrap();
        assert_eq!(String::from_utf8(arrived).unwrap(), expected);
    }
}

#[test]
fn foreign_web_sockets_are_joined() {
    let inside = reserved();
    let _application = start_script(inside);
    let (linkgate, base) = in_front_of(inside, None);
    call(&linkgate, &base, None);
}

#[test]
fn foreign_web_sockets_are_joined_over_tls() {
    let inside = reserved();
    let _application = start_script(inside);
    let authority = Authority::new();
    let (linkgate, base) = in_front_of(inside, Some(&authority));
    call(&linkgate, &base, Some(&linkgate.file("ca.pem")));
}

/// A linkgate with a consumer that may name users, and its public URL.
fn in_front_of(application: SocketAddr, authority: Option<&Authority>) -> (Program, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    file("users.toml", "[[users]]\nname = \"alice\"\nsign_in = false\n");
    let (scheme, tls) = match authority {
        Some(authority) => {
            let issued = authority.issue(&["127.0.0.1"]);
            file("cert.pem", &issued.certificate);
            file("key.pem", &issued.key);
            file("ca.pem", &authority.pem);
            (
                "https",
                "tls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }",
            )
        }
        None => ("http", ""),
    };
    let linkgate = Program::serve(directory, |address, admin| {
        format!(
            "[server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"\npublic_url = \"{scheme}://{address}\"\n{tls}\n\
             [upstream]\nurl = \"http://{application}\"\n[login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n\
             [[consumers]]\nkey = \"sockets\"\nshared_secret = \"{SECRET}\"\ntwo_legged = true\nimpersonation = true\n"
        )
    });
    let base = format!("{scheme}://{}", linkgate.address());
    (linkgate, base)
}

/// The application that Python's `websockets` is.
fn start_script(address: SocketAddr) -> Running {
    let child = python()
        .args(["serve", &address.port().to_string()])
        .stdin(Stdio::null())
        .spawn();
    let child = child.unwrap_or_else(|error| panic!("Python: {error}; run tests/clients/prepare"));
    let until = Instant::now() + Duration::from_secs(30);
    while Socket::connect(address).is_err() {
        assert!(Instant::now() < until, "the application listens");
        std::thread::sleep(Duration::from_millis(50));
    }
    Running(child)
}

/// Runs the client, which opens sockets with and without a signature.
fn call(linkgate: &Program, base: &str, authority: Option<&Path>) {
    let output = python()
        .args(["call", base, "sockets", SECRET])
        .args(authority)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complaint}\n{}", linkgate.log());
    let done = said.lines().filter(|line| line.ends_with(": ok")).count();
    assert_eq!(done, 3, "{said}");
}

fn python() -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python/sockets.py");
    let mut python = Command::new(target.join("clients/python/bin/python"));
    python.arg(script).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

const SECRET: &str = "a secret for sockets alone";
