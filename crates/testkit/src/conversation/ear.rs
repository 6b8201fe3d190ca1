//! How somebody hears, on the door that the conversation uses. Whatever the door: the events of a
//! log come in order, without a hole and without a double, or the test fails.

use std::collections::BTreeMap;

use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use parlor_wire::v1;

use super::Door;
use crate::socket::{Heard, Socket};
use crate::stream::{EventStream, Told};
use crate::{Person, Refused};

/// Something that was heard.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Incident {
    /// An entry of a session's log or of one's own.
    Event(v1::Event),
    /// Typing, presence, read markers.
    Murmur(Frame),
    /// The connection was ended for them, with this word.
    Cut(String),
}

enum Line {
    Offline,
    Polled,
    Socket(Box<Socket>),
    Stream(Box<EventStream>),
}

/// One person's way of hearing.
pub(super) struct Ear {
    door: Door,
    line: Line,
    /// The last `seq` heard of each session that they are in.
    seen: BTreeMap<String, i64>,
    /// The same of sessions that they are out of: what was on its way still comes.
    gone: BTreeMap<String, i64>,
    user_seen: i64,
    /// What an event stream followed, and its last `id`.
    cursor: Option<(Vec<String>, String)>,
    signed_out: bool,
    pub(super) inbox: Vec<Incident>,
}

impl Ear {
    pub(super) fn new(door: Door) -> Self {
        Self {
            door,
            line: Line::Offline,
            seen: BTreeMap::new(),
            gone: BTreeMap::new(),
            user_seen: 0,
            cursor: None,
            signed_out: false,
            inbox: Vec::new(),
        }
    }

    pub(super) fn socket(&mut self) -> Option<(&mut Socket, &mut Vec<Incident>)> {
        match &mut self.line {
            Line::Socket(socket) => Some((socket, &mut self.inbox)),
            _ => None,
        }
    }

    /// Whether they were cut off.
    pub(super) fn is_cut(&self) -> bool {
        self.inbox.iter().any(|incident| matches!(incident, Incident::Cut(_)))
    }

    pub(super) fn is_polled(&self) -> bool {
        matches!(self.line, Line::Polled)
    }

    /// Begins to hear, from now on.
    pub(super) async fn open(&mut self, person: &Person) {
        let init = init(person).await.expect("somebody who is signed in may look around");
        self.user_seen = init.user_seq;
        self.connect(person, &init).await.expect("it is a current place in the log");
    }

    /// Goes on hearing where they stopped.
    pub(super) async fn resume(&mut self, person: &Person) -> Result<(), Refused> {
        let init = init(person).await?;
        self.connect(person, &init).await
    }

    /// Goes on at another place of a session's log; where that is refused, they stay offline.
    pub(super) async fn resume_at(
        &mut self,
        person: &Person,
        session: &str,
        seq: i64,
    ) -> Result<(), Refused> {
        self.hang_up().await;
        self.cursor = None;
        self.seen.insert(session.to_owned(), seq);
        if matches!(self.door, Door::Rest | Door::RestProtobuf) {
            let path = format!("/sessions/{session}/events?after={seq}");
            return person.get::<v1::EventPage>(&path).await.map(drop);
        }
        self.resume(person).await
    }

    async fn connect(&mut self, person: &Person, init: &v1::Init) -> Result<(), Refused> {
        for (session, head) in self.note_sessions(init) {
            self.enter(session, head);
        }
        match self.door {
            Door::Rest | Door::RestProtobuf => self.line = Line::Polled,
            Door::Socket => self.connect_socket(person, Codec::Json).await?,
            Door::SocketProtobuf => self.connect_socket(person, Codec::Proto).await?,
            Door::SocketIo => {
                let resume = self.seen.iter();
                let opened = Socket::open_io(person, Some(self.user_seen), resume).await;
                self.line = Line::Socket(Box::new(opened?));
            }
            Door::Stream => {
                // The cursor that the last stream gave, where it fits what is followed now.
                let cursor = self.cursor.take();
                let fits = cursor.filter(|(sessions, _)| sessions.iter().eq(self.seen.keys()));
                self.connect_stream(person, fits.as_ref().map(|(_, id)| &**id)).await?;
            }
        }
        Ok(())
    }

