//! What is kept, as values and state machines. Pure: no database, no clock. A `check_…` returns the problem that forbids it.

mod access_token;
mod audit;
mod consumer;
mod link;
mod name_pattern;
mod request_token;
mod user;

pub use access_token::{AccessToken, NewAccess, TokenSession, UNKNOWN_TOKEN, WRONG_HANDLE};
pub use audit::{AuditEvent, AuditKind};
pub use consumer::{Consumer, ConsumerSource};
pub use link::{LinkConnection, LinkState, PendingAuthorization};
pub use name_pattern::NamePattern;
pub use request_token::{RequestToken, RequestTokenState};
pub use user::{BrowserSession, SessionId, User, UserStatus};
