//! What keys do.

use parlor_sdk::{Reaction, Settings, Stage};
use parlor_tui::app::{App, Go, Link, Mode, Panel, Row};
use parlor_tui::effect::{Answer, Effect, Making, News, Saying};
use parlor_tui::keys::Key;

use crate::screens::{app, message, place};

pub(crate) fn types(app: &mut App, text: &str) -> Vec<Effect> {
    text.chars().flat_map(|sign| app.press(Key::Char(sign))).collect()
}

/// A command, as it is typed.
fn runs(app: &mut App, line: &str) -> Vec<Effect> {
    types(app, &format!(":{line}"));
    app.press(Key::Enter)
}

fn saying(body: &str) -> Saying {
    Saying { session_id: "den/main".into(), body: body.into(), ..Saying::default() }
}

#[test]
fn a_text_is_written_and_sent() {
    let mut app = app();
    types(&mut app, "ihello");
    app.press(Key::AltEnter);
    types(&mut app, "there");
    assert_eq!(app.press(Key::Enter), [Effect::Send(saying("hello\nthere"))]);
    assert!(app.composer.is_empty() && app.mode == Mode::Insert);
    assert!(app.press(Key::Enter).is_empty(), "nothing is not sent");
}

#[test]
fn what_is_pasted_is_text_and_no_key() {
    let mut app = app();
    app.paste("two\r\nlines\u{1b}[31m:q");
    assert_eq!(app.composer.text(), "two\nlines[31m:q");
    assert_eq!(app.mode, Mode::Insert);
}

#[test]
fn an_answer_names_the_chosen_message_and_is_forgotten_by_escape() {
    let mut app = app();
    types(&mut app, "kr");
    types(&mut app, "yes");
    let answer = Saying { reply_to: Some("m1".into()), ..saying("yes") };
    assert_eq!(app.press(Key::Enter), [Effect::Send(answer)]);
    app.press(Key::Esc);
    types(&mut app, "r");
    app.press(Key::Esc);
    types(&mut app, "ino");
    assert_eq!(app.press(Key::Enter), [Effect::Send(saying("no"))]);
}

#[test]
fn a_quotation_is_what_was_said_after_signs_of_quoting() {
    let mut app = app();
    types(&mut app, "k>");
    assert_eq!(app.composer.text(), "> good morning\n");
    assert_eq!(app.mode, Mode::Insert);
}

#[test]
fn a_thread_is_opened_written_in_and_closed() {
    let mut app = app();
    let asked = types(&mut app, "kt");
    let thread = Effect::Thread { session_id: "den/main".into(), message_id: "m1".into() };
    assert_eq!(asked, [thread]);
    let said = parlor_sdk::Message { thread_id: Some("m1".into()), ..message(3, "bo", "aside") };
    app.posted(said);
    let bodies: Vec<_> = app.visible().iter().map(|message| &*message.body).collect();
    assert_eq!(bodies, ["good morning", "aside"]);
    types(&mut app, "iin it");
    let sent = app.press(Key::Enter);
    assert_eq!(sent, [Effect::Send(Saying { thread_id: Some("m1".into()), ..saying("in it") })]);
    app.press(Key::Esc);
    types(&mut app, "t");
    let bodies: Vec<_> = app.visible().iter().map(|message| &*message.body).collect();
    assert_eq!(bodies, ["good morning", "and to you"], "the timeline is without the thread");
}

#[test]
fn one_rewords_what_is_ones_own() {
    let mut app = app();
    types(&mut app, "e");
    assert_eq!(app.composer.text(), "and to you");
    types(&mut app, "!");
    let edited = Effect::Edit {
        session_id: "den/main".into(),
        message_id: "m2".into(),
        body: "and to you!".into(),
    };
    assert_eq!(app.press(Key::Enter), std::slice::from_ref(&edited));
    // The same by an arrow, as long as nothing is written.
    app.press(Key::Up);
    types(&mut app, "!");
    assert_eq!(app.press(Key::Enter), [edited]);
    app.press(Key::Up);
    app.press(Key::Esc);
    assert!(app.composer.is_empty() && app.drafts.is_empty(), "given up, it is no draft");
}

