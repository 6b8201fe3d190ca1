//! What queries mean.

use proptest::prelude::*;

use super::*;
use crate::{ClientId, MessageId, SessionId, UserId};

fn read(text: &str) -> Query {
    parse(text, &Limits::default()).unwrap_or_else(|denied| panic!("{text}: {denied}"))
}

fn phrase(text: &str, prefix: bool) -> Phrase {
    Phrase { words: text.split(' ').map(str::to_owned).collect(), prefix }
}

fn said(text: &str) -> Message {
    let id = uuid::Uuid::nil();
    Message {
        id: MessageId(id),
        no: 1,
        number: 1,
        seq: 1,
        session: SessionId(id),
        sender: UserId(id),
        client_id: ClientId(id),
        content: text.to_owned(),
        reply_to: None,
        sent_at: Time(0),
        edited_at: None,
        deleted_at: None,
        expires_at: None,
        file: None,
        thread: None,
        extras: None,
    }
}

#[test]
fn words_and_phrases_must_all_match() {
    let query = read("Red \"Big Bus\" ");
    assert_eq!(query.wanted, [phrase("red", false), phrase("big bus", false)]);
    for yes in ["a red, big bus", "BIG BUS: red"] {
        assert!(query.fits(&said(yes)), "{yes}");
    }
    for no in ["red bus big", "big bus", "reddish big bus", ""] {
        assert!(!query.fits(&said(no)), "{no}");
    }
}

#[test]
fn a_word_may_go_on_where_it_ends_with_a_star_or_the_query() {
    assert_eq!(read("re* bl").wanted, [phrase("re", true), phrase("bl", true)]);
    assert_eq!(read("bl ").wanted, [phrase("bl", false)]);
    assert_eq!(read("\"red bl\"").wanted, [phrase("red bl", false)]);
    assert_eq!(read("\"red bl\"*").wanted, [phrase("red bl", true)]);
    assert_eq!(read("\"red bl").wanted, [phrase("red bl", true)]);
    assert_eq!(read("a").wanted, [phrase("a", false)], "one letter is too little");
    assert!(read("re* bl").fits(&said("red blue")));
    assert!(!read("re bl").fits(&said("red blue")));
}

#[test]
fn what_is_not_wanted_excludes() {
    let query = read("red -blue -\"big bus\"");
    assert_eq!(query.unwanted, [phrase("blue", false), phrase("big bus", false)]);
    assert!(query.fits(&said("red bus, big")));
    assert!(!query.fits(&said("red blue")) && !query.fits(&said("red big bus")));
    assert!(read("-blue").fits(&said("red")));
    assert_eq!(read("a - b ").wanted, [phrase("a", false), phrase("b", false)]);
}

#[test]
fn operators_are_read() {
    let query = read("FROM:me from:@Ana in:\"Big Room\" session:corner has:link has:Reply");
    assert_eq!(query.from, [Author::Me, Author::Key("ana".to_owned())]);
    assert_eq!(query.rooms, [Place("Big Room".to_owned())]);
    assert_eq!(query.sessions, [Place("corner".to_owned())]);
    assert_eq!(query.has, [Has::Link, Has::Reply]);
    assert!(query.wanted.is_empty());
    let query = read("after:2026-01-01 after:2026-02-01 before:2026-05-01T10:00");
    assert_eq!(query.after, moment::read("2026-02-01"));
    assert_eq!(query.before, moment::read("2026-05-01T10:00:00Z"));
}

#[test]
fn an_unknown_operator_is_words() {
    assert_eq!(read("colour:red ").wanted, [phrase("colour red", false)]);
    assert_eq!(read("from: ana ").wanted, [phrase("from", false), phrase("ana", false)]);
    assert_eq!(read("-from:ana").unwanted, [phrase("from ana", false)]);
    assert_eq!(read("https://a.org ").wanted, [phrase("https a org", false)]);
}

#[test]
fn a_time_is_a_bound() {
    let at = |text: &str| Message { sent_at: moment::read(text).unwrap(), ..said("x") };
    let query = read("after:2026-05-01 before:2026-05-02");
    assert!(query.fits(&at("2026-05-01")) && query.fits(&at("2026-05-01T23:59:59")));
    assert!(!query.fits(&at("2026-04-30T23:59:59")) && !query.fits(&at("2026-05-02")));
}

#[test]
fn a_message_has_what_it_has() {
    for yes in ["see https://a.org.", "(HTTP://x)"] {
        assert!(read("has:link").fits(&said(yes)), "{yes}");
    }
    for no in ["://", "http://", "ftp://a", "xhttp://a", "https:// a"] {
        assert!(!read("has:link").fits(&said(no)), "{no}");
    }
    let answer = Message { reply_to: Some(MessageId(uuid::Uuid::nil())), ..said("x") };
    assert!(read("has:reply").fits(&answer) && !read("has:reply").fits(&said("x")));
    assert!(!read("has:file").fits(&answer));
    let deleted = Message { deleted_at: Some(Time(1)), ..answer };
    assert!(!read("has:reply").fits(&deleted));
}

#[test]
fn a_place_is_known_by_its_id_or_name() {
    let id = "0190f5c2-7a1e-7000-8000-00000000000a";
    let place = |text: &str| Place(text.to_owned());
    assert!(place(&id.to_uppercase()).is(id, "x"));
    assert!(place("cafe  noir").is(id, "Café Noir!"));
    assert!(place("!!").is(id, "!!"));
    assert!(!place("!").is(id, "?"));
    assert!(!place("cafe").is(id, "Café Noir"));
}

#[test]
fn a_query_asks_for_something_and_not_for_too_much() {
    let limits = Limits::default();
    let refused = |text: &str| parse(text, &limits).expect_err(text);
    for blank in ["", "  \n"] {
        assert_eq!(refused(blank), Denied::Empty("q"));
    }
    for bad in ["\"\"", "***", "-", "((((", "has:nothing", "before:noon", "after:2026-02-30"] {
        assert!(matches!(refused(bad), Denied::Invalid { field: "q", .. }), "{bad}");
    }
    assert!(matches!(refused(&"x".repeat(10_240)), Denied::TooLong { field: "q", .. }));
    assert!(matches!(refused(&"x ".repeat(33)), Denied::Invalid { .. }));
    assert!(matches!(refused(&"has:link ".repeat(33)), Denied::Invalid { .. }));
    assert!(parse(&"x ".repeat(32), &limits).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = parse(&text, &Limits::default());
    }

    #[test]
    fn marks_are_harmless(text in "[a-c \"*:^()\\-+{}.,\0é日]{0,40}(from:|in:|has:)?[\"a*]{0,3}") {
        if let Ok(query) = parse(&text, &Limits::default()) {
            for phrase in query.wanted.iter().chain(&query.unwanted) {
                prop_assert!(!phrase.words.is_empty());
            }
        }
    }

    #[test]
    fn a_text_is_found_by_its_own_words(text in "[a-zéà日本 ,.]{1,40}") {
        let words = words(&text);
        prop_assume!(!words.is_empty() && words.len() <= 32);
        let quoted = format!("\"{text}\"");
        prop_assert!(read(&quoted).fits(&said(&text)), "{}", quoted);
        let query: String = words.iter().map(|word| format!("{} ", word.text)).collect();
        prop_assert!(read(&query).fits(&said(&text)));
    }
}
