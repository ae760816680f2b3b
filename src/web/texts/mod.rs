//! Every text of the pages: one [`Texts`] for each language, so that a text that one of them lacks does not compile.
//!
//! `{application}`, `{consumer}`, `{user}`, `{host}`, `{wait}` and their like stand for what the page fills in; a test
//! compares them between the languages. `language` chooses; `english`, `japanese` and `german` are the catalogues;
//! `time` writes a moment as people of a language do.

mod catalogue;
mod english;
mod german;
mod japanese;
mod language;
mod time;

pub(super) use catalogue::{Notices, Plural, SigningIn, Texts, Words};
pub(super) use language::Language;

#[cfg(test)]
mod tests;
