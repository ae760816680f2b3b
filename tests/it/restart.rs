//! Restarts under systemd: sockets that stay open, what ends at once, and what systemd is told.

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::block_in_place;
use tokio::time::{sleep, timeout};

use crate::support::{App, Program, Text as _, app};

/// An application with events that never end, a socket, an answer that takes a second, and others.
async fn application() -> App {
    App::scripted(|_, mut stream| async move {
        while let Some(head) = app::read_head(&mut stream).await {
            let answer = match head.split(' ').nth(1).unwrap() {
                "/events" => "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\n\r\ndata: 1\n\n",
                "/socket" => {
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
                }
                path => {
                    if path == "/slow" {
                        sleep(Duration::from_secs(1)).await;
                    }
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                }
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            if !answer.ends_with("ok") {
                while stream.read(&mut [0; 64]).await.is_ok_and(|length| length > 0) {}
                return;
            }
        }
    })
    .await
}

fn activated(directory: TempDir, app: &App) -> Program {
    let users = "[[users]]\nname = \"alice\"\nsign_in = false\n";
    std::fs::write(directory.path().join("users.toml"), users).unwrap();
    block_in_place(|| {
        Program::activated(directory, |address, admin| {
            format!(
                "[server]\nlisten = \"{address}\"\nadmin_listen = \"{admin}\"\npublic_url = \"http://{address}\"\n\
                 [upstream]\nurl = \"http://{}\"\n[login]\nmethod = \"file\"\n[login.file]\npath = \"users.toml\"\n\
                 [[consumers]]\nkey = \"c\"\nshared_secret = \"a secret for restarts alone\"\n",
                app.address
            )
        })
    })
}

/// Connects, pauses, sends a request, and reads until the connection is closed.
async fn ask(to: SocketAddr, pause: Duration, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(to).await?;
    sleep(pause).await;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Asks on one connection until the server has announced that it closes it; returns how often.
async fn keep_asking(to: SocketAddr, done: &AtomicBool) -> std::io::Result<u32> {
    let mut stream = BufReader::new(TcpStream::connect(to).await?);
    let mut answered = 0;
    while !done.load(Ordering::Relaxed) {
        stream.write_all(get("/kept", "").as_bytes()).await?;
        let head = app::read_head(&mut stream).await.expect("it is answered");
        stream.read_exact(&mut [0; 2]).await?;
        answered += 1;
        if head.contains("\r\nconnection: close\r\n") {
            assert_eq!(stream.read(&mut [0]).await?, 0);
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(answered)
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_restarts_under_load_refuse_no_connection() {
    let app = application().await;
    let mut linkgate = activated(tempfile::tempdir().unwrap(), &app);
    let (address, done) = (linkgate.address(), Arc::new(AtomicBool::new(false)));
    let mut clients = Vec::new();
    for (pause, path) in [(0, "/a"), (0, "/b"), (30, "/c"), (300, "/d"), (0, "/slow")] {
        let done = Arc::clone(&done);
        clients.push(tokio::spawn(async move {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let request = get(path, "Connection: close\r\n");
                let answer = ask(address, Duration::from_millis(pause), &request).await;
                let answer = answer.unwrap_or_else(|error| panic!("{path} after {answered}: {error}"));
                assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer:?}");
                assert!(answer.ends_with("ok"), "{path}: {answer:?}");
                answered += 1;
            }
            answered
        }));
    }
    let until = Arc::clone(&done);
    clients.push(tokio::spawn(async move {
        let mut answered = 0;
        while !until.load(Ordering::Relaxed) {
            answered += keep_asking(address, &until).await.unwrap();
        }
        answered
    }));
    let events = tokio::spawn(async move {
        for _ in 0..10 {
            let answer = ask(address, Duration::ZERO, &get("/events", "")).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(
                answer.ends_with("\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n"),
                "it has an end: {answer:?}"
            );
        }
    });
    for _ in 0..10 {
        sleep(Duration::from_millis(300)).await;
        let begun = Instant::now();
        block_in_place(|| linkgate.restart());
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", linkgate.log());
    }
    timeout(SOON, events).await.expect("event streams end").unwrap();
    done.store(true, Ordering::Relaxed);
    for client in clients {
        let answered = timeout(SOON, client).await.expect("it is answered").unwrap();
        assert!(answered >= 10, "{answered}");
    }
    assert!(!linkgate.log().contains("cut off"), "{}", linkgate.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_and_web_sockets_do_not_delay_a_stop() {
    let app = application().await;
    let mut linkgate = activated(tempfile::tempdir().unwrap(), &app);
    let mut open = Vec::new();
    let switch = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    for (path, fields, begins) in [
        ("/events", "", "HTTP/1.1 200"),
        ("/socket", switch, "HTTP/1.1 101"),
    ] {
        let mut stream = BufReader::new(TcpStream::connect(linkgate.address()).await.unwrap());
        stream.write_all(get(path, fields).as_bytes()).await.unwrap();
        let head = app::read_head(&mut stream).await.unwrap();
        assert!(head.starts_with(begins), "{head}");
        open.push(stream);
    }
    let address = linkgate.address();
    let slow = tokio::spawn(async move { ask(address, Duration::ZERO, &get("/slow", "")).await });
    sleep(Duration::from_millis(300)).await;
    linkgate.ask_to_stop();
    let begun = Instant::now();
    let ended = block_in_place(|| linkgate.end(SOON));
    assert!(
        ended.success() && begun.elapsed() < Duration::from_secs(10),
        "{}",
        linkgate.log()
    );
    assert!(!linkgate.log().contains("cut off"), "{}", linkgate.log());
    assert!(slow.await.unwrap().unwrap().ends_with("ok"));
    for mut stream in open {
        let _ = timeout(SOON, stream.read_to_end(&mut Vec::new()))
            .await
            .expect("it is closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_what_happens() {
    let directory = tempfile::tempdir().unwrap();
    let systemd = UnixDatagram::bind(directory.path().join("notify")).unwrap();
    systemd.set_read_timeout(Some(SOON)).unwrap();
    let app = application().await;
    let mut linkgate = activated(directory, &app);
    // Until a message without the watchdog's.
    let told = || loop {
        let mut message = [0; 256];
        let length = systemd.recv(&mut message).expect("systemd is told");
        let message = String::from_utf8(message[..length].to_vec()).unwrap();
        if message.trim() != "WATCHDOG=1" {
            return message;
        }
    };
    assert_eq!(told().trim(), "READY=1");
    let mut alive = [0; 16];
    for _ in 0..3 {
        let length = systemd.recv(&mut alive).unwrap();
        assert_eq!(alive[..length].trim_ascii(), b"WATCHDOG=1");
    }
    linkgate.signal("-HUP");
    let reloading = told();
    reloading.begins("RELOADING=1\nMONOTONIC_USEC=");
    assert_eq!(told().trim(), "READY=1");
    linkgate.ask_to_stop();
    assert_eq!(told().trim(), "STOPPING=1");
    assert!(
        block_in_place(|| linkgate.end(SOON)).success(),
        "{}",
        linkgate.log()
    );
}

const SOON: Duration = Duration::from_secs(30);
