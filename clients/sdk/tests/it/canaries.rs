//! Nothing that is said in an encrypted session can be read anywhere at the server: not in its
//! database and its write-ahead log, its files, its log, its memory, and not on the way to it.
//!
//! Everything that is said carries a mark. First it is said in the clear, where each of the places
//! has to show it: a search that finds nothing anyway would prove nothing.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use matrix_sdk_crypto::vodozemac::base64_encode;
use memchr::memmem;
use parlor_sdk::{Client, Draft, FileInfo, SessionHandle, Settings};

use crate::dice::number;
use crate::hostile::somebody;
use crate::kit::{LOG, PASSPHRASE, Server, hears, knows};
use crate::middle::Middle;
use crate::proxy::Proxy;

/// Things that are said, unless `PARLOR_CANARY_THINGS` says otherwise: messages, files, reactions
/// and rewordings.
const THINGS: u64 = 100;

/// After so many of them it is looked for on the way, while the write-ahead log is full.
const THINGS_TO_LOOK: u64 = 50;

/// A mark, in every form in which it could stand somewhere.
struct Mark {
    text: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Mark {
    fn new() -> Self {
        // Sixteen letters and digits by chance: what is looked for is what all things have.
        let chance = uuid::Uuid::new_v4().simple().to_string();
        Self::of(format!("Zq{}", &chance[..14]))
    }

    fn of(text: String) -> Self {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let escaped = |byte: u8| format!("\\u{byte:04x}");
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut forms = vec![
            ("raw", text.clone().into_bytes()),
            ("hex", hex.clone().into_bytes()),
            ("HEX", hex.to_uppercase().into_bytes()),
            ("JSON escapes", text.bytes().map(escaped).collect::<String>().into_bytes()),
            ("UTF-16", wide),
        ];
        for before in 0..3 {
            let base64 = inside_base64(&text, before);
            forms.push(("base64url", base64.replace('+', "-").replace('/', "_").into_bytes()));
            forms.push(("base64", base64.into_bytes()));
        }
        Self { text, forms }
    }

    /// The forms in which it stands in these bytes.
    fn forms_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let forms = self.forms.iter().filter(|(_, form)| memmem::find(bytes, form).is_some());
        forms.map(|(name, _)| *name).collect()
    }
}

/// The letters of base64 that are made of this text only, when so many bytes are before it.
fn inside_base64(text: &str, before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(text.as_bytes());
    let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    base64_encode(&bytes)[from..to].to_owned()
}

#[test]
fn a_mark_is_found_in_every_form() {
    let mark = Mark::of("Zq0123456789abcd".to_owned());
    for before in 0..6 {
        let text = format!("{}{} and so on", "x".repeat(before), mark.text);
        assert_eq!(mark.forms_in(text.as_bytes()), ["raw"]);
        let base64 = base64_encode(&text);
        assert!(mark.forms_in(base64.as_bytes()).contains(&"base64"), "{before}");
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(mark.forms_in(hex.as_bytes()), ["hex"]);
    }
    assert!(mark.forms_in(b"Zq0123456789abcX").is_empty());
}

/// Where a server could have it.
struct Places {
    server: Server,
    middle: Middle,
    /// The ways from the server to PostgreSQL and to Redis, where those are.
    behind: Option<Behind>,
}

/// What is behind a server that shares its work with others.
struct Behind {
    postgres: Proxy,
    redis: Proxy,
    /// The database, at PostgreSQL itself.
    database: String,
}

impl Behind {
    /// A database of its own on the PostgreSQL that tests share, and the Redis that they share.
    async fn start() -> Option<Self> {
        let shared = std::env::var("PARLOR_TEST_POSTGRES_URL").ok()?;
        let redis = std::env::var("PARLOR_TEST_REDIS_URL").expect("who has one has the other");
        let name = format!("canaries_{}", std::process::id());
        output("psql", &[&shared, "--command", &format!("create database {name}")]);
        let (server, _) = shared.rsplit_once('/').unwrap();
        let (_, address) = server.rsplit_once('@').unwrap();
        Some(Self {
            postgres: Proxy::recording(&format!("http://{address}")).await,
            redis: Proxy::recording(&redis.replace("redis:", "http:")).await,
            database: format!("{server}/{name}"),
        })
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let (login, rest) = self.database.rsplit_once('@').unwrap();
        let (_, name) = rest.split_once('/').unwrap();
        let address = self.postgres.url.replace("http://", "");
        let secret = "a key that every node has, of sixty-four letters and a few more....";
        vec![
            ("PARLOR_DATABASE_URL", format!("{login}@{address}/{name}")),
            ("PARLOR_REDIS_URL", self.redis.url.replace("http:", "redis:")),
            ("PARLOR_SECRET_KEY", secret.to_owned()),
        ]
    }
}

