//! linkgate puts any web application behind Atlassian Application Links.
//!
//! **Only a verified request gets anything.** Bytes are parsed into an [`oauth::SignedRequest`], which is unverified input; only
//! `SignedRequest::verify` returns [`oauth::VerifiedRequest`]. Whatever issues a token or lets a call through takes a `VerifiedRequest`
//! and nothing else.
//!
//! ```text
//!   Bitbucket ── signed request ──> linkgate ── plain request + who it is ──> the application
//!       └────── browser popup ────> approval page ── "who are you?" ──────────┘
//! ```
//!
//! A module uses only what is below it; `tests/it/layers.rs` checks it:
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | commands | [`cli`], [`demo`] | everything below |
//! | composition | [`server`]: start, reload and stop | everything below |
//! | configuration | [`config`] composes the structs that the modules below read their settings from | the modules below |
//! | HTTP | [`web`]: pages, token endpoints and the URL map; [`links`]: the outgoing direction; [`gateway`]: signature check and proxy | axum, tower |
//! | use cases | [`provider`]: protocol, model, store and clock together; [`login`]: who is at the browser | tokio |
//! | storage | [`store`]: one SQL text for two databases | sqlx |
//! | values | [`model`]: what is kept, as state machines; [`branding`]: how an installation looks | nothing |
//! | protocol | [`oauth`]: RFC 5849 as pure functions; [`applinks`]: the documents by which peers find each other | nothing |
//!
//! [`http`] has the listener and the HTTP client and knows nothing of OAuth, users or the store; [`tls`] has certificates and
//! trust roots, [`blocking`] runs CPU-bound work, [`clock`] has the time, [`telemetry`] the log and the metrics, [`setting`] how
//! a setting is written, [`characters`] which of them mislead a reader, [`network`] which addresses count as one client.
//!
//! Without features there are the protocol modules; the feature `server` adds what is above them, `cli` and `demo` the commands.
//!
//! # Three requests
//!
//! **A request token**: [`http::listener`], [`web`] (the URL map), `web::access_log`, `web::extract`, `web::token_endpoints`,
//! [`gateway::origin`], `provider::request_token`, `provider::authenticate`, [`oauth`], [`store`].
//!
//! **A guarded call**, file by file:
//!
//! 1. [`http::listener`] serves the connection; [`http::request_id`] gives the request its id;
//! 2. [`web`] tells linkgate's own paths from the application's; `web::access_log` writes the line;
//! 3. `gateway::signature_check`: [`gateway::identity_headers`] removes the client's identity headers, [`gateway::origin`] and
//!    [`gateway::forwarded`] determine the public URL and the client, [`gateway::routes`] the mode;
//! 4. `provider::guarded_call` and `provider::authenticate` read consumer and token from `provider::cache`; [`model::Consumer`] and
//!    [`model::AccessToken`] say whether they may be used;
//! 5. [`oauth`]: `request`, `parameters`, `authorization_header`, `encoding`, `base_string`, `signature`, `timestamp`;
//! 6. `store::nonces` records the nonce: its queue, `recorder` and `tables`;
//! 7. [`gateway::proxy`] with `gateway::upstream_request` rewrites the head, and [`http::client`] sends it.
//!
//! **An approval**: the URL map, `web::session`, `web::authorize`, `provider::authorize`, [`store`], `web::render` with
//! `templates/approve.html` and `web::i18n`, the redirect to the consumer's callback.
//!
//! A call of the application to the other side: [`links::listener`], `links::call`, [`http::client`].

pub mod applinks;
#[cfg(feature = "server")]
pub mod blocking;
#[cfg(feature = "server")]
pub mod branding;
pub mod characters;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "server")]
pub mod gateway;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod links;
#[cfg(feature = "server")]
pub mod login;
#[cfg(feature = "server")]
pub mod model;
#[cfg(feature = "server")]
pub mod network;
pub mod oauth;
#[cfg(feature = "server")]
pub mod provider;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod setting;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod tls;
#[cfg(feature = "server")]
pub mod web;
