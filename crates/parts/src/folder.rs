//! The folder of an instance: in memory where the machine has room there, gone when dropped.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::statvfs;
use tempfile::TempDir;

use crate::program::{USER, as_other_user};

/// Files in here are memory: an fsync costs nothing.
const MEMORY: &str = "/dev/shm";

/// Files in here are on a disk, which `/tmp` need not be, and everybody comes in.
const DISK: &str = "/var/tmp";

/// Room that there must be for a folder in memory, in bytes.
const ROOM: u64 = 2 << 30;

/// How the folders' names begin; the id of the process that made it follows.
const PREFIX: &str = "parlor-parts-";

/// A new folder that belongs to whoever the parts run as.
pub(crate) fn make() -> anyhow::Result<TempDir> {
    make_in(parent())
}

/// The same, where an fsync costs what it costs.
pub(crate) fn make_on_disk() -> anyhow::Result<TempDir> {
    make_in(PathBuf::from(DISK))
}

fn make_in(parent: PathBuf) -> anyhow::Result<TempDir> {
    sweep(&parent);
    let mut maker = tempfile::Builder::new();
    let prefix = format!("{PREFIX}{}-", std::process::id());
    let folder = maker.prefix(&prefix).tempdir_in(&parent);
    let folder = folder.with_context(|| format!("failed to make a folder in {parent:?}"))?;
    give(folder.path())?;
    Ok(folder)
}

/// Gives a folder or file to whoever the parts run as.
pub(crate) fn give(path: &Path) -> anyhow::Result<()> {
    if as_other_user() {
        let (user, group) = ids().context("there is no user postgres: install postgresql")?;
        chown(path, Some(user), Some(group))?;
    }
    Ok(())
}

/// The ids of the user and of its group.
fn ids() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find_map(|line| line.strip_prefix(&format!("{USER}:")))?;
    let mut fields = line.split(':').skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn parent() -> PathBuf {
    let room = statvfs(MEMORY).map_or(0, |it| it.f_bavail.saturating_mul(it.f_frsize));
    if room >= ROOM { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}

/// Removes what processes left behind that were killed: memory should not stay taken.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse().ok());
        if maker.is_some_and(|maker: u32| !Path::new("/proc").join(maker.to_string()).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
