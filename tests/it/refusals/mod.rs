//! Requests that must be rejected: a request goes in; a status, a problem and a header come out.
//!
//! A file for each `oauth_problem`: [`parameter_absent`], [`parameter_rejected`], [`signature_invalid`],
//! [`signature_method_rejected`], [`timestamp_refused`], [`nonce_used`], [`token_rejected`]. Then what is signed:
//!
//! * [`signature_base_string`], [`base_string_uri`], [`form_body`]: method, path, query and form; scheme, host and proxies;
//! * [`callback`], [`authorization`]: where the verifier is sent, and which user it is for;
//! * [`token_credentials`], [`session_handle`]: how request tokens and access tokens end, and are renewed;
//! * [`two_legged`]: calls without a user's token, and body hashes;
//! * [`responses`]: the responses that consumers rely on; [`endpoints`]: paths, and the routes of the application;
//! * [`identity_headers`]: what a client says of its user is removed;
//! * [`secret_keys`]: keys that one replica has and another lacks; [`concurrency`]: two requests at the same instant;
//! * [`unauthenticated`]: requests without a true signature write nothing; [`limits`]: sizes, counts and rates.

mod authorization;
mod base_string_uri;
mod callback;
mod concurrency;
mod endpoints;
mod form_body;
mod identity_headers;
mod limits;
mod nonce_used;
mod parameter_absent;
mod parameter_rejected;
mod responses;
mod secret_keys;
pub(crate) mod session_handle;
mod signature_base_string;
mod signature_invalid;
mod signature_method_rejected;
mod timestamp_refused;
mod token_credentials;
mod token_rejected;
mod two_legged;
mod unauthenticated;

const TOKEN_ENDPOINTS: [&str; 4] = [
    "/oauth/request-token",
    "/oauth/access-token",
    "/plugins/servlet/oauth/request-token",
    "/plugins/servlet/oauth/access-token",
];
