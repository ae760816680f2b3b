//! THE THINGS WE KEEP, as values and state machines. Still pure: no database, no clock.

mod access_token;
mod consumer;
mod request_token;
mod user;

pub use access_token::{AccessToken, Session as TokenSession};
pub use consumer::{Consumer, ConsumerSource};
pub use request_token::{RequestToken, RequestTokenState};
pub use user::User;
