//! Three people who seal, one who reads, and what is known of who sealed what.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use parlor_e2ee::{Account, Machine, Members, Payload, Sealed, Settings, Verdict};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::change::{self, Frames};
use super::dice::Dice;
use super::relay::{Line, Relay};
use crate::cache::{Cache, Step, Thing};
use crate::http::Http;
use crate::login::Api;
use crate::{Client, Message, Secrecy, Session, Update, apply, clock, socket};

const SERVER: &str = "parlor.test";

/// Where everything is sealed, and where nothing is.
const SEALED: [&str; 2] =
    ["0190d7a0-0000-7000-8000-00000000000a", "0190d7a0-0000-7000-8000-00000000000b"];
const PLAIN: &str = "0190d7a0-0000-7000-8000-00000000000c";

/// Who seals; the reader is bo.
const SENDERS: [&str; 3] = ["ana", "cy", "eve"];

/// What they say in a world.
const SAID: usize = 60;

/// After so many frames keys are brought into step, and after so many the history is thrown away.
const FRAMES_TO_STEP: u64 = 250;
const FRAMES_TO_FORGET: u64 = 1_000;

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Frames that were no JSON.
    pub(crate) no_json: u64,
    /// Frames that were refused as a whole.
    pub(crate) refused: u64,
    /// Messages that were shown opened.
    pub(crate) opened: u64,
    /// Messages that were shown locked.
    pub(crate) locked: u64,
    /// Deltas of keys that were taken in.
    pub(crate) keys: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.no_json += other.no_json;
        self.refused += other.refused;
        self.opened += other.opened;
        self.locked += other.locked;
        self.keys += other.keys;
    }
}

/// The reader, and everything that could be said to them.
pub(crate) struct World {
    reader: Client,
    machine: Machine,
    line: Line,
    updates: Receiver<Update>,
    /// Who sealed these words, or this emoji.
    sealed_by: HashMap<String, String>,
    /// Every frame of an honest server, and those of them that were not said yet.
    frames: Frames,
    coming: VecDeque<Value>,
    ids: Vec<String>,
    seen: Seen,
}

/// Somebody's device.
struct Person {
    name: &'static str,
    machine: Machine,
    line: Line,
}

impl Person {
    async fn new(relay: &Relay, name: &'static str) -> Self {
        let device = format!("{name}-1");
        let line = relay.line(&format!("@{name}:{SERVER}"), &device);
        let (server_name, user_id) = (SERVER.to_owned(), name.to_owned());
        let account = Account { server_name, user_id, device_id: device };
        let machine = Machine::in_memory(account).await.unwrap();
        machine.flush(&line).await.unwrap();
        machine.set_up_identity(&line).await.unwrap();
        Self { name, machine, line }
    }

    /// Learns of everybody.
    async fn meet(&self) {
        let everybody = ["ana", "bo", "cy", "eve"].map(str::to_owned);
        self.machine.follow(&everybody).await.unwrap();
        let delta = self.line.sync(self.machine.position().await.unwrap());
        self.machine.receive(&delta).await.unwrap();
        self.machine.flush(&self.line).await.unwrap();
    }

    async fn seal(&self, session: &str, payload: &Payload) -> Sealed {
        let members = SENDERS.map(str::to_owned);
        let user_ids = [&members[..], &["bo".to_owned()]].concat();
        let members = Members { user_ids, version: 0 };
        self.machine.seal(&self.line, session, &members, &settings(), payload).await.unwrap()
    }
}

/// Few messages of one key, so that many keys are on the way.
fn settings() -> Settings {
    Settings { rotation_period_msgs: 3, ..Settings::default() }
}

impl World {
    pub(crate) async fn new(dice: &mut Dice) -> Self {
        let relay = Relay::default();
        let mut people = Vec::new();
        for name in ["bo", "ana", "cy", "eve"] {
            people.push(Person::new(&relay, name).await);
        }
        for person in &people {
            person.meet().await;
        }
        let bo = people.remove(0);
        let reader = client(bo.machine.clone());
        let mut world = Self {
            updates: reader.updates(),
            reader,
            machine: bo.machine,
            line: bo.line,
            sealed_by: HashMap::new(),
            frames: Frames::default(),
            coming: VecDeque::new(),
            ids: [&SENDERS[..], &SEALED, &[PLAIN, "bo", "@ana:parlor.test", "cy-1", ""]]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            seen: Seen::default(),
        };
        world.begin_anew().await;
        world.talk(dice, &people).await;
        world.frames.others = others();
        world
    }

