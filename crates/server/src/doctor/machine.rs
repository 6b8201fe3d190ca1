//! What the machine gives: room on the disk, and open files.

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::clock;
use crate::config::Config;
use crate::manifest::SQLITE;

/// Room below which a server would soon refuse to write, and below which one should look.
const BYTES_BAD: u64 = 256 << 20;
const BYTES_WARN: u64 = 2 << 30;

/// Open files below which connections would soon be refused. Each connection is one.
const FILES_WARN: u64 = 8_192;

/// Room where the data is.
pub(super) fn space(config: &Config) -> Check {
    const NAME: &str = "disk";
    // The folder may still have to be made.
    let there = config.data_dir.ancestors().find(|path| path.exists());
    let there = there.unwrap_or(std::path::Path::new("."));
    let room = match rustix::fs::statvfs(there) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            let found = format!("{}: {error}", there.display());
            return Check::warn(NAME, found, "look at the disk yourself");
        }
    };
    let size = std::fs::metadata(config.data_dir.join(SQLITE)).map_or(0, |meta| meta.len());
    let found = format!("{} MiB free, database {} MiB", room >> 20, size >> 20);
    if room < BYTES_BAD {
        return Check::bad(NAME, found, "make room: a full disk refuses every message");
    }
    if room < BYTES_WARN.max(size) {
        return Check::warn(NAME, found, "make room for as much again as the database has");
    }
    Check::ok(NAME, found)
}

/// Whether the machine's clock jumped while a server ran, which goes on without it.
pub(super) fn clock(config: &Config) -> Check {
    const NAME: &str = "clock";
    let most = i64::try_from(clock::JUMP.as_secs()).unwrap_or(i64::MAX);
    match clock::ahead(&config.data_dir) {
        Some(seconds) if seconds.abs() > most => Check::warn(
            NAME,
            format!("{seconds} seconds ahead of the time that the server goes by"),
            format!(
                "set the machine's clock right; or, if it is right now, stop the server, delete \
                 {}, and start it: then what is due by the new time is gone for good",
                config.data_dir.join(clock::FILE).display()
            ),
        ),
        Some(_) => Check::ok(NAME, "in step with the server's"),
        None => Check::ok(NAME, "no server has kept the time since the machine was started"),
    }
}

/// How many files may be open.
pub(super) fn open_files() -> Check {
    const NAME: &str = "open files";
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < FILES_WARN => Check::warn(
            NAME,
            format!("{limit} at most"),
            "every connection is one: set LimitNOFILE=1048576 in the service, or ulimit -n",
        ),
        Some(limit) => Check::ok(NAME, format!("{limit} at most")),
        None => Check::ok(NAME, "as many as there are"),
    }
}
