//! The head of an answer, read (RFC 9112, sections 4 and 6).

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use httparse::{Header, ParserConfig, Status};
use hyper::ext::ReasonPhrase;

use super::AnswerFault;
use super::chunks::Chunks;

/// How much of an answer's body is still to come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    /// So many bytes.
    Length(u64),
    /// Chunks, up to the last one.
    Chunks(Chunks),
    /// Whatever comes before the application closes the connection.
    UntilClosed,
}

/// The head of an answer.
#[derive(Debug)]
pub(in crate::gateway) struct Head {
    pub(in crate::gateway) response: Response<()>,
    pub(super) rest: Rest,
    /// Whether the connection can be used again after this answer.
    pub(super) persists: bool,
}

/// Takes the head of the answer to a request out of what has been read; `None`: more has to be read first. Interim answers
/// (RFC 9110, section 15.2) are for us alone, and are passed over.
pub(super) fn read(input: &mut BytesMut, method: &Method) -> Result<Option<Head>, AnswerFault> {
    loop {
        let mut fields = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut []);
        let status = ParserConfig::default()
            .parse_response_with_uninit_headers(&mut parsed, input, &mut fields)
            .map_err(AnswerFault::Head)?;
        let Status::Complete(length) = status else {
            return if input.len() < LONGEST {
                Ok(None)
            } else {
                Err(AnswerFault::TooLarge)
            };
        };
        let head = head(&parsed, &input[..length], method)?;
        input.advance(length);
        let status = head.response.status();
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(head));
        }
    }
}

fn head(parsed: &httparse::Response<'_, '_>, bytes: &[u8], method: &Method) -> Result<Head, AnswerFault> {
    let mut response = Response::new(());
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default());
    *response.status_mut() = status.map_err(|_| AnswerFault::Malformed("its status is no number"))?;
    let reason = parsed.reason.unwrap_or_default();
    if !reason.is_empty()
        && response.status().canonical_reason() != Some(reason)
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        response.extensions_mut().insert(reason);
    }
    let mut says = Says::new(parsed.version == Some(1));
    *response.headers_mut() = headers(parsed.headers, bytes, &mut says)?;
    let rest = rest(response.status(), method, &says)?;
    if says.chunked && says.length.is_some() {
        // The length is a lie, or somebody else's (RFC 9112, section 6.3).
        response.headers_mut().remove(CONTENT_LENGTH);
        says.persists = false;
    }
    Ok(Head {
        response,
        rest,
        persists: says.persists && !matches!(rest, Rest::UntilClosed),
    })
}

/// What an answer says about the connection and its own length.
struct Says {
    http_1_1: bool,
    persists: bool,
    chunked: bool,
    length: Option<u64>,
}

impl Says {
    fn new(http_1_1: bool) -> Self {
        Self {
            http_1_1,
            persists: http_1_1,
            chunked: false,
            length: None,
        }
    }

    fn connection(&mut self, value: &[u8]) {
        for token in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            if token.eq_ignore_ascii_case(b"close") {
                self.persists = false;
            } else if token.eq_ignore_ascii_case(b"keep-alive") && !self.http_1_1 {
                self.persists = true;
            }
        }
    }

    /// Nobody else knows what another coding is, and our client would not be told of it.
    fn coding(&mut self, value: &[u8]) -> Result<(), AnswerFault> {
        let known = value.eq_ignore_ascii_case(b"chunked") && !self.chunked && self.http_1_1;
        self.chunked = true;
        known
            .then_some(())
            .ok_or(AnswerFault::Malformed("its transfer coding is not known"))
    }

    /// Whether this length is the first; one that is said again must be the same (RFC 9110, section 8.6).
    fn length(&mut self, value: &[u8]) -> Result<bool, AnswerFault> {
        const WRONG: AnswerFault = AnswerFault::Malformed("its length is no number");
        let first = self.length.is_none();
        for part in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            let digits = !part.is_empty() && part.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(part).ok().filter(|_| digits);
            let number = number.and_then(|part| part.parse().ok()).ok_or(WRONG)?;
            if self.length.replace(number).is_some_and(|before| before != number) {
                return Err(AnswerFault::Malformed("it has two lengths"));
            }
        }
        Ok(first)
    }
}

