//! What a room lays down for its sessions.

use std::time::Duration;

use parlor_domain::room::{self, Settings};
use parlor_domain::rules::AskedRules;
use parlor_domain::{
    Denied, EventKind, Limits, Message, Room, RoomFacts, RoomId, RoomKind, Rules, Session,
    SessionFacts, SessionId, Ttl, UserId, session,
};
use parlor_store::messages::Page;
use parlor_store::rooms::RoomDraft;
use parlor_store::sessions::NewSession;
use parlor_store::{Posted, StoreError};

use crate::sealed::settle;
use crate::world::{World, denied};

const HOUR: i64 = 3_600;

fn ttl(seconds: i64) -> AskedRules {
    AskedRules { message_ttl_s: Some(seconds), ..AskedRules::default() }
}

fn retention(seconds: i64) -> AskedRules {
    AskedRules { retention_s: Some(seconds), ..AskedRules::default() }
}

fn most(sessions: i64) -> AskedRules {
    AskedRules { sessions_max: Some(sessions), ..AskedRules::default() }
}

/// Makes a private room of Ana's, with Bo in it.
async fn make(w: &World, rules: AskedRules) -> (Room, UserId, UserId) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let draft = w.draft_room(ana, RoomKind::Private, "den", &[bo]);
    let room = draft.room.clone().ruled(rules, &Limits::default()).unwrap();
    let room = w.create(RoomDraft { room, ..draft }).await.unwrap().value;
    (room, ana, bo)
}

/// Lays something down.
async fn set(
    w: &World,
    user: UserId,
    room: RoomId,
    rules: AskedRules,
) -> Result<Option<Room>, StoreError> {
    let rules = rules.read(&Limits::default()).unwrap();
    let asked = Settings { rules, ..Settings::default() };
    w.change(user, room, &[], |facts: &RoomFacts| room::settings(facts, asked, &Limits::default()))
        .await
}

async fn open(
    w: &World,
    user: UserId,
    room: &Room,
    message_ttl: Option<Option<Ttl>>,
) -> Result<Session, StoreError> {
    let new = NewSession { message_ttl, ..w.draft_session(user, room.id, &[]) };
    w.open(new).await.map(|opened| opened.value)
}

/// For how many seconds messages live in a session.
fn lives(session: &Session) -> Option<i64> {
    session.message_ttl.map(Ttl::seconds)
}

/// For how many seconds a message lives.
fn kept(posted: &Posted) -> Option<u64> {
    posted.expires_at.map(|at| at.since(posted.sent_at).as_secs())
}

pub(crate) async fn a_session_begins_with_what_its_room_lays_down_unless_it_says_otherwise(
    mut w: World,
) {
    let (room, ana, bo) = make(&w, ttl(60)).await;
    let main = w.store.session(ana, room.main_session).await.unwrap().unwrap();
    assert_eq!(lives(&main), Some(60), "the main one, too");
    let first = open(&w, bo, &room, None).await.unwrap();
    let own = open(&w, bo, &room, Some(Ttl::stored(5))).await.unwrap();
    let for_ever = open(&w, bo, &room, Some(None)).await.unwrap();
    assert_eq!([&first, &own, &for_ever].map(lives), [Some(60), Some(5), None]);
    let refused = set(&w, bo, room.id, ttl(7)).await;
    assert!(matches!(denied(refused), Denied::Forbidden(_)), "it is ana's room");
    let now = set(&w, ana, room.id, ttl(7)).await.unwrap().unwrap();
    assert_eq!(now.rules, Rules { message_ttl: Ttl::stored(7), ..Rules::default() });
    let told = w.told_of(room.main_session).await.pop().unwrap();
    let rules = |kind: &EventKind| match kind {
        EventKind::RoomSettings { rules, .. } => Some(*rules),
        _ => None,
    };
    assert_eq!(rules(&told.kind), Some(now.rules));
    assert_eq!(w.log(room.main_session).await.pop(), Some(told));
    let main = w.store.session(ana, room.main_session).await.unwrap().unwrap();
    assert_eq!(lives(&main), Some(60), "what is open stays as it is");
    assert_eq!(lives(&open(&w, ana, &room, None).await.unwrap()), Some(7));
    let now = set(&w, ana, room.id, ttl(0)).await.unwrap().unwrap();
    assert_eq!(now.rules, Rules::default());
    assert_eq!(lives(&open(&w, ana, &room, None).await.unwrap()), None);
    assert_eq!(w.log(room.main_session).await.pop().map(|e| rules(&e.kind)), Some(Some(now.rules)));
}

