//! THE PROTOCOL: OAuth Core 1.0a as RFC 5849 writes it down, as pure functions over values.
//!
//! No I/O, no async, no clock, no log. The way of a request through this folder:
//!
//! 1. [`header`]: the `Authorization: OAuth` grammar (section 3.5.1), both directions;
//! 2. [`parameters`]: collect from header, query and form; sort; normalise (section 3.4.1.3);
//! 3. [`base_string`]: the bytes that both sides sign (section 3.4.1);
//! 4. [`request`]: `SignedRequest::parse` makes the claim, `SignedRequest::verify` makes the fact, [`VerifiedRequest`];
//! 5. [`signature`]: the methods (section 3.4.2 to 3.4.4), with keys read by [`key`];
//! 6. [`problem`]: every refusal on the way.
//!
//! The other direction, for our own calls: [`sign`]. Beside the way: [`encode`], `sent` and [`origin`] under all of
//! it, [`callback`] for where a user returns, [`body_hash`] for bodies that are not forms.
//!
//! | our word, and the wire's | RFC 5849 | what it is |
//! |---|---|---|
//! | [`ConsumerKey`] | client identifier | who signs |
//! | [`VerificationKey`] | client shared-secret, RSA public key | the key decides the method |
//! | [`Token`] | temporary or token credentials | what stands for a user |
//! | [`Secret`] | shared-secret | never shown |
//! | [`Verifier`] | verification code | the user who approved is the user who returned |
//! | [`Callback`] | callback URI | out-of-band, or where the browser returns |
//! | [`Timestamp`], [`Nonce`], [`TimestampWindow`] | section 3.3 | what makes a signature good once |
//! | [`Parameters`] | parameters | canonical, sorted, each with the place it came from |
//! | [`SignedRequest`] | authenticated request, claimed | parsed, believed by nobody |
//! | [`VerifiedRequest`] | authenticated request, verified | built by `verify` alone |
//! | [`Signer`] | client | we, when we are the consumer |
//! | [`Problem`] | | a refusal told to the peer |

pub mod base_string;
pub mod body_hash;
pub mod callback;
pub mod credentials;
pub mod encode;
pub mod header;
pub mod key;
pub mod origin;
pub mod parameters;
pub mod problem;
pub mod request;
mod sent;
pub mod sign;
pub mod signature;
pub mod timestamp;

pub use base_string::PublicUrl;
pub use body_hash::BodyHash;
pub use callback::{AllowedCallback, Callback, CallbackUrl};
pub use credentials::{ConsumerKey, Secret, SessionHandle, Token, Verifier};
pub use key::{PrivateKey, PublicKey};
pub use parameters::{Parameters, Source};
pub use problem::Problem;
pub use request::{RequestView, SignedRequest, VerifiedRequest};
pub use sign::{Call, Signer};
pub use signature::{SignatureMethod, SigningKey, VerificationKey};
pub use timestamp::{Nonce, Timestamp, TimestampWindow};
