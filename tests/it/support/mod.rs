//! What the tests share.

pub(crate) mod database;
pub(crate) mod echo;
pub(crate) mod http;
pub(crate) mod program;
