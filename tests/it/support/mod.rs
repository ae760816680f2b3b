//! What the tests play with.

pub(crate) mod call;
pub(crate) mod http;