pub(crate) async fn no_more_sessions_are_open_than_the_room_allows(w: World) {
    let (room, ana, bo) = make(&w, most(2)).await;
    assert_eq!(room.rules.sessions_max, Some(2));
    let corner = open(&w, bo, &room, None).await.unwrap();
    let full = Denied::Conflict("the room has too many sessions");
    assert_eq!(denied(open(&w, ana, &room, None).await), full, "the main one counts");
    set(&w, ana, room.id, most(1)).await.unwrap();
    w.say(bo, corner.id, "nothing ends").await;
    let end = |facts: &SessionFacts| session::end(facts).map(|change| vec![change]);
    w.change_session(bo, corner.id, &[], end).await.unwrap();
    assert_eq!(denied(open(&w, ana, &room, None).await), full);
    set(&w, ana, room.id, most(3)).await.unwrap();
    open(&w, ana, &room, None).await.unwrap();
    open(&w, ana, &room, None).await.unwrap();
    assert_eq!(denied(open(&w, ana, &room, None).await), full);
    set(&w, ana, room.id, most(0)).await.unwrap();
    open(&w, ana, &room, None).await.unwrap();
}

pub(crate) async fn what_is_said_is_kept_no_longer_than_the_room_keeps_it(w: World) {
    let (room, ana, bo) = make(&w, AskedRules::default()).await;
    let decided_before = w.draft(bo, room.main_session, "meanwhile").await;
    let corner = open(&w, ana, &room, Some(Ttl::stored(60))).await.unwrap();
    let now = set(&w, ana, room.id, retention(HOUR)).await.unwrap().unwrap();
    assert_eq!(now.rules.retention, Ttl::stored(HOUR));
    let stale = w.append(decided_before).await;
    let Err(StoreError::Stale(stale)) = stale else { panic!("{stale:?}") };
    let view = w.store.session_as_seen_by(bo, room.main_session).await.unwrap().unwrap();
    let again = view.admit_again(*stale, &Limits::default()).unwrap();
    assert_eq!(kept(&w.append(again).await.unwrap()), Some(3_600));
    assert_eq!(kept(&w.say(ana, corner.id, "shorter").await), Some(60));
    let day = ttl(24 * HOUR);
    set(&w, ana, room.id, day).await.unwrap();
    let shed = open(&w, ana, &room, None).await.unwrap();
    assert_eq!(kept(&w.say(ana, shed.id, "longer").await), Some(3_600), "the shorter counts");
    set(&w, ana, room.id, retention(0)).await.unwrap();
    assert_eq!(kept(&w.say(bo, room.main_session, "for ever").await), None);
}

/// When each message of a session ends, in seconds after it was said.
async fn ends(w: &World, user: UserId, session: SessionId) -> Vec<Option<u64>> {
    let page = w.store.page(user, session, Page::Newest, 100).await.unwrap().unwrap();
    let lives =
        |message: &Message| message.expires_at.map(|at| at.since(message.sent_at).as_secs());
    page.messages.iter().map(lives).collect()
}

