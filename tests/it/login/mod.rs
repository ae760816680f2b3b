//! Sign-in, sessions, the approval page and its forms, over HTTP.
//!
//! [`site`] is a running linkgate and the browsers in front of it. Then, in a visit's order: `signing_in`, `sessions`,
//! `questions` (what is shown), `answers` (what is done), `forms` (what is refused), `methods` (the ways in beside the
//! password file). `user_lookup` asks the application who exists.

mod answers;
mod forms;
pub(crate) mod methods;
mod questions;
mod sessions;
mod signing_in;
pub(crate) mod site;
mod user_lookup;