    async fn connect_socket(&mut self, person: &Person, codec: Codec) -> Result<(), Refused> {
        let mut socket = Socket::open(person, codec).await;
        let mut meanwhile = Vec::new();
        socket.subscribe("", Some(self.user_seen), &mut meanwhile).await?;
        for (session, seq) in &self.seen {
            socket.subscribe(session, Some(*seq), &mut meanwhile).await?;
        }
        self.line = Line::Socket(Box::new(socket));
        meanwhile.into_iter().for_each(|heard| self.hear(heard));
        Ok(())
    }

    async fn connect_stream(&mut self, person: &Person, id: Option<&str>) -> Result<(), Refused> {
        let following: Vec<_> = self.seen.iter().map(|(s, seq)| (s.clone(), Some(*seq))).collect();
        let stream = EventStream::open(person, &following, Some(self.user_seen), id).await;
        let refused =
            |answer: crate::http::Answer| Refused { status: answer.status, code: answer.code() };
        self.line = Line::Stream(Box::new(stream.map_err(refused)?));
        Ok(())
    }

    /// Compares what is followed with what they are in, and returns the new sessions, each with
    /// its head.
    fn note_sessions(&mut self, init: &v1::Init) -> Vec<(String, i64)> {
        let here = |id: &String| init.sessions.iter().any(|session| session.id == *id);
        let out: Vec<_> = self.seen.keys().filter(|id| !here(id)).cloned().collect();
        for id in out {
            let seq = self.seen.remove(&id).unwrap_or_default();
            self.gone.insert(id, seq);
        }
        let new = init.sessions.iter().filter(|session| !self.seen.contains_key(&session.id));
        new.map(|session| (session.id.clone(), session.head_seq)).collect()
    }

    /// From now on, a session is heard from `head` on.
    fn enter(&mut self, session: String, head: i64) {
        self.gone.remove(&session);
        self.seen.insert(session, head);
    }

    /// Follows what they have come into, and no more what they are out of.
    pub(super) async fn follow(&mut self, person: &Person) {
        if matches!(self.line, Line::Offline) {
            return;
        }
        // Somebody who was signed out has nothing to follow.
        let Ok(init) = init(person).await else { return };
        let new = self.note_sessions(&init);
        if new.is_empty() {
            return;
        }
        for (session, head) in new {
            if let Line::Socket(socket) = &mut self.line {
                let mut meanwhile = Vec::new();
                let heard = socket.subscribe(&session, Some(head), &mut meanwhile).await;
                heard.expect("a member may listen");
                // What came before the answer is of the time before, if they were in it once.
                meanwhile.into_iter().for_each(|heard| self.hear(heard));
            }
            self.enter(session, head);
        }
        if matches!(self.line, Line::Stream(_)) {
            let opened = self.connect_stream(person, None).await;
            opened.expect("a member may follow");
        }
    }

    /// Stops hearing.
    pub(super) async fn hang_up(&mut self) {
        match std::mem::replace(&mut self.line, Line::Offline) {
            Line::Socket(socket) => socket.close().await,
            Line::Stream(mut stream) => {
                stream.take_ready().into_iter().for_each(|told| self.be_told(told));
                let sessions = self.seen.keys().cloned().collect();
                self.cursor = stream.last_id.map(|id| (sessions, id));
            }
            Line::Offline | Line::Polled => {}
        }
    }

    pub(super) async fn close(mut self) {
        self.hang_up().await;
    }

