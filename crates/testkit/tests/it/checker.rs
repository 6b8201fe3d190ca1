//! The checker: holds what clients saw against what the database has. Linear in what it is given.
//!
//! It knows one rule book, whoever made the history (the simulation, killed servers, broken
//! connections): what was answered is stored, once, as it was answered; logs and numbers have no
//! holes; everybody hears a log as it is, without a hole, a double or another order; nothing
//! reaches anybody before it is stored, or after they were sent away.

use std::collections::HashMap;

use parlor_wire::v1::{self, event::Kind};

/// An entry of a log, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Posted {
        id: String,
        number: i64,
        sender: String,
        client_id: String,
    },
    Edited(String),
    Deleted(String),
    Joined(String),
    Left(String),
    /// Any other kind, by its number in the schema.
    Other(u8),
}

impl Entry {
    /// What an event says; `None` for one that has no place in a log.
    pub(crate) fn of(event: &v1::Event) -> Option<Self> {
        let seq = event.seq.or(event.user_seq)?;
        let what = match event.kind.as_ref()? {
            Kind::Posted(message) => What::Posted {
                id: message.id.clone(),
                number: message.number,
                sender: message.sender_id.clone(),
                client_id: message.client_id.clone(),
            },
            Kind::Edited(message) => What::Edited(message.id.clone()),
            Kind::Deleted(deleted) => What::Deleted(deleted.message_id.clone()),
            Kind::Joined(joined) => What::Joined(joined.user_id.clone()),
            Kind::Left(left) => What::Left(left.user_id.clone()),
            Kind::RoleChanged(_) => What::Other(15),
            Kind::SessionSettings(_) => What::Other(16),
            Kind::RoomSettings(_) => What::Other(17),
            Kind::Ended(_) => What::Other(18),
            Kind::Reacted(_) => What::Other(19),
            Kind::Pinned(_) => What::Other(20),
            Kind::Previewed(_) => What::Other(21),
            Kind::Decayed(_) => What::Other(22),
            Kind::Added(_) => What::Other(30),
            Kind::Removed(_) => What::Other(31),
            Kind::RoomCreated(_) => What::Other(32),
            Kind::DeviceAdded(_) => What::Other(33),
            Kind::Settings(_) => What::Other(34),
            Kind::DeviceRemoved(_) => What::Other(35),
        };
        Some(Self { seq, what })
    }
}

/// A send that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) session: String,
    pub(crate) sender: String,
    pub(crate) client_id: String,
    pub(crate) id: String,
    pub(crate) number: i64,
    pub(crate) seq: i64,
    /// The newest `seq` that was stored when the answer came, where that is known.
    pub(crate) head: Option<i64>,
}

/// An entry that somebody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) entry: Entry,
    /// The newest `seq` that was stored when the hub handed it over, where that is known.
    pub(crate) head: Option<i64>,
}

/// A stretch in which one connection heard one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// Whose connection it was.
    pub(crate) listener: String,
    /// The session, or the user whose own log it is.
    pub(crate) log: String,
    /// The last `seq` that was not to be told.
    pub(crate) after: i64,
    pub(crate) told: Vec<Told>,
    pub(crate) end: End,
}

/// How a hearing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It did not: by the end of the history it must be complete.
    Open,
    /// The connection broke, or nobody wanted to hear more.
    Cut,
    /// The server said that the listener is out, when so much was stored.
    Over { head: i64 },
}

/// All that is to be checked.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// What the database has in the end, by session or user. A log may begin late: its first entry
    /// says where.
    pub(crate) logs: HashMap<String, Vec<Entry>>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) hearings: Vec<Hearing>,
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("a log goes on from seq {0} with {1}")]
    SeqHole(i64, i64),
    #[error("a session goes on from message number {0} with {1}")]
    NumberHole(i64, i64),
    #[error("one message is stored twice: at seq {0} and {1}")]
    Doubled(i64, i64),
    #[error("a message was stored at seq {seq} though its sender was out since seq {left}")]
    Intruder { seq: i64, left: i64 },
    #[error("a message that was answered with seq {0} is not stored")]
    Lost(i64),
    #[error("a message that is stored at seq {stored} was answered with seq {answered}")]
    AnsweredWrongly { stored: i64, answered: i64 },
    #[error("seq {seq} was answered when only {head} was stored")]
    AnsweredBeforeStored { seq: i64, head: i64 },
    #[error("seq {seq} was told when only {head} was stored")]
    ToldBeforeStored { seq: i64, head: i64 },
    #[error("after seq {after}, {seq} was told: something is missing")]
    Skipped { after: i64, seq: i64 },
    #[error("after seq {after}, {seq} was told: doubled or out of order")]
    Repeated { after: i64, seq: i64 },
    #[error("what was told as seq {0} is not what is stored")]
    Phantom(i64),
    #[error("nothing was told after seq {last}, though the log goes to {head}")]
    Missed { last: i64, head: i64 },
    #[error("seq {seq} was told to somebody who was out since seq {left}")]
    AfterRemoval { seq: i64, left: i64 },
    #[error("a hearing ended as over for somebody who is in the session")]
    EndedForMember,
    #[error("the history has no log of {0}")]
    NoLog(String),
}

