//! How long what is said lives: a time to live for a message, one for a session, one for a whole
//! room, and the moment that follows from them. From that moment on nothing of the message is left
//! but its number.

use std::time::Duration;

use crate::{Denied, Extras, Limits, Message, Time, View};

/// What lives no longer than this, seven days, is kept sealed.
pub const SEALED_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Under which key a text that is to disappear is kept: with the key goes the text, in every copy
/// that was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// One that goes at this moment, or with its session.
    Until(Time),
    /// One that goes with its session.
    Session,
}

/// How long a message lives, counted from when it was sent: whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(i64);

impl Ttl {
    /// Reads what somebody asks for, in the field of this name.
    ///
    /// # Errors
    /// [`Denied::Invalid`] outside of one second to `message_ttl_s_max`.
    pub fn read(field: &'static str, seconds: i64, limits: &Limits) -> Result<Self, Denied> {
        let most = i64::try_from(limits.message_ttl_s_max).unwrap_or(i64::MAX);
        match seconds {
            1.. if seconds <= most => Ok(Self(seconds)),
            _ => Err(Denied::invalid(field, "from one second to a year")),
        }
    }

    /// Reads `message_ttl_s` of a session or a room, where 0 is for ever.
    ///
    /// # Errors
    /// As [`Ttl::read`].
    pub fn setting(seconds: i64, limits: &Limits) -> Result<Option<Self>, Denied> {
        match seconds {
            0 => Ok(None),
            _ => Self::read("message_ttl_s", seconds, limits).map(Some),
        }
    }

    /// Reads how long somebody wants a room to keep what is said in it.
    ///
    /// # Errors
    /// [`Denied::Invalid`] outside of `retention_s_min` to `retention_s_max`.
    pub fn retention(seconds: i64, limits: &Limits) -> Result<Self, Denied> {
        let kept = u64::try_from(seconds).unwrap_or(0);
        if kept == 0 || kept < limits.retention_s_min || kept > limits.retention_s_max {
            return Err(Denied::invalid("retention_s", "from an hour to ten years"));
        }
        Ok(Self(seconds))
    }

    /// One that was read before; `None` for what is none.
    pub fn stored(seconds: i64) -> Option<Self> {
        (seconds > 0).then_some(Self(seconds))
    }

    /// Whole seconds.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// When what is sent at this moment decays.
    pub fn after(self, sent_at: Time) -> Time {
        sent_at + Duration::from_secs(self.0.unsigned_abs())
    }
}

impl View {
    /// When a message that is sent here now decays: after its own time to live, the session's or
    /// what the room keeps, and no later than what it passes on; whichever is first. `None`: never.
    pub fn deadline(&self, sent_at: Time, own: Option<Ttl>, source: Option<Time>) -> Option<Time> {
        let lives = [own, self.message_ttl, self.retention].into_iter().flatten().min();
        let ends = lives.map(|ttl| ttl.after(sent_at));
        [ends, source].into_iter().flatten().min()
    }

    /// How a message that is sent here now is kept; `None`: as it is.
    pub fn seal(&self, sent_at: Time, expires_at: Option<Time>) -> Option<Seal> {
        Seal::of(sent_at, expires_at, self.ending.is_some())
    }
}

impl Seal {
    /// That of a text which was sent at `now`, in a session that ends by itself or not.
    pub fn of(now: Time, expires_at: Option<Time>, ends: bool) -> Option<Self> {
        let soon = expires_at.filter(|at| at.since(now) <= SEALED_MAX);
        // When a session ends may be put off, and a key that is gone would not come back.
        soon.map(Self::Until).or_else(|| ends.then_some(Self::Session))
    }
}

impl Message {
    /// Whether its text is kept sealed: nothing of it is in the index of words.
    pub fn is_sealed(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.has(Extras::SEALED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_from_a_second_to_a_year() {
        let limits = Limits::default();
        for bad in [i64::MIN, -1, 0, 365 * 86_400 + 1, 1_000_000_000_000_000_000] {
            let refused = Ttl::read("ttl_s", bad, &limits);
            assert!(matches!(refused, Err(Denied::Invalid { field: "ttl_s", .. })), "{bad}");
        }
        for good in [1, 2, 365 * 86_400] {
            assert_eq!(Ttl::read("ttl_s", good, &limits).map(Ttl::seconds), Ok(good));
        }
        assert_eq!(Ttl::stored(0), None);
        assert_eq!(Ttl::setting(0, &limits), Ok(None), "for ever");
    }

    #[test]
    fn what_lives_for_seven_days_or_ends_with_its_session_is_sealed() {
        let (now, week) = (Time(5), Time(5) + SEALED_MAX);
        let later = week + Duration::from_micros(1);
        assert_eq!(Seal::of(now, None, false), None);
        assert_eq!(Seal::of(now, Some(week), false), Some(Seal::Until(week)));
        assert_eq!(Seal::of(now, Some(later), false), None);
        assert_eq!(Seal::of(now, None, true), Some(Seal::Session));
        assert_eq!(Seal::of(now, Some(week), true), Some(Seal::Until(week)));
        assert_eq!(Seal::of(now, Some(later), true), Some(Seal::Session));
    }

    #[test]
    fn it_is_counted_from_sending() {
        assert_eq!(Ttl(2).after(Time(5)), Time(2_000_005));
        assert_eq!(Ttl(i64::MAX).after(Time(5)), Time(i64::MAX), "no end that one could count to");
    }
}
