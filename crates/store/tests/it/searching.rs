//! Searching: what is found, by whom, and what is not.

use parlor_domain::saying::SendMessage;
use parlor_domain::{
    Gone, Limits, MessageId, RoomKind, SessionChange, SessionFacts, SessionId, Time, UserId,
    session,
};
use parlor_store::search::Asked;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::world::{World, asked, id, saying};

pub(crate) async fn what_was_said_is_found_at_once_newest_first(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    for text in ["A red bus", "a blue bus", "Réd roses", "no colour"] {
        w.say(ana, room.main_session, text).await;
    }
    assert_eq!(w.find(ana, "red ").await, ["Réd roses", "A red bus"]);
    assert_eq!(w.find(ana, "bu").await, ["a blue bus", "A red bus"]);
    assert_eq!(w.find(ana, "\"a red\" bus ").await, ["A red bus"]);
    assert_eq!(w.find(ana, "\"red a\"").await, [""; 0]);
    assert_eq!(w.find(ana, "bus -blue ").await, ["A red bus"]);
    let hit = w.search(ana, "roses").await.hits.remove(0);
    assert_eq!((hit.room, hit.message.session), (room.id, room.main_session));
}

pub(crate) async fn nothing_is_found_where_one_is_not(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[bo]).await;
    let corner = w.session(ana, room.id, &[]).await;
    let other = w.room(ana, RoomKind::Public, &[]).await;
    w.say(ana, corner.id, "secret in a session").await;
    w.say(ana, room.main_session, "secret for both").await;
    w.say(ana, other.main_session, "secret in a public room").await;
    w.say(ana, corner.id, "another secret").await;
    let by_id = format!("secret session:{}", corner.id);
    for query in ["secret", "from:ana", "in:den secret", "in:den", "session:corner", &by_id] {
        for text in w.find(bo, query).await {
            assert_eq!(text, "secret for both", "{query}");
        }
    }
    // Nor does a search that goes on tell that it has passed by something.
    for query in ["from:ana", "secret", "-other", "from:ana -other"] {
        for rows_max in [1, 2] {
            let page = w.store.search(bo, Asked { rows_max, ..asked(query) }).await.unwrap();
            assert_eq!(page.hits.len(), 1, "{query}");
            assert_eq!(page.next.is_some(), rows_max == 1, "{query}");
        }
    }
    assert_eq!(w.find(bo, "secret").await, ["secret for both"]);
    assert_eq!(w.find(ana, "secret").await.len(), 4);
    assert_eq!(w.find(UserId(id()), "secret").await, [""; 0]);
}

pub(crate) async fn who_was_sent_away_finds_nothing_any_more(w: World) {
    let ana = w.account("ana").await;
    let (bo, cy, di) = (w.account("bo").await, w.account("cy").await, w.account("di").await);
    let room = w.room(ana, RoomKind::Public, &[bo, cy, di]).await;
    let corner = w.session(ana, room.id, &[bo]).await;
    w.say(bo, room.main_session, "secret").await;
    w.say(bo, corner.id, "secret of the corner").await;
    assert_eq!(w.find(bo, "secret").await.len(), 2);
    let remove = |facts: &SessionFacts| {
        session::remove(facts).inspect(|changes| {
            assert!(matches!(changes[0], SessionChange::Remove(_, Gone::Removed)));
        })
    };
    w.change_session(ana, corner.id, &[bo], remove).await.unwrap();
    assert_eq!(w.find(bo, "secret").await, ["secret"]);
    w.kick(ana, room.id, bo).await.unwrap();
    w.leave(cy, room.id).await.unwrap();
    w.ban(ana, room.id, di).await.unwrap();
    for gone in [bo, cy, di] {
        for query in ["secret", "from:bo", "from:me", "in:den"] {
            assert_eq!(w.find(gone, query).await, [""; 0], "{query}");
        }
    }
}

pub(crate) async fn who_comes_in_finds_what_was_said_before(w: World) {
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    w.say(ana, room.main_session, "history").await;
    assert_eq!(w.find(bo, "history").await, [""; 0]);
    w.join(bo, room.id).await.unwrap();
    assert_eq!(w.find(bo, "history").await, ["history"]);
}