/// Checks everything; the first violation ends it.
pub(crate) fn check(history: &History) -> Result<(), Violation> {
    let mut logs = HashMap::with_capacity(history.logs.len());
    for (name, entries) in &history.logs {
        logs.insert(name.as_str(), Log::read(entries)?);
    }
    for answer in &history.answers {
        let log = logs.get(answer.session.as_str());
        log.ok_or_else(|| Violation::NoLog(answer.session.clone()))?.check_answer(answer)?;
    }
    for hearing in &history.hearings {
        let log = logs.get(hearing.log.as_str());
        log.ok_or_else(|| Violation::NoLog(hearing.log.clone()))?.check_hearing(hearing)?;
    }
    Ok(())
}

/// A log that is sound, and what is found in it.
struct Log<'a> {
    entries: &'a [Entry],
    /// The `seq` before the first entry.
    base: i64,
    /// Where each message stands, by its sender and the sender's own id of it.
    messages: HashMap<(&'a str, &'a str), &'a Entry>,
    /// When each user came (`true`) and went, in order.
    presence: HashMap<&'a str, Vec<(i64, bool)>>,
}

impl<'a> Log<'a> {
    fn read(entries: &'a [Entry]) -> Result<Self, Violation> {
        let base = entries.first().map_or(0, |entry| entry.seq - 1);
        let mut log = Self { entries, base, messages: HashMap::new(), presence: HashMap::new() };
        let (mut seq, mut number) = (base, 0);
        for entry in entries {
            if entry.seq != seq + 1 {
                return Err(Violation::SeqHole(seq, entry.seq));
            }
            seq = entry.seq;
            match &entry.what {
                What::Joined(user) => log.note(user, seq, true),
                What::Left(user) => log.note(user, seq, false),
                What::Posted { number: next, sender, client_id, .. } => {
                    if *next != number + 1 && base == 0 {
                        return Err(Violation::NumberHole(number, *next));
                    }
                    number = *next;
                    log.add_message(sender, client_id, entry)?;
                }
                What::Edited(_) | What::Deleted(_) | What::Other(_) => {}
            }
        }
        Ok(log)
    }

    fn note(&mut self, user: &'a str, seq: i64, came: bool) {
        self.presence.entry(user).or_default().push((seq, came));
    }

    fn add_message(
        &mut self,
        sender: &'a str,
        client_id: &'a str,
        entry: &'a Entry,
    ) -> Result<(), Violation> {
        if let Some(left) = self.out_since(sender, entry.seq) {
            return Err(Violation::Intruder { seq: entry.seq, left });
        }
        match self.messages.insert((sender, client_id), entry) {
            Some(first) => Err(Violation::Doubled(first.seq, entry.seq)),
            None => Ok(()),
        }
    }

    fn head(&self) -> i64 {
        self.entries.last().map_or(self.base, |entry| entry.seq)
    }

    /// Since when a user is out of the session, as it stood at `head`; `None` while they are in.
    /// A log that nobody comes into is a user's own.
    fn out_since(&self, user: &str, head: i64) -> Option<i64> {
        if self.presence.is_empty() {
            return None;
        }
        let changes = self.presence.get(user).map_or(&[][..], |changes| changes);
        let until = changes.partition_point(|(seq, _)| *seq <= head);
        match until.checked_sub(1).map(|last| changes[last]) {
            Some((_, true)) => None,
            Some((left, false)) => Some(left),
            None => Some(0),
        }
    }