#[test]
fn one_deletes_what_is_ones_own_after_being_asked() {
    let mut app = app();
    assert!(types(&mut app, "ddn").is_empty());
    let deleted = Effect::Delete { session_id: "den/main".into(), message_id: "m2".into() };
    assert_eq!(types(&mut app, "ddy"), [deleted]);
    assert!(types(&mut app, "kddy").is_empty(), "not what somebody else said");
}

#[test]
fn a_reaction_is_given_and_taken_back() {
    let mut app = app();
    let react = |emoji: &str, on| Effect::React {
        session_id: "den/main".into(),
        message_id: "m2".into(),
        emoji: emoji.into(),
        on,
    };
    assert_eq!(types(&mut app, "+"), [react("\u{1f44d}", true)]);
    app.messages[1].reactions =
        vec![Reaction { emoji: "\u{1f44d}".into(), count: 1, user_ids: vec!["ana".into()] }];
    assert_eq!(types(&mut app, "+"), [react("\u{1f44d}", false)]);
    assert_eq!(runs(&mut app, "react \u{1f980}"), [react("\u{1f980}", true)]);
}

#[test]
fn one_goes_from_session_to_session() {
    let mut app = app();
    let open = |id: &str| vec![Effect::Open(id.to_owned())];
    assert_eq!(app.press(Key::Ctrl('b')), open("lobby/main"));
    assert_eq!(app.press(Key::Ctrl('n')), open("den/main"));
    assert_eq!(app.press(Key::Alt('n')), open("den/plans"));
    assert!(app.press(Key::Alt('p')).contains(&Effect::Open("den/plans".into())));
    app.press(Key::Ctrl('p'));
    types(&mut app, "lob");
    assert_eq!(app.press(Key::Enter), open("lobby/main"));
    assert_eq!(runs(&mut app, "b plans"), open("den/plans"));
}

#[test]
fn tabs_are_the_sessions_of_the_room_alone() {
    let mut app = app();
    let open = |id: &str| vec![Effect::Open(id.to_owned())];
    assert_eq!(types(&mut app, "gt"), open("den/plans"));
    assert_eq!(types(&mut app, "gt"), open("den/main"));
    assert_eq!(types(&mut app, "gT"), open("den/plans"));
    runs(&mut app, "b lobby");
    assert!(types(&mut app, "gt").is_empty());
}

#[test]
fn tab_leads_from_the_messages_to_writing_and_to_the_list() {
    let mut app = app();
    app.press(Key::Tab);
    assert_eq!(app.mode, Mode::Insert);
    app.press(Key::Tab);
    types(&mut app, "jj");
    assert_eq!(app.mode, Mode::Places(2));
    assert_eq!(app.press(Key::Enter), [Effect::Open("lobby/main".into())]);
    assert_eq!(app.mode, Mode::Normal);
    app.press(Key::BackTab);
    assert_eq!(app.mode, Mode::Places(2));
}

#[test]
fn two_escapes_go_to_the_end_and_mark_it_read() {
    let mut app = app();
    app.places[0] = crate::screens::Place { unread: 2, head: 2, ..place("den", None, 2, false) };
    types(&mut app, "gg");
    assert_eq!(app.chosen.as_deref(), Some("m1"));
    assert!(app.press(Key::Esc).is_empty());
    let read = Effect::Read { session_id: "den/main".into(), number: 2 };
    assert_eq!(app.press(Key::Esc), [read]);
    assert_eq!((app.chosen.as_deref(), app.places[0].unread), (None, 0));
    // From writing, the first one ends it.
    types(&mut app, "i");
    app.press(Key::Esc);
    assert_eq!(app.mode, Mode::Normal);
    // And what is not followed by a second one is nothing.
    app.press(Key::Esc);
    types(&mut app, "k");
    assert!(app.press(Key::Esc).is_empty());
}

#[test]
fn the_oldest_unread_is_found_here_or_asked_for() {
    let mut app = app();
    types(&mut app, "gu");
    assert_eq!(app.notice.as_deref(), Some("nothing is unread here"));
    app.places[0].unread = 1;
    app.places[0].read = 1;
    assert!(types(&mut app, "gu").is_empty());
    assert_eq!(app.chosen.as_deref(), Some("m2"));
    app.messages.remove(0);
    app.places[0].read = 0;
    let around = Effect::Around { session_id: "den/main".into(), number: 1 };
    assert_eq!(types(&mut app, "gu"), [around]);
}

