//! The doctor finds what is wrong, says what to do, and ends accordingly.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use parlor_testkit::{ServerProcess, TestServer};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::{run, said};

/// The status, and the check of a name.
async fn check(folder: &Path, more: &[&str], name: &str) -> (i32, String, String) {
    let output = run(folder, &[&["doctor", "--json"], more].concat()).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", said(&output));
    });
    assert_eq!(report["status"].as_i64(), output.status.code().map(i64::from));
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().filter(|check| check["name"] == name);
    let worst =
        found.max_by_key(|check| ["ok", "warn", "bad"].iter().position(|l| check["level"] == *l));
    let check = worst.unwrap_or_else(|| panic!("no {name} in {report}"));
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    (output.status.code().unwrap(), text("level"), text("found") + " " + &text("do"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_wrong() {
    let home = TempDir::new().unwrap();
    let settings = TestServer::builder();
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let mut process = ServerProcess::start_in(binary, &settings, home.path());
    process.person("ana").await;
    let folder = home.path();
    for name in ["data folder", "secret", "database", "schema", "search index", "clock"] {
        let (status, level, found) = check(folder, &[], name).await;
        assert!(status < 2 && level == "ok", "{name} beside a server: {level} {found}");
    }
    let lines = said(&run(folder, &["doctor"]).await);
    assert!(lines.lines().all(|line| line.starts_with("ok ") || line.starts_with("warn ")));
    assert!(process.terminate());

    let secret = folder.join("data/secret.key");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let (status, level, found) = check(folder, &[], "secret").await;
    assert_eq!((status, &*level), (2, "bad"), "{found}");
    assert!(found.contains("chmod 600"), "{found}");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();

    let path = folder.join("data/parlor.sqlite");
    let conn = Connection::open(&path).unwrap();
    conn.execute("update refinery_schema_history set version = 999 where version = 5", []).unwrap();
    let (status, level, found) = check(folder, &[], "schema").await;
    assert_eq!((status, &*level), (2, "bad"), "{found}");
    conn.execute("update refinery_schema_history set version = 5 where version = 999", []).unwrap();
    drop(conn);

    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    // The beginning of a page: in the room that it leaves, nothing would be missed.
    let middle = damaged.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 2048].fill(0xff);
    fs::write(&path, damaged).unwrap();
    let (status, level, found) = check(folder, &[], "database").await;
    assert_eq!((status, &*level), (2, "bad"), "{found}");
    fs::write(&path, whole).unwrap();
    assert!(check(folder, &[], "database").await.0 < 2, "it is whole again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_knows_postgres_and_what_is_not_there() {
    let home = TempDir::new().unwrap();
    let (_, level, found) = check(home.path(), &[], "database").await;
    assert_eq!(level, "warn", "nothing is there yet: {found}");
    let database = parlor_parts::database().unwrap();
    let url = database.url();
    let (_, level, found) = check(home.path(), &["--database-url", &url], "database").await;
    assert_eq!(level, "ok", "{found}");
    let hasty = parlor_parts::Postgres::start_with(&["fsync=off"]).unwrap();
    let hasty_url = hasty.url();
    let (status, level, found) =
        check(home.path(), &["--database-url", &hasty_url], "database").await;
    assert_eq!((status, &*level), (2, "bad"), "{found}");
    assert!(found.contains("fsync is off"), "{found}");
    drop(hasty);
    let (status, _, found) = check(home.path(), &["--database-url", &hasty_url], "database").await;
    assert_eq!(status, 2, "{found}");
    assert!(!found.contains("postgres:"), "no URL and no password: {found}");
    let (status, level, found) = check(home.path(), &["--listen", "here"], "configuration").await;
    assert_eq!((status, &*level), (2, "bad"), "{found}");
}
