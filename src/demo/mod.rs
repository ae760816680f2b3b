//! THE DEMO: a small application and a simulated Bitbucket around the real server.
//!
//! Everything here plays the outside. It meets linkgate over HTTP alone, as the peers of a real installation do; what an
//! administrator would do by hand (revoke, restart) comes in as [`Operator`]. In reading order:
//!
//! 1. [`wire`]: a call and its answer, kept byte for byte; [`form`] writes and reads what stands in them;
//! 2. [`Buildboard`]: the application, which knows nothing of OAuth;
//! 3. [`Bitbucket`]: the consumer, with a page to click on;
//! 4. [`Browser`]: cookies, redirects and forms, for the run without a browser;
//! 5. [`headless`]: that run, step by step;
//! 6. [`config`]: the files that the real server is started with.

pub mod bitbucket;
pub mod browser;
pub mod buildboard;
pub mod config;
pub mod form;
pub mod headless;
pub mod operator;
pub mod wire;

use crate::oauth::Token;

pub use bitbucket::Bitbucket;
pub use browser::Browser;

pub use buildboard::Buildboard;
pub use operator::Operator;

/// 32 letters and digits that nobody can guess: a nonce, a session of Buildboard's.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulated peers have randomness of their own"
)]
fn fresh() -> String {
    Token::generate("", &mut rand::rng()).as_str().to_owned()
}
