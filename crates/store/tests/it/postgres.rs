//! What PostgreSQL promises besides: safe settings only, several nodes that open it at once, a
//! server that is gone or does not answer, and the same tables as SQLite.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parlor_domain::{RoomKind, room};
use parlor_parts::{Database, Postgres};
use parlor_store::postgres::{PostgresConfig, PostgresStore};
use parlor_store::{Batch, StoreError};
use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use crate::world::World;

/// How long a test waits for something that must come, and how long nobody may be kept waiting.
const PATIENCE: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(10);

/// A node's configuration.
pub(crate) fn config(url: &str, keyring_url: Option<&str>) -> PostgresConfig {
    let keyring_url = keyring_url.map(str::to_owned);
    PostgresConfig { url: url.to_owned(), keyring_url, lanes: 2, connections: 4 }
}

pub(crate) async fn try_open(
    url: &str,
) -> Result<(PostgresStore, mpsc::Receiver<Batch>), StoreError> {
    let (sink, heard) = mpsc::channel(65_536);
    let config = config(url, None);
    Ok((PostgresStore::open(&config, sink).await?, heard))
}

/// A node on this database.
pub(crate) async fn node(url: &str, home: Box<dyn std::any::Any + Send + Sync>) -> World {
    let (store, heard) = try_open(url).await.unwrap();
    World::new(Arc::new(store), heard, home)
}

/// A node on a fresh database.
pub(crate) async fn fresh() -> World {
    let database = parlor_parts::database().unwrap();
    node(&database.url(), Box::new(database)).await
}

/// Two nodes on a fresh database.
pub(crate) async fn pair() -> (World, World) {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    (node(&url, Box::new(database)).await, node(&url, Box::new(())).await)
}

/// A connection past the store.
pub(crate) struct Beside {
    pub(crate) client: Client,
    _work: JoinSet<()>,
}

