//! The head of an answer, written (RFC 9112, section 4).

use axum::body::Body;
use bytes::BytesMut;
use http::response::Parts;
use http::{Response, StatusCode};
use http_body::Body as _;
use hyper::ext::ReasonPhrase;

use crate::clock::Clock;
use crate::gateway::{Framing, Sending, field};

use super::date::Date;
use super::request::Manner;

/// Writes the head of an answer; gives back its body, and whether the connection is used again.
pub(super) fn begin(
    output: &mut BytesMut,
    response: Response<Body>,
    asked: Manner,
    date: &mut Date,
) -> (Sending, bool) {
    let (parts, body) = response.into_parts();
    status(output, &parts);
    let (mut persists, mut is_dated, mut length) = (asked.persists, false, None);
    for (name, value) in &parts.headers {
        match name.as_str() {
            "connection" => persists = false,
            "content-length" => length = value.to_str().ok().and_then(|length| length.parse().ok()),
            "transfer-encoding" => {}
            name => {
                is_dated |= name == "date";
                field(output, name.as_bytes(), value.as_bytes());
            }
        }
    }
    if !is_dated {
        field(output, b"date", date.at(Clock::System.now()).as_bytes());
    }
    let sending = if asked.head_only || is_bodiless(parts.status) {
        let length = length.or_else(|| body.size_hint().exact().filter(|&length| length > 0));
        if let Some(length) = length.filter(|_| parts.status != StatusCode::NO_CONTENT) {
            write_length(output, length);
        }
        Sending::framed(Body::empty(), Framing::Nothing)
    } else {
        let sending = match length {
            Some(length) => Sending::framed(body, Framing::Length(length)),
            None => Sending::new(body),
        };
        match sending.framing() {
            Framing::Chunks => field(output, b"transfer-encoding", b"chunked"),
            Framing::Length(length) => write_length(output, length),
            Framing::Nothing => write_length(output, 0),
        }
        sending
    };
    if !persists {
        field(output, b"connection", b"close");
    }
    output.extend_from_slice(b"\r\n");
    (sending, persists)
}

/// RFC 9110, sections 15.3.5 and 15.4.5.
fn is_bodiless(status: StatusCode) -> bool {
    [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status) || status.is_informational()
}

fn status(output: &mut BytesMut, parts: &Parts) {
    output.extend_from_slice(b"HTTP/1.1 ");
    output.extend_from_slice(parts.status.as_str().as_bytes());
    output.extend_from_slice(b" ");
    let reason = match parts.extensions.get::<ReasonPhrase>() {
        Some(reason) => reason.as_bytes(),
        None => parts.status.canonical_reason().unwrap_or_default().as_bytes(),
    };
    output.extend_from_slice(reason);
    output.extend_from_slice(b"\r\n");
}

fn write_length(output: &mut BytesMut, length: u64) {
    field(
        output,
        b"content-length",
        itoa::Buffer::new().format(length).as_bytes(),
    );
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const GET: Manner = Manner {
        head_only: false,
        persists: true,
    };

    const HEAD: Manner = Manner {
        head_only: true,
        persists: true,
    };

    fn written(response: Response<Body>, asked: Manner) -> (String, Framing, bool) {
        let mut output = BytesMut::new();
        let (sending, persists) = begin(&mut output, response, asked, &mut Date::default());
        let text = String::from_utf8(output.to_vec()).unwrap();
        (text, sending.framing(), persists)
    }

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: Body) -> Response<Body> {
        let mut response = Response::builder().status(status).header("date", "now");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(body).unwrap()
    }

    #[test]
    fn an_answer_says_where_it_ends() {
        let unknown = || Body::from_stream(tokio_util::io::ReaderStream::new(&b"abc"[..]));
        let length = [("content-length", "3")];
        for (response, asked, said, framing) in [
            (
                answer(200, &[], Body::empty()),
                GET,
                "content-length: 0\r\n",
                Framing::Nothing,
            ),
            (
                answer(200, &[], Body::from("abc")),
                GET,
                "content-length: 3\r\n",
                Framing::Length(3),
            ),
            (
                answer(200, &length, unknown()),
                GET,
                "content-length: 3\r\n",
                Framing::Length(3),
            ),
            (
                answer(200, &[], unknown()),
                GET,
                "transfer-encoding: chunked\r\n",
                Framing::Chunks,
            ),
            (
                answer(200, &length, Body::empty()),
                HEAD,
                "content-length: 3\r\n",
                Framing::Nothing,
            ),
            (
                answer(200, &[], Body::from("abc")),
                HEAD,
                "content-length: 3\r\n",
                Framing::Nothing,
            ),
            (answer(200, &[], Body::empty()), HEAD, "", Framing::Nothing),
            (answer(204, &length, Body::empty()), GET, "", Framing::Nothing),
            (
                answer(304, &length, Body::empty()),
                GET,
                "content-length: 3\r\n",
                Framing::Nothing,
            ),
            (answer(304, &[], Body::empty()), GET, "", Framing::Nothing),
        ] {
            let status = response.status();
            let (text, framed, persists) = written(response, asked);
            let expected = format!("HTTP/1.1 {status}\r\ndate: now\r\n{said}\r\n");
            assert_eq!((text, framed, persists), (expected, framing, true));
        }
    }

    #[test]
    fn an_answer_says_whether_it_is_the_last() {
        let once = Manner {
            persists: false,
            ..GET
        };
        let (text, _, persists) = written(answer(200, &[], Body::empty()), once);
        assert!(
            text.ends_with("\r\nconnection: close\r\n\r\n") && !persists,
            "{text}"
        );
        let closing = answer(200, &[("connection", "close")], Body::empty());
        let (text, _, persists) = written(closing, GET);
        assert_eq!(
            (text.matches("connection: close\r\n").count(), persists),
            (1, false)
        );
    }

    #[test]
    fn an_answer_has_its_own_words_and_a_date() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(299).unwrap();
        let reason = ReasonPhrase::from_static(b"Quite fine");
        response.extensions_mut().insert(reason);
        for cookie in ["a", "b"] {
            response
                .headers_mut()
                .append("set-cookie", HeaderValue::from_static(cookie));
        }
        let (text, ..) = written(response, GET);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            ["HTTP/1.1 299 Quite fine", "set-cookie: a", "set-cookie: b"]
        );
        assert!(
            lines[3].starts_with("date: ") && lines[3].ends_with(" GMT"),
            "{text}"
        );
    }
}
