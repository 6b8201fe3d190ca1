//! A store with people in it: short ways to say what a case needs.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parlor_domain::member::Role;
use parlor_domain::pin::PinFacts;
use parlor_domain::reaction::ReactionFacts;
use parlor_domain::rewording::Rewording;
use parlor_domain::room::{self, NewRoom, Settings};
use parlor_domain::saying::SendMessage;
use parlor_domain::session::{self};
use parlor_domain::{
    ClientId, Denied, Draft, Event, EventKind, Limits, Message, MessageId, Room, RoomChange,
    RoomFacts, RoomId, RoomKind, Session, SessionChange, SessionFacts, SessionId, Time, User,
    UserEvent, UserId, View, name, search,
};
use parlor_store::accounts::NewAccount;
use parlor_store::reactions::Reacting;
use parlor_store::rooms::RoomDraft;
use parlor_store::search::{Asked, Found};
use parlor_store::sessions::NewSession;
use parlor_store::{Batch, Changed, Posted, Store, StoreError};
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long a case waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A fresh store and what it told.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) heard: mpsc::Receiver<Batch>,
    told: Batch,
    clock: AtomicI64,
    /// What the backend needs as long as the store lives.
    _home: Box<dyn Any + Send + Sync>,
}

/// An id that no other thing in this process has.
pub(crate) fn id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A key for a creating request, and its digest.
pub(crate) fn key(digest: u8) -> (ClientId, [u8; 16]) {
    (ClientId(id()), [digest; 16])
}

/// A search for everything at once.
pub(crate) fn asked(text: &str) -> Asked {
    let query = search::parse(text, &Limits::default()).unwrap();
    Asked { query, before: None, limit: 1_000, rows_max: 10_000, text_bytes_max: 1 << 20 }
}

/// Asserts a refusal.
pub(crate) fn denied<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Denied {
    match result {
        Err(StoreError::Denied(denied)) => denied,
        other => panic!("not denied: {other:?}"),
    }
}

/// Plain words.
pub(crate) fn saying(session: SessionId, text: &str) -> SendMessage {
    SendMessage::plain(ClientId(id()), session, text.to_owned())
}

