//! How many control frames a client may send. Owns one counter per connection; refuses to know the
//! time, which the caller passes in.

use crate::violation::Violation;

/// A cap on a client's pings and pongs, per second of the caller's clock. Without it a client could
/// make the server answer pings as fast as the network carries them.
#[derive(Debug, Clone)]
pub struct PingBudget {
    per_second_max: u32,
    spent: u32,
    second: u64,
}

impl PingBudget {
    /// Allows `per_second_max` control frames in each second.
    pub fn new(per_second_max: u32) -> Self {
        Self { per_second_max, spent: 0, second: 0 }
    }

    /// Counts one control frame that arrived at `now_ms`, in milliseconds since any fixed moment.
    ///
    /// # Errors
    /// 1008 once this second's allowance is used up.
    pub fn spend(&mut self, now_ms: u64) -> Result<(), Violation> {
        let second = now_ms / 1000;
        if second != self.second {
            (self.second, self.spent) = (second, 0);
        }
        if self.spent >= self.per_second_max {
            return Err(Violation::policy("too many control frames"));
        }
        self.spent += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_flood_is_refused_within_its_second_and_forgiven_in_the_next() {
        let mut budget = PingBudget::new(10);
        for sent in 0..10 {
            assert_eq!(budget.spend(7_000 + sent), Ok(()));
        }
        assert_eq!(budget.spend(7_999).map_err(|v| v.code), Err(1008));
        assert_eq!(budget.spend(8_000), Ok(()));
    }
}