pub(crate) async fn a_reworded_message_is_found_by_its_new_words_only(w: World) {
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let said = w.say(ana, main, "old words").await;
    w.reword(ana, said.id, "new words").await.unwrap();
    assert_eq!(w.find(ana, "old ").await, [""; 0]);
    assert_eq!(w.find(ana, "new ").await, ["new words"]);
    assert_eq!(w.find(ana, "words").await, ["new words"]);
}

pub(crate) async fn what_is_deleted_is_not_found(w: World) {
    let ana = w.account("ana").await;
    let room = w.room(ana, RoomKind::Private, &[]).await;
    let said = w.say(ana, room.main_session, "regrets").await;
    w.unsay(ana, said.id).await.unwrap();
    for query in ["regrets", "from:me", "in:den", "-other"] {
        assert_eq!(w.find(ana, query).await, [""; 0], "{query}");
    }
    w.say(ana, room.main_session, "regrets again").await;
    w.change(ana, room.id, &[], parlor_domain::room::delete).await.unwrap();
    assert_eq!(w.find(ana, "regrets").await, [""; 0]);
}

pub(crate) async fn people_and_places_narrow_a_search(w: World) {
    let (ana, bo) = (w.account("Ana").await, w.account("bo").await);
    let mut draft = w.draft_room(ana, RoomKind::Private, "Café Noir", &[bo]);
    draft.room.name = "Café Noir".to_owned();
    let cafe = w.create(draft).await.unwrap().value;
    let den = w.room(ana, RoomKind::Private, &[bo]).await;
    let corner = w.session(ana, cafe.id, &[bo]).await;
    w.say(ana, cafe.main_session, "one").await;
    w.say(bo, den.main_session, "two").await;
    w.say(bo, corner.id, "three").await;
    let all = ["three", "two", "one"];
    let room_by_id = format!("in:{}", den.id);
    let session_by_id = format!("session:{}", corner.id);
    for (query, expected) in [
        ("from:ana", &all[2..]),
        ("from:@ANA", &all[2..]),
        ("from:me", &all[2..]),
        ("from:bo", &all[..2]),
        ("from:ana from:bo", &all[..]),
        ("from:nobody", &[]),
        ("in:\"cafe noir\"", &["three", "one"]),
        ("in:den in:\"café noir\"", &all[..]),
        (&room_by_id, &["two"]),
        ("session:corner", &["three"]),
        (&session_by_id, &["three"]),
        ("in:nowhere tw*", &[]),
        ("from:bo in:den tw*", &["two"]),
        ("from:bo th", &["three"]),
        ("-two -one", &["three"]),
    ] {
        assert_eq!(w.find(ana, query).await, expected, "{query}");
    }
}

pub(crate) async fn times_narrow_a_search(w: World) {
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let day = 24 * 60 * 60 * 1_000_000;
    for n in 0..40 {
        let mut draft = w.draft(ana, main, &format!("day {n}")).await;
        draft.sent_at = Time(n * day + 1);
        w.append(draft).await.unwrap();
    }
    assert_eq!(w.find(ana, "before:1970-01-02").await, ["day 0"]);
    assert_eq!(w.find(ana, "day after:1970-02-09").await, ["day 39"]);
    let some = w.find(ana, "day after:1970-01-11 before:1970-01-13T00:00").await;
    assert_eq!(some, ["day 11", "day 10"]);
    assert_eq!(w.find(ana, "after:1970-01-20 before:1970-01-20").await, [""; 0]);
    assert_eq!(w.find(ana, "after:2026-01-01").await, [""; 0]);
}

pub(crate) async fn a_message_is_found_by_what_it_has(w: World) {
    let (ana, _) = (w.account("ana").await, w.account("bo").await);
    let main = w.lobby(ana).await.main_session;
    let first = w.say(ana, main, "see https://example.org/x").await;
    let view = w.store.session_as_seen_by(ana, main).await.unwrap().unwrap();
    let cmd = SendMessage { reply_to: Some(first.id), ..saying(main, "an answer") };
    let draft = view.admit_post(cmd, MessageId(id()), [7; 16], w.now(), &Limits::default());
    w.append(draft.unwrap()).await.unwrap();
    w.say(ana, main, "hello @bo").await;
    w.say(ana, main, "hello @nobody, mail bo@example.org").await;
    assert_eq!(w.find(ana, "has:link").await, ["see https://example.org/x"]);
    assert_eq!(w.find(ana, "has:reply").await, ["an answer"]);
    assert_eq!(w.find(ana, "has:mention").await, ["hello @bo"]);
    assert_eq!(w.find(ana, "hello has:link").await, [""; 0]);
    assert_eq!(w.find(ana, "has:file").await, [""; 0]);
}

