//! What the tests share.

pub(crate) mod chromium;
pub(crate) mod database;
pub(crate) mod echo;
pub(crate) mod http;
pub(crate) mod opener;
pub(crate) mod program;
