//! What is on the screen.

use parlor_sdk::{Ending, Message, Reaction, Secrecy, Stage, Standing, Verdict};
pub(crate) use parlor_tui::app::Place;
use parlor_tui::app::{App, Link, Mode, Verifying};
use parlor_tui::form::{Form, Wanted};
use parlor_tui::input::Input;
use parlor_tui::keys::HELP;
use parlor_tui::shield::Shield;
use parlor_tui::view::{draw, form};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

pub(crate) fn place(room: &str, session: Option<&str>, unread: i64, encrypted: bool) -> Place {
    Place {
        session_id: format!("{room}/{}", session.unwrap_or("main")),
        room_id: room.to_owned(),
        room: room.to_owned(),
        session: session.map(str::to_owned),
        unread,
        mentions: 0,
        head: 0,
        read: 0,
        encrypted,
        ended: false,
        message_ttl_s: None,
        end: None,
    }
}

pub(crate) fn message(number: i64, sender: &str, body: &str) -> Message {
    Message {
        id: format!("m{number}"),
        session_id: "den/main".to_owned(),
        number,
        seq: number,
        sender_id: sender.to_owned(),
        client_id: String::new(),
        body: body.to_owned(),
        reply_to: None,
        thread_id: None,
        sent_at: format!("2026-05-01T10:{number:02}:00.000000Z"),
        edited_at: None,
        deleted_at: None,
        expires_at: None,
        reactions: Vec::new(),
        files: Vec::new(),
        secrecy: Secrecy::Plain,
    }
}

pub(crate) fn app() -> App {
    App {
        me: "ana".to_owned(),
        places: vec![
            place("den", None, 0, false),
            place("den", Some("plans"), 3, true),
            place("lobby", None, 0, false),
        ],
        messages: vec![message(1, "bo", "good morning"), message(2, "ana", "and to you")],
        names: [("ana", "Ana"), ("bo", "Bo")].map(|(id, name)| (id.into(), name.into())).into(),
        link: Link::Online,
        ..App::default()
    }
}

