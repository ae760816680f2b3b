//! RFC 5849 (OAuth Core 1.0a) as pure functions: no I/O, no clock, no log. One module for each section:
//!
//! | section | module | |
//! |---|---|---|
//! | 1.1 | [`credentials`] | [`ConsumerKey`], [`Token`], [`Secret`] |
//! | 2.1, 2.2 | [`callback`] | [`Callback`], and which the configuration allows |
//! | 3.1, 3.2 | [`request`] | [`SignedRequest`], parsed; [`VerifiedRequest`], its signature matched |
//! | 3.3 | [`timestamp`] | [`Timestamp`], [`Nonce`], [`TimestampWindow`] |
//! | 3.4.1 | [`base_string`] | the text that consumer and server sign |
//! | 3.4.1.2 | [`url`] | [`PublicUrl`]: the URL that consumers sign |
//! | 3.4.1.3 | [`parameters`] | collected from header, query and form, and normalized |
//! | 3.4.2 to 3.4.4 | [`signature`], [`hash`], [`public_key`], [`private_key`] | methods and keys |
//! | 3.5.1 | [`authorization_header`] | `Authorization: OAuth` |
//! | 3.6 | [`encoding`] | percent-encoding |
//! | 3.1, as a consumer | [`client`] | [`RequestSigner`] |
//! | Problem Reporting 1.0 | [`problem`], [`diagnose`] | [`Problem`]: why a request is rejected |
//!
//! # Errors
//!
//! A `parse` of a configured text fails with a sentence that names what to write instead, and one of a parameter's value with
//! the [`Problem`] that the consumer is told.
//!
//! The words are those of OAuth Core 1.0a, which consumers show; RFC 5849 calls a *consumer* a client, a *request token*
//! temporary credentials, an *access token* token credentials and a *verifier* a verification code.

pub mod authorization_header;
pub mod base_string;
pub mod callback;
pub mod client;
pub mod credentials;
pub mod diagnose;
pub mod encoding;
pub mod hash;
pub mod parameters;
pub mod private_key;
pub mod problem;
pub mod public_key;
pub mod request;
pub mod signature;
pub mod timestamp;
pub mod url;

pub use callback::{AllowedCallback, Callback, CallbackUrl};
pub use client::{RequestSigner, SignError, TokenParameter, UnsignedRequest};
pub use credentials::{ConsumerKey, Secret, Token, TokenCredentials};
pub use hash::BodyHash;
pub use parameters::{Parameters, Source};
pub use private_key::PrivateKey;
pub use problem::Problem;
pub use public_key::{KeyError, PublicKey};
pub use request::{RequestView, SignedRequest, VerifiedRequest};
pub use signature::{SignatureMethod, SigningKey, VerificationKey};
pub use timestamp::{Nonce, Timestamp, TimestampWindow};
pub use url::{Origin, PathPrefix, PublicUrl};
