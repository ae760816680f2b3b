//! Attempts to sign in, counted in the store for all replicas together, and login round trips.
//!
//! A client decides how many names there are to count, so none of them gets a row of its own: the store has a fixed
//! number of slots (see `migrations/*/0001_init.sql`), and a keyed hash assigns them. Two names that share
//! a slot share its limit; without the key such a name cannot be searched for.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::oauth::{Timestamp, Token};
use crate::store::StoreError;

use super::Provider;

impl Provider {
    /// Counts an attempt, before anything else is done for it. `Some`: how long to wait instead.
    ///
    /// The address comes first: one that is refused does not use up the attempts of a name. Unknown names are counted like
    /// known ones, so that the limit does not tell which is which.
    pub async fn count_sign_in(
        &self,
        address: IpAddr,
        name: Option<&str>,
    ) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now().seconds();
        let (minute, rules) = (now.div_euclid(60), &self.rules.sessions);
        let wait = Duration::from_secs((60 - now.rem_euclid(60)).unsigned_abs());
        let address = self.slot("sign-in-address", &network(address));
        let name = name.map(|name| SLOTS + self.slot("sign-in-account", name.as_bytes()));
        let limited = [
            (Some(address), rules.attempts_per_address),
            (name, rules.attempts_per_account),
        ];
        for (slot, most) in limited {
            if let Some(slot) = slot
                && !self.store.count_attempt(slot, minute, most).await?
            {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    /// Completes a login flow. `false`: it was completed before.
    pub async fn finish_login(&self, id: &Token, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.store.finish_trip(id, expires_at).await
    }

    fn slot(&self, purpose: &str, of: &[u8]) -> i64 {
        let [a, b, ..] = self.keyring.mac(purpose, &[of]);
        i64::from(u16::from_be_bytes([a, b])) % SLOTS
    }
}

/// An address, or the /64 of an IPv6 address: one client has the whole of it.
pub(super) fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).octets().to_vec()
        }
        IpAddr::V4(v4) => v4.octets().to_vec(),
    }
}

/// For addresses, and as many for names.
const SLOTS: i64 = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_one_network() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