impl World {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        heard: mpsc::Receiver<Batch>,
        home: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let clock = AtomicI64::new(1_000_000);
        Self { store, heard, told: Batch::default(), clock, _home: home }
    }

    /// A moment later than all before.
    pub(crate) fn now(&self) -> Time {
        Time(self.clock.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn new_account(&self, handle: &str, email: Option<&str>) -> NewAccount {
        NewAccount {
            id: UserId(id()),
            username: name::username(handle, &Limits::default()).unwrap(),
            name: format!("{handle} of Parlor"),
            email: email.map(str::to_owned),
            password_hash: format!("hash of {handle}"),
            usable: false,
            discreet: false,
            guest: false,
            shows_email: false,
            replaces_pending: false,
        }
    }

    pub(crate) async fn account(&self, handle: &str) -> UserId {
        let new = self.new_account(handle, None);
        self.store.create_account(new, self.now()).await.unwrap().id
    }

    pub(crate) async fn user(&self, user: UserId) -> User {
        self.store.user(user).await.unwrap().unwrap()
    }

    pub(crate) async fn lobby(&self, user: UserId) -> Room {
        self.store.lobby(user).await.unwrap().unwrap()
    }

    pub(crate) fn draft_room(
        &self,
        creator: UserId,
        kind: RoomKind,
        name: &str,
        members: &[UserId],
    ) -> RoomDraft {
        let limits = Limits::default();
        RoomDraft {
            id: RoomId(id()),
            main_session: SessionId(id()),
            creator,
            room: NewRoom::new(creator, kind, name, "", members, &limits).unwrap(),
            password_hash: None,
            key: None,
            slug: None,
            unique: false,
        }
    }

    pub(crate) async fn create(&self, draft: RoomDraft) -> Result<Changed<Room>, StoreError> {
        self.store.create_room(draft, 100, self.now()).await
    }

    pub(crate) async fn room(&self, creator: UserId, kind: RoomKind, members: &[UserId]) -> Room {
        let draft = self.draft_room(creator, kind, "den", members);
        self.create(draft).await.unwrap().value
    }

    pub(crate) async fn change(
        &self,
        actor: UserId,
        room: RoomId,
        people: &[UserId],
        decide: impl FnOnce(&RoomFacts) -> Result<Vec<RoomChange>, Denied> + Send + 'static,
    ) -> Result<Option<Room>, StoreError> {
        let (people, decide) = (people.to_vec(), Box::new(decide));
        self.store.change_room(actor, room, people, self.now(), decide).await
    }

    pub(crate) async fn join(&self, user: UserId, room: RoomId) -> Result<Room, StoreError> {
        let joined = self.change(user, room, &[], |facts| room::join(facts, None)).await?;
        Ok(joined.expect("who joined a room sees it"))
    }

    pub(crate) async fn leave(
        &self,
        user: UserId,
        room: RoomId,
    ) -> Result<Option<Room>, StoreError> {
        self.change(user, room, &[], room::leave).await
    }

    pub(crate) async fn add(
        &self,
        actor: UserId,
        room: RoomId,
        people: &[UserId],
    ) -> Result<Option<Room>, StoreError> {
        let asked = people.len();
        self.change(actor, room, people, move |facts| room::add(facts, asked)).await
    }

    pub(crate) async fn kick(
        &self,
        actor: UserId,
        room: RoomId,
        whom: UserId,
    ) -> Result<Option<Room>, StoreError> {
        self.change(actor, room, &[whom], room::kick).await
    }

    pub(crate) async fn ban(
        &self,
        actor: UserId,
        room: RoomId,
        whom: UserId,
    ) -> Result<Option<Room>, StoreError> {
        let decide = |facts: &RoomFacts| room::ban(facts, "noise", &Limits::default());
        self.change(actor, room, &[whom], decide).await
    }

    pub(crate) async fn set_role(
        &self,
        actor: UserId,
        room: RoomId,
        whom: UserId,
        role: Role,
    ) -> Result<Option<Room>, StoreError> {
        self.change(actor, room, &[whom], move |facts| room::set_role(facts, role)).await
    }

    pub(crate) async fn set(
        &self,
        actor: UserId,
        room: RoomId,
        asked: Settings,
    ) -> Result<Option<Room>, StoreError> {
        let decide = |facts: &RoomFacts| room::settings(facts, asked, &Limits::default());
        self.change(actor, room, &[], decide).await
    }

    pub(crate) fn draft_session(
        &self,
        creator: UserId,
        room: RoomId,
        people: &[UserId],
    ) -> NewSession {
        NewSession {
            id: SessionId(id()),
            room,
            name: "corner".to_owned(),
            creator,
            people: people.to_vec(),
            encryption: None,
            message_ttl: None,
            ending: None,
            key: None,
        }
    }

    pub(crate) async fn open(&self, new: NewSession) -> Result<Changed<Session>, StoreError> {
        let asked = new.people.len();
        let decide = Box::new(move |facts: &RoomFacts, open: u64| {
            session::open(facts, open, asked, &Limits::default())
        });
        self.store.create_session(new, self.now(), decide).await
    }

    pub(crate) async fn session(
        &self,
        creator: UserId,
        room: RoomId,
        people: &[UserId],
    ) -> Session {
        let new = self.draft_session(creator, room, people);
        self.open(new).await.unwrap().value
    }

    pub(crate) async fn change_session(
        &self,
        user: UserId,
        session: SessionId,
        people: &[UserId],
        decide: impl FnOnce(&SessionFacts) -> Result<Vec<SessionChange>, Denied> + Send + 'static,
    ) -> Result<Option<Session>, StoreError> {
        let (people, decide) = (people.to_vec(), Box::new(decide));
        self.store.change_session(user, session, people, self.now(), decide).await
    }

    /// What `user` would have stored by saying something, as decided now.
    pub(crate) async fn draft(&self, user: UserId, session: SessionId, text: &str) -> Draft {
        let view = self.store.session_as_seen_by(user, session).await.unwrap();
        let cmd = saying(session, text);
        let (limits, message) = (Limits::default(), MessageId(id()));
        let view = view.expect("the sender is in the session");
        view.admit_post(cmd, message, [7; 16], self.now(), &limits).unwrap()
    }

    /// Says something in a thread.
    pub(crate) async fn say_under(&self, user: UserId, root: MessageId, text: &str) -> Posted {
        let session = self.message(user, root).await.session;
        let draft = Draft { thread: Some(root), ..self.draft(user, session, text).await };
        self.append(draft).await.unwrap()
    }

    pub(crate) async fn pin(
        &self,
        user: UserId,
        message: MessageId,
        on: bool,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let decide = Box::new(move |view: &View, message: &Message, facts: &PinFacts| {
            view.admit_pin(message, on, facts, now, &Limits::default())
        });
        self.store.pin(user, message, on, now, decide).await
    }

    pub(crate) async fn append(&self, draft: Draft) -> Result<Posted, StoreError> {
        self.store.append(draft).await?.await.expect("every draft is answered")
    }

    pub(crate) async fn say(&self, user: UserId, session: SessionId, text: &str) -> Posted {
        self.append(self.draft(user, session, text).await).await.unwrap()
    }

    pub(crate) async fn reword(
        &self,
        user: UserId,
        message: MessageId,
        text: &str,
    ) -> Result<Message, StoreError> {
        let asked = Rewording::from(text.to_owned());
        let now = self.now();
        let decide = {
            let asked = asked.clone();
            Box::new(move |view: &parlor_domain::View, old: &Message, revisions| {
                view.admit_edit(old, revisions, &asked, now, &Limits::default())
            })
        };
        self.store.edit(user, message, asked, now, decide).await
    }

    pub(crate) async fn unsay(&self, user: UserId, message: MessageId) -> Result<(), StoreError> {
        let decide = Box::new(|view: &parlor_domain::View, old: &Message| view.admit_delete(old));
        self.store.delete(user, message, self.now(), decide).await
    }

    pub(crate) async fn react(
        &self,
        user: UserId,
        message: MessageId,
        emoji: &str,
        on: bool,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let decide = Box::new(move |view: &View, message: &Message, facts: &ReactionFacts| {
            view.admit_reaction(message, on, facts, now, &Limits::default())
        });
        let reacting = Reacting { user, message, emoji: emoji.to_owned(), on };
        self.store.react(reacting, now, decide).await
    }

    /// A message as somebody sees it.
    pub(crate) async fn message(&self, user: UserId, message: MessageId) -> Message {
        self.store.message(user, message).await.unwrap().expect("they see it")
    }

    /// What somebody finds, in one go.
    pub(crate) async fn search(&self, user: UserId, text: &str) -> Found {
        self.store.search(user, asked(text)).await.unwrap()
    }

    /// The texts that somebody finds, newest first.
    pub(crate) async fn find(&self, user: UserId, text: &str) -> Vec<String> {
        let hits = self.search(user, text).await.hits.into_iter();
        hits.map(|hit| hit.message.content).collect()
    }

    /// The whole log of a session.
    pub(crate) async fn log(&self, session: SessionId) -> Vec<Event> {
        self.store.events_between(session, 0, i64::MAX).await.unwrap()
    }

    /// The kinds of a session's entries after `after`.
    pub(crate) async fn kinds_after(&self, session: SessionId, after: i64) -> Vec<EventKind> {
        let events = self.store.events_between(session, after, i64::MAX).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    /// The whole of somebody's own log.
    pub(crate) async fn own_log(&self, user: UserId) -> Vec<UserEvent> {
        self.store.user_events_after(user, 0, 1_000_000).await.unwrap().events
    }

    /// Receives what was committed until `enough` of everything told so far.
    pub(crate) async fn told_until(&mut self, enough: impl Fn(&Batch) -> bool) -> &Batch {
        while !enough(&self.told) {
            let batch = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
            let batch = batch.expect("it is told in time").expect("the store lives");
            self.told.events.extend(batch.events);
            self.told.user_events.extend(batch.user_events);
        }
        &self.told
    }

    /// What was told of a session, up to its stored head.
    pub(crate) async fn told_of(&mut self, session: SessionId) -> Vec<Event> {
        let head = self.log(session).await.last().map_or(0, |event| event.seq);
        let of = move |event: &&Event| event.session == session;
        let told = self
            .told_until(|told| told.events.iter().rfind(of).map_or(0, |event| event.seq) >= head);
        told.await.events.iter().filter(of).cloned().collect()
    }

    /// What was told to a user, up to the stored head of their own log.
    pub(crate) async fn told_to(&mut self, user: UserId) -> Vec<UserEvent> {
        let head = self.own_log(user).await.last().map_or(0, |event| event.seq);
        let to = move |event: &&UserEvent| event.user == user;
        let told = self.told_until(|told| {
            told.user_events.iter().rfind(to).map_or(0, |event| event.seq) >= head
        });
        told.await.user_events.iter().filter(to).cloned().collect()
    }
}
