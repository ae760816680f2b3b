//! What must be refused, and how: a request goes in; a status, a problem and a header come out.
//!
//! * [`presence`]: what is absent, doubled, or in two places;
//! * [`base_string`], [`forms`]: what was signed is what arrived; [`advice`]: why it is not;
//! * [`proxies`]: under which name it was called; [`identity`]: who says who calls;
//! * [`methods`]: the key decides; [`freshness`]: once, and for a while;
//! * [`owners`], [`tokens`], [`renewal`]: whose they are, and how they end; [`two_legged`]: calls without a user's token;
//! * [`callbacks`], [`authorize`]: where the verifier is sent, and who learns it;
//! * [`contract`]: the answers that consumers rely on; [`doors`]: the endpoints by their names;
//! * [`keys`]: secret keys that one replica has and another lacks;
//! * [`races`]: two at the same instant; [`strangers`]: whoever cannot sign; [`resources`]: too much of something.

mod advice;
mod authorize;
mod base_string;
mod callbacks;
mod contract;
mod doors;
mod forms;
mod freshness;
mod identity;
mod keys;
mod methods;
mod owners;
mod presence;
mod proxies;
mod races;
mod renewal;
mod resources;
mod strangers;
mod tokens;
mod two_legged;
