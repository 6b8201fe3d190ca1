//! The keys to what is sealed, as both databases have them: in memory, with the places where they
//! are kept behind it.
//!
//! Owns which key is whose: one of a session, and one of each second that is still to come. Nothing
//! here is ever in a backup. Refuses to guess: what has no key any more is gone.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use parlor_domain::{MessageId, Seal, SessionId, Time};
use parlor_seal::{Key, Secret, TimeKeys};

use crate::StoreError;

/// How long keys of seconds that are over may stay where nothing was erased in them: what was
/// deleted by hand before.
const IDLE: Duration = Duration::from_secs(60);

/// Keys of texts that are remembered: each follows from those that are kept, by up to 36 hashes.
const RECENT_MAX: usize = 1_024;

/// The keys that are in memory.
pub(crate) struct Keyring(Mutex<Held>);

struct Held {
    time: TimeKeys,
    sessions: HashMap<SessionId, Secret>,
    /// Keys that were asked for lately, of sessions and seconds: what is said at the same time
    /// mostly goes at the same time.
    recent: HashMap<(SessionId, u32), Key>,
    /// When the keys of seconds that are over are to go from where they are kept, too.
    owed: Time,
}

/// The secret of a session is not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unknown;

impl Keyring {
    /// Those that were kept.
    pub(crate) fn new(time: TimeKeys) -> Self {
        let (recent, sessions) = (HashMap::new(), HashMap::new());
        Self(Mutex::new(Held { time, recent, sessions, owed: Time(0) }))
    }

    /// The first second whose key is here.
    pub(crate) fn begins(&self) -> u32 {
        self.0.lock().time.begins().unwrap_or(u32::MAX)
    }

    /// Whether the secret of a session is here.
    pub(crate) fn knows(&self, session: SessionId) -> bool {
        self.0.lock().sessions.contains_key(&session)
    }

    /// Takes the secret of a session in.
    pub(crate) fn learn(&self, session: SessionId, secret: Secret) {
        let mut held = self.0.lock();
        if held.sessions.insert(session, secret).is_some() {
            held.recent.retain(|(of, _), _| *of != session);
        }
    }

    /// The sessions whose secrets are here.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.0.lock().sessions.keys().copied().collect()
    }

    /// Throws the secret of a session away.
    pub(crate) fn forget(&self, session: SessionId) {
        let mut held = self.0.lock();
        held.sessions.remove(&session);
        held.recent.retain(|(of, _), _| *of != session);
    }

    /// Throws away the keys of seconds that are over. Where they are to go from where they are kept
    /// as well, these are to take their place; [`Self::settled`] is due afterwards.
    pub(crate) fn advance(&self, now: Time) -> Option<Vec<u8>> {
        let mut held = self.0.lock();
        let second = second(now);
        if held.time.advance(second) {
            held.recent.retain(|(_, until), _| *until == 0 || *until >= second);
        }
        (held.owed <= now).then(|| held.time.to_bytes())
    }

    /// The keys of what was over at `now` are gone from everywhere.
    pub(crate) fn settled(&self, now: Time) {
        self.0.lock().owed = now + IDLE;
    }

    /// Something was erased at `now`: the key of this second is to go when the second is over. Says
    /// when that is.
    pub(crate) fn erased(&self, now: Time) -> Time {
        let over = Time((i64::from(last_second(now)) + 1) * 1_000_000);
        let mut held = self.0.lock();
        held.owed = held.owed.min(over);
        held.owed
    }

    /// Seals a text.
    pub(crate) fn seal(
        &self,
        session: SessionId,
        message: MessageId,
        seal: Seal,
        text: &str,
    ) -> Result<Vec<u8>, Missing> {
        let until = match seal {
            Seal::Until(at) => last_second(at),
            Seal::Session => 0,
        };
        self.seal_until(session, message, until, text)
    }

    /// Seals another wording as the one before was.
    pub(crate) fn seal_again(
        &self,
        session: SessionId,
        message: MessageId,
        before: &[u8],
        text: &str,
    ) -> Result<Vec<u8>, Missing> {
        self.seal_until(session, message, parlor_seal::until(before).unwrap_or(0), text)
    }

    fn seal_until(
        &self,
        session: SessionId,
        message: MessageId,
        until: u32,
        text: &str,
    ) -> Result<Vec<u8>, Missing> {
        let key = self.key(session, until).or(Err(Missing::Secret))?;
        // What is over before it is written down is sealed under a key that nobody has.
        let key = match key {
            Some(key) => key,
            None => Key::of_session(&Secret::random().map_err(Missing::of)?),
        };
        Ok(parlor_seal::seal(&key, message.0.as_bytes(), text))
    }

    /// Opens a text; `None`: its key is gone.
    pub(crate) fn open(
        &self,
        session: SessionId,
        message: MessageId,
        sealed: &[u8],
    ) -> Result<Option<String>, Unknown> {
        let Some(until) = parlor_seal::until(sealed) else { return Ok(None) };
        let key = self.key(session, until)?;
        Ok(key.and_then(|key| parlor_seal::open(&key, message.0.as_bytes(), sealed)))
    }

    fn key(&self, session: SessionId, until: u32) -> Result<Option<Key>, Unknown> {
        let mut held = self.0.lock();
        if let Some(key) = held.recent.get(&(session, until)) {
            return Ok(Some(key.clone()));
        }
        let secret = held.sessions.get(&session).ok_or(Unknown)?;
        let key = match until {
            0 => Some(Key::of_session(secret)),
            _ => held.time.key(until).map(|second| Key::of_second(secret, until, &second)),
        };
        if let Some(key) = &key {
            if held.recent.len() >= RECENT_MAX {
                held.recent.clear();
            }
            held.recent.insert((session, until), key.clone());
        }
        Ok(key)
    }
}

