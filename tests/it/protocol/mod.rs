//! `linkgate::oauth` alone: pure functions, without a server. Published vectors are in `vectors`.

mod keys;
mod parts;
mod rows;
mod signatures;
mod signed_requests;
