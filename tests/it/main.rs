//! Whatever needs a server, a socket, a database or a foreign client.

#![expect(
    clippy::unwrap_used,
    reason = "test helpers may unwrap; clippy's own exception covers #[test] functions alone"
)]

mod config;
mod layers;
