//! `kill -9` of the real server at random moments while people send files: what was acknowledged
//! is there, and after the next start nothing lies about that nobody knows.

use std::path::Path;
use std::time::Duration;

use image::ImageFormat;
use parlor_testkit::{FaultProxy, Person, ServerProcess, TestServer, soon};
use parlor_wire::v1;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{drawn, inventory, noise, picture, piece, sending, tus};
use crate::simulation::dice::Dice;
use crate::simulation::number;

/// Kills unless `PARLOR_UPLOAD_KILLS` says otherwise.
const KILLS: u64 = 10;

/// People who send.
const SENDERS: usize = 4;

/// Bytes of the files: of a picture's size, and of a film's.
const SIZES: [usize; 2] = [40_000, 3_000_000];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_moment_leaves_no_orphan() {
    let kills = number("PARLOR_UPLOAD_KILLS").unwrap_or(KILLS);
    let seed = number("PARLOR_UPLOAD_KILLS_SEED").unwrap_or(0x6b69_6c6c);
    let folder = tempfile::TempDir::new().unwrap();
    let mut process = start(folder.path());
    let proxy = FaultProxy::start(process.address()).await;
    let (over, ends) = watch::channel(false);
    let mut senders = JoinSet::new();
    for n in 0..SENDERS {
        let mut person = process.person(&format!("sender{n}")).await;
        person.reach(proxy.address());
        senders.spawn(send_until(person, n, seed, ends.clone()));
    }
    let mut dice = Dice::new(seed);
    for _ in 0..kills {
        let moment = Duration::from_millis(5 + dice.below(396));
        // Not a wait for something: the moment of the kill is what is random.
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        proxy.retarget(None);
        process.kill();
        drop(process);
        process = start(folder.path());
        audit(folder.path()).await.unwrap_or_else(|fault| panic!("{fault} (seed {seed:#x})"));
        proxy.retarget(Some(process.address()));
    }
    over.send_replace(true);
    let sent: Vec<Vec<(Person, String)>> = soon("the last answers", senders.join_all()).await;
    let sent: Vec<_> = sent.into_iter().flatten().collect();
    for (person, id) in &sent {
        let found = person.get::<v1::File>(&format!("/files/{id}")).await;
        assert!(found.is_ok(), "{id} was acknowledged (seed {seed:#x})");
    }
    drop(process);
    let process = start(folder.path());
    audit(folder.path()).await.unwrap();
    drop(process);
    println!("{kills} kills, {} files acknowledged: none lost, no orphan", sent.len());
}

fn start(folder: &Path) -> ServerProcess {
    // Tokens are for one place, and the port is another one after each start.
    let settings = TestServer::builder()
        .set("public_url", "http://parlor.test")
        .limit("user_files_bytes_max", 1 << 40);
    ServerProcess::start_in(env!("CARGO_BIN_EXE_parlor-tested"), &settings, folder)
}

/// Sends files, in one request and in several, and takes some of them back; returns those that
/// were acknowledged and not taken back.
async fn send_until(
    person: Person,
    n: usize,
    seed: u64,
    over: watch::Receiver<bool>,
) -> Vec<(Person, String)> {
    let mut dice = Dice::new(seed ^ n as u64);
    let mut sent = Vec::new();
    while !*over.borrow() {
        // Few contents, so that the same bytes come and go at the same time.
        let seed = u8::try_from(dice.below(4)).unwrap();
        let bytes = match dice.below(3) {
            // Small ones of these are drawn while they come and go.
            0 => drawn(&picture(600, 500, seed), ImageFormat::Png),
            size => noise(SIZES[usize::try_from(size - 1).unwrap()], seed),
        };
        let id = match dice.below(2) {
            0 => at_once(&person, &bytes).await,
            _ => in_pieces(&person, &bytes, &mut dice).await,
        };
        let Some(id) = id else { continue };
        if dice.below(2) == 0 {
            // Whether it was done is not known when it is not answered.
            let path = format!("/api/v1/files/{id}");
            let _ = person.try_send(person.request("DELETE", "").at(&path)).await;
        } else {
            sent.push((person.clone(), id));
        }
    }
    sent
}

async fn at_once(person: &Person, bytes: &[u8]) -> Option<String> {
    let answer = person.try_send(sending(person, "x", bytes)).await.ok()?;
    (answer.status == 201).then(|| answer.json()["id"].as_str().map(str::to_owned))?
}

async fn in_pieces(person: &Person, bytes: &[u8], dice: &mut Dice) -> Option<String> {
    let begun = person.try_send(super::beginning(person, bytes.len() as u64, "x")).await.ok()?;
    let path = begun.header("location")?.strip_prefix("/api/v1")?.to_owned();
    let id = path.rsplit('/').next()?.to_owned();
    for _ in 0..20 {
        let Ok(head) = person.try_send(tus(person, "HEAD", &path)).await else { continue };
        let at: usize = head.header("upload-offset")?.parse().ok()?;
        if at == bytes.len() {
            let file = person.request("GET", &format!("/files/{id}"));
            if person.try_send(file).await.is_ok_and(|answer| answer.status == 200) {
                return Some(id);
            }
        }
        let most = usize::try_from(dice.below(bytes.len() as u64)).unwrap() + 1;
        let to = bytes.len().min(at + most);
        let _ = person.try_send(piece(person, &path, at as u64, &bytes[at..to])).await;
    }
    None
}

/// Holds what lies on the disk against the books, when nothing is drawn any more.
async fn audit(folder: &Path) -> Result<(), String> {
    let data = folder.join("data");
    let books =
        Connection::open_with_flags(data.join("parlor.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let books = books.unwrap();
    let sql = "select (select count(*) from jobs), (select count(*) from blobs where refs = 0)";
    let at_work = || {
        let counts = books.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        counts.unwrap() != (0_i64, 0_i64)
    };
    let mut pulse = tokio::time::interval(Duration::from_millis(10));
    let drawing = async {
        while at_work() {
            pulse.tick().await;
        }
    };
    soon("the end of all drawing", drawing).await;
    let found = inventory(&data).await;
    let listed = |sql: &str| -> Vec<Vec<u8>> {
        let mut statement = books.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let known = listed("select hash from blobs where refs > 0 order by hash");
    let blobs: Vec<Vec<u8>> = found.blobs.iter().map(|hash| hash.to_vec()).collect();
    if blobs != known {
        return Err(format!("{} blobs lie there, {} are known", blobs.len(), known.len()));
    }
    let uploads = listed("select id from uploads where doomed = 0");
    let lost = found.uploads.iter().find(|id| !uploads.contains(&id.as_bytes().to_vec()));
    if let Some(lost) = lost {
        return Err(format!("nobody knows of the upload {lost}"));
    }
    if found.unfinished > 0 {
        return Err(format!("{} files are half made", found.unfinished));
    }
    let sql = "select (select coalesce(sum(size), 0) from files) + (select coalesce(sum(length), \
               0) from uploads where doomed = 0), (select coalesce(sum(bytes), 0) from file_bytes \
               where user_no = 0)";
    let counts = books.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (is, counted): (i64, i64) = counts.unwrap();
    if is != counted {
        return Err(format!("{is} bytes are there, and {counted} are counted"));
    }
    Ok(())
}
