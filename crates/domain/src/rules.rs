//! What a room lays down for its sessions: how long messages live in one that says nothing of its
//! own, how long anything at all is kept, and how many may be open.

use crate::{Denied, Limits, Ttl};

/// What a room lays down for its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// How long messages live in a session that is opened and says nothing of its own; `None`: for
    /// ever.
    pub message_ttl: Option<Ttl>,
    /// How long anything that is said in the room is kept; `None`: for ever.
    pub retention: Option<Ttl>,
    /// How many sessions may be open, the main one among them; `None`: as many as anywhere.
    pub sessions_max: Option<u64>,
}

/// What somebody wants of a room's rules: `None` leaves one as it is, 0 takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedRules {
    /// How many seconds messages live where a session says nothing of its own.
    pub message_ttl_s: Option<i64>,
    /// For how many seconds anything is kept.
    pub retention_s: Option<i64>,
    /// How many sessions may be open.
    pub sessions_max: Option<i64>,
}

/// New rules, read; `None` leaves one as it is, `Some(None)` takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewRules {
    /// How long messages live where a session says nothing of its own.
    pub message_ttl: Option<Option<Ttl>>,
    /// How long anything is kept.
    pub retention: Option<Option<Ttl>>,
    /// How many sessions may be open.
    pub sessions_max: Option<Option<u64>>,
}

impl AskedRules {
    /// Reads what somebody asks for.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for what is neither 0 nor within the limits.
    pub fn read(self, limits: &Limits) -> Result<NewRules, Denied> {
        let kept = |seconds| Ttl::retention(seconds, limits);
        let open = |most: i64| match most.unsigned_abs() {
            count if most > 0 && count <= limits.sessions_per_room_max => Ok(count),
            _ => Err(Denied::invalid("sessions_max", "no more than anywhere")),
        };
        Ok(NewRules {
            message_ttl: self.message_ttl_s.map(|s| Ttl::setting(s, limits)).transpose()?,
            retention: read(self.retention_s, kept)?,
            sessions_max: read(self.sessions_max, open)?,
        })
    }
}

/// Reads a rule that 0 takes away.
fn read<T>(
    asked: Option<i64>,
    rule: impl FnOnce(i64) -> Result<T, Denied>,
) -> Result<Option<Option<T>>, Denied> {
    match asked {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        Some(asked) => rule(asked).map(|read| Some(Some(read))),
    }
}

impl Rules {
    /// What they become.
    #[must_use]
    pub fn with(self, new: NewRules) -> Self {
        Self {
            message_ttl: new.message_ttl.unwrap_or(self.message_ttl),
            retention: new.retention.unwrap_or(self.retention),
            sessions_max: new.sessions_max.unwrap_or(self.sessions_max),
        }
    }

    /// Rules that were read before.
    pub fn stored(
        message_ttl_s: Option<i64>,
        retention_s: Option<i64>,
        sessions_max: Option<i64>,
    ) -> Self {
        Self {
            message_ttl: message_ttl_s.and_then(Ttl::stored),
            retention: retention_s.and_then(Ttl::stored),
            sessions_max: sessions_max.and_then(|most| u64::try_from(most).ok()),
        }
    }

    /// Whether what was said before is kept for less time than before.
    pub fn shortens(&self, before: &Self) -> bool {
        let kept = |rules: &Self| rules.retention.map_or(i64::MAX, Ttl::seconds);
        kept(self) < kept(before)
    }

    /// How many sessions may be open in the room: never more than anywhere.
    pub fn open_max(self, limits: &Limits) -> u64 {
        self.sessions_max.unwrap_or(u64::MAX).min(limits.sessions_per_room_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn read(message_ttl_s: i64, retention_s: i64, sessions_max: i64) -> Result<NewRules, Denied> {
        let asked = AskedRules {
            message_ttl_s: Some(message_ttl_s),
            retention_s: Some(retention_s),
            sessions_max: Some(sessions_max),
        };
        asked.read(&Limits::default())
    }

    #[test]
    fn what_is_not_asked_for_stays_and_nothing_takes_a_rule_away() {
        assert_eq!(AskedRules::default().read(&Limits::default()), Ok(NewRules::default()));
        let rules = Rules::default().with(read(60, HOUR, 3).expect("rules"));
        assert_eq!(rules, Rules::stored(Some(60), Some(HOUR), Some(3)));
        assert_eq!(rules.with(NewRules::default()), rules);
        let fewer = AskedRules { retention_s: Some(0), ..AskedRules::default() };
        let fewer = fewer.read(&Limits::default()).expect("rules");
        assert_eq!(rules.with(fewer), Rules { retention: None, ..rules });
        assert_eq!(rules.with(read(0, 0, 0).expect("rules")), Rules::default());
    }

    #[test]
    fn only_a_nearer_end_holds_for_what_is_there_already() {
        let kept = |seconds| Rules { retention: seconds, ..Rules::default() };
        let [hour, day] = [HOUR, 24 * HOUR].map(|s| kept(Ttl::stored(s)));
        assert!(hour.shortens(&day) && day.shortens(&kept(None)));
        for (now, before) in [(day, hour), (hour, hour), (kept(None), hour)] {
            assert!(!now.shortens(&before), "{now:?} after {before:?}");
        }
    }

    #[test]
    fn what_is_beyond_the_limits_is_refused() {
        let year = 365 * 24 * HOUR;
        for (field, bad) in [
            ("message_ttl_s", [-1, year + 1, i64::MIN]),
            ("retention_s", [1, HOUR - 1, 10 * year + 1]),
            ("sessions_max", [-1, 1_001, i64::MIN]),
        ] {
            for bad in bad {
                let of = |name| if name == field { bad } else { 0 };
                let refused = read(of("message_ttl_s"), of("retention_s"), of("sessions_max"));
                let refused = refused.expect_err("it is beyond the limits");
                assert!(matches!(refused, Denied::Invalid { field: named, .. } if named == field));
            }
        }
        assert!(read(1, HOUR, 1).is_ok() && read(year, 10 * year, 1_000).is_ok());
    }

    #[test]
    fn a_room_has_no_more_sessions_than_the_server_allows() {
        let limits = Limits { sessions_per_room_max: 7, ..Limits::default() };
        for (rule, most) in [(None, 7), (Some(3), 3), (Some(900), 7)] {
            assert_eq!(Rules::stored(None, None, rule).open_max(&limits), most);
        }
    }
}
