//! How often a name and an address may try: counted in memory, in constant space for each.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

/// Attempts in a minute; as many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For one name, from wherever.
    pub per_account: NonZeroU32,
    /// From one address, for whichever name.
    pub per_address: NonZeroU32,
}

/// Counts attempts to sign in.
pub struct Throttle {
    accounts: DefaultKeyedRateLimiter<[u8; 16]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Throttle {
    /// Counts from zero.
    pub fn new(limits: Limits) -> Self {
        Self {
            accounts: RateLimiter::keyed(Quota::per_minute(limits.per_account)),
            addresses: RateLimiter::keyed(Quota::per_minute(limits.per_address)),
        }
    }

    /// Counts an attempt. The error is the time to wait, at least one second.
    ///
    /// The address comes first: an address that is refused does not use up the attempts of a name. Unknown names are
    /// counted like known ones, so that the limit tells nobody which is which.
    pub fn admit(&self, address: IpAddr, name: &str) -> Result<(), Duration> {
        self.forget_idle();
        check(&self.addresses, &network(address))?;
        check(&self.accounts, &digest(name))
    }

    /// Keeps the space bounded: whoever has not tried for a minute is as good as new.
    fn forget_idle(&self) {
        if self.addresses.len() + self.accounts.len() > FORGET_ABOVE {
            self.addresses.retain_recent();
            self.accounts.retain_recent();
        }
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle")
            .field("accounts", &self.accounts.len())
            .field("addresses", &self.addresses.len())
            .finish()
    }
}

impl Default for Limits {
    /// Ten a minute for a name, thirty a minute from an address.
    fn default() -> Self {
        Self {
            per_account: NonZeroU32::new(10).expect("ten is not zero"),
            per_address: NonZeroU32::new(30).expect("thirty is not zero"),
        }
    }
}

fn check<K: Clone + Eq + std::hash::Hash>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), Duration> {
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        Duration::from_secs(wait.as_secs() + 1)
    })
}

/// One household of IPv6 has a whole /64 to come from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A stranger chooses the name: only sixteen bytes of it are kept.
fn digest(name: &str) -> [u8; 16] {
    let hash = Sha256::digest(name.as_bytes());
    std::array::from_fn(|at| hash[at])
}

const FORGET_ABOVE: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(per_account: u32, per_address: u32) -> Throttle {
        Throttle::new(Limits {
            per_account: NonZeroU32::new(per_account).unwrap(),
            per_address: NonZeroU32::new(per_address).unwrap(),
        })
    }

    #[test]
    fn a_name_is_limited_from_all_addresses_together() {
        let throttle = throttle(2, 100);
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        assert_eq!(throttle.admit(address(1), "alice"), Ok(()));
        assert_eq!(throttle.admit(address(2), "alice"), Ok(()));
        let wait = throttle.admit(address(3), "alice").unwrap_err();
        assert!((1..=31).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(throttle.admit(address(3), "bob"), Ok(()));
    }

    #[test]
    fn an_address_is_limited_over_all_names_and_spares_the_names_after_it() {
        let throttle = throttle(1, 2);
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(throttle.admit(address, "a"), Ok(()));
        assert_eq!(throttle.admit(address, "b"), Ok(()));
        assert!(throttle.admit(address, "c").is_err());
        assert_eq!(throttle.admit(IpAddr::from([192, 0, 2, 2]), "c"), Ok(()));
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_one_is_ipv4() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(parse("2001:db8::1")), network(parse("2001:db8::ffff:2")));
        assert_ne!(network(parse("2001:db8::1")), network(parse("2001:db8:0:1::1")));
        assert_eq!(network(parse("::ffff:192.0.2.1")), parse("192.0.2.1"));
    }
}
