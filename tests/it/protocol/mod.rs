//! `linkgate::oauth` and `linkgate::applinks` alone: pure functions, without a server. Published vectors are in `vectors`.

mod documents;
mod keys;
mod parameters;
mod parts;
mod rows;
mod signatures;
mod signed_requests;
