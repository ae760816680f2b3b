//! Conversations over a pipe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// The client's end, and the conversation.
struct Talk {
    client: DuplexStream,
    ending: Ending,
    conversation: JoinHandle<()>,
}

impl Talk {
    fn begin<A, F>(answer: A) -> Self
    where
        A: Fn(Request<Body>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let (client, server) = duplex(1 << 16);
        let ending = Ending::default();
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let conversation = tokio::spawn(converse(server, peer, answer, ending.clone()));
        Self {
            client,
            ending,
            conversation,
        }
    }

    async fn say(&mut self, text: &str) {
        self.client.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to and with a text.
    async fn hear(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        let read = async {
            while !heard.ends_with(end.as_bytes()) {
                heard.push(self.client.read_u8().await.unwrap());
            }
        };
        let ended = timeout(Duration::from_secs(20), read).await;
        let heard = String::from_utf8(heard).unwrap();
        assert!(ended.is_ok(), "{heard}");
        heard
    }

    /// Reads until the other side has closed, and ended.
    async fn hear_all(mut self) -> String {
        let mut heard = String::new();
        let read = self.client.read_to_string(&mut heard);
        timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        self.conversation.await.unwrap();
        heard
    }
}

/// Says what was asked: `GET /a` and the body.
async fn echo(request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Response::new(Body::from(format!("[{} {} {body}]", parts.method, parts.uri)))
}

const GET: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn requests_are_answered_in_their_order_however_they_arrive() {
    let mut talk = Talk::begin(echo);
    talk.say("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\nGET /4 HT")
        .await;
    assert!(talk.hear("[GET /1 ]").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let heard = talk.hear("[GET /3 ]").await;
    assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{heard}");
    assert!(heard.contains("content-length: 10\r\n"), "{heard}");
    tokio::time::sleep(Duration::from_millis(20)).await;
    talk.say("TP/1.1\r\n\r\n").await;
    talk.hear("[GET /4 ]").await;
}

#[tokio::test]
async fn what_is_not_simple_is_answered_as_well_and_so_is_what_follows() {
    for odd in [
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nContent-Length: 3\r\n\r\nabc",
    ] {
        let mut talk = Talk::begin(echo);
        talk.say(GET).await;
        talk.hear("[GET /a ]").await;
        // With a request before it, and cut in two wherever that may be.
        for cut in [0, 20, odd.len() - 4] {
            talk.say(GET).await;
            talk.say(&odd[..cut]).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            talk.say(&odd[cut..]).await;
            talk.hear("[GET /a ]").await;
            talk.hear("[POST /b abc]").await;
        }
        talk.say(GET).await;
        talk.hear("[GET /a ]").await;
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    for (head, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "400"),
        (
            &format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(HEAD_BYTES)),
            "431",
        ),
    ] {
        let mut talk = Talk::begin(echo);
        talk.say(GET).await;
        talk.hear("[GET /a ]").await;
        let (mut client, conversation) = (talk.client, talk.conversation);
        let sent = head.to_owned();
        let writing = tokio::spawn(async move {
            // The other side need not read all of it.
            let _ = client.write_all(sent.as_bytes()).await;
            let mut heard = String::new();
            client.read_to_string(&mut heard).await.unwrap();
            heard
        });
        let heard = timeout(Duration::from_secs(20), writing).await.unwrap().unwrap();
        assert!(
            heard.starts_with(&format!("HTTP/1.1 {status}")),
            "{head:.40}: {heard}"
        );
        conversation.await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_wants_no_more_gets_no_more() {
    let mut talk = Talk::begin(echo);
    talk.say("GET /1 HTTP/1.1\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
        .await;
    let heard = talk.hear_all().await;
    assert!(heard.contains("\r\nconnection: close\r\n"), "{heard}");
    assert!(heard.ends_with("[GET /1 ]"), "{heard}");
}

#[tokio::test]
async fn told_to_end_an_idle_conversation_ends() {
    let mut talk = Talk::begin(echo);
    talk.say(GET).await;
    talk.hear("[GET /a ]").await;
    talk.ending.tell();
    assert_eq!(talk.hear_all().await, "");
}

#[tokio::test]
async fn told_to_end_what_is_under_way_is_answered() {
    let (go, gone) = (
        Arc::new(tokio::sync::Notify::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    let (waits, began) = (Arc::clone(&go), Arc::clone(&gone));
    let mut talk = Talk::begin(move |request| {
        let (waits, began) = (Arc::clone(&waits), Arc::clone(&began));
        async move {
            began.notify_one();
            waits.notified().await;
            echo(request).await
        }
    });
    talk.say(GET).await;
    gone.notified().await;
    talk.ending.tell();
    go.notify_one();
    let heard = talk.hear_all().await;
    assert!(heard.contains("\r\nconnection: close\r\n"), "{heard}");
    assert!(heard.ends_with("[GET /a ]"), "{heard}");
}

#[tokio::test]
async fn nobody_works_for_a_client_that_has_gone() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let mut talk = Talk::begin(move |_| {
        let flag = Flag(Arc::clone(&flag));
        async move {
            std::future::pending::<()>().await;
            drop(flag);
            Response::new(Body::empty())
        }
    });
    talk.say(GET).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!dropped.load(Ordering::Acquire));
    drop(talk.client);
    timeout(Duration::from_secs(20), talk.conversation)
        .await
        .unwrap()
        .unwrap();
    assert!(dropped.load(Ordering::Acquire));
}

#[tokio::test]
async fn pieces_arrive_as_they_come_and_an_answer_that_breaks_off_has_no_end() {
    let (pieces, coming) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let coming = Arc::new(tokio::sync::Mutex::new(Some(coming)));
    let mut talk = Talk::begin(move |_| {
        let coming = Arc::clone(&coming);
        async move {
            let coming = coming.lock().await.take().unwrap();
            Response::new(Body::new(Coming(coming)))
        }
    });
    talk.say(GET).await;
    pieces.send(Ok(Bytes::from("one"))).await.unwrap();
    let heard = talk.hear("\r\n3\r\none\r\n").await;
    assert!(heard.contains("\r\ntransfer-encoding: chunked\r\n"), "{heard}");
    let large = "x".repeat(100_000);
    pieces.send(Ok(Bytes::from(large.clone()))).await.unwrap();
    assert_eq!(talk.hear("x\r\n").await, format!("186a0\r\n{large}\r\n"));
    pieces.send(Err(std::io::Error::other("gone"))).await.unwrap();
    assert_eq!(talk.hear_all().await, "");
}

/// A body whose pieces come from elsewhere.
struct Coming(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        let piece = self.0.poll_recv(cx);
        piece.map(|piece| piece.map(|piece| piece.map(http_body::Frame::data)))
    }
}