    /// What people say, as the frames that an honest server makes of it.
    async fn talk(&mut self, dice: &mut Dice, people: &[Person]) {
        let mut pos = self.machine.position().await.unwrap();
        let mut said: Vec<String> = Vec::new();
        for n in 0..SAID {
            let (person, session) = (dice.pick(people), *dice.pick(&SEALED));
            let words = format!("word-{n}-{:x}", dice.next());
            let payload = payload(dice, &words, &said);
            self.sealed_by.insert(words, person.name.to_owned());
            let sealed = person.seal(session, &payload).await;
            let delta = self.line.sync(pos);
            pos = delta.pos;
            let mut keys = serde_json::to_value(&delta).unwrap();
            keys["type"] = "e2ee".into();
            let id = format!("m{n}");
            let message = json!({"id": id, "session_id": session, "sender_id": person.name,
                "client_id": format!("c{n}"), "number": n + 1, "seq": n + 1, "content": "",
                "encrypted": sealed, "sent_at": "2026-05-01T10:00:00Z"});
            let kind = if dice.one_in(6) { "edited" } else { "posted" };
            let event = json!({"type": "event", "session_id": session, "seq": n + 1,
                kind: message, "at": "2026-05-01T10:00:00Z"});
            self.frames.keys.push(keys.clone());
            self.frames.sealed.push(event.clone());
            self.coming.extend([keys, event]);
            self.ids.push(id.clone());
            said.push(id);
        }
    }

    /// Lives through so many frames.
    pub(crate) async fn live(&mut self, dice: &mut Dice, frames: u64) {
        let every = (frames / (self.coming.len() as u64 + 1)).max(1);
        for n in 0..frames {
            let text = match self.coming.front() {
                Some(_) if n % every == 0 => {
                    let mut frame = self.coming.pop_front().unwrap_or_default();
                    self.place(&mut frame);
                    frame.to_string()
                }
                _ => change::frame(dice, &self.frames, &self.ids, |frame| self.place(frame)),
            };
            self.hear(&text).await;
            if n % FRAMES_TO_STEP == 0 {
                // Whatever the server was made to be asked, it answers or refuses.
                let _ = self.machine.flush(&self.line).await;
                apply::open_locked(&self.reader, None).await.unwrap();
                self.look(&text);
            }
            if n % FRAMES_TO_FORGET == 0 {
                self.look_at_what_is_kept(&text);
                self.begin_anew().await;
            }
        }
    }

    /// Looks for the last time.
    pub(crate) async fn end(mut self) -> Seen {
        self.reader.stop().await;
        self.look("the end");
        self.look_at_what_is_kept("the end");
        self.seen
    }

    async fn hear(&mut self, text: &str) {
        match serde_json::from_str::<Value>(text) {
            Ok(frame) => match socket::take(&self.reader, &frame).await {
                Ok(socket::Taken::Answer(_)) => self.seen.keys += 1,
                Ok(_) => {}
                Err(_) => self.seen.refused += 1,
            },
            Err(_) => self.seen.no_json += 1,
        }
        // One brings the keys into step and one reads the rooms anew, one each waits, and some that
        // have done so may not be gone yet: not one for every frame.
        assert!(self.reader.0.tasks.len() <= 8, "{} tasks", self.reader.0.tasks.len());
        self.look(text);
    }

    /// Puts an event after the last one of its session, so that it is not passed over.
    fn place(&self, frame: &mut Value) {
        let session = frame["session_id"].as_str();
        let cursor = session.and_then(|id| self.reader.0.cache.cursor(id).unwrap());
        if let (Some(cursor), true) = (cursor, frame.get("seq").is_some()) {
            frame["seq"] = (cursor + 1).into();
        }
    }