#[test]
fn one_marks_unread_from_here_until_it_is_read() {
    let mut app = app();
    app.places[0].head = 2;
    app.places[0].read = 2;
    types(&mut app, "kmu");
    assert_eq!((app.places[0].unread, app.places[0].read), (1, 0));
    let again = app.places.clone();
    app.learn(News::Places(
        again
            .into_iter()
            .map(|place| crate::screens::Place { unread: 0, read: 2, ..place })
            .collect(),
    ));
    assert_eq!(app.places[0].unread, 2, "what the server says does not undo it");
    app.press(Key::Esc);
    assert!(!app.press(Key::Esc).is_empty());
    assert_eq!(app.places[0].unread, 0);
}

#[test]
fn everything_is_marked_read_after_being_asked() {
    let mut app = app();
    app.places[1].head = 9;
    runs(&mut app, "unreads clear");
    assert!(types(&mut app, "n").is_empty());
    assert_eq!(app.places[1].unread, 3, "nothing happens unless it is confirmed");
    runs(&mut app, "unreads clear");
    let read = Effect::Read { session_id: "den/plans".into(), number: 9 };
    assert_eq!(types(&mut app, "y"), [read]);
}

#[test]
fn the_inbox_has_what_is_unread_and_leads_there() {
    let mut app = app();
    types(&mut app, "gi");
    let Mode::Panel(panel) = &app.mode else { panic!("{:?}", app.mode) };
    assert_eq!(panel.rows[0].text, "den / plans: 3 unread");
    assert_eq!(app.press(Key::Enter), [Effect::Open("den/plans".into())]);
}

#[test]
fn what_is_half_written_stays_with_its_session() {
    let mut app = app();
    types(&mut app, "ihalf");
    let effects = app.press(Key::Ctrl('n'));
    let drafts = [("den/main".to_owned(), "half".to_owned())].into();
    assert_eq!(effects, [Effect::Drafts(drafts), Effect::Open("den/plans".into())]);
    assert!(app.composer.is_empty());
    types(&mut app, "gd");
    let Mode::Panel(panel) = &app.mode else { panic!("{:?}", app.mode) };
    assert_eq!(panel.rows[0].text, "den: half");
    app.press(Key::Enter);
    assert_eq!(app.composer.text(), "half");
    types(&mut app, "i!");
    let sent = app.press(Key::Enter);
    assert_eq!(sent, [Effect::Drafts([].into()), Effect::Send(saying("half!"))]);
}

#[test]
fn what_was_half_written_is_there_after_a_new_start_and_when_a_session_is_gone() {
    let drafts = [("den/main".to_owned(), "half".to_owned())].into();
    let mut app = App { places: Vec::new(), drafts, ..app() };
    app.learn(News::Places(vec![place("den", None, 0, false), place("lobby", None, 0, false)]));
    assert_eq!(app.composer.text(), "half");
    app.press(Key::Ctrl('n'));
    let open = app.learn(News::Places(vec![place("den", None, 0, false)]));
    assert_eq!(open, [Effect::Open("den/main".into())]);
    assert_eq!(app.composer.text(), "half");
}

#[test]
fn commands_do_what_they_say_and_unknown_ones_say_so() {
    let mut app = app();
    types(&mut app, "/red bus");
    let here = Effect::Find { words: "red bus".into(), session_id: Some("den/main".into()) };
    assert_eq!(app.press(Key::Enter), [here]);
    let everywhere = Effect::Find { words: "red bus".into(), session_id: None };
    assert_eq!(runs(&mut app, "search red bus"), [everywhere]);
    assert_eq!(types(&mut app, "go"), [Effect::Outbox]);
    let upload = Effect::Upload { session_id: "den/main".into(), path: "a file.txt".into() };
    assert_eq!(runs(&mut app, "upload a file.txt"), [upload]);
    assert_eq!(runs(&mut app, "members"), [Effect::Members("den/main".into())]);
    let let_in = Effect::LetIn { session_id: "den/main".into(), whom: "eve".into() };
    assert_eq!(runs(&mut app, "let-in @eve"), [let_in]);
    assert_eq!(runs(&mut app, "settings"), [Effect::Settings]);
    assert!(runs(&mut app, "fly").is_empty());
    assert!(app.notice.as_deref().is_some_and(|notice| notice.contains("no command fly")));
    assert_eq!(runs(&mut app, "q"), [Effect::Quit]);
    assert_eq!(app.press(Key::Ctrl('c')), [Effect::Quit]);
}

