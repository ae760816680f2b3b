//! Attempts to sign in, counted in the store for all replicas together, and login round trips.
//!
//! A client decides how many names there are to count, so the store has a fixed number of slots, and a keyed hash assigns them.
//! Two names that share a slot share its limit; without the key such a name cannot be searched for.

use std::net::IpAddr;
use std::time::Duration;

use crate::network::network;
use crate::oauth::{Timestamp, Token};
use crate::store::StoreError;

use super::Provider;

impl Provider {
    /// Counts an attempt, before anything else is done for it. `Some`: how long to wait instead. An address that is refused
    /// does not use up the attempts of a name; unknown names are counted like known ones.
    pub async fn count_sign_in(
        &self,
        address: IpAddr,
        name: Option<&str>,
    ) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now().seconds();
        let (minute, rules) = (now.div_euclid(60), &self.rules.sessions);
        let wait = Duration::from_secs((60 - now.rem_euclid(60)).unsigned_abs());
        let address = self.slot("sign-in-address", network(address).to_string().as_bytes());
        let name = name.map(|name| SLOTS + self.slot("sign-in-account", name.as_bytes()));
        let by_address = (address, rules.attempts_per_address);
        let by_name = name.map(|name| (name, rules.attempts_per_account));
        for (slot, most) in [Some(by_address), by_name].into_iter().flatten() {
            if !self.store.count_attempt(slot, minute, most).await? {
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

/// For addresses, and as many for names.
const SLOTS: i64 = 16_384;