/// Everything that is found page by page.
async fn pages(w: &World, user: UserId, first: Asked) -> (Vec<String>, usize) {
    let (mut texts, mut asked, mut count) = (Vec::new(), first, 0);
    loop {
        let page = w.store.search(user, asked.clone()).await.unwrap();
        assert!(page.hits.len() as u64 <= asked.limit);
        texts.extend(page.hits.into_iter().map(|hit| hit.message.content));
        count += 1;
        match page.next {
            Some(next) => asked.before = Some(next),
            None => return (texts, count),
        }
    }
}

/// Says ten times `many <n>` and then something else, in turns in several sessions.
async fn chatter(w: &World, user: UserId) -> Vec<SessionId> {
    let mut sessions = vec![w.lobby(user).await.main_session];
    for _ in 0..3 {
        sessions.push(w.room(user, RoomKind::Private, &[]).await.main_session);
    }
    for n in 0..40 {
        let text = if n % 4 == 1 { format!("many {n}") } else { format!("else {n}") };
        w.say(user, sessions[n / 3 % sessions.len()], &text).await;
    }
    sessions
}

fn expected(word: &str) -> Vec<String> {
    let of = |n: &usize| (n % 4 == 1) == (word == "many");
    (0..40).rev().filter(of).map(|n| format!("{word} {n}")).collect()
}

pub(crate) async fn a_search_goes_on_where_its_page_ended(w: World) {
    let ana = w.account("ana").await;
    chatter(&w, ana).await;
    for (query, limit) in [("many ", 3), ("els", 7), ("from:me many ", 1), ("-many from:ana", 4)] {
        let (texts, _) = pages(&w, ana, Asked { limit, ..asked(query) }).await;
        let word = if query.contains("els") || query.contains('-') { "else" } else { "many" };
        assert_eq!(texts, expected(word), "{query}");
    }
}

pub(crate) async fn a_search_that_has_looked_enough_goes_on_later(w: World) {
    let ana = w.account("ana").await;
    chatter(&w, ana).await;
    for query in ["has:link", "from:me -else -many"] {
        let (texts, count) = pages(&w, ana, Asked { rows_max: 7, ..asked(query) }).await;
        assert_eq!((texts.len(), count), (0, 6), "{query}");
    }
    let few = Asked { text_bytes_max: 20, ..asked("-else") };
    let (texts, count) = pages(&w, ana, few).await;
    assert_eq!(texts, expected("many"));
    assert!(count > 5, "{count}");
}

pub(crate) async fn any_query_is_harmless(w: World) {
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    let odd = [
        "\"",
        "\"\"\"",
        "*",
        "a*b*",
        "NEAR(a b, 2)",
        "a AND",
        "OR",
        "NOT a",
        "a:b",
        "words:a",
        "^a",
        "(a",
        "a)",
        "{a b}:c",
        "a + b",
        "-",
        "--a",
        "a\0b",
        "1.a",
        "1.",
        "'; drop table search",
        "((((a+)+)+)+$",
        "rowid:1",
        "in:\"",
        "from:\"a",
        "search",
        "\u{202e}é日\u{301}",
    ];
    for text in odd {
        let said = text.replace('\0', " ") + " said";
        w.say(ana, main, &said).await;
        if let Ok(query) = parlor_domain::search::parse(text, &Limits::default()) {
            w.store.search(ana, Asked { query, ..asked("x") }).await.unwrap();
        }
    }
    let mut runner = TestRunner::deterministic();
    let texts = proptest::string::string_regex(r#"(-?["a-d*:^().+{}\x00é日 ]|NEAR|AND|in:){0,12}"#);
    let texts = texts.unwrap();
    for _ in 0..200 {
        let text = texts.new_tree(&mut runner).unwrap().current();
        if let Ok(query) = parlor_domain::search::parse(&text, &Limits::default()) {
            let found = w.store.search(ana, Asked { query, ..asked("x") }).await;
            assert!(found.is_ok(), "{text:?}: {found:?}");
        }
    }
    assert_eq!(w.find(ana, "said ").await.len(), odd.len());
}