#[test]
fn rooms_and_sessions_are_made_with_people_in_them() {
    let mut app = app();
    let verified = Settings { verified_only: true, ..Settings::default() };
    for (letter, settings) in [("-e", Settings::default()), ("-v", verified)] {
        let (name, people) = ("den2".into(), vec!["bo".into()]);
        let room = Making::Room { name, people, encryption: Some(settings) };
        assert_eq!(runs(&mut app, &format!("room {letter} den2 @bo")), [Effect::Make(room)]);
    }
    let direct = Making::DirectTo("bo".into());
    assert_eq!(runs(&mut app, "direct @bo"), [Effect::Make(direct)]);
    let session = Making::Session {
        beside: "den/main".into(),
        name: "plans".into(),
        people: vec!["bo".into(), "cy".into()],
        encryption: None,
    };
    assert_eq!(runs(&mut app, "session plans bo cy"), [Effect::Make(session)]);
    assert!(runs(&mut app, "room").is_empty() && app.notice.is_some());
}

#[test]
fn a_timer_is_that_of_a_session_and_goes_with_what_is_said() {
    let mut app = app();
    runs(&mut app, "timer 5m");
    runs(&mut app, "b plans");
    runs(&mut app, "timer 1h");
    types(&mut app, "igone soon");
    let effects = app.press(Key::Enter);
    assert!(matches!(&effects[..], [Effect::Send(Saying { life_ms: Some(3_600_000), .. })]));
    app.press(Key::Esc);
    runs(&mut app, "timer off");
    types(&mut app, "istays");
    assert!(matches!(&app.press(Key::Enter)[..], [Effect::Send(Saying { life_ms: None, .. })]));
}

#[test]
fn a_recovery_key_is_typed_unseen_and_used() {
    let mut app = app();
    runs(&mut app, "recover");
    types(&mut app, "EsTa");
    assert!(matches!(app.mode, Mode::Secret(_)));
    assert_eq!(app.press(Key::Enter), [Effect::Recover("EsTa".into())]);
}

#[test]
fn nobody_is_verified_by_what_is_typed_before_one_looks() {
    let mut app = app();
    let asked = |stage| News::Verifying { user_id: "bo".into(), stage };
    types(&mut app, "i");
    app.learn(asked(Stage::Asked));
    assert_eq!(types(&mut app, "yes"), [Effect::Typing("den/main".into())]);
    assert_eq!(app.composer.text(), "yes", "it is text, and no answer");
    app.composer.take();
    app.press(Key::Esc);
    runs(&mut app, "accept");
    assert_eq!(types(&mut app, "y"), [Effect::Answer(Answer::Accept)]);
    app.learn(asked(Stage::Compare([("\u{1f436}", "Dog"); 7])));
    assert!(types(&mut app, "x").is_empty());
    assert_eq!(types(&mut app, "n"), [Effect::Answer(Answer::Differ)]);
    assert_eq!(types(&mut app, "y"), [Effect::Answer(Answer::Same)]);
    assert_eq!(types(&mut app, "c"), [Effect::VerifyByCode]);
    app.learn(asked(Stage::Done));
    app.press(Key::Enter);
    assert!(app.verifying.is_none());
}

#[test]
fn a_code_is_shown_typed_or_pasted_where_a_verification_is_looked_at() {
    let mut app = app();
    let verifying = |stage| News::Verifying { user_id: "bo".into(), stage };
    assert!(runs(&mut app, "code TUFU UklY").is_empty());
    assert_eq!(app.notice.as_deref(), Some("first :verify PERSON, or :accept"));
    app.learn(verifying(Stage::Ready));
    assert_eq!(types(&mut app, "c"), [Effect::Answer(Answer::Show)]);
    app.learn(verifying(Stage::Showing("QUJD".into())));
    assert_eq!(types(&mut app, "e"), [Effect::Answer(Answer::Compare)]);
    assert!(types(&mut app, ":TUFU UklY").is_empty());
    let taken = [Effect::Answer(Answer::Take("TUFU UklY".into()))];
    assert_eq!(app.press(Key::Enter), taken);
    app.paste("TUFU\nUklY\n");
    assert!(app.composer.is_empty(), "a code is not written to anybody");
    assert_eq!(app.press(Key::Enter), taken);
    // Whoever does not type it after all is back at the verification.
    types(&mut app, ":TU");
    app.press(Key::Esc);
    app.learn(verifying(Stage::Taken));
    app.paste("TUFU");
    assert!(app.composer.is_empty() && app.mode == Mode::Normal);
    assert_eq!(types(&mut app, "n"), [Effect::Answer(Answer::Differ)]);
    assert_eq!(types(&mut app, "y"), [Effect::Answer(Answer::Same)]);
}

