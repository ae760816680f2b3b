//! HTTP without OAuth: what every listener and every outgoing call of linkgate shares.
//!
//! * [`listener`]: accepts connections, with TLS if configured, and serves them through hyper with fixed limits;
//! * [`socket`]: the TCP or Unix socket of a listener;
//! * `beginning`: the protocol by the first bytes of a connection;
//! * `head_timer`: the time for heads of requests; `half_open`: how many connections may wait for one;
//! * `field_case`: `WWW-Authenticate` as it is usually written;
//! * `stopping`: responses of a server that stops; `unread`: responses over HTTP/2 that a client does not read;
//! * [`workers`]: one current-thread runtime for each core;
//! * [`request_id`]: the reference that a response, a page and a log line share;
//! * [`header_text`]: names of users as values of header fields;
//! * [`negotiate`]: single values and lists of header fields, with weights;
//! * [`operators`]: `/healthz`, `/readyz` and `/metrics`;
//! * [`client`]: the only outbound client, for the application, links and logins.

mod beginning;
pub mod client;
mod field_case;
mod half_open;
mod head_timer;
pub mod header_text;
pub mod listener;
pub mod negotiate;
pub mod operators;
pub mod request_id;
pub mod socket;
mod stopping;
mod unread;
pub mod workers;

pub use listener::{HttpService, Listener};
pub use request_id::RequestId;
pub use socket::Socket;
pub use workers::Workers;
