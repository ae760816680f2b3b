//! linkgate puts any web application behind Atlassian Application Links.
//!
//! One idea runs through the house: **a claim becomes a fact in exactly one place.** A request arrives as bytes, is
//! parsed into an [`oauth::SignedRequest`] (a claim), and becomes [`oauth::Authentic`] (a fact) only inside
//! `SignedRequest::verify`. Nothing that issues a token or lets a request through accepts anything but the fact.
//!
//! ```text
//!   Bitbucket ── signed request ──> linkgate ── plain request + who it is ──> the application
//!       └────── browser popup ────> approval page ── "who are you?" ──────────┘
//! ```
//!
//! An arrow only points down, and `tests/it/layers.rs` is the wall:
//!
//! | floor | rooms | may use |
//! |---|---|---|
//! | the door | [`cli`], which alone reads [`config`] | everything below |
//! | HTTP | [`web`]: pages and token endpoints; [`links`]: the other direction, in which we call for the application; [`gateway`]: guard and proxy | axum, tower, hyper, askama |
//! | use cases | [`provider`]: the only place where protocol, model, store and clock meet; [`login`]: who is at the browser | tokio |
//! | memory | [`store`]: one SQL text for two databases | sqlx |
//! | things | [`model`]: what we keep, as state machines; [`branding`]: what an installation looks like | nothing |
//! | protocol | [`oauth`]: RFC 5849 as pure functions over values; [`applinks`]: the documents by which peers find each other | nothing |
//!
//! [`demo`] is the world around a linkgate: a small application and a simulated Bitbucket. [`clock`] is where time
//! comes from, [`patience`] how long we wait, [`telemetry`] where the log goes, [`tls`] who proves what at either end of a
//! connection.
//!
//! To read: a request token's way is `web::request_token`, `provider::request_token`, `provider::authenticate`,
//! [`oauth::SignedRequest`]. A guarded call's way is `web::conversation`, [`web::Site`], [`gateway::SignatureCheck`],
//! `provider::admit`, [`gateway::Proxy`].
//! A call of the application's own is [`links::listener`], `links::call`, [`http::client::HttpClient`].

pub mod applinks;
pub mod branding;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod gateway;
pub mod http;
pub mod links;
pub mod login;
pub mod model;
pub mod oauth;
pub mod provider;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod web;
