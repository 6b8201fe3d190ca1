//! Random operations on the store and on the model: they must agree on what was allowed, and in
//! the end on every log, every member and every visible message.

use parlor_domain::{MessageId, RoomId, RoomKind, SessionFacts, SessionId, UserId, room, session};
use parlor_store::StoreError;
use parlor_store::messages::Page;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::model::Model;
use crate::world::World;

const PEOPLE: usize = 4;

/// Words of messages.
const WORDS: [&str; 5] = ["red", "redder", "blue", "blues", "green"];

type Matches = fn(&str) -> bool;

/// What is searched for, and what a text must be to match, in the simplest words.
const QUERIES: [(&str, Matches); 7] = [
    ("text ", |_| true),
    ("red ", |text| text.split(' ').any(|word| word == "red")),
    ("red", |text| text.contains("red")),
    ("BLUE* green ", |text| text.contains("blue") && text.contains("green")),
    ("\"blue green\"", |text| text.ends_with("blue green")),
    ("text -red -blues ", |text| !text.split(' ').any(|word| word == "red" || word == "blues")),
    ("-text ", |_| false),
];

/// Something that somebody tries. Indices wrap around what there is.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Create(usize, bool),
    Join(usize, usize),
    Leave(usize, usize),
    Kick(usize, usize, usize),
    Open(usize, usize, usize),
    Add(usize, usize, usize),
    Post(usize, usize),
    Edit(usize, usize),
    Delete(usize, usize),
    Raze(usize, usize),
    Search(usize, usize),
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let (who, index) = (0..PEOPLE, 0..64_usize);
    prop_oneof![
        1 => (who.clone(), any::<bool>()).prop_map(|(who, open)| Op::Create(who, open)),
        4 => (who.clone(), index.clone()).prop_map(|(who, room)| Op::Join(who, room)),
        1 => (who.clone(), index.clone()).prop_map(|(who, room)| Op::Leave(who, room)),
        1 => (who.clone(), who.clone(), index.clone())
            .prop_map(|(by, whom, room)| Op::Kick(by, whom, room)),
        2 => (who.clone(), who.clone(), index.clone())
            .prop_map(|(by, with, room)| Op::Open(by, with, room)),
        3 => (who.clone(), who.clone(), index.clone())
            .prop_map(|(by, whom, session)| Op::Add(by, whom, session)),
        8 => (who.clone(), index.clone()).prop_map(|(who, session)| Op::Post(who, session)),
        3 => (who.clone(), index.clone()).prop_map(|(who, message)| Op::Edit(who, message)),
        2 => (who.clone(), index.clone())
            .prop_map(|(who, message)| Op::Delete(who, message)),
        1 => (who.clone(), index.clone()).prop_map(|(who, room)| Op::Raze(who, room)),
        4 => (who, index).prop_map(|(who, query)| Op::Search(who, query)),
    ]
}

pub(crate) fn random_operations_agree_with_a_model(open: impl AsyncFn() -> World) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ops = prop::collection::vec(op(), 1..60);
    TestRunner::new(config)
        .run(&ops, |ops| {
            runtime.block_on(async {
                let mut both = Both::new(open().await).await;
                for (n, op) in ops.into_iter().enumerate() {
                    both.try_out(n, op).await?;
                }
                both.compare().await
            })
        })
        .unwrap();
}

/// The store and the model, with the store's ids for the model's indices.
pub(crate) struct Both {
    w: World,
    model: Model,
    users: Vec<UserId>,
    rooms: Vec<RoomId>,
    sessions: Vec<SessionId>,
    messages: Vec<MessageId>,
}

