//! What a session's last send has made sure of, so that the next one need not: of a thousand
//! devices each is looked at again when something may have changed, and not for every message.
//!
//! Owns the question whether that still holds. Refuses whenever it does not know: then everything
//! is looked at, as for the first send.

use ruma::OwnedUserId;

use crate::Settings;

/// How long nothing is looked at again if nothing happens. A device that could not be given the key
/// gets another chance then.
const LOOK_AGAIN_MS: u64 = 60 * 1000;

/// The library uses a key for an hour at least, whatever the session's settings say.
const PERIOD_MIN_MS: u64 = 60 * 60 * 1000;

/// How long before the end of a key's time it is left to the library to see whether it is over: it
/// seals nothing by a key whose time has come. As long as giving a key out may take, after which
/// its beginning is noted.
const SLACK_MS: u64 = 10 * 60 * 1000;

/// What was made sure of: these people, as they are, have this key.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    /// For whom.
    pub(crate) users: Vec<OwnedUserId>,
    pub(crate) settings: Settings,
    /// How often anything had changed about anybody by then.
    pub(crate) stirs: u64,
    /// When everything was looked at, in milliseconds since 1970.
    pub(crate) looked_ms: u64,
    /// When the key was made, if that was noted.
    pub(crate) began_ms: Option<u64>,
    /// For how many messages it was used.
    pub(crate) uses: u64,
}

/// What is to be sealed now.
pub(crate) struct Next<'a> {
    pub(crate) users: &'a [OwnedUserId],
    pub(crate) settings: &'a Settings,
    pub(crate) stirs: u64,
    pub(crate) now_ms: u64,
}

impl Settled {
    /// For these people everything was looked at then, and so often anything had changed before.
    pub(crate) fn new(
        users: Vec<OwnedUserId>,
        settings: Settings,
        (looked_ms, stirs): (u64, u64),
    ) -> Self {
        Self { users, settings, stirs, looked_ms, began_ms: None, uses: 0 }
    }

    /// Whether the next message may be sealed by the same key without another look.
    pub(crate) fn holds(&self, next: &Next<'_>) -> bool {
        let Some(began) = self.began_ms else { return false };
        let period = self.settings.rotation_period_ms.max(PERIOD_MIN_MS);
        let time = began..began.saturating_add(period - SLACK_MS);
        let looked = self.looked_ms..self.looked_ms.saturating_add(LOOK_AGAIN_MS);
        self.stirs == next.stirs
            && self.uses < self.settings.rotation_period_msgs
            && time.contains(&next.now_ms)
            && looked.contains(&next.now_ms)
            && self.settings == *next.settings
            && self.users == next.users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_800_000_000_000;
    const HOUR_MS: u64 = 60 * 60 * 1000;

    fn settled() -> Settled {
        let settings = Settings { rotation_period_msgs: 3, ..Settings::default() };
        let users = vec![OwnedUserId::try_from("@ana:parlor").unwrap()];
        let (looked_ms, began_ms) = (NOW_MS, Some(NOW_MS - HOUR_MS));
        Settled { users, settings, stirs: 7, looked_ms, began_ms, uses: 1 }
    }

    fn next(settled: &Settled) -> Next<'_> {
        let Settled { users, settings, stirs, looked_ms, .. } = settled;
        Next { users, settings, stirs: *stirs, now_ms: *looked_ms }
    }

    /// The same, looked at as late as this.
    fn aged(settled: &Settled, age_ms: u64) -> Settled {
        let looked_ms = settled.began_ms.unwrap() + age_ms;
        Settled { looked_ms, ..settled.clone() }
    }

    #[test]
    fn nothing_is_looked_at_again_while_nothing_changes() {
        let settled = settled();
        assert!(settled.holds(&next(&settled)));
        assert!(settled.holds(&Next { now_ms: NOW_MS + 59_999, ..next(&settled) }));
        let late = aged(&settled, 6 * 24 * HOUR_MS);
        assert!(late.holds(&next(&late)));
    }

    #[test]
    fn everything_is_looked_at_again_when_anything_may_be_otherwise() {
        let settled = settled();
        assert!(!settled.holds(&Next { stirs: 8, ..next(&settled) }));
        assert!(!settled.holds(&Next { users: &[], ..next(&settled) }));
        assert!(!settled.holds(&Next { settings: &Settings::default(), ..next(&settled) }));
        assert!(!settled.holds(&Next { now_ms: NOW_MS + 60_000, ..next(&settled) }));
        assert!(!settled.holds(&Next { now_ms: NOW_MS - 1, ..next(&settled) }), "set back");
    }

    #[test]
    fn a_key_is_not_used_for_longer_than_it_may_be() {
        let settled = settled();
        let used_up = Settled { uses: 3, ..settled.clone() };
        assert!(!used_up.holds(&next(&used_up)));
        let over = aged(&settled, settled.settings.rotation_period_ms - SLACK_MS);
        assert!(!over.holds(&next(&over)));
        let unknown = Settled { began_ms: None, ..settled.clone() };
        assert!(!unknown.holds(&next(&unknown)));
        let short = Settings { rotation_period_ms: 1, ..settled.settings.clone() };
        let short = Settled { settings: short, ..settled };
        let (within, after) = (aged(&short, HOUR_MS / 2), aged(&short, HOUR_MS - SLACK_MS));
        assert!(within.holds(&next(&within)));
        assert!(!after.holds(&next(&after)));
    }
}
