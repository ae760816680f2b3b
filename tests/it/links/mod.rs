//! The other direction: linkgate as the consumer of another side, for the application beside it.
//!
//! 1. [`two_way`]: two linkgates, each the other's consumer and provider, all three kinds of calls;
//! 2. [`calls`]: what goes out and what comes back, byte for byte;
//! 3. [`foreign`]: a foreign provider;
//! 4. [`secured`]: a link to an https address;
//! 5. [`trouble`]: everything that can go wrong there, and that no token is lost which still works.

mod calls;
mod foreign;
mod secured;
mod trouble;
mod two_way;