pub(crate) async fn what_was_said_before_is_kept_no_longer_either_a_few_at_a_time(mut w: World) {
    let (room, ana, bo) = make(&w, AskedRules::default()).await;
    let main = room.main_session;
    let corner = open(&w, ana, &room, Some(Ttl::stored(60))).await.unwrap();
    for _ in 0..5 {
        w.say(bo, main, "kept").await;
    }
    let shorter = w.say(ana, corner.id, "shorter").await;
    let elsewhere = w.lobby(ana).await.main_session;
    w.say(ana, elsewhere, "in another room").await;
    set(&w, ana, room.id, retention(HOUR)).await.unwrap();
    assert_eq!(ends(&w, bo, main).await, [None; 5], "that comes after");
    let mut rounds = 0;
    let next = loop {
        let done = w.store.decay(w.now(), 2).await.unwrap();
        rounds += 1;
        assert_eq!(done.erased, 0);
        assert!(rounds < 10, "it comes to an end");
        let far = ends(&w, bo, main).await.into_iter().filter(Option::is_none).count();
        assert!(far + 2 * rounds >= 5, "two at a time");
        if let Some(next) = done.next.filter(|next| *next > w.now()) {
            break next;
        }
    };
    assert_eq!(Some(next), shorter.expires_at);
    assert_eq!(ends(&w, bo, main).await, [Some(3_600); 5]);
    assert_eq!(ends(&w, ana, corner.id).await, [Some(60)]);
    assert_eq!(ends(&w, ana, elsewhere).await, [None]);
    // What is older than that goes at once, and is told by its numbers.
    let later = w.now() + Duration::from_secs(3_600);
    while w.store.decay(later, 2).await.unwrap().next.is_some_and(|next| next <= later) {}
    let page = w.store.page(bo, main, Page::Newest, 100).await.unwrap().unwrap();
    assert!(page.messages.iter().all(|m| m.content.is_empty() && m.deleted_at == Some(later)));
    let told = w.told_of(main).await;
    let gone = told.iter().filter_map(|event| match event.kind {
        EventKind::Decayed { from, to } => Some(to - from + 1),
        _ => None,
    });
    assert_eq!(gone.sum::<i64>(), 5);
}

pub(crate) async fn keeping_for_longer_brings_nothing_back(w: World) {
    let (room, ana, bo) = make(&w, AskedRules::default()).await;
    let main = room.main_session;
    for _ in 0..3 {
        w.say(bo, main, "kept").await;
    }
    let due = async || w.store.decay(w.now(), 100).await.unwrap().next;
    let all = async || while due().await.is_some_and(|next| next <= w.now()) {};
    let day = 24 * HOUR;
    for (rule, kept) in [(day, day), (HOUR, HOUR), (2 * HOUR, HOUR), (0, HOUR), (day, HOUR)] {
        set(&w, ana, room.id, retention(rule)).await.unwrap();
        all().await;
        let kept = Some(kept.unsigned_abs());
        assert_eq!(ends(&w, bo, main).await, [kept; 3], "after {rule}");
    }
    set(&w, ana, room.id, retention(0)).await.unwrap();
    w.say(bo, main, "for ever").await;
    set(&w, ana, room.id, retention(HOUR)).await.unwrap();
    set(&w, ana, room.id, retention(0)).await.unwrap();
    all().await;
    assert_eq!(ends(&w, bo, main).await.last(), Some(&None), "it was taken back in time");
}

pub(crate) async fn what_a_room_keeps_for_a_few_days_only_is_sealed(w: World) {
    let (room, ana, bo) = make(&w, AskedRules::default()).await;
    let main = room.main_session;
    let mut said = vec![w.say(ana, main, "needle before").await];
    for (days, sealed) in [(30, false), (3, true)] {
        set(&w, ana, room.id, retention(days * 24 * HOUR)).await.unwrap();
        settle(&w).await;
        said.push(w.say(ana, main, &format!("needle, {days} days")).await);
        for posted in &said {
            assert_eq!(w.message(bo, posted.id).await.is_sealed(), sealed, "{days} days");
        }
        let found = w.find(bo, "needle").await;
        assert_eq!(found.len(), said.len(), "{found:?}");
    }
}
