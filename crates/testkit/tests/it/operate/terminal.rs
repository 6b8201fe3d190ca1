//! `parlor tui`, which becomes another program.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::said;

/// A program of this name that tells what it was given.
fn program(folder: &Path, says: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join("parlor-tui");
    std::fs::write(&path, format!("#!/bin/sh\necho {says} \"$@\" in $HERE\nexit 7\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The binary in a folder of its own: what lies beside it counts.
fn parlor(folder: &Path, path: &Path) -> Command {
    let tested = folder.join("parlor");
    if !tested.exists() {
        let binary = env!("CARGO_BIN_EXE_parlor-tested");
        std::fs::hard_link(binary, &tested)
            .or_else(|_| std::fs::copy(binary, &tested).map(drop))
            .unwrap();
    }
    let mut command = Command::new(tested);
    command.env_clear().env("PATH", path).env("HERE", "terminal").current_dir(folder);
    command.args(["tui", "--server", "http://localhost:1", "--help"]);
    command
}

#[test]
fn the_terminal_client_beside_the_server_is_run_with_everything_that_was_typed() {
    let folder = TempDir::new().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    program(&elsewhere, "elsewhere");
    let output = parlor(folder.path(), &elsewhere).output().unwrap();
    assert_eq!(said(&output), "elsewhere --server http://localhost:1 --help in terminal\n");
    assert_eq!(output.status.code(), Some(7), "its status is ours");
    program(folder.path(), "beside");
    let output = parlor(folder.path(), &elsewhere).output().unwrap();
    assert!(said(&output).starts_with("beside --server"), "{}", said(&output));
}

#[test]
fn without_a_terminal_client_it_is_said_how_to_get_one() {
    let folder = TempDir::new().unwrap();
    // Not even from the working directory, where somebody else may have put it.
    program(&folder.path().join("here"), "stranger");
    let mut command = parlor(folder.path(), Path::new("."));
    let output = command.current_dir(folder.path().join("here")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for part in ["parlor-tui", "PATH", "cargo install --locked --path clients/tui"] {
        assert!(said.contains(part), "{said}");
    }
}
