//! A connection to the application, spoken to in HTTP/1.1.
//!
//! Whoever sends a request drives its connection: no task beside, no channel in between. That is what makes it fast, and
//! it lets one place know both how far a request and how far its answer has come.
//!
//! * [`Connection`], below: sends a request and reads the head of its answer;
//! * `stream`: the bytes, in the clear or over TLS;
//! * `request`: the head of a request, written; `sending`: a body on its way; `head`: the head of an answer, read;
//! * `answer`: the answer's body, which gives the connection back at its end; `chunks`: a body of unknown length.

mod answer;
mod chunks;
mod head;
mod request;
mod sending;
mod stream;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Method;
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::error::GatewayError;
use super::onward::Onward;
use crate::patience::Patience;
use head::Head;

pub(super) use answer::{Answer, Resting};
pub(crate) use request::{Framing, field};
pub(crate) use sending::{Sending, SendingFault};
pub(super) use stream::Stream;

/// A connection that takes one request after the other.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// What has been read and not yet been understood.
    input: BytesMut,
    /// What is to be written: the head of a request, or of a chunk.
    output: BytesMut,
    /// How much is read at once.
    reading: usize,
    patience: Patience,
}

/// Why there is no whole answer of the application.
#[derive(Debug, thiserror::Error)]
pub enum AnswerFault {
    /// It closed the connection.
    #[error("it closed the connection")]
    Closed,
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// This is not HTTP/1.
    #[error("it does not speak HTTP/1: {0}")]
    Head(httparse::Error),
    /// It is HTTP, and says what it must not.
    #[error("{0}")]
    Malformed(&'static str),
    /// Its head has no end.
    #[error("the head of its answer is too large")]
    TooLarge,
}

/// Why a request got no answer on this connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// The application has not got a byte of it: it can be sent on another connection.
    Unsent(io::Error),
    /// It may have got something of it.
    GatewayError(GatewayError),
}

impl Connection {
    /// Takes a stream that nobody has spoken on.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            reading: LEAST,
            patience: Patience::default(),
        }
    }

    /// Whether a connection that rests is still open. Nobody speaks on it, so that whatever comes is its end.
    pub(super) fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let mut nobody = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream)
            .poll_read(&mut nobody, &mut buffer)
            .is_pending()
    }

    /// Writes the head of a request, to be sent with what follows.
    pub(super) fn begin(&mut self, request: &Onward, upload: &Sending) {
        self.output.clear();
        request::write(&mut self.output, request, upload.framing());
    }

    /// Takes over a request that came to nothing on another connection.
    pub(super) fn begin_again(&mut self, other: Self) {
        self.output = other.output;
    }

    /// Sends a request, and waits for the head of its answer, for so long that the application does nothing.
    pub(super) async fn head(
        &mut self,
        method: &Method,
        upload: &mut Sending,
        within: Duration,
    ) -> Result<Head, Failure> {
        poll_fn(|cx| self.poll_head(cx, method, upload, within)).await
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
        upload: &mut Sending,
        within: Duration,
    ) -> Poll<Result<Head, Failure>> {
        match upload.poll(cx, &mut self.stream, &mut self.output) {
            Poll::Ready(Err(SendingFault::Body)) => return Poll::Ready(Err(GatewayError::BrokenBody.into())),
            Poll::Ready(Err(SendingFault::Peer(error))) if !upload.has_begun() => {
                return Poll::Ready(Err(Failure::Unsent(error)));
            }
            // It may have answered before it hung up.
            Poll::Ready(Err(SendingFault::Peer(_)) | Ok(())) | Poll::Pending => {}
        }
        match self.poll_answer(cx, method) {
            Poll::Ready(answer) => {
                Poll::Ready(answer.map_err(|fault| GatewayError::BrokenAnswer(fault).into()))
            }
            Poll::Pending => {
                let Some(since) = upload.idle_since() else {
                    return Poll::Pending;
                };
                ready!(self.patience.poll(cx, since + within));
                Poll::Ready(Err(GatewayError::AnswerTimeout.into()))
            }
        }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>, method: &Method) -> Poll<Result<Head, AnswerFault>> {
        loop {
            if !self.input.is_empty()
                && let Some(head) = head::read(&mut self.input, method)?
            {
                return Poll::Ready(Ok(head));
            }
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Err(AnswerFault::Closed));
            }
        }
    }

    /// Reads what has come; `false`: the application has closed the connection. The more comes, the more is read at once.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.input.reserve(self.reading);
        let room = self.input.capacity() - self.input.len();
        let read = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input))?;
        if read == room {
            self.reading = (self.reading * 2).min(MOST);
        }
        Poll::Ready(Ok(read > 0))
    }

    /// Makes it rest. `false`: more has come than was asked for, so that nobody knows what the next answer would be.
    fn rest(&mut self) -> bool {
        self.reading = LEAST;
        for buffer in [&mut self.input, &mut self.output] {
            if buffer.capacity() > MOST_KEPT {
                *buffer = BytesMut::new();
            }
        }
        self.input.is_empty()
    }

    /// The stream, and what has been read of it too early: it stops being HTTP.
    pub(super) fn into_stream(self) -> (Stream, Bytes) {
        (self.stream, self.input.freeze())
    }
}

impl From<GatewayError> for Failure {
    fn from(fault: GatewayError) -> Self {
        Self::GatewayError(fault)
    }
}

/// Bytes that are read at once, at least and at most.
const LEAST: usize = 4 * 1024;
const MOST: usize = 128 * 1024;

/// Bytes of a buffer that a resting connection keeps.
const MOST_KEPT: usize = 16 * 1024;
