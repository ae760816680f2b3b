//! What tests are made of.
//!
//! * A provider in front of an application that records what reaches it: [`Linkgate::start`], or [`Setup`] with other lines of
//!   its configuration. Its clock stands still until a test advances it.
//! * A call of a consumer: [`Peer`] makes a [`Call`], which is signed when it is sent. `call.passes(&linkgate)` expects 200,
//!   `call.refused(&linkgate, "token_rejected")` that problem with its status.
//! * A user: [`Browser`] keeps cookies and sends [`Form`]s.
//! * Anything else: [`Request`], byte for byte, and [`Response`].
//! * A test on both databases: [`on_both!`]. A test of the program itself: [`Program`]. Outgoing links: [`Linked`].
//!
//! To test a refusal: choose the file of its `oauth_problem` in `refusals`, write the request as a row of a table there, and
//! assert what did not happen (nothing reached the application, nothing was written).

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

pub(crate) use address::reserved;
pub(crate) use app::{App, Received, read_head};
pub(crate) use blocked::Blocked;
pub(crate) use browser::{AUTHORIZE, Browser, Form, assert_notice, code, location, question, verifier};
pub(crate) use call::{CALLBACK, Call, Credentials, Key, Peer, Place, credentials, encode, form_text};
pub(crate) use captured::Captured;
pub(crate) use certificates::{Authority, Issued};
pub(crate) use chromium::{Chromium, JavaScript};
pub(crate) use databases::{Database, on_both, rng, with};
pub(crate) use front::{FrontProxy, deployed, prepared};
pub(crate) use linked::{Linked, Planned, TOKEN, pair, path};
pub(crate) use linkgate::{Linkgate, Setup, private_key, public_key};
pub(crate) use network::Network;
pub(crate) use program::{Program, Running, SHARED_SECRET};
pub(crate) use raw::{Request, Response, Text, exchange, lower_names, rows};