fn headers(fields: &[Header<'_>], bytes: &[u8], says: &mut Says) -> Result<HeaderMap, AnswerFault> {
    const WRONG: AnswerFault = AnswerFault::Malformed("a header field cannot be one");
    // One copy, of which every value is a slice. A long one is not shared: HTTP/2 remembers some values longer than others.
    let copy = (bytes.len() <= MOST_SHARED).then(|| Bytes::copy_from_slice(bytes));
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| WRONG)?;
        let value = match &copy {
            Some(copy) => copy.slice(place(field.value, bytes)),
            None => Bytes::copy_from_slice(field.value),
        };
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| WRONG)?;
        if name == CONTENT_LENGTH {
            if says.length(field.value)? {
                let length = says.length.unwrap_or_default();
                let is_plain = itoa::Buffer::new().format(length).as_bytes() == field.value;
                headers.insert(name, if is_plain { value } else { length.into() });
            }
            continue;
        }
        if name == TRANSFER_ENCODING {
            says.coding(field.value)?;
        } else if name == http::header::CONNECTION {
            says.connection(field.value);
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// Where a part of a text stands in it.
fn place(part: &[u8], whole: &[u8]) -> Range<usize> {
    // The parser may take nothing from anywhere.
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    if part.is_empty() {
        0..0
    } else {
        start..start + part.len()
    }
}

/// RFC 9112, section 6.3.
fn rest(status: StatusCode, method: &Method, says: &Says) -> Result<Rest, AnswerFault> {
    let bodiless = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    if *method == Method::HEAD || status.is_informational() || bodiless {
        return Ok(Rest::Length(0));
    }
    if *method == Method::CONNECT && status.is_success() {
        return Err(AnswerFault::Malformed("it opens a tunnel"));
    }
    Ok(match says.length {
        _ if says.chunked => Rest::Chunks(Chunks::default()),
        Some(length) => Rest::Length(length),
        None => Rest::UntilClosed,
    })
}

/// Bytes of the longest head.
const LONGEST: usize = 256 * 1024;
const MOST_FIELDS: usize = 128;

/// Bytes of a head of which one value may keep all.
const MOST_SHARED: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Option<Head>, AnswerFault> {
        read(&mut BytesMut::from(text), &Method::GET)
    }

    fn ends(text: &str, method: &Method) -> (Option<u64>, bool) {
        let head = read(&mut BytesMut::from(text), method).unwrap().unwrap();
        let length = match head.rest {
            Rest::Length(length) => Some(length),
            Rest::Chunks(_) => Some(u64::MAX),
            Rest::UntilClosed => None,
        };
        (length, head.persists)
    }

    #[test]
    fn an_answer_ends_where_it_says() {
        const CHUNKS: Option<u64> = Some(u64::MAX);
        for (text, length, persists) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Some(5), true),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 05\r\n\r\n",
                Some(5),
                true,
            ),
            ("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n", CHUNKS, true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                CHUNKS,
                false,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", None, false),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n",
                Some(0),
                false,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", Some(1), false),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n",
                Some(1),
                true,
            ),
            (
                "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n",
                Some(0),
                true,
            ),
            (
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                Some(0),
                true,
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",
                Some(2),
                true,
            ),
        ] {
            assert_eq!(ends(text, &Method::GET), (length, persists), "{text}");
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(ends(head, &Method::HEAD), (Some(0), true));
        assert!(read(&mut BytesMut::from(head), &Method::CONNECT).is_err());
    }

    #[test]
    fn a_length_is_passed_on_in_one_spelling() {
        for (written, passed) in [
            ("0", "0"),
            ("5", "5"),
            ("10", "10"),
            ("05", "5"),
            ("00", "0"),
            ("5, 5", "5"),
        ] {
            let head = answer(&format!("HTTP/1.1 200 OK\r\nContent-Length: {written}\r\n\r\n"));
            let response = head.unwrap().unwrap().response;
            assert_eq!(response.headers()[CONTENT_LENGTH], passed, "{written}");
        }
    }

    #[test]
    fn an_answer_that_contradicts_itself_is_none() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1, 2",
            "Content-Length: +1",
            "Content-Length: ",
            "Content-Length: 1,",
            "Content-Length: 18446744073709551616",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity",
            "Bad Name: x",
            "A: b\r\n folded",
            "A: \x01",
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
            assert!(answer(&text).is_err(), "{fields}");
        }
        for text in [
            "HTTP/2 200 OK\r\n\r\n",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(answer(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_head_has_limits() {
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(LONGEST));
        assert!(matches!(answer(&endless), Err(AnswerFault::TooLarge)));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MOST_FIELDS + 1));
        assert!(answer(&many).is_err());
        assert!(answer("HTTP/1.1 200 OK\r\nA: b\r\n").unwrap().is_none());
    }

    #[test]
    fn what_was_said_arrives() {
        let text = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 299 Quite fine\r\nSet-Cookie: a\r\nset-cookie: b\r\n\
                    X-Latin:  caf\u{e9} \r\nX-Empty:\r\nX-Blank:  \r\nContent-Length: 02\r\nX-Last: c\r\n\r\nok";
        let mut input = BytesMut::from(text);
        let head = read(&mut input, &Method::GET).unwrap().unwrap();
        assert_eq!(&input[..], b"ok");
        let (parts, ()) = head.response.into_parts();
        assert_eq!(parts.status.as_u16(), 299);
        assert_eq!(
            parts.extensions.get::<ReasonPhrase>().unwrap().as_bytes(),
            b"Quite fine"
        );
        let cookies: Vec<_> = parts.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a", "b"]);
        assert_eq!(parts.headers["x-latin"].as_bytes(), "caf\u{e9}".as_bytes());
        for (name, value) in [
            ("x-empty", ""),
            ("x-blank", ""),
            ("content-length", "2"),
            ("x-last", "c"),
        ] {
            assert_eq!(parts.headers[name], value, "{name}");
        }
        assert_eq!(parts.headers.len(), 7);
    }
}
