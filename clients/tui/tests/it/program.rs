//! The program itself against a real server, in a terminal of its own.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use parlor_sdk::{Client, Settings, Update};
use parlor_tui::terminal::Taken;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

use crate::kit::{PASSPHRASE, PASSWORD, Server, heard, hears, knows, stands_in};
use crate::proxy::Proxy;
use crate::terminal::Terminal;

/// The program with nothing said but where it keeps what it has.
fn bare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor-tui"));
    command.arg("--folder").arg(folder);
    command
}

/// The program as it is started when everything is given and nothing is asked.
fn given(server: &Server, url: &str, name: &str) -> Command {
    let mut command = bare(&server.folder(&format!("tui-{name}")));
    command
        .env("PARLOR_URL", url)
        .env("PARLOR_LOGIN", name)
        .env("PARLOR_PASSWORD", PASSWORD)
        .env("PARLOR_PASSPHRASE", PASSPHRASE);
    command
}

/// Somebody in a terminal, signed in and connected.
fn terminal(server: &Server, name: &str) -> Terminal {
    let mut terminal = Terminal::run(&given(server, &server.url, name), 24, 100);
    terminal.shows("online");
    terminal
}

async fn id_of(client: &Client, username: &str) -> String {
    let found = client.request("GET", &format!("/users?query={username}"), None).await.unwrap();
    found["users"][0]["id"].as_str().unwrap().to_owned()
}

