//! PostgreSQL's own programs: found on the PATH and run, or named for whoever has them elsewhere.
//!
//! The password goes into their environment, never onto their command line, which everybody on the
//! machine can read.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use parlor_store::keys::SCHEMA;
use parlor_store::postgres::backup::Reached;

use crate::manifest::DUMP;

/// Where a program is.
///
/// # Errors
/// When it is nowhere on the PATH: says which command to run where it is.
pub(crate) fn find(program: &str, url: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program));
    let Some(found) = found.into_iter().find(|path| path.is_file()) else {
        let shown = Reached::read(url)?.shown();
        let command = match program {
            "pg_dump" => format!(
                "pg_dump --format=custom --exclude-schema={SCHEMA} --file={DUMP} --dbname={shown}"
            ),
            _ => format!("pg_restore --no-owner --single-transaction --dbname={shown} {DUMP}"),
        };
        bail!(
            "{program} is not installed here (Debian: postgresql-client); where it is, run\n  \
             {command}"
        );
    };
    Ok(found)
}

/// Dumps one state of a database into a file that its owner alone can read.
pub(crate) async fn dump(url: &str, snapshot: &str, to: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(find("pg_dump", url)?);
    // A backup that held the keys would give back what was to be gone.
    let without = format!("--exclude-schema={SCHEMA}");
    command.args(["--format=custom", "--no-owner", "--no-privileges", &without]);
    command.arg(format!("--snapshot={snapshot}")).arg(format!("--file={}", to.display()));
    run(command, url).await
}

/// Restores a dump, all of it or nothing.
pub(crate) async fn restore(url: &str, from: &Path) -> anyhow::Result<()> {
    let reached = Reached::read(url)?;
    let mut command = Command::new(find("pg_restore", url)?);
    command.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]);
    command.arg(format!("--dbname={}", reached.database)).arg(from);
    run(command, url).await
}

async fn run(mut command: Command, url: &str) -> anyhow::Result<()> {
    command.envs(Reached::read(url)?.variables());
    let name = command.get_program().to_string_lossy().into_owned();
    let done = tokio::task::spawn_blocking(move || command.output());
    let output = done.await.context("the waiting has panicked")?;
    let output = output.with_context(|| format!("failed to run {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
