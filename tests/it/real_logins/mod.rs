//! The logins with real counterparts, as an administrator runs them.
//!
//! `counterpart` starts a program and ends it; `application` is a small application with a session of its own, `provider`
//! an OpenID provider (npm `oidc-provider`), `directory` OpenLDAP's `slapd`; `snippets` are the application's side of the
//! hand-off in five of its six languages: Debian has no .NET for the one in C#. A Chromium goes through all that a browser sees.

mod application;
mod counterpart;
#[cfg(feature = "ldap")]
mod directory;
mod provider;
mod snippets;
