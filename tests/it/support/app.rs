//! An application that no framework wrote: it records the bytes that it received, and answers with bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::address::reserved;
use super::raw::lower_names;

/// The application behind linkgate.
pub(crate) struct App {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request, byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The number of the connection over which it came.
    pub(crate) connection: usize,
    /// Request line and headers, to the empty line. Names are in lower case.
    pub(crate) head: String,
    /// The same, byte for byte.
    pub(crate) raw: Vec<u8>,
    /// The body as it came, chunks and all.
    pub(crate) body: Vec<u8>,
}

impl App {
    /// An application that answers `ok`.
    pub(crate) async fn start() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await
    }

    /// An application that answers every request with the same bytes. The connection is closed after them when they say
    /// so.
    pub(crate) async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let app = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
        };
        let received = Arc::clone(&app.received);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, answer, Arc::clone(&received)));
            }
        });
        app
    }

    /// An application that does with each connection what the test says.
    pub(crate) async fn scripted<F, Fut>(script: F) -> Self
    where
        F: Fn(usize, BufReader<TcpStream>) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(script(connection, BufReader::new(stream)));
            }
        });
        Self {
            address,
            received: Arc::default(),
        }
    }

    /// An address at which nothing listens.
    pub(crate) fn absent() -> Self {
        Self {
            address: reserved(),
            received: Arc::default(),
        }
    }

    /// What has been received so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The request lines, byte for byte, of what came after so many requests.
    pub(crate) fn lines_since(&self, count: usize) -> Vec<Vec<u8>> {
        let received = self.received.lock().unwrap();
        let lines = received[count..].iter().map(|request| {
            let end = request.raw.windows(2).position(|at| at == b"\r\n");
            request.raw[..end.unwrap_or(0)].to_vec()
        });
        lines.collect()
    }

    /// How many requests have been received.
    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// The request that was received last.
    pub(crate) fn last(&self) -> Received {
        self.received().pop().expect("a request was received")
    }

    /// The one request that has been received.
    pub(crate) fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }
}

impl Received {
    /// The request line.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// All values of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The names of all headers, in lower case, sorted, with a blank between them.
    pub(crate) fn names(&self) -> String {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut names: Vec<_> = fields.map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort();
        names.join(" ")
    }
}

/// Reads request line and headers, their names in lower case; `None` when the connection ends instead.
pub(crate) async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let head = read_raw_head(stream).await?;
    Some(lower_names(&String::from_utf8_lossy(&head)))
}

async fn read_raw_head(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    Some(head)
}

async fn serve(stream: TcpStream, connection: usize, answer: &str, received: Arc<Mutex<Vec<Received>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(raw) = read_raw_head(&mut stream).await {
        let mut request = Received {
            connection,
            head: lower_names(&String::from_utf8_lossy(&raw)),
            raw,
            body: Vec::new(),
        };
        read_body(&mut stream, &mut request).await;
        received.lock().unwrap().push(request);
        let sent = stream.write_all(answer.as_bytes()).await;
        if sent.is_err() || answer.contains("connection: close") {
            return;
        }
    }
}

async fn read_body(stream: &mut BufReader<TcpStream>, request: &mut Received) {
    if let [length] = request.header("content-length")[..] {
        request.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut request.body).await.unwrap();
    } else if request.header("transfer-encoding") == ["chunked"] {
        while !request.body.ends_with(b"0\r\n\r\n") {
            assert_ne!(stream.read_until(b'\n', &mut request.body).await.unwrap(), 0);
        }
    }
}
