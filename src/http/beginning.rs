//! Which protocol a client speaks, by its first bytes. hyper-util's detection has no time limit.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// What a client begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A TLS handshake record (RFC 8446, section 5.1).
    Tls,
    /// The preface of HTTP/2 (RFC 9113, section 3.4), if that is served in clear text.
    Http2,
    /// Anything else.
    Other,
}

impl Beginning {
    /// Looks at what a client begins with and leaves it unread.
    pub(super) async fn peek(stream: &TcpStream, h2c: bool) -> io::Result<Self> {
        let mut first = [0; PREFACE.len()];
        loop {
            let length = stream.peek(&mut first).await?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            } else if first[0] == TLS_HANDSHAKE {
                return Ok(Self::Tls);
            } else if !h2c || !PREFACE.starts_with(&first[..length]) {
                return Ok(Self::Other);
            } else if length == PREFACE.len() {
                return Ok(Self::Http2);
            }
            // The socket is readable already; there is no event for more.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

const TLS_HANDSHAKE: u8 = 22;

/// How the preface of HTTP/2 begins; no method does.
const PREFACE: [u8; 3] = *b"PRI";