    fn entry(&self, seq: i64) -> Option<&'a Entry> {
        self.entries.get(usize::try_from(seq - self.base - 1).ok()?)
    }

    fn check_answer(&self, answer: &Answer) -> Result<(), Violation> {
        let key = (answer.sender.as_str(), answer.client_id.as_str());
        let stored = self.messages.get(&key).ok_or(Violation::Lost(answer.seq))?;
        let What::Posted { id, number, .. } = &stored.what else {
            return Err(Violation::Lost(answer.seq));
        };
        if (stored.seq, *number, id) != (answer.seq, answer.number, &answer.id) {
            let (stored, answered) = (stored.seq, answer.seq);
            return Err(Violation::AnsweredWrongly { stored, answered });
        }
        match answer.head {
            Some(head) if head < answer.seq => {
                Err(Violation::AnsweredBeforeStored { seq: answer.seq, head })
            }
            _ => Ok(()),
        }
    }

    fn check_hearing(&self, hearing: &Hearing) -> Result<(), Violation> {
        let mut last = hearing.after;
        for told in &hearing.told {
            self.check_told(&hearing.listener, last, told)?;
            last = told.entry.seq;
        }
        match hearing.end {
            End::Cut => Ok(()),
            End::Open if last < self.head() => {
                // Who was sent away need not have been told of it, but of nothing later.
                let out = self.out_since(&hearing.listener, self.head());
                let missed = Violation::Missed { last, head: self.head() };
                out.filter(|left| last >= left - 1).map(|_| ()).ok_or(missed)
            }
            End::Open => Ok(()),
            End::Over { head } => {
                let own = What::Left(hearing.listener.clone());
                let told = hearing.told.last().is_some_and(|told| told.entry.what == own);
                let out = told || self.out_since(&hearing.listener, head).is_some();
                out.then_some(()).ok_or(Violation::EndedForMember)
            }
        }
    }

    fn check_told(&self, listener: &str, after: i64, told: &Told) -> Result<(), Violation> {
        let seq = told.entry.seq;
        if seq > after + 1 {
            return Err(Violation::Skipped { after, seq });
        }
        if seq <= after {
            return Err(Violation::Repeated { after, seq });
        }
        let head = told.head.unwrap_or_else(|| self.head());
        if seq > head {
            return Err(Violation::ToldBeforeStored { seq, head });
        }
        if let Some(left) = self.out_since(listener, head).filter(|left| seq > *left) {
            return Err(Violation::AfterRemoval { seq, left });
        }
        match self.entry(seq) {
            Some(entry) if *entry == told.entry => Ok(()),
            _ => Err(Violation::Phantom(seq)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(seq: i64, number: i64) -> Entry {
        let what = What::Posted {
            id: format!("m{number}"),
            number,
            sender: "ana".to_owned(),
            client_id: format!("c{number}"),
        };
        Entry { seq, what }
    }

    fn came(seq: i64, user: &str) -> Entry {
        Entry { seq, what: What::Joined(user.to_owned()) }
    }

    fn went(seq: i64, user: &str) -> Entry {
        Entry { seq, what: What::Left(user.to_owned()) }
    }

    fn told(entry: Entry, head: i64) -> Told {
        Told { entry, head: Some(head) }
    }

    fn answer(seq: i64, number: i64) -> Answer {
        Answer {
            session: "s".to_owned(),
            sender: "ana".to_owned(),
            client_id: format!("c{number}"),
            id: format!("m{number}"),
            number,
            seq,
            head: Some(seq),
        }
    }

    /// Ana and Bo come, Ana says three things, Bo is sent away between the second and the third.
    fn log() -> Vec<Entry> {
        let people = [came(1, "ana"), came(2, "bo"), posted(3, 1), posted(4, 2)];
        people.into_iter().chain([went(5, "bo"), posted(6, 3)]).collect()
    }

    fn heard_by(listener: &str, after: i64, seqs: std::ops::RangeInclusive<i64>) -> Hearing {
        let entries = log();
        let at = |seq: i64| entries[usize::try_from(seq - 1).unwrap()].clone();
        Hearing {
            listener: listener.to_owned(),
            log: "s".to_owned(),
            after,
            told: seqs.map(|seq| told(at(seq), seq)).collect(),
            end: End::Open,
        }
    }

    fn verdict(log: Vec<Entry>, answers: Vec<Answer>, hearings: Vec<Hearing>) -> Option<Violation> {
        let logs = HashMap::from([("s".to_owned(), log)]);
        check(&History { logs, answers, hearings }).err()
    }

    fn of_hearing(change: impl FnOnce(&mut Hearing)) -> Option<Violation> {
        let mut hearing = heard_by("ana", 2, 3..=6);
        change(&mut hearing);
        verdict(log(), vec![], vec![hearing])
    }

    #[test]
    fn a_good_history_passes() {
        let hearings = vec![heard_by("ana", 2, 3..=6), heard_by("bo", 2, 3..=5)];
        let answers = vec![answer(3, 1), answer(4, 2), answer(3, 1)];
        assert_eq!(verdict(log(), answers, hearings), None);
        let unaware = heard_by("bo", 2, 3..=4);
        assert_eq!(verdict(log(), vec![], vec![unaware]), None, "not told of his own leaving");
    }

    #[test]
    fn a_log_with_a_hole_or_a_double_is_found() {
        let mut hole = log();
        hole.remove(3);
        assert_eq!(verdict(hole, vec![], vec![]), Some(Violation::SeqHole(3, 5)));
        let mut skipped = log();
        skipped[5] = posted(6, 4);
        assert_eq!(verdict(skipped, vec![], vec![]), Some(Violation::NumberHole(2, 4)));
        let mut twice = log();
        let What::Posted { client_id, .. } = &mut twice[5].what else { unreachable!() };
        *client_id = "c1".to_owned();
        assert_eq!(verdict(twice, vec![], vec![]), Some(Violation::Doubled(3, 6)));
    }

    #[test]
    fn a_message_of_somebody_who_was_out_is_found() {
        let mut log = log();
        let What::Posted { sender, .. } = &mut log[5].what else { unreachable!() };
        *sender = "bo".to_owned();
        let intruder = Violation::Intruder { seq: 6, left: 5 };
        assert_eq!(verdict(log, vec![], vec![]), Some(intruder));
    }

    #[test]
    fn an_answer_that_was_no_truth_is_found() {
        let of = |change: fn(&mut Answer)| {
            let mut answer = answer(4, 2);
            change(&mut answer);
            verdict(log(), vec![answer], vec![])
        };
        assert_eq!(of(|_| ()), None);
        assert_eq!(of(|a| a.client_id = "c9".to_owned()), Some(Violation::Lost(4)));
        let wrong = Violation::AnsweredWrongly { stored: 4, answered: 3 };
        assert_eq!(of(|a| a.seq = 3), Some(wrong));
        let early = Violation::AnsweredBeforeStored { seq: 4, head: 3 };
        assert_eq!(of(|a| a.head = Some(3)), Some(early));
        let other = Violation::AnsweredWrongly { stored: 4, answered: 4 };
        assert_eq!(of(|a| a.id = "m1".to_owned()), Some(other));
    }

    #[test]
    fn a_hearing_that_lost_doubled_or_reordered_something_is_found() {
        let skipped = Violation::Skipped { after: 3, seq: 5 };
        assert_eq!(of_hearing(|h| drop(h.told.remove(1))), Some(skipped.clone()));
        assert_eq!(of_hearing(|h| h.told.swap(1, 2)), Some(skipped));
        let twice = |h: &mut Hearing| h.told.insert(1, h.told[0].clone());
        assert_eq!(of_hearing(twice), Some(Violation::Repeated { after: 3, seq: 3 }));
        let missed = Violation::Missed { last: 5, head: 6 };
        assert_eq!(of_hearing(|h| drop(h.told.pop())), Some(missed));
        let cut = |h: &mut Hearing| {
            h.told.pop();
            h.end = End::Cut;
        };
        assert_eq!(of_hearing(cut), None);
        let other = |h: &mut Hearing| h.told[0].entry = posted(3, 7);
        assert_eq!(of_hearing(other), Some(Violation::Phantom(3)));
    }

    #[test]
    fn what_was_told_before_it_was_stored_is_found() {
        let early = |h: &mut Hearing| h.told[3].head = Some(5);
        let violation = Violation::ToldBeforeStored { seq: 6, head: 5 };
        assert_eq!(of_hearing(early), Some(violation));
    }

    #[test]
    fn what_was_told_after_a_removal_is_found() {
        let late = heard_by("bo", 2, 3..=6);
        let violation = Violation::AfterRemoval { seq: 6, left: 5 };
        assert_eq!(verdict(log(), vec![], vec![late.clone()]), Some(violation.clone()));
        let mut stranger = heard_by("bo", 2, 3..=4);
        stranger.listener = "cy".to_owned();
        let violation_of_stranger = Violation::AfterRemoval { seq: 3, left: 0 };
        assert_eq!(verdict(log(), vec![], vec![stranger]), Some(violation_of_stranger));
        // Who comes back may hear all of it, but only when they are back.
        let mut back = log();
        back.push(came(7, "bo"));
        let mut again = late.clone();
        again.end = End::Cut;
        assert_eq!(verdict(back.clone(), vec![], vec![again.clone()]), Some(violation));
        again.told.iter_mut().for_each(|told| told.head = Some(7));
        assert_eq!(verdict(back, vec![], vec![again]), None);
    }

    #[test]
    fn a_hearing_that_was_ended_for_a_member_is_found() {
        let over = |listener: &str, seqs: std::ops::RangeInclusive<i64>, head| Hearing {
            end: End::Over { head },
            ..heard_by(listener, 2, seqs)
        };
        let of = |hearing| verdict(log(), vec![], vec![hearing]);
        assert_eq!(of(over("ana", 3..=4, 6)), Some(Violation::EndedForMember));
        assert_eq!(of(over("bo", 3..=3, 4)), Some(Violation::EndedForMember));
        assert_eq!(of(over("bo", 3..=3, 5)), None);
        assert_eq!(of(over("bo", 3..=5, 5)), None);
    }
}
