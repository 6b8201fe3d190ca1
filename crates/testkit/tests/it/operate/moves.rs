//! A large installation moved to PostgreSQL and back, killed again and again on the way.

use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use parlor_store::moves::{Place, content_of};
use tempfile::TempDir;

use super::{done, filled, parlor, refused, word};
use crate::simulation::dice::Dice;
use crate::simulation::number;

/// Messages unless `PARLOR_MOVES` says otherwise.
const MESSAGES: u64 = 20_000;

/// Kills on each way unless `PARLOR_MOVES_KILLS` says otherwise.
const KILLS: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_there_and_back_survives_kill_9_and_is_identical() {
    let messages = number("PARLOR_MOVES").unwrap_or(MESSAGES);
    let kills = number("PARLOR_MOVES_KILLS").unwrap_or(KILLS);
    let home = TempDir::new().unwrap();
    let (here, back) = (home.path().join("here"), home.path().join("back"));
    std::fs::create_dir(&here).unwrap();
    filled::fill(&here.join("parlor.sqlite"), i64::try_from(messages).unwrap());
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let mut dice = Dice::new(number("PARLOR_MOVES_SEED").unwrap_or(0x6d6f_7665));
    let before = digest(&here).await;

    let there = ["migrate", "--from", "here", "--to", &url];
    let interrupted = kill(home.path(), &there, kills, messages, &mut dice).await;
    let said = done(home.path(), &there).await;
    assert_eq!(word(&said, "content "), before, "{said}");
    assert!(said.contains("what remains to be done"), "{said}");
    assert!(said.contains("rows: "), "progress is shown: {said}");
    assert!(!said.contains(&password(&url)), "no password is printed");
    println!("there: {interrupted} kills amid the rows, then identical: {before}");

    let again = ["migrate", "--from", &url, "--to", "back"];
    let interrupted = kill(home.path(), &again, kills, messages, &mut dice).await;
    let said = done(home.path(), &again).await;
    assert_eq!(word(&said, "content "), before, "{said}");
    assert_eq!(digest(&back).await, before);
    assert_eq!(digest(&here).await, before, "the source is as it was");
    println!("back: {interrupted} kills amid the rows, then identical");

    let twice = refused(home.path(), &again).await;
    assert!(twice.contains("holds this very installation already"), "{twice}");
}

fn password(url: &str) -> String {
    url.split(['@', ':']).nth(2).unwrap().to_owned()
}

async fn digest(folder: &Path) -> String {
    let place = Place::Sqlite(folder.join("parlor.sqlite"));
    content_of(&place).await.unwrap().digest()
}

/// Starts the command and kills it, so many times, while it copies: after a random part of a
/// second once it has said that it copies. Returns how often.
async fn kill(
    folder: &Path,
    arguments: &[&str],
    kills: u64,
    messages: u64,
    dice: &mut Dice,
) -> u64 {
    // Spread over about the time that copying takes.
    let most = (messages / 40 / kills.max(1)).max(50);
    let mut interrupted = 0;
    for _ in 0..kills {
        let mut command = parlor(folder, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let begun = tokio::task::spawn_blocking(move || {
            let mut heard = [0; 1];
            errors.read(&mut heard).is_ok_and(|read| read == 1).then_some(errors)
        });
        let Some(errors) = begun.await.unwrap() else {
            panic!("it said nothing: {:?}", child.wait());
        };
        let moment = Duration::from_millis(dice.below(most));
        // Not a wait for something: the moment of the kill is what is random.
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        drop(errors);
        assert!(!ended.success(), "{messages} messages are moved too fast to be interrupted");
        interrupted += 1;
    }
    interrupted
}
