//! What goes over the wire between nodes: a letter is a version, the node that wrote it, and
//! entries one behind the other. Messages go with their text, so that nobody who hears of them has
//! to read them; rarer events and users' own logs go as heads, and are read from the store.
//!
//! A letter that cannot be read is not an error: nodes of two versions may run side by side for a
//! while. It is a doubt, and the store knows.

use parlor_domain::{
    ClientId, DeviceId, Event, EventKind, LoginId, Message, MessageId, SessionId, Time, Unsent,
    UserEvent, UserId,
};
use parlor_wire::Dialect;
use uuid::Uuid;

use crate::{Heard, Node, Spent, Topic, Word};

/// The version of the form. Nodes read their own only.
const VERSION: u8 = 3;

/// Bytes of an event beyond which only its place is carried.
const EVENT_BYTES_MAX: usize = 48 * 1024;

/// Ids of one word at most; more is no letter of ours.
const IDS_MAX: usize = 1 << 16;

const POSTED: u8 = 1;
const EDITED: u8 = 2;
const DELETED: u8 = 3;
const SESSION_HEAD: u8 = 4;
const USER_HEAD: u8 = 5;
const REACTED: u8 = 6;
const DECAYED: u8 = 7;
const TYPING: u8 = 16;
const READ: u8 = 17;
const PRESENCE: u8 = 18;
const REVOKED: u8 = 19;
const MURMUR: u8 = 20;
const HERE: u8 = 21;
const ASK: u8 = 22;
const PEOPLE: u8 = 23;
const MOVED: u8 = 24;
const SPENT: u8 = 25;
const DRAFT: u8 = 26;
const THREAD_READ: u8 = 27;
const QUEUE: u8 = 28;

/// The beginning of every letter of a node.
pub(crate) fn begin(node: Node) -> Vec<u8> {
    let mut letter = vec![VERSION];
    letter.extend_from_slice(&node.0.to_le_bytes());
    letter
}

/// Who wrote a letter; `None` when it is none of ours.
pub(crate) fn writer(letter: &[u8]) -> Option<Node> {
    let mut input = Input(letter);
    (input.byte()? == VERSION).then_some(Node(u64::from_le_bytes(input.array()?)))
}

/// An entry for an event; its place alone where the rest is rare or too large.
pub(crate) fn event(event: &Event) -> Vec<u8> {
    let (tag, message) = match &event.kind {
        EventKind::Posted(message) => (POSTED, message),
        EventKind::Edited(message) => (EDITED, message),
        EventKind::Deleted { message, number, by } => {
            let mut out = placed(DELETED, event);
            id(&mut out, message.0);
            int(&mut out, *number);
            id(&mut out, by.0);
            return out;
        }
        EventKind::Decayed { from, to } => {
            let mut out = placed(DECAYED, event);
            int(&mut out, *from);
            int(&mut out, *to);
            return out;
        }
        EventKind::Reacted { message, number, user, emoji, on, count } => {
            let mut out = placed(REACTED, event);
            id(&mut out, message.0);
            int(&mut out, *number);
            id(&mut out, user.0);
            text(&mut out, emoji.as_bytes());
            out.push(u8::from(*on));
            int(&mut out, *count);
            return out;
        }
        _ => return head(Topic::Session(event.session), event.seq),
    };
    // What people did with a message is read where it is told, as it is then.
    if message.content.len() > EVENT_BYTES_MAX || message.extras.is_some() {
        return head(Topic::Session(event.session), event.seq);
    }
    let mut out = placed(tag, event);
    id(&mut out, message.id.0);
    int(&mut out, message.no);
    int(&mut out, message.number);
    int(&mut out, message.seq);
    id(&mut out, message.sender.0);
    id(&mut out, message.client_id.0);
    text(&mut out, message.content.as_bytes());
    option(&mut out, message.reply_to, |out, reply| id(out, reply.0));
    option(&mut out, message.thread, |out, root| id(out, root.0));
    option(&mut out, message.file.as_deref(), |out, file| text(out, file.as_bytes()));
    int(&mut out, message.sent_at.0);
    option(&mut out, message.edited_at, |out, at| int(out, at.0));
    option(&mut out, message.deleted_at, |out, at| int(out, at.0));
    option(&mut out, message.expires_at, |out, at| int(out, at.0));
    out
}

/// An entry for how far a log has come.
pub(crate) fn head(topic: Topic, seq: i64) -> Vec<u8> {
    let (tag, of) = match topic {
        Topic::Session(session) => (SESSION_HEAD, session.0),
        Topic::User(user) => (USER_HEAD, user.0),
    };
    let mut out = vec![tag];
    id(&mut out, of);
    int(&mut out, seq);
    out
}