/// What a program writes.
fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = std::process::Command::new(program);
    let output = command.args(arguments).env_clear().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Places {
    /// A server that has everything itself, or one with these behind it.
    async fn open(behind: Option<Behind>) -> Self {
        let server = Server::start_with(behind.as_ref().map(Behind::settings).unwrap_or_default());
        let middle = Middle::before(&server.url).await;
        Self { server, middle, behind }
    }

    /// Those that show at once what is said in the clear.
    fn telling(&self) -> &'static [&'static str] {
        match self.behind {
            None => &["the database", "the files", "a backup", "the wire", "the memory"],
            Some(_) => &["the way to PostgreSQL", "a dump", "the files", "the wire", "the memory"],
        }
    }

    /// What is in each place now, by its name; the log is the last.
    fn read(&self) -> Vec<(&'static str, Vec<u8>)> {
        let data = self.server.data();
        // The write-ahead log before the database that it is moved into while this reads.
        let mut database = files_of(&data, &|name| name.ends_with("-wal"));
        database.extend(files_of(&data, &|name| name == "parlor.sqlite"));
        let mut places = vec![
            ("the database", database),
            ("the files", files_of(&data, &|name| !name.starts_with("parlor.sqlite"))),
            ("the wire", self.middle.bytes()),
            ("the memory", memory(self.server.id())),
        ];
        match &self.behind {
            None => places.push(("a backup", backup(&data))),
            Some(behind) => {
                places.push(("the way to PostgreSQL", behind.postgres.bytes()));
                places.push(("the way to Redis", behind.redis.bytes()));
                places.push(("a dump", output("pg_dump", &[&behind.database])));
            }
        }
        places.push(("the log", std::fs::read(self.server.folder(LOG)).unwrap()));
        places
    }

    /// Where a mark stands now, and in which form.
    fn showing(&self, mark: &Mark) -> Vec<(&'static str, Vec<&'static str>)> {
        let places = self.read().into_iter();
        let found = places.map(|(name, bytes)| (name, mark.forms_in(&bytes)));
        found.filter(|(_, forms)| !forms.is_empty()).collect()
    }
}

/// The bytes of all files of a folder whose names are so.
fn files_of(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(files_of(&path, wanted));
        } else if wanted(&path.file_name().unwrap().to_string_lossy()) {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

/// What `parlor backup` copies of a server that has everything itself.
fn backup(data: &Path) -> Vec<u8> {
    let (binary, to) = (std::env::var("PARLOR_BIN").unwrap(), tempfile::tempdir().unwrap());
    let (data, folder) = (data.to_str().unwrap(), to.path().to_str().unwrap());
    output(&binary, &["backup", "--data-dir", data, "--to", folder]);
    files_of(to.path(), &|_| true)
}

/// What a process has in its memory, without the files that it has mapped to read.
fn memory(process: u32) -> Vec<u8> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut file = File::open(format!("/proc/{process}/mem")).expect("a parent may read it");
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (number(from), number(to));
        file.seek(SeekFrom::Start(from)).unwrap();
        // What was given back in between cannot be read any more.
        let _ = (&mut file).take(to - from).read_to_end(&mut all);
    }
    all
}

/// Uploads a file whose name, kind and bytes are marked.
async fn upload(session: &SessionHandle, mark: &str) -> FileInfo {
    let bytes = format!("{mark} ").repeat(200).into_bytes();
    let (name, kind) = (format!("{mark}.txt"), "text/plain");
    session.upload(&name, kind, bytes).await.unwrap()
}

