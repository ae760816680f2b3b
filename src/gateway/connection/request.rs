//! The head of a request, written, and how a message says where it ends (RFC 9112, sections 3 and 6).

use bytes::BytesMut;
use http::Method;

use crate::gateway::onward::Onward;

/// How the other side is told where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// With its head.
    Nothing,
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunks,
}

/// Writes the head of a request. What frames its body is ours to say, whatever its headers did.
pub(super) fn write(output: &mut BytesMut, request: &Onward, framing: Framing) {
    output.extend_from_slice(request.method.as_str().as_bytes());
    output.extend_from_slice(b" ");
    output.extend_from_slice(request.target.as_str().as_bytes());
    output.extend_from_slice(b" HTTP/1.1\r\n");
    output.extend_from_slice(&request.fields);
    match framing {
        Framing::Chunks => field(output, b"transfer-encoding", b"chunked"),
        Framing::Length(length) => field(
            output,
            b"content-length",
            itoa::Buffer::new().format(length).as_bytes(),
        ),
        Framing::Nothing if says_that_nothing_follows(request) => field(output, b"content-length", b"0"),
        Framing::Nothing => {}
    }
    output.extend_from_slice(b"\r\n");
}

/// Writes a line of a head.
pub(crate) fn field(output: &mut BytesMut, name: &[u8], value: &[u8]) {
    output.extend_from_slice(name);
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}

/// Whether the client said it, or the method lets a body be expected (RFC 9110, section 8.6).
fn says_that_nothing_follows(request: &Onward) -> bool {
    request.has_length || [Method::POST, Method::PUT, Method::PATCH].contains(&request.method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_where_it_ends() {
        for (method, has_length, framing, said) in [
            ("GET", false, Framing::Nothing, ""),
            ("GET", true, Framing::Nothing, "content-length: 0\r\n"),
            ("POST", false, Framing::Nothing, "content-length: 0\r\n"),
            ("DELETE", false, Framing::Nothing, ""),
            ("POST", true, Framing::Length(3), "content-length: 3\r\n"),
            ("GET", false, Framing::Chunks, "transfer-encoding: chunked\r\n"),
        ] {
            let request = Onward {
                method: method.parse().unwrap(),
                target: "/b?c=%20d".parse().unwrap(),
                fields: BytesMut::from("host: b\r\nx-a: 1\r\n"),
                has_length,
            };
            let mut output = BytesMut::new();
            write(&mut output, &request, framing);
            let expected = format!("{method} /b?c=%20d HTTP/1.1\r\nhost: b\r\nx-a: 1\r\n{said}\r\n");
            assert_eq!(std::str::from_utf8(&output).unwrap(), expected);
        }
    }
}