/// An entry for what happened in somebody's own log.
pub(crate) fn user_event(event: &UserEvent) -> Vec<u8> {
    head(Topic::User(event.user), event.seq)
}

/// What is only about these.
fn about(out: &mut Vec<u8>, kind: u8, ids: &[Uuid]) {
    out.push(kind);
    ids.iter().for_each(|of| id(out, *of));
}

/// An entry for a word.
pub(crate) fn word(word: &Word) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    match word {
        Word::Typing(session, user) => about(&mut out, TYPING, &[session.0, user.0]),
        Word::Read(session, user, number) => {
            out.push(READ);
            id(&mut out, session.0);
            id(&mut out, user.0);
            int(&mut out, *number);
        }
        Word::Draft(user, device, unsent) => {
            out.push(DRAFT);
            draft(&mut out, *user, *device, unsent);
        }
        Word::ThreadRead(user, device, root, number) => {
            out.push(THREAD_READ);
            id(&mut out, user.0);
            id(&mut out, device.0);
            id(&mut out, root.0);
            int(&mut out, *number);
        }
        Word::Queue(user) => about(&mut out, QUEUE, &[user.0]),
        Word::Presence(session, user, online) => {
            out.push(PRESENCE);
            id(&mut out, session.0);
            id(&mut out, user.0);
            out.push(u8::from(*online));
        }
        Word::Revoked(logins) => {
            out.push(REVOKED);
            ids(&mut out, logins.iter().map(|login| login.0));
        }
        Word::Murmur(dialect, said) => {
            out.extend([MURMUR, *dialect as u8]);
            text(&mut out, said);
        }
        Word::Here { count, digest } => {
            out.push(HERE);
            out.extend(count.to_le_bytes());
            out.extend(digest.to_le_bytes());
        }
        Word::Ask(node) => {
            out.push(ASK);
            out.extend(node.0.to_le_bytes());
        }
        Word::People { first, users } => {
            out.extend([PEOPLE, u8::from(*first)]);
            ids(&mut out, users.iter().map(|user| user.0));
        }
        Word::Moved { came, went } => {
            out.push(MOVED);
            ids(&mut out, came.iter().map(|user| user.0));
            ids(&mut out, went.iter().map(|user| user.0));
        }
        Word::Spent(spent) => {
            out.push(SPENT);
            length(&mut out, spent.len());
            for Spent { rate, key, tries } in spent {
                out.push(*rate);
                out.extend(key);
                int(&mut out, *tries);
            }
        }
    }
    out
}

fn draft(out: &mut Vec<u8>, user: UserId, device: DeviceId, unsent: &Unsent) {
    id(out, user.0);
    id(out, device.0);
    id(out, unsent.session.0);
    option(out, unsent.thread, |out, root| id(out, root.0));
    text(out, unsent.content.as_bytes());
    option(out, unsent.reply_to, |out, reply| id(out, reply.0));
    int(out, unsent.updated_at.0);
}

