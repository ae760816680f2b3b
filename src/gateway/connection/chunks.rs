//! An answer's body in chunks (RFC 9112, section 7.1), as it comes in.

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::AnswerFault;

/// How far a chunked body has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Chunks {
    /// A line with the size of a chunk comes next.
    #[default]
    Size,
    /// So many bytes of a chunk come next.
    Data(u64),
    /// The end of a chunk's line comes next.
    End,
    /// The trailer section comes next, up to an empty line.
    Trailers,
}

/// A step of a chunked body.
#[derive(Debug)]
pub(super) enum Step {
    /// A piece of it.
    Piece(Bytes),
    /// Its end, with the trailer fields.
    Done(Option<HeaderMap>),
}

impl Chunks {
    /// Takes the next step out of what has been read; `None`: more has to be read first.
    pub(super) fn step(&mut self, input: &mut BytesMut) -> Result<Option<Step>, AnswerFault> {
        loop {
            match *self {
                Self::Size => match line(input)? {
                    None => return Ok(None),
                    Some(line) => {
                        *self = match size(&line)? {
                            0 => Self::Trailers,
                            size => Self::Data(size),
                        }
                    }
                },
                Self::Data(_) if input.is_empty() => return Ok(None),
                Self::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let left = left - here as u64;
                    *self = if left == 0 { Self::End } else { Self::Data(left) };
                    return Ok(Some(Step::Piece(input.split_to(here).freeze())));
                }
                Self::End => match input.as_ref() {
                    [] | [b'\r'] => return Ok(None),
                    [b'\r', b'\n', ..] => {
                        input.advance(2);
                        *self = Self::Size;
                    }
                    _ => return Err(AnswerFault::Malformed("a chunk is longer than it says")),
                },
                Self::Trailers => return trailers(input),
            }
        }
    }
}

/// A line without its end, taken out of the input.
fn line(input: &mut BytesMut) -> Result<Option<BytesMut>, AnswerFault> {
    let Some(end) = input.iter().take(LONGEST_LINE).position(|&b| b == b'\n') else {
        return if input.len() < LONGEST_LINE {
            Ok(None)
        } else {
            Err(AnswerFault::TooLarge)
        };
    };
    let mut line = input.split_to(end + 1);
    if !line.ends_with(b"\r\n") {
        return Err(AnswerFault::Malformed("a line of a chunk ends without CR"));
    }
    line.truncate(end - 1);
    Ok(Some(line))
}

/// A chunk's size. Extensions after it mean nothing to us (RFC 9112, section 7.1.1).
fn size(line: &[u8]) -> Result<u64, AnswerFault> {
    const WRONG: AnswerFault = AnswerFault::Malformed("the size of a chunk is no number");
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let (number, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    if digits == 0 || digits > 16 || !(rest.is_empty() || rest.starts_with(b";")) {
        return Err(WRONG);
    }
    let number = std::str::from_utf8(number).map_err(|_| WRONG)?;
    u64::from_str_radix(number, 16).map_err(|_| WRONG)
}

fn trailers(input: &mut BytesMut) -> Result<Option<Step>, AnswerFault> {
    if input.starts_with(b"\r\n") {
        input.advance(2);
        return Ok(Some(Step::Done(None)));
    }
    let mut fields = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let parsed = httparse::parse_headers(input, &mut fields).map_err(AnswerFault::Head)?;
    let httparse::Status::Complete((length, fields)) = parsed else {
        return if input.len() < LONGEST_LINE {
            Ok(None)
        } else {
            Err(AnswerFault::TooLarge)
        };
    };
    let mut trailers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_bytes(field.value);
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(AnswerFault::Malformed("a trailer field cannot be one"));
        };
        trailers.append(name, value);
    }
    input.advance(length);
    Ok(Some(Step::Done(Some(trailers))))
}

/// Bytes of the longest line, and of the trailer section.
const LONGEST_LINE: usize = 16 * 1024;
const MOST_TRAILERS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Vec<u8>, Option<HeaderMap>, usize);

    /// What comes of a body that arrives in pieces of a size: its content, its trailers, and how much was left over.
    fn read(body: &[u8], piece: usize) -> Result<Option<Read>, AnswerFault> {
        let (mut chunks, mut input, mut content) = (Chunks::default(), BytesMut::new(), Vec::new());
        let mut arriving = body.chunks(piece);
        loop {
            match chunks.step(&mut input)? {
                Some(Step::Piece(piece)) => content.extend_from_slice(&piece),
                Some(Step::Done(trailers)) => {
                    let left = input.len() + arriving.map(<[u8]>::len).sum::<usize>();
                    return Ok(Some((content, trailers, left)));
                }
                None => match arriving.next() {
                    Some(piece) => input.extend_from_slice(piece),
                    None => return Ok(None),
                },
            }
        }
    }

    #[test]
    fn reads_chunks_however_they_arrive() {
        for (body, content, sum, left) in [
            (&b"0\r\n\r\n"[..], &b""[..], None, 0),
            (b"3\r\nabc\r\n0\r\n\r\nHTTP", b"abc", None, 4),
            (
                b"3;x=\"y\"\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n",
                b"abc0123456789",
                None,
                0,
            ),
            (b"2 \r\n\r\n\r\n0\r\nX-Sum: 1\r\n\r\n", b"\r\n", Some("1"), 0),
        ] {
            for piece in 1..=body.len() {
                let (read, trailers, over) = read(body, piece).unwrap().unwrap();
                let trailers = trailers.map(|trailers| trailers["x-sum"].to_str().unwrap().to_owned());
                assert_eq!(
                    (&read[..], trailers.as_deref(), over),
                    (content, sum, left),
                    "{piece}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_off_has_no_end() {
        let body = b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
        for length in 0..body.len() {
            assert!(read(&body[..length], 2).unwrap().is_none(), "{length}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for body in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n",
            b"0x1\r\na\r\n",
            b"1 2\r\na\r\n",
            b"1\na\r\n",
            b"11111111111111111\r\n",
            b"2\r\nabc\r\n0\r\n\r\n",
            b"2\r\nab0\r\n\r\n",
            b"0\r\nbad name: x\r\n\r\n",
            b"0\r\n folded: x\r\n\r\n",
        ] {
            assert!(read(body, 3).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let endless = [b'1'; LONGEST_LINE];
        assert!(matches!(read(&endless, 1000), Err(AnswerFault::TooLarge)));
        let padded = [&b"0\r\nX: "[..], &[b'x'; LONGEST_LINE]].concat();
        assert!(matches!(read(&padded, 1000), Err(AnswerFault::TooLarge)));
    }
}
