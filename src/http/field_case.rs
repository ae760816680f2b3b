//! `WWW-Authenticate` as it is usually written: some clients look for it in this case only, though names of fields mean the
//! same in any (RFC 9110, section 5.1). hyper would write `Www-Authenticate`.

use std::convert::Infallible;
use std::future::ready;
use std::mem;

use axum::body::Body;
use http::header::WWW_AUTHENTICATE;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{join, sink};
use tokio::sync::OnceCell;

/// Has hyper write the challenge of a response in this case, unless it came from a server that wrote another.
pub(super) async fn write_as_usual(response: &mut Response<Body>) {
    // The names of fields as hyper read them. Only hyper can name the type.
    static CASE: OnceCell<Extensions> = OnceCell::const_new();
    if response.headers().contains_key(WWW_AUTHENTICATE) {
        let case = CASE.get_or_init(|| Box::pin(read_case())).await.clone();
        let of_server = mem::replace(response.extensions_mut(), case);
        response.extensions_mut().extend(of_server);
    }
}

async fn read_case() -> Extensions {
    let message = b"GET / HTTP/1.0\r\nWWW-Authenticate: OAuth\r\n\r\n";
    let case = Mutex::new(Extensions::new());
    let service = service_fn(|request: Request<Incoming>| {
        *case.lock() = request.into_parts().0.extensions;
        ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    // It ends with the message.
    let _ = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(join(&message[..], sink())), service)
        .await;
    case.into_inner()
}
