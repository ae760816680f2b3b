//! The body of an answer, on its way to the client.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};

use super::chunks::Step;
use super::head::{Head, Rest};
use super::{AnswerFault, Connection, Sending};

/// Where connections rest.
pub(in crate::gateway) trait Resting: Clone + Send + Unpin + 'static {
    /// Takes a connection whose last answer has come to its end.
    fn give_back(&self, connection: Box<Connection>);
}

/// A body, and the connection that it comes over.
///
/// The connection is given back at its end. Dropped earlier, it is closed: the application hears that nobody listens.
#[derive(Debug)]
pub(in crate::gateway) struct Answer<R> {
    /// `None`: it has come to its end.
    coming: Option<Coming<R>>,
    rest: Rest,
}

#[derive(Debug)]
struct Coming<R> {
    connection: Box<Connection>,
    /// What may still be on its way: the application can answer before it has got everything.
    upload: Option<Sending>,
    /// Where the connection rests; `None`: it cannot be used again.
    resting: Option<R>,
}

impl<R: Resting> Answer<R> {
    /// An answer whose head has come. A body that has come with it is all there is to it.
    pub(in crate::gateway) fn response(
        head: Head,
        connection: Box<Connection>,
        upload: Sending,
        resting: R,
    ) -> Response<Body> {
        let Head {
            response,
            rest,
            persists,
        } = head;
        let mut coming = Coming {
            connection,
            upload: (!upload.is_done()).then_some(upload),
            resting: persists.then_some(resting),
        };
        let here = coming.connection.input.len();
        let whole = match rest {
            Rest::Length(length) => usize::try_from(length).ok().filter(|&length| length <= here),
            _ => None,
        };
        let body = match whole {
            Some(length) if coming.upload.is_none() => {
                let body = Bytes::copy_from_slice(&coming.connection.input.split_to(length));
                coming.end();
                Body::from(body)
            }
            _ => Body::new(Self {
                coming: Some(coming),
                rest,
            }),
        };
        response.map(|()| body)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, AnswerFault>>> {
        let Some(coming) = &mut self.coming else {
            return Poll::Ready(None);
        };
        coming.push(cx);
        loop {
            let input = &mut coming.connection.input;
            match &mut self.rest {
                Rest::Length(0) => return Poll::Ready(None),
                Rest::Length(left) if !input.is_empty() => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *left -= here as u64;
                    return frame(input.split_to(here).freeze());
                }
                Rest::UntilClosed if !input.is_empty() => return frame(input.split().freeze()),
                Rest::Length(_) | Rest::UntilClosed => {}
                Rest::Chunks(chunks) => match chunks.step(input)? {
                    Some(Step::Piece(piece)) => return frame(piece),
                    Some(Step::Done(trailers)) => {
                        self.rest = Rest::Length(0);
                        return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                    }
                    None => {}
                },
            }
            if !ready!(coming.connection.poll_fill(cx))? {
                return match self.rest {
                    Rest::UntilClosed => Poll::Ready(None),
                    Rest::Length(_) | Rest::Chunks(_) => Poll::Ready(Some(Err(AnswerFault::Closed))),
                };
            }
        }
    }
}

fn frame(bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, AnswerFault>>> {
    Poll::Ready(Some(Ok(Frame::data(bytes))))
}

impl<R: Resting> Coming<R> {
    /// Sends on what is left of the request. If the application does not want it any more, its answer still counts.
    fn push(&mut self, cx: &mut Context<'_>) {
        let Some(upload) = &mut self.upload else {
            return;
        };
        let Connection { stream, output, .. } = &mut *self.connection;
        if let Poll::Ready(sent) = upload.poll(cx, stream, output) {
            self.upload = None;
            if sent.is_err() {
                self.resting = None;
            }
        }
    }

    fn end(mut self) {
        if let Some(resting) = self.resting.filter(|_| self.upload.is_none())
            && self.connection.rest()
        {
            resting.give_back(self.connection);
        }
    }
}

impl<R: Resting> http_body::Body for Answer<R> {
    type Data = Bytes;
    type Error = AnswerFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerFault>>> {
        let frame = ready!(self.poll(cx));
        if matches!(frame, Some(Err(_))) {
            self.coming = None;
        } else if (frame.is_none() || matches!(self.rest, Rest::Length(0)))
            && let Some(coming) = self.coming.take()
        {
            coming.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.coming.is_none() || matches!(self.rest, Rest::Length(0))
    }

    fn size_hint(&self) -> SizeHint {
        match self.rest {
            Rest::Length(left) => SizeHint::with_exact(left),
            Rest::Chunks(_) | Rest::UntilClosed => SizeHint::new(),
        }
    }
}