/// Why nothing was sealed.
#[derive(Debug)]
pub(crate) enum Missing {
    /// The secret of the session is not in memory.
    Secret,
    /// The machine has no randomness.
    Randomness(StoreError),
}

impl Missing {
    fn of(error: impl std::fmt::Display) -> Self {
        Self::Randomness(StoreError::Database(error.to_string()))
    }
}

impl From<Missing> for StoreError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Secret => Self::Database("the key of a session is missing".to_owned()),
            Missing::Randomness(error) => error,
        }
    }
}

/// The second in which a moment is.
fn second(at: Time) -> u32 {
    u32::try_from(at.0.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX)
}

/// The last second of what lives up to a moment: when it is over, the key goes.
fn last_second(at: Time) -> u32 {
    second(Time(at.0.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const SESSION: SessionId = SessionId(Uuid::from_u128(1));
    const MESSAGE: MessageId = MessageId(Uuid::from_u128(2));
    const AT: Time = Time(1_000_500_000);

    fn keyring() -> Keyring {
        let keyring = Keyring::new(TimeKeys::new(Secret::of([1; 32])));
        keyring.learn(SESSION, Secret::of([2; 32]));
        keyring
    }

    #[test]
    fn a_text_is_gone_at_the_latest_a_second_after_its_deadline() {
        let keyring = keyring();
        let sealed = keyring.seal(SESSION, MESSAGE, Seal::Until(AT), "words").unwrap();
        let open = || keyring.open(SESSION, MESSAGE, &sealed).unwrap();
        keyring.advance(AT);
        assert_eq!(open().as_deref(), Some("words"), "its second is not over");
        keyring.advance(Time(1_000_999_999));
        assert_eq!(open().as_deref(), Some("words"));
        keyring.advance(Time(1_001_000_000));
        assert_eq!(open(), None);
    }

    #[test]
    fn with_its_session_a_text_is_gone_whenever_its_deadline_is() {
        let keyring = keyring();
        let (until, with) = (Seal::Until(AT), Seal::Session);
        let sealed =
            [until, with].map(|seal| keyring.seal(SESSION, MESSAGE, seal, "words").unwrap());
        keyring.forget(SESSION);
        for sealed in &sealed {
            assert_eq!(keyring.open(SESSION, MESSAGE, sealed), Err(Unknown));
            keyring.learn(SESSION, Secret::of([3; 32]));
            assert_eq!(keyring.open(SESSION, MESSAGE, sealed), Ok(None), "another secret");
            keyring.forget(SESSION);
        }
    }

    #[test]
    fn another_wording_goes_with_the_first() {
        let keyring = keyring();
        let sealed = keyring.seal(SESSION, MESSAGE, Seal::Until(AT), "words").unwrap();
        let again = keyring.seal_again(SESSION, MESSAGE, &sealed, "others").unwrap();
        assert_eq!(keyring.open(SESSION, MESSAGE, &again), Ok(Some("others".to_owned())));
        keyring.advance(AT + Duration::from_secs(2));
        assert_eq!(keyring.open(SESSION, MESSAGE, &again), Ok(None));
    }

    #[test]
    fn what_is_over_before_it_is_written_down_opens_for_nobody() {
        let keyring = keyring();
        keyring.advance(AT + Duration::from_secs(5));
        let sealed = keyring.seal(SESSION, MESSAGE, Seal::Until(AT), "words").unwrap();
        assert_eq!(keyring.open(SESSION, MESSAGE, &sealed), Ok(None));
    }

    #[test]
    fn what_is_kept_is_renewed_when_a_second_in_which_something_went_is_over_and_now_and_then() {
        let keyring = keyring();
        assert!(keyring.advance(AT).is_some(), "at the beginning");
        keyring.settled(AT);
        assert!(keyring.advance(AT + Duration::from_secs(59)).is_none());
        assert!(keyring.advance(AT + IDLE).is_some());
        keyring.settled(AT);
        let over = keyring.erased(AT);
        assert_eq!(over, Time(1_001_000_000));
        assert!(keyring.advance(Time(1_000_999_999)).is_none());
        assert!(keyring.advance(over).is_some());
        keyring.settled(over);
        assert_eq!(keyring.erased(over), over, "what lived up to this moment is over now");
    }
}