impl Beside {
    pub(crate) async fn of(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let mut work = JoinSet::new();
        work.spawn(async move { connection.await.unwrap() });
        Self { client, _work: work }
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a count is as it should be.
    pub(crate) async fn comes_to(&self, sql: &str, count: i64) {
        let mut pulse = tokio::time::interval(Duration::from_millis(20));
        let done = async {
            while self.count(sql).await != count {
                pulse.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, done).await.expect("it comes to that in time");
    }
}

/// Opens a database that is to be refused, and returns what is said.
async fn refusal(url: &str) -> String {
    match try_open(url).await {
        Err(StoreError::Unavailable(text)) => panic!("{text}"),
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_database_that_may_lose_a_commit_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let server = Postgres::start_with(&[&format!("{setting}=off")]).unwrap();
        let said = refusal(&server.url()).await;
        assert!(said.contains(&format!("{setting} is off")), "{said}");
    }
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let beside = Beside::of(&url).await;
    let name = url.rsplit_once('/').unwrap().1;
    let set = |to: &str| format!("alter database {name} set synchronous_commit = {to}");
    beside.client.batch_execute(&set("off")).await.unwrap();
    let said = refusal(&url).await;
    assert!(said.contains("synchronous_commit is off"), "{said}");
    beside.client.batch_execute(&set("remote_apply")).await.unwrap();
    drop(try_open(&url).await.unwrap());
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_refused_without_its_password() {
    for url in ["postgres://ana:s3cret@127.0.0.1:none/db", "postgres://ana:s3cret@h/db?what=1"] {
        let said = refusal(url).await;
        assert!(said.contains("postgres://user:password@host") && !said.contains("s3cret"));
    }
    let config = config("s3cret", Some("s3cret"));
    assert!(!format!("{config:?}").contains("s3cret"));
}

/// A certificate for loopback and its key, in files that PostgreSQL takes: it may be another user.
fn certificate(home: &Path) -> (String, String) {
    let names = vec!["127.0.0.1".to_owned(), "127.0.0.2".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (home.join("cert.pem"), home.join("key.pem"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    fs::set_permissions(home, fs::Permissions::from_mode(0o755)).unwrap();
    let groups = fs::read_to_string("/etc/group").unwrap();
    let mut fields = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let group = fields.find(|fields| fields[0] == "postgres").unwrap()[2].parse().unwrap();
    // Who may not give the file away owns the server, too.
    let given = chown(&key, None, Some(group)).is_ok();
    let mode = if given { 0o640 } else { 0o600 };
    fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    (path(certificate), path(key))
}

#[tokio::test]
async fn tls_is_used_when_it_is_asked_for_and_only_with_a_trusted_certificate() {
    let home = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(home.path());
    let settings =
        ["ssl=on", &format!("ssl_cert_file={certificate}"), &format!("ssl_key_file={key}")];
    let server = Postgres::start_with(&settings).unwrap();
    let plain = server.url();
    let trusted = format!("{plain}?sslmode=verify-full&sslrootcert={certificate}");
    let w = node(&trusted, Box::new(())).await;
    w.account("ana").await;
    let beside = Beside::of(&plain).await;
    let sql = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) \
               where application_name = 'parlor' and ssl = ";
    assert_eq!(beside.count(&format!("{sql} false")).await, 0);
    assert!(beside.count(&format!("{sql} true")).await > 0);
    let strange = try_open(&format!("{plain}?sslmode=require")).await;
    assert!(strange.is_err(), "the system knows nothing of this certificate");
    drop(try_open(&format!("{plain}?sslmode=disable")).await.unwrap());
}

#[tokio::test]
async fn nodes_that_start_at_once_find_one_lobby_and_one_epoch() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let opened = futures_util::future::join_all((0..5).map(|_| node(&url, Box::new(())))).await;
    let epoch = opened[0].store.epoch().to_owned();
    assert!(opened.iter().all(|w| w.store.epoch() == epoch));
    let beside = Beside::of(&url).await;
    assert_eq!(beside.count("select count(*) from rooms where lobby").await, 1);
    assert_eq!(beside.count("select count(*) from sessions").await, 1);
    assert_eq!(beside.count("select count(*) from heads").await, 1);
    drop(opened);
    assert_eq!(node(&url, Box::new(())).await.store.epoch(), epoch);
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let database = parlor_parts::database().unwrap();
    drop(node(&database.url(), Box::new(())).await);
    let sql = "insert into refinery_schema_history (version, name, applied_on, checksum) \
               select 99, 'later', applied_on, checksum from refinery_schema_history limit 1";
    Beside::of(&database.url()).await.client.batch_execute(sql).await.unwrap();
    assert!(refusal(&database.url()).await.contains("newer"));
}

#[tokio::test]
async fn a_database_that_is_being_moved_is_left_alone() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    drop(node(&url, Box::new(())).await);
    let beside = Beside::of(&url).await;
    let lock = 0x7061_726c_6f72_i64;
    beside.client.query("select pg_advisory_lock($1)", &[&lock]).await.unwrap();
    assert!(refusal(&url).await.contains("being moved or restored"));
    beside.client.query("select pg_advisory_unlock($1)", &[&lock]).await.unwrap();
    let sql = "insert into meta (key, value) values ('moving', '')";
    beside.client.batch_execute(sql).await.unwrap();
    assert!(refusal(&url).await.contains("migrate` again"));
}

#[tokio::test]
async fn a_refused_change_leaves_its_connection_clean() {
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let w = node(&url, Box::new(database)).await;
    let (ana, bo) = (w.account("ana").await, w.account("bo").await);
    let room = w.room(ana, RoomKind::Public, &[]).await;
    for _ in 0..20 {
        assert!(w.change(bo, room.id, &[], room::delete).await.is_err());
    }
    let beside = Beside::of(&url).await;
    let open = "select count(*) from pg_stat_activity where datname = current_database() \
                and state like 'idle in transaction%'";
    beside.comes_to(open, 0).await;
    w.say(ana, room.main_session, "hello").await;
    let pids = "select count(*) from pg_stat_activity where datname = current_database()";
    assert!(beside.count(pids).await <= 9, "no connection was thrown away for nothing");
}

#[tokio::test]
async fn a_server_that_does_not_answer_keeps_nobody_waiting() {
    let server = Postgres::start().unwrap();
    let database = Database::on(&server).unwrap();
    let w = node(&database.url(), Box::new(())).await;
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    w.say(ana, main, "before").await;
    let draft = w.draft(ana, main, "meanwhile").await;
    server.pause();
    for _ in 0..2 {
        let asked =
            async { tokio::join!(w.append(draft.clone()), w.store.user(ana), w.store.check()) };
        let asked = tokio::time::timeout(ANSWER, asked).await;
        let (sent, read, checked) = asked.expect("nobody waits longer");
        assert!(matches!(sent, Err(StoreError::Unavailable(_))), "{sent:?}");
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        assert!(matches!(checked, Err(StoreError::Unavailable(_))), "{checked:?}");
    }
    server.resume();
    let again = async {
        loop {
            if let Ok(posted) = w.append(draft.clone()).await {
                return posted;
            }
        }
    };
    let posted = tokio::time::timeout(PATIENCE, again).await.expect("it goes on in time");
    assert_eq!((posted.number, posted.seq), (2, 3));
    drop((w, database));
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    let mut server = Postgres::start().unwrap();
    let database = Database::on(&server).unwrap();
    let w = node(&database.url(), Box::new(())).await;
    let ana = w.account("ana").await;
    let main = w.lobby(ana).await.main_session;
    w.say(ana, main, "before").await;
    server.stop_immediate();
    assert!(matches!(w.store.check().await, Err(StoreError::Unavailable(_))));
    server.start_again().unwrap();
    let again = async { while w.store.check().await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("it is found in time");
    w.say(ana, main, "after").await;
    assert_eq!(w.log(main).await.len(), 3);
    drop((w, database));
}

/// Columns of each table that both have, but for those of the index and of the migrations.
type Tables = BTreeMap<String, Vec<String>>;

fn is_ours(table: &str) -> bool {
    !table.starts_with("search") && !table.starts_with("sqlite_") && !table.starts_with("refinery")
}

fn add(tables: &mut Tables, table: String, column: String) {
    if is_ours(&table) {
        tables.entry(table).or_default().push(column);
    }
}

#[tokio::test]
async fn the_tables_are_those_of_sqlite() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("parlor.db");
    crate::sqlite::close(crate::sqlite::world_in(&path, Box::new(()))).await;
    let mut theirs = Tables::new();
    let conn = Connection::open(&path).unwrap();
    let sql = "select t.name, c.name from pragma_table_list t, pragma_table_info(t.name) c \
               where t.schema = 'main' order by t.name, c.name";
    let mut statement = conn.prepare(sql).unwrap();
    let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    columns.for_each(|column| {
        let (table, column) = column.unwrap();
        add(&mut theirs, table, column);
    });

    let database = parlor_parts::database().unwrap();
    drop(node(&database.url(), Box::new(())).await);
    let mut ours = Tables::new();
    let sql = "select table_name::text, column_name::text from information_schema.columns \
               where table_schema = 'public' order by table_name, column_name collate \"C\"";
    let beside = Beside::of(&database.url()).await;
    for row in beside.client.query(sql, &[]).await.unwrap() {
        add(&mut ours, row.get(0), row.get(1));
    }
    assert_eq!(ours, theirs);
    assert!(ours.len() > 12);
}