/// The plain session: every place shows what is said there, so that a search finds it.
async fn speak_plainly(places: &Places, ana: &Client) -> Mark {
    let mark = Mark::new();
    let room = ana.create_room("plain", "private", &[], None).await.unwrap();
    let session = ana.session(&room.main_session_id);
    let file = upload(&session, &mark.text).await;
    let draft = Draft::text(format!("{} says", mark.text)).with_file(file);
    session.send(draft).unwrap().delivered().await.unwrap();
    let shown = places.showing(&mark);
    for place in places.telling() {
        let found = shown.iter().find(|(name, _)| name == place);
        assert!(found.is_some_and(|(_, forms)| forms.contains(&"raw")), "{place}: {shown:?}");
    }
    // The log names people, and never what they say.
    let own = Mark::of(ana.user_id());
    let log = places.read().pop().unwrap();
    assert!(own.forms_in(&log.1).contains(&"raw"), "the log says who came");
    mark
}

/// Says the things, each with the mark in it.
async fn say_things(places: &Places, [ana, bo]: [&Client; 2], session: &str, mark: &Mark) {
    let things = number("PARLOR_CANARY_THINGS").unwrap_or(THINGS);
    let (at_ana, at_bo) = (ana.session(session), bo.session(session));
    let mut updates = bo.updates();
    let mut last = at_ana.say(&*mark.text).unwrap().delivered().await.unwrap();
    for n in 1..things {
        let text = format!("{} {n}", mark.text);
        match n % 10 {
            7 => {
                let file = upload(&at_ana, &text).await;
                let draft = Draft::text(&*text).with_file(file);
                last = at_ana.send(draft).unwrap().delivered().await.unwrap();
            }
            8 => at_bo.react(&last, &text, true).await.unwrap(),
            9 => at_ana.edit(&last, &text).await.unwrap(),
            _ => last = at_ana.say(&*text).unwrap().delivered().await.unwrap(),
        }
        if n % 10 == 6 {
            hears(&mut updates, &text).await;
            assert!(!bo.search(&text, 5).unwrap().is_empty(), "it is found where it was opened");
        }
        if n % THINGS_TO_LOOK == 0 {
            assert_eq!(places.showing(mark), []);
        }
    }
    let file = at_ana.page_before(None, 10).await.unwrap().messages.into_iter();
    let file = file.flat_map(|message| message.files).next_back().unwrap();
    assert!(file.name.contains(&mark.text));
    let bytes = at_bo.download(&file).await.unwrap();
    assert!(memmem::find(&bytes, mark.text.as_bytes()).is_some());
    eprintln!("{things} things were said");
}

async fn nothing_can_be_read(places: Places) {
    let ana = somebody(&places.server, &places.middle.url, "ana").await;
    let bo = somebody(&places.server, &places.middle.url, "bo").await;
    let plain = speak_plainly(&places, &ana).await;
    let key = ana.encryption().unwrap().set_up_recovery().await.unwrap();
    let mut updates = bo.updates();
    let room = ana
        .create_room("den", "private", &[bo.user_id()], Some(Settings::default()))
        .await
        .unwrap();
    knows(&bo, &mut updates, &room.main_session_id).await;
    let mark = Mark::new();
    say_things(&places, [&ana, &bo], &room.main_session_id, &mark).await;
    assert!(ana.encryption().unwrap().standing().await.unwrap().backup, "its keys are kept, too");
    assert_eq!(places.showing(&mark), []);
    for secret in [key.text(), key.text().replace(' ', ""), PASSPHRASE.to_owned()] {
        assert_eq!(places.showing(&Mark::of(secret)), []);
    }
    let database = if places.behind.is_some() { "a dump" } else { "the database" };
    let shown = places.showing(&plain);
    assert!(shown.iter().any(|(name, _)| *name == database), "{shown:?}");
    let sizes: Vec<_> = places.read().iter().map(|(name, place)| (*name, place.len())).collect();
    eprintln!("no mark in {sizes:?}; of what is plain: {shown:?}");
}

#[tokio::test]
async fn nothing_that_is_said_in_an_encrypted_session_can_be_read_at_the_server() {
    nothing_can_be_read(Places::open(None).await).await;
}

// The ways to what is behind are kept open while the start of the server is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_in_what_is_behind_it() {
    let Some(behind) = Behind::start().await else {
        return eprintln!(
            "not tried: `cargo xtask parts -- cargo test` starts PostgreSQL and Redis"
        );
    };
    nothing_can_be_read(Places::open(Some(behind)).await).await;
}
