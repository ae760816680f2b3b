//! Whatever needs a server, a socket, a database or a foreign client.

#![expect(
    clippy::unwrap_used,
    reason = "test helpers may unwrap; clippy's own exception covers #[test] functions alone"
)]

mod administration;
mod applinks;
mod audit;
mod branding;
mod browser;
mod buildbot;
mod cli;
mod clients;
mod clocks;
mod config;
mod connections;
#[cfg(feature = "demo")]
mod demo;
mod forward_auth;
mod gateway;
mod layers;
mod links;
mod login;
mod long;
mod manuals;
mod model;
mod operators;
mod own_paths;
mod pages;
mod protocol;
mod published;
mod real_logins;
mod refusals;
mod rejected;
mod restart;
mod server;
mod store;
mod streaming;
mod support;
mod tls;
mod vectors;
