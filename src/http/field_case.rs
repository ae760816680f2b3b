//! `WWW-Authenticate` as it is usually written: some clients look for it in this case only, though names of fields mean the
//! same in any (RFC 9110, section 5.1). hyper would write `Www-Authenticate`.

use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use http::header::WWW_AUTHENTICATE;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{join, sink};

/// Names of fields in the case in which hyper read them: extensions of a message, of a type that only hyper can name.
#[derive(Clone, Debug)]
pub(super) struct FieldCase(Arc<Extensions>);

impl FieldCase {
    /// Has hyper read a message with the names.
    pub(super) async fn read() -> Self {
        let names = Mutex::new(Extensions::new());
        let service = service_fn(|request: Request<Incoming>| {
            *names.lock().unwrap_or_else(PoisonError::into_inner) = request.into_parts().0.extensions;
            ready(Ok::<_, Infallible>(Response::new(Body::empty())))
        });
        let message = join(MESSAGE, sink());
        // It ends with the message.
        let _ = http1::Builder::new()
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(message), service)
            .await;
        Self(Arc::new(
            names.into_inner().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    /// The response, whose challenge is written in this case unless a server wrote it in another.
    pub(super) fn applied_to(&self, mut response: Response<Body>) -> Response<Body> {
        if response.headers().contains_key(WWW_AUTHENTICATE) {
            let of_server = std::mem::replace(response.extensions_mut(), (*self.0).clone());
            response.extensions_mut().extend(of_server);
        }
        response
    }
}

const MESSAGE: &[u8] = b"GET / HTTP/1.0\r\nWWW-Authenticate: OAuth\r\n\r\n";
