//! The body of a message on its way to the other side.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body as _;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::request::Framing;

/// A body that is being sent, and how far it has come, so that an upload is not mistaken for an application that does not
/// answer.
///
/// Trailer fields (RFC 9110, section 6.5) go no further. Nobody has looked whether those of a request say who calls, and
/// whoever wants those of an answer is answered elsewhere.
#[derive(Debug)]
pub(crate) struct Sending {
    /// What has still to be asked for; `None`: that was all.
    body: Option<Body>,
    framing: Framing,
    /// A piece of the body, and what ends it.
    piece: Bytes,
    after: &'static [u8],
    stage: Stage,
    awaits_body: bool,
    /// Whether something has happened since `moved`.
    moves: bool,
    moved: Option<Instant>,
}

/// How much the other side has got.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Nothing.
    Unsent,
    /// Something.
    Begun,
    /// All.
    Done,
}

/// Why a message cannot be sent to its end.
#[derive(Debug)]
pub(crate) enum SendingFault {
    /// Its body broke off, or is not as long as was said.
    Body,
    /// The other side takes no more.
    Peer(io::Error),
}

impl Sending {
    /// A body that ends as it says itself.
    pub(crate) fn new(body: Body) -> Self {
        let framing = match body.size_hint().exact() {
            _ if body.is_end_stream() => Framing::Nothing,
            Some(length) => Framing::Length(length),
            None => Framing::Chunks,
        };
        Self::framed(body, framing)
    }

    /// A body that ends as somebody has said before.
    pub(crate) fn framed(body: Body, framing: Framing) -> Self {
        Self {
            body: (framing != Framing::Nothing).then_some(body),
            framing,
            piece: Bytes::new(),
            after: b"",
            stage: Stage::Unsent,
            awaits_body: false,
            moves: true,
            moved: None,
        }
    }

    /// How the other side is told where the body ends.
    pub(crate) const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the other side has got a byte of the message.
    pub(super) const fn has_begun(&self) -> bool {
        !matches!(self.stage, Stage::Unsent)
    }

    /// Whether the other side has got all of it.
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Since when the other side does nothing; `None`: it is not its turn, more of the body has to come first.
    ///
    /// Whoever wants to know asks after each [`Sending::poll`]: only then is the clock read.
    pub(super) fn idle_since(&mut self) -> Option<Instant> {
        if std::mem::take(&mut self.moves) {
            self.moved = Some(Instant::now());
        }
        self.moved.filter(|_| !self.awaits_body)
    }

    /// Sends on, as far as that goes without waiting. `output` goes before the rest: the head of the message, at first.
    pub(crate) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
        output: &mut BytesMut,
    ) -> Poll<Result<(), SendingFault>> {
        while !self.is_done() {
            self.load(cx, output)?;
            if output.is_empty() && self.piece.is_empty() && self.after.is_empty() {
                ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                if self.body.is_some() {
                    return Poll::Pending;
                }
                self.stage = Stage::Done;
                break;
            }
            let written = ready!(self.poll_write(cx, stream, output))?;
            if written == 0 {
                return Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero).into()));
            }
            self.wrote(written, output);
        }
        Poll::Ready(Ok(()))
    }

    /// Asks for the next piece, if there is room for one.
    fn load(&mut self, cx: &mut Context<'_>, output: &mut BytesMut) -> Result<(), SendingFault> {
        while self.piece.is_empty() && self.after.is_empty() && output.len() < MOST_GATHERED {
            let Some(body) = &mut self.body else {
                return Ok(());
            };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                self.awaits_body = true;
                return Ok(());
            };
            self.awaits_body = false;
            self.moves = true;
            match frame {
                None => self.end(output)?,
                Some(Err(_)) => return Err(SendingFault::Body),
                Some(Ok(frame)) => self.piece(frame.into_data().unwrap_or_default(), output)?,
            }
        }
        Ok(())
    }

    /// Takes a piece. A small one joins what goes before it.
    fn piece(&mut self, piece: Bytes, output: &mut BytesMut) -> Result<(), SendingFault> {
        let length = piece.len();
        let after: &'static [u8] = match &mut self.framing {
            _ if length == 0 => return Ok(()),
            Framing::Nothing => return Err(SendingFault::Body),
            Framing::Length(left) => {
                let rest = left.checked_sub(length as u64);
                *left = rest.ok_or(SendingFault::Body)?;
                if *left == 0 {
                    self.body = None;
                }
                b""
            }
            Framing::Chunks => {
                output.extend_from_slice(format!("{length:x}\r\n").as_bytes());
                b"\r\n"
            }
        };
        if length <= MOST_COPIED {
            output.extend_from_slice(&piece);
            output.extend_from_slice(after);
        } else {
            (self.piece, self.after) = (piece, after);
        }
        Ok(())
    }

    fn end(&mut self, output: &mut BytesMut) -> Result<(), SendingFault> {
        self.body = None;
        match self.framing {
            Framing::Nothing | Framing::Length(0) => Ok(()),
            Framing::Length(_) => Err(SendingFault::Body),
            Framing::Chunks => {
                output.extend_from_slice(b"0\r\n\r\n");
                Ok(())
            }
        }
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &self,
        cx: &mut Context<'_>,
        stream: &mut S,
        output: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        if self.piece.is_empty() && self.after.is_empty() {
            return stream.poll_write(cx, output);
        }
        let parts = [output, &self.piece, self.after].map(IoSlice::new);
        stream.poll_write_vectored(cx, &parts)
    }

    fn wrote(&mut self, written: usize, output: &mut BytesMut) {
        self.stage = Stage::Begun;
        self.moves = true;
        let head = written.min(output.len());
        output.advance(head);
        let piece = (written - head).min(self.piece.len());
        self.piece.advance(piece);
        self.after = &self.after[written - head - piece..];
    }
}

impl From<io::Error> for SendingFault {
    fn from(error: io::Error) -> Self {
        Self::Peer(error)
    }
}

/// Bytes of a piece that are copied, since that takes less than to hand it over by itself.
const MOST_COPIED: usize = 2 * 1024;

/// Bytes that are gathered before they are sent.
const MOST_GATHERED: usize = 16 * 1024;