    fn look(&mut self, frame: &str) {
        loop {
            match self.updates.try_recv() {
                Ok(Update::Posted(message) | Update::Changed(message)) => {
                    self.is_true(&message, frame);
                }
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn look_at_what_is_kept(&mut self, frame: &str) {
        for session in SEALED {
            for message in self.reader.session(session).timeline(None, 10_000).unwrap() {
                assert_eq!(message.session_id, session, "{message:?} after {frame}");
                self.is_true(&message, frame);
            }
        }
    }

    /// Whether a message says no more than what is known.
    fn is_true(&mut self, message: &Message, frame: &str) {
        let shown = || format!("{message:?} is shown after {frame}");
        for reaction in &message.reactions {
            let by = self.sealed_by.get(&reaction.emoji);
            let all = reaction.user_ids.iter().all(|user| Some(user) == by);
            assert!(message.secrecy == Secrecy::Plain || all, "{}", shown());
        }
        match message.secrecy {
            Secrecy::Opened { verdict } => {
                assert_ne!(verdict, Verdict::Verified, "nobody is: {}", shown());
                let by = self.sealed_by.get(&message.body);
                let is_theirs = by == Some(&message.sender_id);
                assert!(is_theirs || message.body.is_empty(), "{by:?}: {}", shown());
                self.seen.opened += 1;
            }
            Secrecy::Locked { .. } => {
                assert!(message.body.is_empty() && message.files.is_empty(), "{}", shown());
                self.seen.locked += 1;
            }
            Secrecy::Plain => {
                let is_sealed = SEALED.contains(&&*message.session_id);
                assert!(!is_sealed || message.body.is_empty(), "{}", shown());
            }
        }
    }

    async fn begin_anew(&self) {
        let cache = &self.reader.0.cache;
        cache.forget_history().unwrap();
        for id in SEALED.iter().chain([&PLAIN]) {
            let session = Session::read(&json!({"id": id, "room_id": "r"})).unwrap();
            cache.keep_thing(Thing::Session, id, &session).unwrap();
            cache.apply(Some(&Step { session_id: id, seq: 0 }), &[]).unwrap();
        }
        for session in SEALED {
            self.machine.remember(session, &settings()).await.unwrap();
        }
    }
}

/// Something to say with these words in it, about one of these messages or by itself.
fn payload(dice: &mut Dice, words: &str, said: &[String]) -> Payload {
    let at = Timestamp::from_second(1_750_000_000 + (dice.next() % 1_000_000) as i64).unwrap();
    let mut payload = match (dice.below(4), said.is_empty()) {
        (0, false) => Payload::reword(dice.pick(said), words, at),
        (1, false) => Payload::react(dice.pick(said), words, !dice.one_in(4), at),
        (2, false) => Payload::say(words, at).answering(dice.pick(said)),
        _ => Payload::say(words, at),
    };
    if dice.one_in(5) {
        payload.expires_in_ms = Some(*dice.pick(&[0, 1, u64::MAX, i64::MAX as u64, 1_000_000]));
    }
    payload
}

/// What else an honest server says.
fn others() -> Vec<Value> {
    let session = SEALED[0];
    let message = |session: &str| {
        json!({"id": "p1", "session_id": session, "sender_id": "ana", "client_id": "c",
        "number": 1, "seq": 1, "content": "plain", "sent_at": "2026-05-01T10:00:00Z",
        "reactions": [{"emoji": "+", "count": 1, "user_ids": ["cy"]}],
        "files": [{"id": "f", "name": "a", "media_type": "b", "size": 1}]})
    };
    let event = |session: &str, kind: &str, what: Value| {
        json!({"type": "event", "session_id": session, "seq": 1, kind: what,
            "at": "2026-05-01T10:00:00Z"})
    };
    vec![
        event(PLAIN, "posted", message(PLAIN)),
        event(session, "posted", message(session)),
        event(session, "edited", message(session)),
        event(session, "deleted", json!({"message_id": "m1"})),
        event(
            session,
            "reacted",
            json!({"message_id": "m2", "user_id": "ana", "emoji": "+", "on": true}),
        ),
        event(session, "joined", json!({"user_id": "cy"})),
        event(session, "left", json!({"user_id": "cy"})),
        event(session, "session_settings", json!({"encryption": null})),
        json!({"type": "event", "user_seq": 3, "settings": {}}),
        json!({"type": "typing", "session_id": session, "user_ids": ["ana"]}),
        json!({"type": "presence", "session_id": session, "online": ["ana"], "offline": []}),
        json!({"type": "read", "session_id": session, "marks": [{"user_id": "cy", "number": 3}]}),
        json!({"type": "reconnect", "after_ms": 100}),
        json!({"type": "error", "ref": 0, "code": "x", "message": "y"}),
        json!({"type": "e2ee", "pos": 1, "to_device": {"events": [{"type":
            "m.key.verification.request", "sender": "@ana:parlor.test", "content":
            {"from_device": "ana-1", "methods": ["m.sas.v1"], "timestamp": 1, "transaction_id":
            "t"}}, {"type": "m.room_key", "sender": "@eve:parlor.test", "content": {"algorithm":
            "m.megolm.v1.aes-sha2", "room_id": format!("!{session}:{SERVER}"), "session_id": "s",
            "session_key": "k"}},
            {"type": "m.dummy", "sender": "@cy:parlor.test", "content": {}}]}}),
    ]
}

/// The reader's client. Its server is not reached: what is due is done by the line.
fn client(machine: Machine) -> Client {
    let cache = Cache::in_memory().unwrap();
    let login = json!({"user_id": "bo", "username": "bo", "device_id": "bo-1", "access_token": "",
        "refresh_token": ""});
    cache.keep("login", &login).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = Api::resume(Http::new(&format!("http://{closed}")), &cache).unwrap().unwrap();
    Client::assemble(clock::machine(), api, cache, Some(machine))
}
