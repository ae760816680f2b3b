//! A request on its way to the application.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body as _;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::head::Framing;
use super::stream::Stream;

/// The body of a request that is being sent, and how far it has come, so that an upload is not mistaken for an application
/// that does not answer.
///
/// Trailer fields (RFC 9110, section 6.5) of a request go no further: nobody has looked whether they say who calls.
#[derive(Debug)]
pub(in crate::gateway) struct Upload {
    /// What has still to be asked for; `None`: that was all.
    body: Option<Body>,
    framing: Framing,
    /// A piece of the body, and what ends it.
    piece: Bytes,
    after: &'static [u8],
    begun: bool,
    done: bool,
    awaits_client: bool,
    moved: Instant,
}

/// Why a request cannot be sent to its end.
#[derive(Debug)]
pub(super) enum UploadFault {
    /// The client's body broke off, or is not as long as it said.
    Client,
    /// The application takes no more.
    Application(io::Error),
}

impl Upload {
    pub(in crate::gateway) fn new(body: Body) -> Self {
        let framing = match body.size_hint().exact() {
            _ if body.is_end_stream() => Framing::Nothing,
            Some(length) => Framing::Length(length),
            None => Framing::Chunks,
        };
        Self {
            body: (framing != Framing::Nothing).then_some(body),
            framing,
            piece: Bytes::new(),
            after: b"",
            begun: false,
            done: false,
            awaits_client: false,
            moved: Instant::now(),
        }
    }

    /// How the application is told where the body ends.
    pub(super) const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the application has got a byte of the request.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether the application has got all of it.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Since when the application does nothing; `None`: it is not its turn, the client has to send more.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (!self.awaits_client).then_some(self.moved)
    }

    /// Sends on, as far as that goes without waiting. `output` goes before the rest: the head of the request, at first.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        output: &mut BytesMut,
    ) -> Poll<Result<(), UploadFault>> {
        while !self.done {
            self.load(cx, output)?;
            if output.is_empty() && self.piece.is_empty() && self.after.is_empty() {
                ready!(Pin::new(stream).poll_flush(cx))?;
                if self.body.is_some() {
                    return Poll::Pending;
                }
                self.done = true;
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

    /// Asks the client for the next piece, if there is room for one.
    fn load(&mut self, cx: &mut Context<'_>, output: &mut BytesMut) -> Result<(), UploadFault> {
        while self.piece.is_empty() && self.after.is_empty() {
            let Some(body) = &mut self.body else {
                return Ok(());
            };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                self.awaits_client = true;
                return Ok(());
            };
            self.awaits_client = false;
            self.moved = Instant::now();
            match frame {
                None => self.end(output)?,
                Some(Err(_)) => return Err(UploadFault::Client),
                Some(Ok(frame)) => self.piece(frame.into_data().unwrap_or_default(), output)?,
            }
        }
        Ok(())
    }

    fn piece(&mut self, piece: Bytes, output: &mut BytesMut) -> Result<(), UploadFault> {
        let length = piece.len();
        match &mut self.framing {
            _ if length == 0 => return Ok(()),
            Framing::Nothing => return Err(UploadFault::Client),
            Framing::Length(left) => {
                let rest = left.checked_sub(length as u64);
                *left = rest.ok_or(UploadFault::Client)?;
                if *left == 0 {
                    self.body = None;
                }
            }
            Framing::Chunks => {
                output.extend_from_slice(format!("{length:x}\r\n").as_bytes());
                self.after = b"\r\n";
            }
        }
        self.piece = piece;
        Ok(())
    }

    fn end(&mut self, output: &mut BytesMut) -> Result<(), UploadFault> {
        self.body = None;
        match self.framing {
            Framing::Length(_) => Err(UploadFault::Client),
            Framing::Nothing => Ok(()),
            Framing::Chunks => {
                output.extend_from_slice(b"0\r\n\r\n");
                Ok(())
            }
        }
    }

    fn poll_write(
        &self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
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
        self.begun = true;
        self.moved = Instant::now();
        let head = written.min(output.len());
        output.advance(head);
        let piece = (written - head).min(self.piece.len());
        self.piece.advance(piece);
        self.after = &self.after[written - head - piece..];
    }
}

impl From<io::Error> for UploadFault {
    fn from(error: io::Error) -> Self {
        Self::Application(error)
    }
}