    /// Whether every log that they are in was heard as far as it goes.
    pub(super) async fn is_at_the_end(&self, person: &Person) -> bool {
        let Ok(init) = init(person).await else { return true };
        let heard = |session: &v1::Session| {
            self.seen.get(&session.id).is_none_or(|seen| *seen >= session.head_seq)
        };
        self.user_seen >= init.user_seq && init.sessions.iter().all(heard)
    }

    /// Waits for something more to be heard. By asking, everything there is comes at once.
    pub(super) async fn more(&mut self, person: &Person) {
        match &mut self.line {
            Line::Offline => panic!("{} is offline", person.username),
            Line::Polled => self.poll(person).await,
            Line::Socket(socket) => {
                let heard = socket.next().await;
                self.hear(heard);
            }
            Line::Stream(stream) => match stream.next().await {
                Told::Over => self.reopen(person).await,
                told => self.be_told(told),
            },
        }
    }

    /// Opens a stream that ended anew, as browsers do.
    async fn reopen(&mut self, person: &Person) {
        self.line = Line::Offline;
        match init(person).await {
            Ok(init) if !self.signed_out => {
                for (session, head) in self.note_sessions(&init) {
                    self.enter(session, head);
                }
                let opened = self.connect_stream(person, None).await;
                opened.expect("a member may follow");
            }
            _ => self.inbox.push(Incident::Cut("signed out".to_owned())),
        }
    }

    async fn poll(&mut self, person: &Person) {
        let path = format!("/me/events?after={}&limit=100", self.user_seen);
        match person.get::<v1::UserEventPage>(&path).await {
            Ok(page) => page.events.into_iter().for_each(|event| self.take(event)),
            Err(refused) if refused.status == 401 => {
                self.line = Line::Offline;
                self.inbox.push(Incident::Cut("signed out".to_owned()));
                return;
            }
            Err(refused) => panic!("{}: {refused:?}", person.username),
        }
        for (session, after) in self.seen.clone() {
            let path = format!("/sessions/{session}/events?after={after}&limit=100");
            if let Ok(page) = person.get::<v1::EventPage>(&path).await {
                page.events.into_iter().for_each(|event| self.take(event));
            }
        }
    }

    pub(super) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Frame(Frame::Event(event)) => self.take(event),
            Heard::Frame(Frame::Hello(_) | Frame::Ok(_)) => {}
            Heard::Frame(frame) => self.inbox.push(Incident::Murmur(frame)),
            Heard::Closed(code) => {
                self.line = Line::Offline;
                let word = if code == 4010 { "signed out".to_owned() } else { code.to_string() };
                self.inbox.push(Incident::Cut(word));
            }
        }
    }

    fn be_told(&mut self, told: Told) {
        match told {
            Told::Frame(frame) => self.hear(Heard::Frame(frame)),
            // One that names a session only says that nothing more comes of it.
            Told::Named(name, data) if name == "revoked" => {
                self.signed_out |= !data.contains("session_id");
            }
            Told::Named(name, _) => panic!("the stream says {name}"),
            Told::Over => {}
        }
    }

    /// Takes an entry of a log, which must be the very next one.
    fn take(&mut self, event: v1::Event) {
        match (&event.session_id, event.seq, event.user_seq) {
            (Some(session), Some(seq), None) => {
                let seen = self.seen.get_mut(session).or_else(|| self.gone.get_mut(session));
                let seen = seen.unwrap_or_else(|| panic!("nobody asked for this: {event:?}"));
                assert_eq!(seq, *seen + 1, "a hole or a double in the log: {event:?}");
                *seen = seq;
            }
            (None, None, Some(seq)) => {
                assert_eq!(seq, self.user_seen + 1, "a hole or a double: {event:?}");
                self.user_seen = seq;
            }
            _ => panic!("this is of no log: {event:?}"),
        }
        self.inbox.push(Incident::Event(event));
    }
}

async fn init(person: &Person) -> Result<v1::Init, Refused> {
    person.get("/me/init").await
}
