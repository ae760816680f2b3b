//! Plain HTTP/1.1 over a socket, so that a test says exactly which bytes go out.

use std::net::SocketAddr;
use std::panic::Location;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request, byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as they go into the request line.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn post(target: impl Into<String>) -> Self {
        Self::new("POST", target)
    }

    /// The same with the method POST.
    pub(crate) fn posted(self) -> Self {
        Self {
            method: "POST".to_owned(),
            ..self
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn form(self, body: impl Into<String>) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.into())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own and reads the whole answer. `Host` is the address, unless a header names it.
    pub(crate) async fn send(&self, to: SocketAddr) -> Response {
        exchange(to, &self.bytes(to)).await
    }

    /// Sends it; it must be answered 200.
    #[track_caller]
    pub(crate) fn passes(&self, to: SocketAddr) -> impl Future<Output = Response> + use<> {
        let (bytes, caller) = (self.bytes(to), Location::caller());
        async move {
            let response = exchange(to, &bytes).await;
            assert_eq!(response.status, 200, "{caller}: {response:?}");
            response
        }
    }

    /// Sends it; it must be refused with this `oauth_problem` and its status.
    #[track_caller]
    pub(crate) fn refused(
        &self,
        to: SocketAddr,
        problem: &'static str,
    ) -> impl Future<Output = Response> + use<> {
        let (bytes, caller) = (self.bytes(to), Location::caller());
        async move {
            let response = exchange(to, &bytes).await;
            eprintln!("{caller} expects {problem}");
            response.assert_refused(problem);
            response
        }
    }

    /// What goes over the wire.
    pub(crate) fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let names = |name: &str| {
            self.headers
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !names("host") {
            head.extend(["Host: ", &to.to_string(), "\r\n"]);
        }
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let framed = names("content-length") || names("transfer-encoding");
        if !framed && (!self.body.is_empty() || self.method == "POST") {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        head.push_str("Connection: close\r\n\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// Sends bytes as they are, and reads one answer.
pub(crate) async fn exchange(to: SocketAddr, bytes: &[u8]) -> Response {
    let mut socket = TcpStream::connect(to).await.expect("the server listens");
    // A server that refuses early may close, or reset, the connection before it has read everything.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    Response::read(&answer)
}

/// A message with the names of its fields in lower case: they mean the same in any (RFC 9110, section 5.1).
pub(crate) fn lower_names(message: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let lines = head.split("\r\n").map(|line| match line.split_once(':') {
        Some((name, value)) if !name.contains(' ') => format!("{}:{value}", name.to_ascii_lowercase()),
        _ => line.to_owned(),
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    format!("{head}{}{body}", &message[head.len()..message.len() - body.len()])
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|at| at == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .expect("a status line");
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let chunked = headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = if chunked {
            unchunk(&bytes[end + 4..])
        } else {
            bytes[end + 4..].to_vec()
        };
        Self {
            status: status.parse().expect("a numeric status"),
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The one value of a header; a repeated header is a test failure.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        assert_eq!(values.next(), None, "{name} stands twice in {:?}", self.headers);
        first
    }

    /// The values of its `Set-Cookie` fields.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        let cookies = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        cookies.map(|(_, value)| value.as_str()).collect()
    }

    /// The decoded pairs of a form-encoded body, in order.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        serde_urlencoded_pairs(&self.body)
    }

    /// One value of a form-encoded body.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.pairs()
            .into_iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value)
    }

    /// Asserts status and one header; `None`: the header is absent.
    #[track_caller]
    pub(crate) fn assert(&self, status: u16, header: &str, value: Option<&str>) {
        assert_eq!((self.status, self.header(header)), (status, value), "{self:?}");
    }

    /// Asserts the challenge of a request that carries no OAuth.
    #[track_caller]
    pub(crate) fn assert_challenged(&self) {
        self.assert_header(
            "www-authenticate",
            "OAuth realm=\"http%3A%2F%2Fbuilds.example.com\"",
        );
    }

    /// Asserts the one value of a header.
    #[track_caller]
    pub(crate) fn assert_header(&self, name: &str, value: &str) {
        assert_eq!(self.header(name), Some(value), "{name}: {self:?}");
    }

    /// Asserts one value of a form-encoded body.
    #[track_caller]
    pub(crate) fn assert_value(&self, name: &str, value: &str) {
        assert_eq!(self.value(name).as_deref(), Some(value), "{name}: {self:?}");
    }

    /// Asserts that this is a refusal as consumers understand it: the status of this `oauth_problem`, exactly one
    /// `WWW-Authenticate: OAuth` and the same pairs in header and body.
    #[track_caller]
    pub(crate) fn assert_refused(&self, problem: &str) {
        let status = match problem {
            "parameter_absent"
            | "parameter_rejected"
            | "signature_method_rejected"
            | "timestamp_refused"
            | "version_rejected" => 400,
            "consumer_key_refused" | "user_refused" => 503,
            _ => 401,
        };
        assert_eq!(
            (self.status, self.value("oauth_problem").as_deref()),
            (status, Some(problem)),
            "{self:?}"
        );
        let challenge = self.header("www-authenticate").expect("a challenge");
        let inside = challenge
            .strip_prefix("OAuth realm=\"")
            .expect("the literal OAuth and a realm");
        let (realm, rest) = inside.split_once('"').expect("the realm is quoted");
        assert!(
            !realm.is_empty() && !realm.contains([':', '/']),
            "the realm is percent-encoded: {realm}"
        );
        let stated: Vec<_> = rest
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.trim().split_once('=').expect("name=value"))
            .map(|(name, value)| (name.to_owned(), decode(value.trim_matches('"'))))
            .collect();
        assert_eq!(stated, self.pairs(), "header and body say the same");
        assert_eq!(
            self.header("content-type"),
            Some("application/x-www-form-urlencoded;charset=UTF-8"),
            "the body's type"
        );
    }
}

/// The rows of a table: one a line, with bars between the cells. A line of slashes is a comment.
pub(crate) fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    let lines = table.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| {
        let cells: Vec<_> = line.split(" | ").map(str::trim).collect();
        cells.try_into().unwrap_or_else(|_| panic!("{N} cells: {line}"))
    })
}

