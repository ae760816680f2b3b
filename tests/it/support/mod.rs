//! Who takes part in the tests, and what stands around them.

pub(crate) mod address;
pub(crate) mod app;
pub(crate) mod blocked;
pub(crate) mod browser;
pub(crate) mod call;
pub(crate) mod captured;
pub(crate) mod certificates;
pub(crate) mod chromium;
pub(crate) mod databases;
pub(crate) mod echo;
pub(crate) mod front;
pub(crate) mod linked;
pub(crate) mod linkgate;
pub(crate) mod network;
pub(crate) mod opener;
pub(crate) mod program;
pub(crate) mod raw;
