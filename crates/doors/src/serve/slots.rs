//! How many connections are open, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use parlor_domain::Limits;

use super::first;

/// Counts connections.
pub(super) struct Slots {
    counts: Mutex<Counts>,
    max: u64,
    per_address_max: u64,
}

#[derive(Default)]
struct Counts {
    all: u64,
    by_address: HashMap<IpAddr, u64>,
}

/// A connection's place, given back when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    address: IpAddr,
}

impl Slots {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            counts: Mutex::default(),
            max: limits.connections_max,
            per_address_max: limits.connections_per_address_max,
        })
    }

    /// A place for a connection, or the answer to one for which there is none.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Slot, &'static [u8]> {
        let address = address.to_canonical();
        let mut counts = self.counts.lock();
        if counts.all >= self.max {
            return Err(first::UNAVAILABLE);
        }
        let here = counts.by_address.entry(address).or_default();
        if *here >= self.per_address_max {
            return Err(first::TOO_MANY);
        }
        *here += 1;
        counts.all += 1;
        Ok(Slot { slots: self.clone(), address })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.slots.counts.lock();
        counts.all -= 1;
        if let Some(here) = counts.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                counts.by_address.remove(&self.address);
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
        let slots = Slots::new(&limits);
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
}
