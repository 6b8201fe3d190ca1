//! The commands of `docs/operate/backup.md` and `migrate.md`, run as they stand: every block of
//! `sh` in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use parlor_testkit::{ServerProcess, TestServer};
use tempfile::TempDir;

use super::said;
use crate::readme::examples;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = examples(&text).unwrap();
    assert!(!blocks.is_empty(), "{name} has commands");
    assert_eq!(text.matches("```sh").count(), blocks.len(), "each of them is run");
    blocks.join("\n")
}

/// Runs a script where `parlor` is the binary and `data` the folder of an installation.
async fn run(folder: PathBuf, script: String, variables: Vec<(&'static str, String)>) {
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let parlor = bin.join("parlor");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_parlor-tested"), parlor).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-eu", "-o", "pipefail", "-c", &script]).current_dir(folder);
    bash.env_clear().env("PATH", path).envs(variables);
    let output = tokio::task::spawn_blocking(move || bash.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{script}\n{}", said(&output));
}

async fn lived_in(home: &TempDir) -> ServerProcess {
    let binary = env!("CARGO_BIN_EXE_parlor-tested");
    let process = ServerProcess::start_in(binary, &TestServer::builder(), home.path());
    let ana = process.person("ana").await;
    ana.room("public", "den", &[]).await;
    process
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_about_backups_work() {
    let home = TempDir::new().unwrap();
    let mut process = lived_in(&home).await;
    let (old, new) = (parlor_parts::database().unwrap(), parlor_parts::database().unwrap());
    // A database with an installation in it.
    let moved = super::done(home.path(), &["backup", "--to", "first"]);
    moved.await;
    let restore = ["restore", "--from", "first", "--data-dir", "moved"];
    super::done(home.path(), &restore).await;
    super::done(home.path(), &["migrate", "--from", "moved", "--to", &old.url()]).await;
    let variables = vec![("OLD_DATABASE", old.url()), ("NEW_DATABASE", new.url())];
    run(home.path().to_owned(), document("backup.md"), variables).await;
    assert!(process.terminate(), "{}", process.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_about_moving_work() {
    let home = TempDir::new().unwrap();
    let mut process = lived_in(&home).await;
    assert!(process.terminate(), "{}", process.log());
    let database = parlor_parts::database().unwrap();
    let variables = vec![("NEW_DATABASE", database.url())];
    run(home.path().to_owned(), document("migrate.md"), variables).await;
}