/// What is expected of a text: a failure shows the text.
pub(crate) trait Text: std::fmt::Debug {
    fn text(&self) -> &str;

    #[track_caller]
    fn has(&self, part: impl AsRef<str>) {
        let part = part.as_ref();
        assert!(self.text().contains(part), "{part:?} is missing in {self:?}");
    }

    #[track_caller]
    fn begins(&self, part: impl AsRef<str>) {
        let part = part.as_ref();
        assert!(
            self.text().starts_with(part),
            "{part:?} is not the beginning of {self:?}"
        );
    }

    #[track_caller]
    fn lacks(&self, part: impl AsRef<str>) {
        let part = part.as_ref();
        assert!(!self.text().contains(part), "{part:?} is in {self:?}");
    }
}

impl Text for str {
    fn text(&self) -> &str {
        self
    }
}

impl Text for Response {
    fn text(&self) -> &str {
        &self.body
    }
}

fn serde_urlencoded_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(&name.replace('+', " ")), decode(&value.replace('+', " "))))
        .collect()
}

/// Percent-decoding, written apart from the program's own.
pub(crate) fn decode(text: &str) -> String {
    String::from_utf8(bytes(text)).expect("UTF-8")
}

/// Percent-decoding of what need not be UTF-8.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [
                bytes.next().expect("two digits"),
                bytes.next().expect("two digits"),
            ];
            let digits = std::str::from_utf8(&digits).expect("digits");
            out.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
        } else {
            out.push(byte);
        }
    }
    out
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|at| at == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).expect("a chunk size");
        let size =
            usize::from_str_radix(size.split(';').next().unwrap_or(size).trim(), 16).expect("hexadecimal");
        if size == 0 || bytes.len() < end + 2 + size {
            break;
        }
        out.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[(end + 4 + size).min(bytes.len())..];
    }
    out
}