/// A room of Bo's with Ana in it.
async fn room(bo: &Client, encrypted: bool) -> (String, Receiver<Update>) {
    let ana = id_of(bo, "ana").await;
    let mut updates = bo.updates();
    let room = bo
        .create_room("aaa-den", "private", &[ana], encrypted.then(Settings::default))
        .await
        .unwrap();
    knows(bo, &mut updates, &room.main_session_id).await;
    (room.main_session_id, updates)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_by_typing_talks_to_somebody_and_leaves() {
    let server = Server::start();
    server.account("ana").await;
    let bo = server.person("bo").await;
    let (den, mut at_bos) = room(&bo, false).await;
    let folder = server.folder("tui");
    let mut ana = Terminal::run(&bare(&folder), 24, 100);
    ana.shows("Parlor: sign in");
    // The address that is proposed is another one.
    ana.press(&format!(
        "\u{1b}[A\u{15}{}\rana\rwrong password\r{PASSPHRASE}\r{PASSPHRASE}\r",
        server.url
    ));
    ana.shows("wrong (unauthorized)");
    ana.press(&format!("{PASSWORD}\r{PASSPHRASE}\r{PASSPHRASE}\r"));
    ana.shows("online");
    bo.session(&den).say("hello from Bo").unwrap().delivered().await.unwrap();
    ana.shows("hello from Bo");
    ana.press("iand from a terminal\r");
    let message = hears(&mut at_bos, "and from a terminal").await;
    ana.shows("ana: and from a terminal");
    bo.session(&den).reply(&message.id, "seen").unwrap().delivered().await.unwrap();
    ana.shows("seen");
    ana.escape();
    let rows: Vec<_> = ana.rows().iter().map(|row| without_times(row)).collect();
    assert_eq!(
        rows,
        ["> aaa-den                │[not encrypted] aaa-den", "  Lobby                  │",]
            .into_iter()
            .map(str::to_owned)
            .chain((0..16).map(|_| "                         │".to_owned()))
            .chain(
                [
                    "                         │--:-- bo: hello from Bo",
                    "                         │--:-- ana: and from a terminal",
                    "                         │--:-- bo: (to ana: and from a terminal) seen",
                    &format!(
                        "                         │ i to write, F1 for help {}",
                        "─".repeat(49)
                    ),
                    "                         │",
                    "online",
                ]
                .map(str::to_owned)
            )
            .collect::<Vec<_>>()
    );
    assert!(!stands_in(&folder, "hello from Bo"), "what is kept is closed");
    for kept in [&folder, &folder.join("parlor.sqlite3"), &folder.join("signed-in")] {
        assert_eq!(kept.metadata().unwrap().mode() & 0o077, 0, "{kept:?} is its owner's alone");
    }
    assert!(!stands_in(&folder, PASSWORD));
    ana.command("q");
    ana.ends();
}

/// A row with every time as `--:--`.
fn without_times(row: &str) -> String {
    let signs: Vec<char> = row.chars().collect();
    let digit = |at: usize| signs.get(at).is_some_and(char::is_ascii_digit);
    let is_time = |at: usize| {
        signs.get(at + 2) == Some(&':') && [0, 1, 3, 4].into_iter().all(|step| digit(at + step))
    };
    let mut clean = signs.clone();
    for at in (0..signs.len()).filter(|at| is_time(*at)) {
        for step in [0, 1, 3, 4] {
            clean[at + step] = '-';
        }
    }
    clean.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_send_is_no_order_to_the_terminal() {
    let server = Server::start();
    server.account("ana").await;
    let bo = server.person("bo").await;
    let (den, _) = room(&bo, false).await;
    let mut ana = terminal(&server, "ana");
    let evil = "a\u{1b}]0;evil\u{7}b\u{1b}[2J\u{1b}[1;1Hc\u{9b}31md\u{1b}Pq\u{1b}\\e\u{202e}f\rg";
    bo.session(&den).say(evil).unwrap().delivered().await.unwrap();
    bo.session(&den).say("\u{1b}]52;c;ZXZpbA==\u{7}\u{1b}c after").unwrap();
    ana.shows("after");
    ana.shows("bo: a]0;evilb[2J[1;1Hc31mdPq\\ef");
    assert!(ana.rows()[0].contains("aaa-den"), "nothing was erased or moved");
    assert_eq!(ana.orders(), [""; 0]);
    ana.press("\u{3}");
    ana.ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shrinks_to_one_line_and_grows_again() {
    let server = Server::start();
    server.account("ana").await;
    let bo = server.person("bo").await;
    let (den, _) = room(&bo, false).await;
    let mut ana = terminal(&server, "ana");
    bo.session(&den).say("before it shrank").unwrap();
    ana.shows("before it shrank");
    ana.resize(1, 80);
    ana.until("one line", |screen| screen.starts_with("online"));
    bo.session(&den).say("meanwhile").unwrap().delivered().await.unwrap();
    ana.resize(12, 60);
    ana.shows("meanwhile");
    assert!(ana.rows()[0].starts_with("[not encrypted] aaa-den"), "one pane: {:?}", ana.rows());
    ana.resize(30, 120);
    ana.shows("│[not encrypted] aaa-den");
    ana.press("\u{3}");
    ana.ends_at_another_size(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_terminal_the_program_ends_and_half_a_sentence_is_kept() {
    let server = Server::start();
    server.account("ana").await;
    let mut ana = terminal(&server, "ana");
    ana.press("ihalf a sentence");
    ana.shows("half a sentence");
    ana.hang_up().ends();
    let mut again = terminal(&server, "ana");
    again.shows("half a sentence");
    again.hang_up().ends();
    // Nor does it run on where no signal tells it.
    let mut stranger = Terminal::run_as_a_stranger(&given(&server, &server.url, "ana"));
    stranger.shows("half a sentence");
    stranger.hang_up().ends();
    let mut asking = Terminal::run_as_a_stranger(&bare(&server.folder("tui")));
    asking.shows("Parlor: sign in");
    asking.hang_up().ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_told_to_end_gives_the_terminal_back() {
    let server = Server::start();
    server.account("ana").await;
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let ana = terminal(&server, "ana");
        ana.tell(signal);
        ana.ends();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_server_that_does_not_answer() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let folder = TempDir::new().unwrap();
    let mut command = bare(folder.path());
    command.env("PARLOR_URL", url).env("PARLOR_LOGIN", "ana").env("PARLOR_PASSWORD", PASSWORD);
    let signs_in = || {
        let mut ana = Terminal::run(&command, 24, 100);
        ana.shows("Passphrase");
        ana.press("\r\r");
        ana.shows("one moment");
        // It is asked, and says nothing.
        silent.accept().map(|(asked, _)| (ana, asked)).unwrap()
    };
    let (mut ana, _asked) = signs_in();
    ana.press("\u{3}");
    ana.ends();
    let (ana, _asked) = signs_in();
    ana.tell(Signal::TERM);
    ana.ends();
}

/// The test is a program itself, which the first of it runs in a terminal.
#[test]
fn a_panic_in_any_thread_gives_the_terminal_back_and_ends_the_program() {
    const PANICS: &str = "PARLOR_TEST_PANICS";
    if std::env::var_os(PANICS).is_some() {
        let _taken = Taken::take().unwrap();
        let thread = std::thread::spawn(|| panic!("as it was told"));
        panic!("it lives on: {:?}", thread.join());
    }
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let name = std::thread::current().name().unwrap().to_owned();
    itself.args(["--exact", "--nocapture", &name]).env(PANICS, "1");
    let text = Terminal::run(&itself, 24, 100).ends_with(101);
    assert!(text.contains("as it was told") && !text.contains("it lives on"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_there_before_the_server_is_and_only_for_its_passphrase() {
    let server = Server::start();
    server.account("ana").await;
    let bo = server.person("bo").await;
    let (den, mut at_bos) = room(&bo, false).await;
    let proxy = Proxy::before(&server.url).await;
    let mut ana = Terminal::run(&given(&server, &proxy.url, "ana"), 24, 100);
    ana.shows("online");
    bo.session(&den).say("kept here").unwrap().delivered().await.unwrap();
    ana.shows("bo: kept here");
    proxy.cut();
    ana.shows("reconnecting");
    ana.press("iwritten meanwhile\r");
    ana.shows("1 not sent yet");
    ana.press("\u{3}");
    ana.ends();
    let mut again = Terminal::run(&bare(&server.folder("tui-ana")), 24, 100);
    again.shows("what is kept here is closed");
    again.press("not it\r");
    again.shows("that is not the passphrase");
    again.press(&format!("{PASSPHRASE}\r"));
    again.shows("bo: kept here");
    again.shows("connecting");
    assert!(again.rows().iter().any(|row| row.contains("1 not sent yet")), "{:?}", again.rows());
    proxy.mend();
    again.shows("online");
    hears(&mut at_bos, "written meanwhile").await;
    again.hides("not sent yet");
    again.press("\u{3}");
    again.ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_terminals_verify_each_other_by_words_and_what_they_say_decays() {
    let server = Server::start();
    server.account("ana").await;
    server.account("bo").await;
    let (mut ana, mut bo) = (terminal(&server, "ana"), terminal(&server, "bo"));
    ana.command("room -e den bo");
    ana.shows("[encrypted, 1 person not verified] den");
    bo.shows("*den");
    bo.command("b den");
    bo.shows("[encrypted, 1 person not verified] den");
    ana.press("icanary-7741\r");
    bo.shows("ana: canary-7741");
    ana.escape();
    ana.command("verify bo");
    bo.shows("ana asks to verify");
    bo.command("accept");
    bo.shows("y go on");
    bo.press("y");
    ana.shows("e compare");
    ana.press("e");
    ana.shows("Does bo see the same");
    bo.shows("Does ana see the same");
    let (at_ana, at_bo) = (words(&ana), words(&bo));
    assert_eq!(at_ana.len(), 7);
    assert_eq!(at_ana, at_bo);
    ana.press("y");
    ana.shows("waiting for bo");
    bo.press("y");
    ana.shows("bo is verified");
    bo.shows("ana is verified");
    ana.press("\r");
    bo.press("\r");
    ana.shows("[encrypted, everybody verified] den");
    bo.shows("[encrypted, everybody verified] den");
    ana.command("timer 5s");
    ana.shows("what you write decays after 5s");
    ana.press("iglimpse\r");
    bo.shows("ana: glimpse");
    bo.shows("gone in");
    bo.hides("glimpse");
    ana.hides("glimpse");
    for secret in ["canary-7741", "glimpse"] {
        assert!(!stands_in(&server.data(), secret), "{secret} is not on the server");
    }
    ana.press("\u{3}");
    ana.ends();
    bo.press("\u{3}");
    bo.ends();
}

/// The words that are on the screen.
fn words(terminal: &Terminal) -> Vec<String> {
    let asked = |row: &String| row.contains("see the same");
    let from = terminal.rows().iter().position(asked).unwrap() + 2;
    let words = (from..).map(|row| terminal.boxed(row));
    words.take_while(|word| !word.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_server_puts_into_a_session_is_shown_and_let_in_by_a_command() {
    let server = Server::start();
    server.account("ana").await;
    let (bo, eve) = (server.person("bo").await, server.person("eve").await);
    for client in [&bo, &eve] {
        client.encryption().unwrap().set_up().await.unwrap();
    }
    let (den, _) = room(&bo, true).await;
    let mut ana = terminal(&server, "ana");
    ana.shows("[encrypted, 1 person not verified] aaa-den");
    let mut at_eves = eve.updates();
    let path = format!("/rooms/{}/members", bo.session(&den).info().unwrap().room_id);
    let body = serde_json::json!({ "users": [eve.user_id()] });
    bo.request("POST", &path, Some(&body)).await.unwrap();
    ana.shows("[NOT LET IN, and cannot read it: eve: :members] aaa-den");
    ana.command("members");
    ana.shows("eve (@eve) member NOT LET IN");
    ana.press("q");
    ana.command("let-in @eve");
    ana.shows("[encrypted, 2 people not verified] aaa-den");
    knows(&eve, &mut at_eves, &den).await;
    ana.press("iwelcome\r");
    hears(&mut at_eves, "welcome").await;
    ana.command("q");
}

/// Ana and Bo in the direct room of the two, which is encrypted from the start.
fn face_to_face(server: &Server) -> (Terminal, Terminal) {
    let (mut ana, mut bo) = (terminal(server, "ana"), terminal(server, "bo"));
    ana.command("direct bo");
    ana.shows("[encrypted, 1 person not verified] bo");
    bo.shows("*ana");
    bo.command("b ana");
    bo.shows("[encrypted, 1 person not verified] ana");
    (ana, bo)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_differ_verify_nobody() {
    let server = Server::start();
    server.account("ana").await;
    server.account("bo").await;
    let (mut ana, mut bo) = face_to_face(&server);
    bo.command("verify ana");
    ana.shows("bo asks to verify");
    ana.command("accept");
    ana.shows("y go on");
    ana.press("y");
    bo.shows("e compare");
    bo.press("e");
    ana.shows("see the same");
    bo.shows("see the same");
    ana.press("n");
    bo.shows("Nobody is verified");
    ana.shows("Nobody is verified");
    bo.press("\r");
    bo.shows("[encrypted, 1 person not verified] ana");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_terminals_verify_each_other_by_a_code_in_place_of_words() {
    let server = Server::start();
    server.account("ana").await;
    server.account("bo").await;
    let (mut ana, mut bo) = face_to_face(&server);
    ana.command("verify bo");
    bo.shows("ana asks to verify");
    bo.command("accept");
    bo.shows("y go on");
    bo.press("y");
    ana.shows("c show a code");
    bo.shows("c show a code");
    ana.press("c");
    ana.shows("e compare instead");
    // They compare words after all; then Bo wants a code, and they have to agree to that.
    ana.press("e");
    ana.shows("see the same");
    bo.shows("c use a code instead");
    bo.press("c");
    ana.shows("bo asks to verify");
    ana.press("y");
    bo.shows("A code for ana");
    ana.shows("e compare instead");
    bo.press(":no such code\r");
    bo.shows("this is no code");
    let from = ana.rows().iter().position(|row| row.contains("A code for bo")).unwrap() + 3;
    let rows = ana.rows().into_iter().skip(from).take_while(|row| !row.is_empty());
    let code = rows.collect::<Vec<_>>().join(" ");
    assert!(code.starts_with("TUFU UklY"), "{code}");
    bo.press(&format!(":{code}\r"));
    bo.shows("It worked: say so at the other device");
    ana.shows("Does the other device say that it worked?");
    ana.press("y");
    ana.shows("bo is verified");
    bo.shows("ana is verified");
    ana.press("\r");
    bo.press("\r");
    ana.shows("[encrypted, everybody verified] bo");
    bo.shows("[encrypted, everybody verified] ana");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_is_told_apart_until_it_is_recovered() {
    let server = Server::start();
    server.account("ana").await;
    let mut first = terminal(&server, "ana");
    first.command("room -e notes");
    first.shows("[encrypted, everybody verified] notes");
    first.press("ilong ago\r");
    first.shows("ana: long ago");
    first.hides("not sent yet");
    first.escape();
    first.command("recovery");
    first.shows("your recovery key");
    first.shows("opens your messages on a new device");
    let about = |row: &String| row.contains("opens your messages");
    let at = first.rows().iter().position(about).unwrap();
    let key = first.boxed(at + 2);
    assert!(key.len() > 40, "{key}");
    first.press("\u{3}");
    first.ends();
    let mut command = bare(&server.folder("second"));
    let same = given(&server, &server.url, "ana");
    command.envs(same.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut second = Terminal::run(&command, 24, 120);
    second.shows("this device is not verified");
    second.shows("*notes");
    second.command("b notes");
    second.shows("[encrypted, but this device is not verified");
    second.shows("[locked]");
    second.command("recover");
    second.shows("your recovery key");
    second.press(&format!("{key}\r"));
    second.shows("[encrypted, everybody verified] notes");
    second.shows("long ago");
    assert!(second.rows().iter().all(|row| !row.contains(&key)), "it is never shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_forgets_everything_and_the_next_start_asks_anew() {
    let server = Server::start();
    let bo = server.person("bo").await;
    server.account("ana").await;
    let (den, _) = room(&bo, false).await;
    let mut ana = terminal(&server, "ana");
    bo.session(&den).say("to be forgotten").unwrap();
    ana.shows("to be forgotten");
    ana.command("sign-out");
    ana.shows("y/n");
    ana.press("y");
    ana.ends();
    let folder = server.folder("tui-ana");
    let left = std::fs::read_dir(&folder).unwrap().flatten().count();
    assert_eq!(left, 0, "nothing is kept");
    let mut again = Terminal::run(&bare(&folder), 24, 100);
    again.shows("Parlor: sign in");
    again.press("\u{1b}");
    again.ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_signed_out_elsewhere_asks_for_the_password() {
    let server = Server::start();
    server.account("ana").await;
    let mut ana = terminal(&server, "ana");
    let elsewhere = server.sign_in("ana", "elsewhere").await;
    elsewhere.request("POST", "/auth/logout-all", None).await.unwrap();
    ana.shows("Parlor: sign in again");
    ana.press(&format!("{PASSWORD}\r"));
    ana.shows("online");
    ana.press("\u{3}");
    ana.ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_page_work() {
    let page = include_str!("../../../../docs/terminal.md");
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<&str> = blocks.map(str::trim).collect();
    assert_eq!(blocks.len(), 2);
    let server = Server::start();
    server.account("ana").await;
    let home = server.folder("home");
    let bin = server.folder("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let parlor = std::env::var("PARLOR_BIN").unwrap();
    std::os::unix::fs::symlink(parlor, bin.join("parlor")).unwrap();
    let program = env!("CARGO_BIN_EXE_parlor-tui");
    std::os::unix::fs::symlink(program, bin.join("parlor-tui")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        let line = line.replace("http://127.0.0.1:8000", &server.url);
        // What is typed is all that there is: the shell becomes it.
        command.args(["-c", &format!("exec {line}")]).env("HOME", &home);
        command.env("PATH", format!("{}:{path}", bin.display()));
        command
    };
    let mut first = Terminal::run(&shell(blocks[0]), 24, 100);
    first.shows("Parlor: sign in");
    first.press(&format!("ana\r{PASSWORD}\r{PASSPHRASE}\r{PASSPHRASE}\r"));
    first.shows("online");
    first.press("\u{3}");
    first.ends();
    assert!(home.join(".local/share/parlor/parlor.sqlite3").is_file());
    let mut second = Terminal::run(&shell(blocks[1]), 24, 100);
    second.shows("what is kept here is closed");
    second.press(&format!("{PASSPHRASE}\r"));
    second.shows("online");
    second.press(":q\r");
    second.ends();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_and_found_and_a_name_follows_its_room() {
    let server = Server::start();
    server.account("ana").await;
    let bo = server.person("bo").await;
    let (den, mut at_bos) = room(&bo, false).await;
    let mut ana = terminal(&server, "ana");
    let file = server.folder("plan.txt");
    std::fs::write(&file, "a plan").unwrap();
    ana.command(&format!("upload {}", file.display()));
    ana.shows("[file plan.txt]");
    let files = heard(&mut at_bos, |update| match update {
        Update::Posted(message) => message.files.first().cloned(),
        _ => None,
    });
    let kept = files.await;
    assert_eq!(bo.session(&den).download(&kept).await.unwrap(), b"a plan");
    bo.session(&den).say("a needle in hay").unwrap().delivered().await.unwrap();
    ana.shows("needle");
    ana.press("/needle\r");
    ana.shows("found: needle");
    ana.shows("aaa-den: a needle in hay");
    ana.press("\r");
    ana.hides("found: needle");
    let room = bo.session(&den).info().unwrap().room_id;
    let name = serde_json::json!({"name": "aaa-garden"});
    bo.request("PATCH", &format!("/rooms/{room}"), Some(&name)).await.unwrap();
    ana.shows("[not encrypted] aaa-garden");
}
