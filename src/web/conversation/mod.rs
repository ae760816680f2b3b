//! A connection's requests, one after the other, until either side ends it.
//!
//! Most of what is asked is simple: HTTP/1.1, a head without a body. That much is spoken here, without a detour, because
//! every request of somebody's application pays for it. With the first request that is anything else (a body, an upgrade, a
//! head that is not well formed), and over HTTP/2, the connection goes over to hyper, with what has been read of it.
//!
//! * `simple`: the conversation as far as it is simple; `request` reads a head, `answer` writes one, with the `date`;
//! * `full`: hyper's, which reads from the beginning what has been `rewound`, in the time that `head_timer` gives it;
//! * `ending`: how all conversations are told to come to their end.

mod answer;
mod date;
mod ending;
mod full;
mod head_timer;
mod request;
mod rewound;
mod simple;

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

pub(super) use ending::Ending;

use rewound::Rewound;
use simple::{Next, Simple};

/// Answers the requests of a connection. It must be a task of its own: told to end, it wakes the task that it began in.
pub(super) async fn converse<S, A, F>(stream: S, peer: SocketAddr, answer: A, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    A: Fn(Request<Body>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (mut simple, mut ear) = (Simple::new(stream), ending.ear());
    match simple.converse(&answer, &mut ear).await {
        Ok(Next::End) => {}
        Ok(Next::Beyond) => {
            let (stream, input) = simple.into_parts();
            // Boxed: hyper's state is large, and most connections have none.
            Box::pin(full::converse(Rewound::new(input, stream), peer, answer, ear)).await;
        }
        Err(error) => tracing::debug!(%peer, %error, "a connection ended early"),
    }
}

/// How long a request's head may take to arrive; also how long a kept connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(75);

/// How large a request's head may be, in bytes; a larger one is answered 431.
const HEAD_BYTES: usize = 64 * 1024;
