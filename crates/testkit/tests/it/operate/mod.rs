//! What an operator does: backups of a server that runs, moves to another database and back, the
//! doctor, jobs, and every command of the documents about it.

mod backups;
mod clock;
mod deadlines;
mod doctor;
mod documents;
mod filled;
mod jobs;
mod logs;
mod markers;
mod moves;
mod pages;
mod sealed;
mod terminal;

use std::path::Path;
use std::process::{Command, Output};

/// The binary with a clean environment, in a folder.
fn parlor(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor-tested"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(folder).args(arguments);
    command
}

/// Runs the binary to its end.
async fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = parlor(folder, arguments);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// What a command says when it is done; it must have gone well.
async fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// What a command says when it refuses; it must have.
async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments).await;
    assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Whether any file in a folder, however deep, holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| match entry.path() {
        path if path.is_dir() => holds(&path, text),
        // One that is gone by now holds nothing.
        path => std::fs::read(path)
            .unwrap_or_default()
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes()),
    })
}

/// The word behind a mark.
fn word(text: &str, mark: &str) -> String {
    let rest = text.split(mark).nth(1).unwrap_or_else(|| panic!("no `{mark}` in {text}"));
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}
