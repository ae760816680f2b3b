//! Who takes part in the tests: the application behind us, and what stands around it.

pub(crate) mod app;
