//! How a session ends by itself: at a moment, or after so much silence. Of what was said in it
//! nothing is left then; its name, its members and its dates are.

use std::time::Duration;

use crate::{Denied, Extras, Limits, Message, Time, Ttl, View};

/// When a session ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// When, as far as it is known now: where silence ends it, whatever is said puts it off.
    pub at: Time,
    /// After how much silence; `None`: at that moment.
    pub silence: Option<Ttl>,
    /// For how long before it nothing may be said any more; `None`: not at all.
    pub read_only: Option<Ttl>,
}

/// What somebody wants of a session's end: a moment or a silence, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedEnding {
    /// The moment.
    pub at: Option<Time>,
    /// How many seconds of silence.
    pub silence_s: Option<i64>,
    /// For how many seconds before the moment nothing may be said any more.
    pub read_only_s: Option<i64>,
}

impl Ending {
    /// Reads what somebody asks for; `None`: no end.
    ///
    /// # Errors
    /// [`Denied::Invalid`] for a moment that is over or more than `message_ttl_s_max` away, for a
    /// span that is none of a [`Ttl`], for both a moment and a silence, and for a session that is
    /// to be closed before an end that nobody knows.
    pub fn read(asked: AskedEnding, now: Time, limits: &Limits) -> Result<Option<Self>, Denied> {
        let span = |field, seconds: Option<i64>| {
            seconds.map(|seconds| Ttl::read(field, seconds, limits)).transpose()
        };
        let silence = span("end.silence_s", asked.silence_s)?;
        let read_only = span("end.read_only_s", asked.read_only_s)?;
        let at = match (asked.at, silence) {
            (Some(_), Some(_)) => {
                return Err(Denied::invalid("end", "a moment or a silence, not both"));
            }
            (Some(at), None) => {
                let latest = now + Duration::from_secs(limits.message_ttl_s_max);
                if at <= now || at > latest {
                    return Err(Denied::invalid("end.at", "from now on, and within a year"));
                }
                at
            }
            (None, Some(silence)) if read_only.is_none() => silence.after(now),
            (None, None) if read_only.is_none() => return Ok(None),
            (None, _) => {
                return Err(Denied::invalid("end.read_only_s", "before a moment only"));
            }
        };
        Ok(Some(Self { at, silence, read_only }))
    }

    /// One that was read before.
    pub fn stored(at: Time, silence_s: Option<i64>, read_only_s: Option<i64>) -> Self {
        let span = |seconds: Option<i64>| seconds.and_then(Ttl::stored);
        Self { at, silence: span(silence_s), read_only: span(read_only_s) }
    }

    /// The same where the newest message was said at `said_at`, which puts off what silence ends.
    #[must_use]
    pub fn put_off(self, said_at: Option<Time>) -> Self {
        let later = said_at.zip(self.silence).map(|(said_at, silence)| silence.after(said_at));
        Self { at: later.map_or(self.at, |later| later.max(self.at)), ..self }
    }

    /// From when on nothing may be said any more, though it has not ended yet.
    fn closes_at(self) -> Option<Time> {
        self.read_only.map(|span| self.at - Duration::from_secs(span.seconds().unsigned_abs()))
    }
}

impl View {
    /// Whether something may be said here now.
    ///
    /// # Errors
    /// [`Denied::Conflict`] when the session has ended or is about to, or the room is archived.
    pub fn writable(&self, now: Time) -> Result<(), Denied> {
        self.open()?;
        let closes = self.ending.and_then(Ending::closes_at);
        if closes.is_some_and(|at| at <= now) {
            return Err(Denied::Conflict("the session is about to end"));
        }
        Ok(())
    }
}

impl Message {
    /// What is left of it in a session that has ended, if it has: as of one that was deleted then,
    /// whether or not the store has come to erase it.
    #[must_use]
    pub fn veiled(self, ended_at: Option<Time>) -> Self {
        let Some(ended_at) = ended_at else { return self };
        let bits = self.extras.as_ref().map_or(0, |extras| extras.bits & Extras::THREAD);
        let deleted_at = self.deleted_at.or(Some(ended_at));
        let (content, file, extras) = (String::new(), None, Extras::of(bits));
        Self { content, file, extras, deleted_at, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_000_000_000);

    fn read(asked: AskedEnding) -> Result<Option<Ending>, Denied> {
        Ending::read(asked, NOW, &Limits::default())
    }

    #[test]
    fn an_end_is_a_moment_or_a_silence_or_none() {
        assert_eq!(read(AskedEnding::default()), Ok(None));
        let at = Some(NOW + Duration::from_secs(60));
        let moment = read(AskedEnding { at, read_only_s: Some(5), ..AskedEnding::default() });
        let moment = moment.expect("a moment").expect("an end");
        assert_eq!((Some(moment.at), moment.silence), (at, None));
        assert_eq!(moment.closes_at(), Some(NOW + Duration::from_secs(55)));
        let silence = read(AskedEnding { silence_s: Some(7), ..AskedEnding::default() });
        let silence = silence.expect("a silence").expect("an end");
        assert_eq!(silence.at, NOW + Duration::from_secs(7));
        assert_eq!(silence.closes_at(), None);
    }

    #[test]
    fn what_is_said_puts_off_an_end_by_silence_alone() {
        let at = NOW + Duration::from_secs(60);
        let later = Some(NOW + Duration::from_secs(59));
        assert_eq!(Ending::stored(at, None, None).put_off(later).at, at);
        let silence = Ending::stored(at, Some(60), None);
        assert_eq!(silence.put_off(later).at, NOW + Duration::from_secs(119));
        assert_eq!(silence.put_off(None).at, at);
        assert_eq!(silence.put_off(Some(Time(0))).at, at, "it was asked for later than that");
    }

    #[test]
    fn what_is_over_too_far_away_or_contradicts_itself_is_refused() {
        let year = Duration::from_secs(365 * 86_400);
        let asked = |at, silence_s, read_only_s| AskedEnding { at, silence_s, read_only_s };
        for bad in [
            asked(Some(NOW), None, None),
            asked(Some(Time(i64::MIN)), None, None),
            asked(Some(NOW + year + Duration::from_micros(1)), None, None),
            asked(Some(NOW + year), Some(5), None),
            asked(None, Some(0), None),
            asked(None, Some(-1), None),
            asked(None, Some(5), Some(5)),
            asked(None, None, Some(5)),
            asked(Some(NOW + year), None, Some(0)),
        ] {
            assert!(matches!(read(bad), Err(Denied::Invalid { .. })), "{bad:?}");
        }
    }
}