/// What a letter says; what cannot be read of it is a doubt.
pub(crate) fn read(letter: &[u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    let Some(node) = writer(letter) else {
        return vec![Heard::Doubt];
    };
    let mut input = Input(&letter[9..]);
    while !input.0.is_empty() {
        match entry(&mut input, node) {
            Some(entry) => heard.push(entry),
            None => {
                heard.push(Heard::Doubt);
                break;
            }
        }
    }
    heard
}

fn entry(input: &mut Input<'_>, node: Node) -> Option<Heard> {
    let said = |word| Some(Heard::Word(node, word));
    match input.byte()? {
        tag @ (POSTED | EDITED | DELETED | REACTED | DECAYED) => {
            Some(Heard::Event(input.event(tag)?))
        }
        SESSION_HEAD => Some(Heard::Head(Topic::Session(SessionId(input.id()?)), input.int()?)),
        USER_HEAD => Some(Heard::Head(Topic::User(UserId(input.id()?)), input.int()?)),
        TYPING => said(Word::Typing(SessionId(input.id()?), UserId(input.id()?))),
        READ => said(Word::Read(SessionId(input.id()?), UserId(input.id()?), input.int()?)),
        PRESENCE => {
            said(Word::Presence(SessionId(input.id()?), UserId(input.id()?), input.flag()?))
        }
        DRAFT => {
            let (user, device) = (UserId(input.id()?), DeviceId(input.id()?));
            said(Word::Draft(user, device, input.unsent()?))
        }
        THREAD_READ => {
            let (user, device) = (UserId(input.id()?), DeviceId(input.id()?));
            said(Word::ThreadRead(user, device, MessageId(input.id()?), input.int()?))
        }
        QUEUE => said(Word::Queue(UserId(input.id()?))),
        REVOKED => said(Word::Revoked(input.ids(LoginId)?)),
        MURMUR => {
            let dialect = *Dialect::ALL.get(usize::from(input.byte()?))?;
            said(Word::Murmur(dialect, input.text()?.to_vec()))
        }
        HERE => {
            let count = u64::from_le_bytes(input.array()?);
            said(Word::Here { count, digest: u128::from_le_bytes(input.array()?) })
        }
        ASK => said(Word::Ask(Node(u64::from_le_bytes(input.array()?)))),
        PEOPLE => said(Word::People { first: input.flag()?, users: input.ids(UserId)? }),
        MOVED => said(Word::Moved { came: input.ids(UserId)?, went: input.ids(UserId)? }),
        SPENT => {
            let count = input.length()?;
            let spent = (0..count).map(|_| {
                let (rate, key) = (input.byte()?, input.array()?);
                Some(Spent { rate, key, tries: input.int()? })
            });
            said(Word::Spent(spent.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn placed(tag: u8, event: &Event) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(tag);
    id(&mut out, event.session.0);
    int(&mut out, event.seq);
    int(&mut out, event.at.0);
    out
}

fn id(out: &mut Vec<u8>, id: Uuid) {
    out.extend_from_slice(id.as_bytes());
}

fn int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    length(out, text.len());
    out.extend_from_slice(text);
}

fn ids(out: &mut Vec<u8>, all: impl ExactSizeIterator<Item = Uuid>) {
    length(out, all.len());
    all.for_each(|one| id(out, one));
}

fn option<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        write(out, value);
    }
}

/// What is left to be read of a letter.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn id(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    fn int(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        (length <= IDS_MAX).then_some(length)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        self.take(length)
    }

    fn string(&mut self) -> Option<String> {
        String::from_utf8(self.text()?.to_vec()).ok()
    }

    fn ids<T>(&mut self, of: impl Fn(Uuid) -> T) -> Option<Vec<T>> {
        let count = self.length()?;
        (0..count).map(|_| self.id().map(&of)).collect()
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    fn event(&mut self, tag: u8) -> Option<Event> {
        let (session, seq, at) = (SessionId(self.id()?), self.int()?, Time(self.int()?));
        let kind = match tag {
            POSTED => EventKind::Posted(self.message(session)?),
            EDITED => EventKind::Edited(self.message(session)?),
            DECAYED => EventKind::Decayed { from: self.int()?, to: self.int()? },
            _ => {
                let (message, number) = (MessageId(self.id()?), self.int()?);
                let user = UserId(self.id()?);
                match tag {
                    DELETED => EventKind::Deleted { message, number, by: user },
                    _ => self.reaction(message, number, user)?,
                }
            }
        };
        Some(Event { session, seq, at, kind })
    }

    fn unsent(&mut self) -> Option<Unsent> {
        Some(Unsent {
            session: SessionId(self.id()?),
            thread: self.option(Self::id)?.map(MessageId),
            content: self.string()?,
            reply_to: self.option(Self::id)?.map(MessageId),
            updated_at: Time(self.int()?),
        })
    }

    fn reaction(&mut self, message: MessageId, number: i64, user: UserId) -> Option<EventKind> {
        let (emoji, on, count) = (self.string()?, self.flag()?, self.int()?);
        Some(EventKind::Reacted { message, number, user, emoji, on, count })
    }

    fn message(&mut self, session: SessionId) -> Option<Message> {
        Some(Message {
            id: MessageId(self.id()?),
            no: self.int()?,
            number: self.int()?,
            seq: self.int()?,
            session,
            sender: UserId(self.id()?),
            client_id: ClientId(self.id()?),
            content: self.string()?,
            reply_to: self.option(Self::id)?.map(MessageId),
            thread: self.option(Self::id)?.map(MessageId),
            file: self.option(Self::string)?,
            sent_at: Time(self.int()?),
            edited_at: self.option(Self::int)?.map(Time),
            deleted_at: self.option(Self::int)?.map(Time),
            expires_at: self.option(Self::int)?.map(Time),
            extras: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::Gone;

    fn uuid(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn posted(content: &str) -> Event {
        let session = SessionId(uuid(1));
        let message = Message {
            id: MessageId(uuid(2)),
            no: 7,
            number: 5,
            seq: 9,
            session,
            sender: UserId(uuid(3)),
            client_id: ClientId(uuid(4)),
            content: content.to_owned(),
            reply_to: Some(MessageId(uuid(5))),
            thread: Some(MessageId(uuid(6))),
            file: None,
            sent_at: Time(11),
            edited_at: Some(Time(-12)),
            deleted_at: None,
            expires_at: Some(Time(13)),
            extras: None,
        };
        Event { session, seq: 9, at: Time(11), kind: EventKind::Posted(message) }
    }

    fn letter(entries: &[Vec<u8>]) -> Vec<u8> {
        let mut letter = begin(Node(77));
        entries.iter().for_each(|entry| letter.extend(entry));
        letter
    }

    #[test]
    fn a_message_reads_back_as_it_was_written() {
        let said = posted("olá \u{1F600}");
        let EventKind::Posted(message) = said.kind.clone() else { unreachable!() };
        let edited = Event { seq: 10, kind: EventKind::Edited(message.clone()), ..said.clone() };
        let kind = EventKind::Deleted { message: message.id, number: 5, by: message.sender };
        let deleted = Event { seq: 11, kind, ..said.clone() };
        let (id, user) = (message.id, message.sender);
        let emoji = "\u{1F44D}".to_owned();
        let kind = EventKind::Reacted { message: id, number: 5, user, emoji, on: true, count: 3 };
        let reacted = Event { seq: 12, kind, ..said.clone() };
        let decayed =
            Event { seq: 13, kind: EventKind::Decayed { from: 5, to: 7 }, ..said.clone() };
        let all = [said, edited, deleted, reacted, decayed];
        let entries: Vec<_> = all.iter().map(event).collect();
        assert_eq!(read(&letter(&entries)), all.map(Heard::Event));
        assert_eq!(writer(&letter(&[])), Some(Node(77)));
    }

    #[test]
    fn what_is_rare_or_large_goes_as_a_head() {
        let large = posted(&"x".repeat(EVENT_BYTES_MAX + 1));
        let kind = EventKind::Left { user: UserId(uuid(3)), by: None, reason: Gone::Kicked };
        let left = Event { kind, ..posted("") };
        for rare in [large, left] {
            let expected = Heard::Head(Topic::Session(rare.session), 9);
            assert_eq!(read(&letter(&[event(&rare)])), [expected]);
        }
    }

    #[test]
    fn every_word_reads_back() {
        let (session, user, other) = (SessionId(uuid(1)), UserId(uuid(2)), UserId(uuid(3)));
        let unsent = Unsent {
            session,
            thread: Some(MessageId(uuid(5))),
            content: "so far".to_owned(),
            reply_to: None,
            updated_at: Time(9),
        };
        let spent = Spent { rate: 3, key: [9; 16], tries: -2 };
        let words = [
            Word::Typing(session, user),
            Word::Read(session, user, 12),
            Word::Draft(user, DeviceId(uuid(4)), unsent),
            Word::ThreadRead(user, DeviceId(uuid(4)), MessageId(uuid(5)), 12),
            Word::Queue(user),
            Word::Presence(session, user, true),
            Word::Presence(session, user, false),
            Word::Revoked(vec![LoginId(uuid(7)), LoginId(uuid(8))]),
            Word::Murmur(Dialect::Shh, b"{}".to_vec()),
            Word::Here { count: 3, digest: 1 << 100 },
            Word::Ask(Node(5)),
            Word::People { first: true, users: vec![user, other] },
            Word::Moved { came: vec![user], went: vec![] },
            Word::Spent(vec![spent, spent]),
        ];
        let entries: Vec<_> = words.iter().map(word).collect();
        let expected: Vec<_> = words.into_iter().map(|word| Heard::Word(Node(77), word)).collect();
        assert_eq!(read(&letter(&entries)), expected);
    }

    #[test]
    fn a_letter_that_is_cut_off_or_foreign_is_a_doubt() {
        let whole = letter(&[event(&posted("hi")), word(&Word::Revoked(vec![LoginId(uuid(7))]))]);
        for end in 0..whole.len() {
            let heard = read(&whole[..end]);
            let fits = end == 9 || end == 9 + event(&posted("hi")).len();
            assert_eq!(heard.last() == Some(&Heard::Doubt), !fits, "{end}: {heard:?}");
        }
        let mut foreign = whole;
        foreign[0] = VERSION + 1;
        assert_eq!(read(&foreign), [Heard::Doubt]);
    }

    #[test]
    fn any_bytes_are_harmless() {
        let mut bytes = letter(&[event(&posted("hi")), word(&Word::Spent(vec![]))]);
        for place in 9..bytes.len() {
            for value in [0, 1, 127, 255] {
                let before = std::mem::replace(&mut bytes[place], value);
                let _ = read(&bytes);
                bytes[place] = before;
            }
        }
    }
}
