//! How many connections are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::Limits;

use super::first;
use crate::Network;

/// Counts connections.
pub(super) struct Slots {
    counts: Mutex<Counts>,
    max: u64,
    per_address_max: u64,
    /// Proxies that are believed when they say who is behind them.
    trusted: Vec<Network>,
}

#[derive(Default)]
struct Counts {
    all: u64,
    by_address: HashMap<IpAddr, u64>,
}

/// A connection's place, given back when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    /// The address that it is counted for; none for a trusted proxy.
    address: Option<IpAddr>,
}

impl Slots {
    /// A connection of a trusted proxy may be anybody's, so it counts in all, but not for an
    /// address; who is behind it is counted when that is known.
    pub(super) fn new(limits: &Limits, trusted: Vec<Network>) -> Arc<Self> {
        Arc::new(Self {
            trusted,
            counts: Mutex::default(),
            max: limits.connections_max,
            per_address_max: limits.connections_per_address_max,
        })
    }

    /// A place for a connection, or the answer to one for which there is none.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Slot, &'static [u8]> {
        let address = address.to_canonical();
        let proxy = self.trusted.iter().any(|network| network.holds(address));
        let address = (!proxy).then_some(address);
        let mut counts = self.counts.lock();
        if counts.all >= self.max {
            return Err(first::UNAVAILABLE);
        }
        if let Some(address) = address {
            let here = counts.by_address.entry(address).or_default();
            if *here >= self.per_address_max {
                return Err(first::TOO_MANY);
            }
            *here += 1;
        }
        counts.all += 1;
        Ok(Slot { slots: self.clone(), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.slots.counts.lock();
        counts.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(here) = counts.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_given_back() {
        let limits =
            Limits { connections_max: 3, connections_per_address_max: 2, ..Limits::default() };
        let slots = Slots::new(&limits, Vec::new());
        let enter = |address: &str| slots.enter(address.parse().unwrap());
        let first = enter("10.0.0.1").ok();
        let second = enter("::ffff:10.0.0.1").ok();
        assert!(first.is_some() && second.is_some());
        assert_eq!(enter("10.0.0.1").err(), Some(first::TOO_MANY));
        let third = enter("10.0.0.2").ok();
        assert_eq!(enter("10.0.0.3").err(), Some(first::UNAVAILABLE));
        drop((first, second, third));
        assert!(slots.counts.lock().by_address.is_empty());
        assert!(enter("10.0.0.1").is_ok());
    }

    #[test]
    fn a_trusted_proxy_counts_in_all_only() {
        let limits =
            Limits { connections_max: 3, connections_per_address_max: 1, ..Limits::default() };
        let slots = Slots::new(&limits, vec!["10.0.0.0/8".parse().unwrap()]);
        let enter = |address: &str| slots.enter(address.parse().unwrap());
        let proxied = [enter("10.0.0.1").ok(), enter("::ffff:10.0.0.1").ok()];
        assert!(proxied.iter().all(Option::is_some));
        let direct = enter("9.9.9.9").ok();
        assert!(direct.is_some());
        assert_eq!(enter("10.0.0.2").err(), Some(first::UNAVAILABLE));
        drop(proxied);
        assert_eq!(enter("9.9.9.9").err(), Some(first::TOO_MANY));
        drop(direct);
        assert_eq!(slots.counts.lock().all, 0);
        assert!(slots.counts.lock().by_address.is_empty());
    }
}
