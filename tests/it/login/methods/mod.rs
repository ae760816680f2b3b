//! The login methods beside the password file.
//!
//! `whoami` is an application that says who is there, `issuer` an identity provider; then a file for each method. `recheck` and `attempts` are about all
//! of them. Real counterparts (an OpenID provider, a directory, a browser) are in `crate::real_logins`.

mod attempts;
pub(crate) mod handoff;
pub(crate) mod issuer;
mod oidc;
mod password_file;
mod probe;
mod recheck;
mod trusted_header;
mod whoami;
