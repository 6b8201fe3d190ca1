//! Searching over the wire.

use parlor_testkit::person::Refused;
use parlor_testkit::{Person, TestServer};
use parlor_wire::command::Codec;
use parlor_wire::v1;

/// A query string's value.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

async fn search(who: &Person, query: &str) -> v1::SearchPage {
    who.get(&format!("/search?q={}", escaped(query))).await.expect(query)
}

/// The texts that somebody finds, newest first.
async fn find(who: &Person, query: &str) -> Vec<String> {
    let hits = search(who, query).await.hits.into_iter();
    hits.filter_map(|hit| hit.message).map(|message| message.content).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_a_moment_ago_is_found_with_its_place_and_what_matched() {
    let server = TestServer::start().await;
    let mut ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let said = ana.say(&room.main_session_id, "🎉 Die Rösen blühen").await.expect("it is said");
    for codec in [Codec::Json, Codec::Proto] {
        ana.speak(codec);
        let page = search(&ana, "rosen BLU").await;
        assert_eq!(page.next_cursor, None);
        let [hit] = &page.hits[..] else { panic!("{page:?}") };
        assert_eq!((&hit.message, &hit.room_id), (&Some(said.clone()), &room.id));
        let snippet = hit.snippet.as_ref().expect("a snippet");
        assert_eq!(snippet.text, said.content);
        let places = snippet.matches.iter().map(|found| (found.start, found.end));
        assert_eq!(places.collect::<Vec<_>>(), [(7, 12), (13, 19)]);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_sent_away_finds_nothing_from_there() {
    let server = TestServer::start().await;
    let (ana, bo) = (server.person("ana").await, server.person("bo").await);
    let room = ana.room("public", "Garden", &[&bo]).await;
    bo.say(&room.main_session_id, "roses").await.expect("it is said");
    assert_eq!(find(&bo, "roses").await, ["roses"]);
    let path = format!("/rooms/{}/members/{}", room.id, bo.id);
    ana.done("DELETE", &path).await.expect("they are kicked");
    for query in ["roses", "from:me", "in:Garden", "has:link OR roses"] {
        assert_eq!(find(&bo, query).await, [""; 0], "{query}");
    }
    assert_eq!(find(&ana, "roses").await, ["roses"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_or_reworded_is_not_found() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    let mut said = Vec::new();
    for text in ["old roses", "dead roses", "roses"] {
        said.push(ana.say(&room.main_session_id, text).await.expect("it is said"));
    }
    let edit = v1::EditRequest { content: "new tulips".to_owned(), ..v1::EditRequest::default() };
    let path = format!("/messages/{}", said[0].id);
    ana.call::<v1::Message>("PATCH", &path, Some(&edit)).await.expect("it is reworded");
    ana.done("DELETE", &format!("/messages/{}", said[1].id)).await.expect("it is deleted");
    assert_eq!(find(&ana, "roses").await, ["roses"]);
    assert_eq!(find(&ana, "tulips").await, ["new tulips"]);
    assert_eq!(find(&ana, "in:garden").await, ["roses", "new tulips"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_follow_each_other() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let room = ana.room("private", "Garden", &[]).await;
    for n in 0..7 {
        ana.say(&room.main_session_id, &format!("rose {n}")).await.expect("it is said");
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/search?q=rose&limit=3{cursor}");
        let page: v1::SearchPage = ana.get(&path).await.expect("a page");
        found.extend(page.hits.into_iter().filter_map(|hit| hit.message).map(|m| m.number));
        let Some(next) = page.next_cursor else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, [7, 6, 5, 4, 3, 2, 1]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_query_is_refused() {
    let server = TestServer::start().await;
    let ana = server.person("ana").await;
    let code = |refused: Result<v1::SearchPage, Refused>| match refused {
        Err(Refused { status: 422, code }) => code,
        other => panic!("not refused: {other:?}"),
    };
    let long = "x".repeat(1_025);
    for (query, expected) in [
        ("", "empty"),
        (" ", "empty"),
        ("***", "invalid"),
        ("before:noon", "invalid"),
        ("has:wings", "invalid"),
        (&long, "invalid"),
        (&"x ".repeat(33), "invalid"),
    ] {
        let path = format!("/search?q={}", escaped(query));
        assert_eq!(code(ana.get(&path).await), expected, "{query}");
    }
    for query in ["?q=a&cursor=x", "?q=a&cursor=-1", "?q=a&limit=0", "?q=a&limit=101"] {
        assert_eq!(code(ana.get(&format!("/search{query}")).await), "invalid", "{query}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_searches_too_often_waits() {
    let server = TestServer::builder().limits_on().limit("searches_per_s", 2).start().await;
    let ana = server.person("ana").await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(ana.get::<v1::SearchPage>("/search?q=rose").await);
    }
    let refused = Refused { status: 429, code: "rate_limited".to_owned() };
    assert!(answers[0].is_ok());
    assert!(answers.contains(&Err(refused)), "{answers:?}");
    server.stop().await;
}