/// Whether the store allowed something. Only a refusal counts as one.
fn allowed<T>(result: Result<T, StoreError>) -> Result<bool, TestCaseError> {
    match result {
        Ok(_) => Ok(true),
        Err(StoreError::Denied(_)) => Ok(false),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

impl Both {
    pub(crate) async fn new(w: World) -> Self {
        let mut users = Vec::new();
        for handle in ["ana", "bo", "cy", "di"] {
            users.push(w.account(handle).await);
        }
        let mut both = Self {
            w,
            model: Model::default(),
            users,
            rooms: vec![],
            sessions: vec![],
            messages: vec![],
        };
        both.create(0, true).await;
        both
    }

    async fn create(&mut self, by: usize, open: bool) {
        let kind = if open { RoomKind::Unlisted } else { RoomKind::Private };
        let room = self.w.room(self.users[by], kind, &[]).await;
        self.model.create(by, open);
        self.rooms.push(room.id);
        self.sessions.push(room.main_session);
    }

    /// Tries an operation on both, and checks that they agree on whether it is allowed.
    pub(crate) async fn try_out(&mut self, n: usize, op: Op) -> Result<(), TestCaseError> {
        let text = format!("text {n} {} {}", WORDS[n % 5], WORDS[n / 3 % 5]);
        let (rooms, sessions) = (self.rooms.len(), self.sessions.len());
        let (stored, modelled) = match op {
            Op::Create(by, open) => {
                self.create(by, open).await;
                return Ok(());
            }
            Op::Join(who, room) => {
                let (user, room) = (self.users[who], room % rooms);
                let joined = self.w.join(user, self.rooms[room]).await;
                (allowed(joined)?, self.model.join(who, room))
            }
            Op::Leave(who, room) => {
                let (user, room) = (self.users[who], room % rooms);
                let left = self.w.leave(user, self.rooms[room]).await;
                (allowed(left)?, self.model.leave(who, room))
            }
            Op::Kick(by, whom, room) => {
                let (actor, target, room) = (self.users[by], self.users[whom], room % rooms);
                let kicked = self.w.kick(actor, self.rooms[room], target).await;
                (allowed(kicked)?, self.model.kick(by, whom, room))
            }
            Op::Open(by, with, room) => self.open(by, with, room % rooms).await?,
            Op::Add(by, whom, session) => {
                let (actor, target, session) =
                    (self.users[by], self.users[whom], session % sessions);
                let add = |facts: &SessionFacts| session::add(facts);
                let id = self.sessions[session];
                let added = self.w.change_session(actor, id, &[target], add).await;
                (allowed(added)?, self.model.add(by, whom, session))
            }
            Op::Post(by, session) => self.post(by, session % sessions, &text).await?,
            Op::Edit(_, _) | Op::Delete(_, _) if self.messages.is_empty() => return Ok(()),
            Op::Edit(by, message) => {
                let message = message % self.messages.len();
                let edited = self.w.reword(self.users[by], self.messages[message], &text).await;
                (allowed(edited)?, self.model.edit(by, message, &text))
            }
            Op::Delete(by, message) => {
                let message = message % self.messages.len();
                let deleted = self.w.unsay(self.users[by], self.messages[message]).await;
                (allowed(deleted)?, self.model.delete(by, message))
            }
            Op::Raze(by, room) => {
                let (actor, room) = (self.users[by], room % rooms);
                let razed = self.w.change(actor, self.rooms[room], &[], room::delete).await;
                (allowed(razed)?, self.model.raze(by, room))
            }
            Op::Search(who, query) => {
                let query = &QUERIES[query % QUERIES.len()];
                let found = self.w.find(self.users[who], query.0).await;
                prop_assert_eq!(found, self.model.found(who, query.1), "{}", query.0);
                return Ok(());
            }
        };
        prop_assert_eq!(stored, modelled);
        Ok(())
    }

    async fn open(
        &mut self,
        by: usize,
        with: usize,
        room: usize,
    ) -> Result<(bool, bool), TestCaseError> {
        let new = self.w.draft_session(self.users[by], self.rooms[room], &[self.users[with]]);
        let id = new.id;
        let opened = allowed(self.w.open(new).await)?;
        if opened {
            self.sessions.push(id);
        }
        Ok((opened, self.model.open(by, room, &[with])))
    }

    async fn post(
        &mut self,
        by: usize,
        session: usize,
        text: &str,
    ) -> Result<(bool, bool), TestCaseError> {
        let (user, id) = (self.users[by], self.sessions[session]);
        let visible = self.w.store.session_as_seen_by(user, id).await.unwrap().is_some();
        if visible {
            self.messages.push(self.w.say(user, id, text).await.id);
        }
        Ok((visible, self.model.post(by, session, text)))
    }

    /// Compares every log, every member and every visible message.
    async fn compare(mut self) -> Result<(), TestCaseError> {
        for (index, &id) in self.sessions.iter().enumerate() {
            let modelled = &self.model.sessions[index];
            if self.model.rooms[modelled.room].roles.is_empty() && modelled.members.is_empty() {
                continue; // Of what is gone there is no log, and of what nobody is in no reader.
            }
            let log = self.w.log(id).await;
            let seqs: Vec<_> = log.iter().map(|event| event.seq).collect();
            prop_assert_eq!(seqs, (1..=modelled.seqs).collect::<Vec<_>>());
            let told = self.w.told_of(id).await;
            prop_assert!(told.iter().map(|event| event.seq).eq(1..=modelled.seqs));
            for (who, &user) in self.users.iter().enumerate() {
                let page = self.w.store.page(user, id, Page::Newest, 1_000).await.unwrap();
                prop_assert_eq!(page.is_some(), modelled.members.contains(&who));
                let Some(page) = page else { continue };
                let messages = page.messages.into_iter();
                let texts: Vec<_> = messages.map(|m| (m.number, m.content)).collect();
                prop_assert_eq!(texts, self.model.texts(index));
                let found = self.w.store.session_members(user, id, None, 99).await.unwrap();
                let found = found.unwrap_or_default();
                let mut expected: Vec<_> =
                    modelled.members.iter().map(|&m| self.users[m]).collect();
                expected.sort_unstable();
                let mut members: Vec<_> = found.iter().map(|member| member.user.id).collect();
                members.sort_unstable();
                prop_assert_eq!(members, expected);
                for member in found {
                    let who = self.users.iter().position(|&user| user == member.user.id);
                    let role = who.and_then(|who| self.model.role(who, modelled.room));
                    prop_assert_eq!(Some(member.role), role);
                }
            }
        }
        for &user in &self.users {
            let seqs: Vec<_> = self.w.own_log(user).await.iter().map(|entry| entry.seq).collect();
            prop_assert_eq!(&seqs, &(1..=seqs.len() as i64).collect::<Vec<_>>());
        }
        Ok(())
    }
}
