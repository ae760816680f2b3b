//! The head of a simple request, read (RFC 9112, sections 2 and 3).

use std::mem::MaybeUninit;

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use httparse::{Header, ParserConfig, Status};

use super::HEAD_BYTES;

/// What has been read.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
pub(super) enum Read {
    /// A request, and what has to be known for its answer.
    Simple(Request<Body>, Manner),
    /// A part of a head.
    Part,
    /// Anything else: it is left where it is.
    Beyond,
}

/// How a request wants to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    /// Without a body: `HEAD`.
    pub(super) head_only: bool,
    /// On a connection that is used again.
    pub(super) persists: bool,
}

/// Takes a request out of what has come, if it is a simple one: its target is a path, its version 1.1, nothing is said of a
/// body or of another protocol.
pub(super) fn read(input: &mut BytesMut) -> Read {
    // One copy, of which every value is a slice.
    let bytes = Bytes::copy_from_slice(input);
    let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    let parsing = ParserConfig::default().parse_request_with_uninit_headers(&mut parsed, &bytes, &mut fields);
    match parsing {
        Ok(Status::Complete(length)) => match simple(&parsed, &bytes) {
            Some((request, manner)) => {
                input.advance(length);
                Read::Simple(request, manner)
            }
            None => Read::Beyond,
        },
        Ok(Status::Partial) if bytes.len() < HEAD_BYTES => Read::Part,
        Ok(Status::Partial) | Err(_) => Read::Beyond,
    }
}

fn simple(parsed: &httparse::Request<'_, '_>, bytes: &Bytes) -> Option<(Request<Body>, Manner)> {
    let target = parsed.path.filter(|path| path.starts_with('/'))?;
    if parsed.version != Some(1) {
        return None;
    }
    let method = Method::from_bytes(parsed.method?.as_bytes()).ok()?;
    let mut manner = Manner {
        head_only: method == Method::HEAD,
        persists: true,
    };
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        if BEYOND.contains(&name) {
            return None;
        } else if name == CONNECTION {
            manner.persists &= persists(field.value)?;
        }
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value)).ok()?;
        headers.append(name, value);
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_maybe_shared(bytes.slice_ref(target.as_bytes())).ok()?;
    *request.headers_mut() = headers;
    Some((request, manner))
}

/// What `Connection` says; `None`: something else.
fn persists(value: &[u8]) -> Option<bool> {
    let mut persists = true;
    for token in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
        if token.eq_ignore_ascii_case(b"close") {
            persists = false;
        } else if !token.eq_ignore_ascii_case(b"keep-alive") {
            return None;
        }
    }
    Some(persists)
}

/// The fields with which a request is not simple any more.
const BEYOND: [HeaderName; 5] = [CONTENT_LENGTH, EXPECT, TE, TRANSFER_ENCODING, UPGRADE];

/// As many as hyper takes.
const MOST_FIELDS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (http::request::Parts, Manner) {
        let mut input = BytesMut::from(text);
        match read(&mut input) {
            Read::Simple(request, manner) => {
                assert!(input.is_empty());
                (request.into_parts().0, manner)
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_simple_request_arrives_as_it_was_sent() {
        let (parts, manner) = parts(
            "GET /a/../b?c=%20d&&e=' HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two:  2 \r\nX-Latin: caf\u{e9}\r\nX-Empty:\r\n\r\n",
        );
        assert_eq!(parts.method, Method::GET);
        assert_eq!(parts.uri.to_string(), "/a/../b?c=%20d&&e='");
        let values = |name| parts.headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(values("x-two"), ["1", "2"]);
        assert_eq!(values("x-latin")[0].as_bytes(), "caf\u{e9}".as_bytes());
        assert_eq!(values("x-empty"), [""]);
        assert!(manner.persists && !manner.head_only);
    }

    #[test]
    fn a_request_says_how_it_wants_to_be_answered() {
        for (head, head_only, persists) in [
            ("HEAD / HTTP/1.1\r\n", true, true),
            ("GET / HTTP/1.1\r\nConnection: Keep-Alive\r\n", false, true),
            (
                "GET / HTTP/1.1\r\nConnection: keep-alive, CLOSE\r\n",
                false,
                false,
            ),
            (
                "HEAD / HTTP/1.1\r\nconnection: close\r\nconnection: keep-alive\r\n",
                true,
                false,
            ),
            ("\r\nGET / HTTP/1.1\r\n", false, true),
        ] {
            let (_, manner) = parts(&format!("{head}\r\n"));
            assert_eq!(
                (manner.head_only, manner.persists),
                (head_only, persists),
                "{head}"
            );
        }
    }

    #[test]
    fn the_next_request_stays() {
        let mut input = BytesMut::from("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3");
        for path in ["/1", "/2"] {
            let Read::Simple(request, _) = read(&mut input) else {
                panic!("{path}");
            };
            assert_eq!(request.uri().path(), path);
        }
        assert!(matches!(read(&mut input), Read::Part));
        assert_eq!(&input[..], b"GET /3");
    }

    #[test]
    fn what_is_not_simple_is_left_where_it_is() {
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(MOST_FIELDS + 1));
        for text in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
            "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: keep-alive, X-Secret\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: \r\n\r\n",
            "GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.1\r\nTE: trailers\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
            "GET /\x01 HTTP/1.1\r\n\r\n",
            "\x16\x03\x01",
            &long,
            &many,
        ] {
            let mut input = BytesMut::from(text);
            let read = read(&mut input);
            assert!(matches!(read, Read::Beyond), "{text:.80}: {read:?}");
            assert_eq!(input, text, "{text:.80}");
        }
    }

    #[test]
    fn half_a_head_is_waited_for() {
        let whole = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for length in 1..whole.len() {
            assert!(
                matches!(read(&mut BytesMut::from(&whole[..length])), Read::Part),
                "{length}"
            );
        }
    }
}