/// The screen as text, without blanks at the ends of lines.
fn drawn(width: u16, height: u16, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(draw).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let rows = buffer.content.chunks(usize::from(width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned())
        .collect()
}

fn screen(app: &App, width: u16, height: u16) -> Vec<String> {
    drawn(width, height, |frame| draw(frame, app))
}

#[test]
fn a_wide_screen_has_the_sessions_beside_the_messages() {
    let rows = screen(&app(), 80, 8);
    assert_eq!(
        rows,
        [
            "> den                    │[not encrypted] den",
            " *  plans (3)            │",
            "  lobby                  │",
            "                         │10:01 Bo: good morning",
            "                         │10:02 Ana: and to you",
            "                         │ i to write, F1 for help ─────────────────────────────",
            "                         │",
            "online | 3 unread",
        ]
    );
}

#[test]
fn a_narrow_screen_has_the_messages_alone_or_the_list_alone() {
    let mut app = app();
    let rows = screen(&app, 40, 6);
    assert_eq!(rows[0], "[not encrypted] den");
    assert_eq!(rows[2], "10:02 Ana: and to you");
    assert!(rows.iter().all(|row| !row.contains("plans")));
    app.mode = Mode::Places(1);
    let rows = screen(&app, 40, 6).join("\n");
    assert!(rows.contains("plans (3)") && !rows.contains("good morning"), "{rows}");
}

#[test]
fn a_long_message_is_broken_at_blanks_under_its_beginning() {
    let mut app = app();
    app.messages = vec![message(1, "bo", "one two three four five six seven eight\nnew line")];
    let rows = screen(&app, 30, 7);
    assert_eq!(
        rows[1..4],
        ["10:01 Bo: one two three four", "          five six seven eight", "          new line"]
    );
}

#[test]
fn what_others_send_gives_the_terminal_no_orders() {
    let mut app = app();
    app.messages = vec![message(1, "bo", "a\u{1b}[2Jb\u{202e}c\u{7}")];
    app.messages[0].reactions =
        vec![Reaction { emoji: "\u{1b}[5m".into(), count: 1, user_ids: Vec::new() }];
    app.names.insert("bo".into(), "B\u{1b}]0;x\u{7}o\ntwo".into());
    app.places[0].room = "d\u{9b}31men".into();
    app.notice = Some("bad\u{1b}[2J".into());
    let rows = screen(&app, 90, 8).join("\n");
    assert!(rows.contains("B]0;xo two: a[2Jbc"), "{rows}");
    assert!(!rows.chars().any(|sign| sign.is_control() && sign != '\n'), "{rows:?}");
}

#[test]
fn nobody_can_write_something_that_looks_like_the_shield() {
    let mut app = app();
    app.places[0].room = "den] [encrypted, everybody verified".into();
    assert!(screen(&app, 80, 8)[0].contains("[not encrypted] den]"), "the truth comes first");
}

#[test]
fn it_is_said_how_a_message_came() {
    let mut app = app();
    app.places[0].encrypted = true;
    let secrecies = [
        Secrecy::Opened { verdict: Verdict::Verified },
        Secrecy::Opened { verdict: Verdict::FromBackup },
        Secrecy::Locked { reason: "the key is not here".into(), later: true },
        Secrecy::Plain,
    ];
    app.messages = (1..)
        .zip(secrecies)
        .map(|(number, secrecy)| Message { secrecy, ..message(number, "bo", "text") })
        .collect();
    let rows = screen(&app, 79, 10);
    assert_eq!(
        rows[2..7],
        [
            "10:01 Bo: text",
            "10:02 Bo: [!] text",
            "          (from your key backup: who wrote it cannot be proven)",
            "10:03 Bo: [locked] the key is not here",
            "10:04 Bo: [not encrypted!] text",
        ]
    );
}

#[test]
fn the_shield_says_what_is_known_and_nothing_more() {
    let mut app = app();
    app.shown = 1;
    let said = |app: &App| screen(app, 90, 6)[0].split('│').nth(1).unwrap().to_owned();
    assert_eq!(said(&app), "[encrypted, for whom is not known yet] den / plans");
    let words = [
        (Shield::Verified, "[encrypted, everybody verified]"),
        (Shield::Unverified(2), "[encrypted, 2 people not verified]"),
        (Shield::Excluded(2), "[encrypted, 2 people not verified cannot read it]"),
        (Shield::DeviceUnsigned, "[encrypted, but this device is not verified"),
        (Shield::Changed(vec!["Bo".into()]), "[NEW IDENTITY of Bo"),
        (Shield::Unvouched(vec!["Eve".into()]), "[NOT LET IN, and cannot read it: Eve: :members]"),
        (Shield::Downgraded, "[NOT ENCRYPTED ANY MORE, says the server]"),
        (Shield::NoKeys, "[encrypted, but there are no keys here]"),
    ];
    for (shield, words) in words {
        app.shields.insert("den/plans".into(), shield);
        assert!(said(&app).starts_with(words), "{}", said(&app));
    }
    app.standing =
        Some(Standing { has_identity: true, device_signed: false, can_sign: false, backup: false });
    assert!(screen(&app, 90, 6)[5].contains("this device is not verified"));
}

#[test]
fn what_decays_counts_down() {
    let mut app = app();
    app.now = "2026-05-01T10:02:00Z".parse().unwrap();
    app.messages[1].expires_at = Some("2026-05-01T10:03:05.500000Z".into());
    assert!(app.counts_down());
    assert_eq!(screen(&app, 60, 8)[4], "           gone in 1m 6s");
    app.now = "2026-05-01T10:03:05Z".parse().unwrap();
    assert_eq!(screen(&app, 60, 8)[4], "           gone in 1s");
    app.decayed("m2");
    assert!(screen(&app, 60, 8).iter().all(|row| !row.contains("and to you")));
}

#[test]
fn a_session_that_ends_says_when_in_its_heading() {
    let mut app = app();
    app.now = "2026-05-01T10:02:00Z".parse().unwrap();
    let shown = app.shown;
    app.places[shown].end =
        Some(Ending::At { at: "2026-05-01T10:03:05.500000Z".into(), read_only_s: None });
    assert!(app.counts_down());
    assert!(screen(&app, 90, 8)[0].contains(", ends in 1m 6s"), "{:?}", screen(&app, 90, 8)[0]);
    app.places[shown].end = Some(Ending::Silence(3_600));
    assert!(screen(&app, 90, 8)[0].contains(", ends after 1h of silence"));
    app.places[shown].ended = true;
    assert!(!screen(&app, 90, 8)[0].contains("ends"));
}

#[test]
fn reactions_answers_deletions_and_new_wordings_are_shown() {
    let mut app = app();
    app.messages[0].reactions =
        vec![Reaction { emoji: "+1".into(), count: 2, user_ids: Vec::new() }];
    app.messages[0].edited_at = Some("2026-05-01T10:05:00Z".into());
    app.messages[1].deleted_at = Some("2026-05-01T10:05:00Z".into());
    app.messages.push(Message { reply_to: Some("m1".into()), ..message(3, "ana", "yes") });
    let rows = screen(&app, 60, 9);
    assert_eq!(
        rows[2..6],
        [
            "10:01 Bo: good morning (reworded)",
            "          +1 2",
            "10:02 Ana: (deleted)",
            "10:03 Ana: (to Bo: good morning) yes",
        ]
    );
}

#[test]
fn a_line_stands_where_what_is_unread_begins() {
    let mut app = app();
    app.unread_after = Some(1);
    let rows = screen(&app, 30, 8);
    assert_eq!(rows[2..4], ["10:01 Bo: good morning", "-- new -----------------------"]);
}

#[test]
fn the_palette_and_help_stand_over_the_rest() {
    let mut app = app();
    app.mode = Mode::Palette(Input::with("pl"), 0);
    let rows = screen(&app, 80, 12).join("\n");
    assert!(rows.contains(" go to ") && rows.contains("> pl"), "{rows}");
    assert!(rows.contains("den / plans (3)"), "{rows}");
    app.mode = Mode::Palette(Input::with("search"), 0);
    let rows = screen(&app, 80, 12).join("\n");
    assert!(rows.contains(":search"), "{rows}");
    app.mode = Mode::Help(0);
    assert!(screen(&app, 80, 24).join("\n").contains("choose a session"));
    app.mode = Mode::Help(30);
    assert!(screen(&app, 80, 24).join("\n").contains(":q"), "one can go down to the end");
}

#[test]
fn a_verification_shows_the_words_of_seven_emoji() {
    let mut app = app();
    let stage = Stage::Compare([
        ("a", "Dog"),
        ("b", "Cat"),
        ("c", "Lion"),
        ("d", "Horse"),
        ("e", "Unicorn"),
        ("f", "Pig"),
        ("g", "Elephant"),
    ]);
    app.verifying = Some(Verifying { user_id: "bo".into(), stage, open: true });
    let rows = screen(&app, 80, 24).join("\n");
    for word in ["Does Bo see the same", "Dog", "Elephant", "y they are the same"] {
        assert!(rows.contains(word), "{rows}");
    }
}

#[test]
fn a_code_has_its_rows_to_itself() {
    let mut app = app();
    let code = ["TUFU"; 41].join(" ");
    let stage = Stage::Showing(format!("{code} UklY"));
    app.verifying = Some(Verifying { user_id: "bo".into(), stage, open: true });
    let rows = screen(&app, 80, 24);
    let from = rows.iter().position(|row| row.contains("A code for Bo")).unwrap() + 3;
    let row = ["TUFU"; 16].join(" ");
    let last = format!("{} UklY", ["TUFU"; 9].join(" "));
    assert_eq!(rows[from..from + 4], [row.clone(), row, last, String::new()]);
    for (stage, asked) in [
        (Stage::Ready, "c show a code"),
        (Stage::Taken, "Does the other device say that it worked?"),
        (Stage::Matched, "It worked: say so at the other device. Waiting for Bo"),
    ] {
        app.verifying.as_mut().unwrap().stage = stage;
        let rows = screen(&app, 80, 24).join("\n");
        assert!(rows.contains(asked), "{rows}");
    }
}

#[test]
fn the_form_shows_no_secret() {
    let fields = [(Wanted::Name, "ana"), (Wanted::Password, "secret")];
    let sheet = Form::new("sign in", &["about it"], &fields);
    let rows = drawn(80, 12, |frame| form(frame, &sheet)).join("\n");
    assert!(rows.contains("Name        ana") && rows.contains("Password    ******"), "{rows}");
    assert!(!rows.contains("secret"));
}

#[test]
fn the_newest_messages_are_seen_when_there_are_more_than_lines() {
    let mut app = app();
    app.messages = (1..=50).map(|number| message(number, "bo", &format!("n{number}"))).collect();
    let rows = screen(&app, 40, 10);
    assert_eq!(rows[6], "10:50 Bo: n50");
    app.chosen = Some("m10".into());
    let rows = screen(&app, 40, 10);
    assert_eq!(rows[1..7].iter().filter(|row| row.contains("Bo")).count(), 6);
    assert_eq!(rows[3], "10:10 Bo: n10", "what is chosen is in the middle");
}

#[test]
fn a_screen_of_any_size_is_drawn() {
    let mut app = app();
    app.composer = Input::with("a line that is longer than some of the screens\nand another");
    let modes = [
        Mode::Normal,
        Mode::Insert,
        Mode::Places(2),
        Mode::Command(Input::with("search")),
        Mode::Help(3),
        Mode::Palette(Input::default(), 0),
    ];
    let sheet = Form::new("sign in", &["about it"], &[(Wanted::Name, ""), (Wanted::Password, "")]);
    for mode in modes {
        app.mode = mode;
        for (width, height) in [(1, 1), (80, 1), (3, 2), (10, 4), (79, 5), (200, 60)] {
            for (stage, open) in [
                (Stage::Asked, false),
                (Stage::Asked, true),
                (Stage::Showing("TUFU UklY".into()), true),
            ] {
                app.verifying = Some(Verifying { user_id: "bo".into(), stage, open });
                screen(&app, width, height);
            }
            drawn(width, height, |frame| form(frame, &sheet));
        }
    }
}

#[test]
fn the_page_about_the_terminal_client_has_the_keys_that_help_has() {
    let page = include_str!("../../../../docs/terminal.md");
    for (keys, what) in HELP {
        let row = format!("| `{}` | {what} |", keys.replace(", ", "`, `").replace(" / ", "` / `"));
        assert!(page.contains(&row), "the page lacks: {row}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), HELP.len());
}