#[test]
fn messages_come_in_their_order_once_and_only_where_they_belong() {
    let mut app = app();
    app.take(message(4, "bo", "four"));
    app.take(message(3, "bo", "three"));
    app.take(message(3, "bo", "three, better"));
    app.take(parlor_sdk::Message { session_id: "lobby/main".into(), ..message(5, "bo", "x") });
    let bodies: Vec<_> = app.messages.iter().map(|message| &*message.body).collect();
    assert_eq!(bodies, ["good morning", "and to you", "three, better", "four"]);
}

#[test]
fn what_is_seen_is_read_and_what_is_not_is_counted() {
    let mut app = app();
    app.looked_at = true;
    let read = Effect::Read { session_id: "den/main".into(), number: 3 };
    assert_eq!(app.posted(message(3, "bo", "seen")), [read]);
    app.looked_at = false;
    assert!(app.posted(message(4, "bo", "unseen")).is_empty());
    assert!(app.posted(message(4, "bo", "the same again")).is_empty());
    assert_eq!(app.places[0].unread, 1);
    let elsewhere =
        parlor_sdk::Message { session_id: "lobby/main".into(), ..message(5, "bo", "x") };
    app.posted(elsewhere);
    assert_eq!(app.places[2].unread, 1);
    app.read_elsewhere("lobby/main", 5);
    assert_eq!(app.places[2].unread, 0);
}

#[test]
fn going_back_far_lets_the_newest_go_and_coming_forward_asks_for_them() {
    let mut app = app();
    let page = |from: i64| (from..from + 3_000).map(|n| message(n, "bo", "x")).collect::<Vec<_>>();
    let more = |messages, behind| News::More { session_id: "den/main".into(), messages, behind };
    app.messages = page(10_001);
    app.learn(more(page(7_001), false));
    assert!(app.behind && app.messages.len() == 5_000);
    let last = app.messages.last().map(|message| message.number);
    assert_eq!(last, Some(12_000));
    app.take(message(13_001, "bo", "new"));
    assert_eq!(
        app.messages.last().map(|message| message.number),
        last,
        "there is a hole before it"
    );
    app.chosen = app.messages.last().map(|message| message.id.clone());
    let later = Effect::Later { session_id: "den/main".into(), after: 12_000 };
    assert_eq!(types(&mut app, "j"), [later]);
    app.learn(more((12_001..=13_001).map(|n| message(n, "bo", "x")).collect(), false));
    assert!(!app.behind);
    assert_eq!(app.messages.last().map(|message| message.number), Some(13_001));
}

#[test]
fn nobody_is_let_in_from_the_list_without_being_asked() {
    let mut app = app();
    let (session_id, whom) = ("den/main".to_owned(), "eve".to_owned());
    let go = Go::LetIn { session_id: session_id.clone(), whom: whom.clone() };
    app.learn(News::Panel(Panel::new("who is here", vec![Row::new("Eve", go)], "nobody")));
    assert!(app.press(Key::Enter).is_empty());
    assert!(matches!(app.mode, Mode::Confirm(_)));
    assert_eq!(types(&mut app, "y"), [Effect::LetIn { session_id, whom }]);
}

#[test]
fn a_list_that_comes_while_one_types_waits() {
    let mut app = app();
    types(&mut app, "ihe");
    app.learn(News::Panel(parlor_tui::app::Panel::new("late", Vec::new(), "nothing")));
    types(&mut app, "y");
    assert_eq!(app.composer.text(), "hey");
    app.press(Key::Esc);
    assert!(matches!(app.mode, Mode::Panel(_)));
}

#[test]
fn a_first_attempt_that_fails_is_no_reconnecting() {
    let mut app = app();
    app.link = Link::Connecting;
    app.linked(Link::Reconnecting);
    assert_eq!(app.link, Link::Connecting);
    app.linked(Link::Online);
    app.linked(Link::Reconnecting);
    assert_eq!(app.link, Link::Reconnecting);
}
