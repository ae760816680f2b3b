//! A conversation as far as it is simple: requests of HTTP/1.1 without a body.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::BytesMut;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use crate::gateway::{Sending, SendingFault};
use crate::patience::Patience;

use super::date::Date;
use super::ending::Ear;
use super::request::{self, Manner, Read};
use super::{HEAD_TIME, answer};

/// A connection that is spoken to.
#[derive(Debug)]
pub(super) struct Simple<S> {
    stream: S,
    /// What has been read and not yet been understood.
    input: BytesMut,
    /// What is to be written.
    output: BytesMut,
    patience: Patience,
    date: Date,
}

/// What comes after a simple conversation.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing: the client went, or was told to.
    End,
    /// A request that is not simple.
    Beyond,
}

/// What the client says.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once")]
enum Heard {
    Request(Request<Body>, Manner),
    Next(Next),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Simple<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            patience: Patience::default(),
            date: Date::default(),
        }
    }

    /// Answers one request after the other.
    pub(super) async fn converse<A, F>(&mut self, answer: &A, ear: &mut Ear) -> io::Result<Next>
    where
        A: Fn(Request<Body>) -> F,
        F: Future<Output = Response<Body>>,
    {
        loop {
            let (request, mut manner) = match self.hear(ear).await? {
                Heard::Request(request, manner) => (request, manner),
                Heard::Next(next) => return Ok(next),
            };
            // Kept with the connection: to make room for it with each request takes more than it saves.
            let answering = pin!(answer(request));
            let Some(response) = self.wait(answering).await? else {
                return Ok(Next::End);
            };
            manner.persists &= !ear.is_told();
            let (sending, persists) = answer::begin(&mut self.output, response, manner, &mut self.date);
            if !self.send(sending).await? {
                return Ok(Next::End);
            }
            if !persists {
                self.stream.shutdown().await?;
                return Ok(Next::End);
            }
            if self.output.capacity() > MOST_KEPT {
                self.output = BytesMut::new();
            }
        }
    }

    /// The stream, and what has been read of it too early.
    pub(super) fn into_parts(self) -> (S, BytesMut) {
        (self.stream, self.input)
    }

    /// Waits for a request.
    async fn hear(&mut self, ear: &mut Ear) -> io::Result<Heard> {
        let until = Instant::now() + HEAD_TIME;
        poll_fn(|cx| self.poll_hear(cx, ear, until)).await
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>, ear: &mut Ear, until: Instant) -> Poll<io::Result<Heard>> {
        loop {
            if !self.input.is_empty() {
                match request::read(&mut self.input) {
                    Read::Simple(request, manner) => return Poll::Ready(Ok(Heard::Request(request, manner))),
                    Read::Beyond => return Poll::Ready(Ok(Heard::Next(Next::Beyond))),
                    Read::Part => {}
                }
            } else if ear.poll(cx) {
                return Poll::Ready(Ok(Heard::Next(Next::End)));
            }
            match self.poll_fill(cx)? {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Ok(Heard::Next(Next::End))),
                Poll::Pending => {
                    ready!(self.patience.poll(cx, until));
                    return Poll::Ready(Ok(Heard::Next(Next::End)));
                }
            }
        }
    }

    /// Waits for an answer; `None`: the client has gone, and nobody needs it any more.
    async fn wait<F>(&mut self, mut answering: Pin<&mut F>) -> io::Result<Option<Response<Body>>>
    where
        F: Future<Output = Response<Body>>,
    {
        poll_fn(|cx| match answering.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Ok(Some(response))),
            Poll::Pending => self.poll_gone(cx).map_ok(|()| None),
        })
        .await
    }

    /// Sends an answer; `false`: the client has gone.
    async fn send(&mut self, mut sending: Sending) -> io::Result<bool> {
        poll_fn(|cx| match sending.poll(cx, &mut self.stream, &mut self.output) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(true)),
            Poll::Ready(Err(SendingFault::Peer(error))) => Poll::Ready(Err(error)),
            // The client must not take it for whole, so nothing follows.
            Poll::Ready(Err(SendingFault::Body)) => Poll::Ready(Err(io::Error::other("an answer broke off"))),
            Poll::Pending => self.poll_gone(cx).map_ok(|()| false),
        })
        .await
    }

    /// Ready when the client has gone. What it says in the meantime is its next request.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.input.len() < MOST_AHEAD {
            if !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    /// Reads what has come; `false`: the client says no more.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.input.capacity() - self.input.len() < LEAST_ROOM {
            self.input.reserve(ROOM);
        }
        let read = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input))?;
        Poll::Ready(Ok(read > 0))
    }
}

/// Bytes that are made room for, and when there are fewer.
const ROOM: usize = 4 * 1024;
const LEAST_ROOM: usize = 1024;

/// Bytes that are read while an answer is under way.
const MOST_AHEAD: usize = 4 * 1024;

/// Bytes of a buffer that a connection keeps.
const MOST_KEPT: usize = 16 * 1024;
