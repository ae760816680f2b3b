//! linkgate puts any web application behind Atlassian Application Links.
//!
//! One idea runs through the house: **a claim becomes a fact in exactly one place.** A request arrives as bytes, is
//! parsed into an [`oauth::SignedRequest`] (a claim), and becomes [`oauth::Authentic`] (a fact) only inside
//! `SignedRequest::verify`. Nothing that issues a token or lets a request through accepts anything but the fact.

pub mod cli;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod model;
pub mod oauth;
pub mod provider;
pub mod store;
pub mod telemetry;
