//! Who takes part in the tests, and what stands around them.

pub(crate) mod app;
pub(crate) mod call;
pub(crate) mod databases;
pub(crate) mod raw;
