//! `parlor migrate`: an installation moved from SQLite to PostgreSQL, or back.
//!
//! The source is held against servers meanwhile and is not changed. Interrupted, the same command
//! goes on where it was.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Arg, ArgMatches, Command};
use parlor_app::Hidden;
use parlor_store::keys::KeyPlace;
use parlor_store::moves::{Moved, Place, Step, What, move_all};
use parlor_store::postgres::backup::Reached;

use crate::keys;
use crate::manifest::SQLITE;
use crate::progress::Progress;
use crate::secrets::{DataDir, SECRET};

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    /// Where the installation is.
    pub from: End,
    /// Where it shall be.
    pub to: End,
    /// Where the keys to what is kept sealed are on the side of PostgreSQL, if not beside it.
    pub keyring: Option<Hidden>,
}

/// Where an installation is, or shall be.
#[derive(Debug, Clone)]
pub enum End {
    /// SQLite, in a data folder.
    Folder(PathBuf),
    /// PostgreSQL.
    Postgres(Hidden),
}

impl End {
    /// Reads a URL or a folder, or the variable that holds one.
    fn read(text: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = text.strip_prefix("env:").and_then(variable);
        let text = named.as_deref().unwrap_or(text);
        let rest = ["postgres://", "postgresql://"].iter().find_map(|it| text.strip_prefix(it));
        match rest {
            Some(rest) => Self::Postgres(Hidden::new(format!("postgres://{rest}"))),
            None => Self::Folder(PathBuf::from(text)),
        }
    }

    /// Where the keys are.
    fn keys(&self, keyring: Option<&Hidden>) -> KeyPlace {
        match self {
            Self::Folder(folder) => KeyPlace::beside(&folder.join(SQLITE)),
            Self::Postgres(url) => keys::named(keyring.unwrap_or(url).expose()),
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Folder(folder) => Place::Sqlite(folder.join(SQLITE)),
            Self::Postgres(url) => Place::Postgres(url.expose().to_owned()),
        }
    }

    /// Without its password.
    fn shown(&self) -> anyhow::Result<String> {
        Ok(match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Postgres(url) => Reached::read(url.expose())?.shown(),
        })
    }
}

impl Options {
    /// The verb, as it is typed.
    pub(crate) fn command() -> Command {
        let end = |name: &'static str, about: &'static str| {
            Arg::new(name).long(name).value_name("FOLDER|URL").required(true).help(about)
        };
        Command::new("migrate")
            .about("Move an installation from SQLite to PostgreSQL, or back")
            .after_help(
                "Stop the server first. Run the same command again if it was interrupted. \
                 Everybody on this machine can see a password on a command line: \
                 env:DATABASE_URL takes the URL from that variable.\n\nExamples:\n  parlor \
                 migrate --from ./data --to postgres://parlor:password@db/parlor\n  parlor \
                 migrate --from env:DATABASE_URL --to ./data",
            )
            .arg(end("from", "The data folder, or the database, that is moved"))
            .arg(end("to", "The empty data folder, or database, that it is moved into"))
            .arg(
                Arg::new("keyring_url")
                    .long("keyring-url")
                    .value_name("URL")
                    .env("PARLOR_KEYRING_URL")
                    .hide_env_values(true)
                    .help(
                        "PostgreSQL for the keys to what is kept sealed, as in the configuration",
                    ),
            )
    }

    /// Reads it.
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let end = |name: &str| {
            let text = matches.get_one::<String>(name).map(String::as_str);
            End::read(text.unwrap_or_default(), |variable| std::env::var(variable).ok())
        };
        let keyring = matches.get_one::<String>("keyring_url").cloned().map(Hidden::new);
        Self { from: end("from"), to: end("to"), keyring }
    }
}

/// The verb. Returns what was done, in words.
///
/// # Errors
/// When somebody uses either side, the target holds anything else, or the sides are not equal.
pub async fn migrate(options: &Options) -> anyhow::Result<String> {
    let Options { from, to, keyring } = options;
    let _held = (hold(from, true)?, hold(to, false)?);
    let progress = Progress::begin();
    let heard = |step: Step| {
        let what = match step.what {
            What::Copying => format!("copying {}, rows", step.table),
            What::Comparing => format!("comparing {}, rows", step.table),
        };
        progress.tell(&what, step.done, step.total);
    };
    let (here, there) = (from.keys(keyring.as_ref()), to.keys(keyring.as_ref()));
    let moved = move_all(&from.place(), &to.place(), (&here, &there), &heard).await;
    progress.end();
    told(options, &moved?)
}

/// Holds a data folder against servers.
fn hold(end: &End, exists: bool) -> anyhow::Result<Option<DataDir>> {
    let End::Folder(folder) = end else { return Ok(None) };
    let there = !exists || folder.join(SQLITE).is_file();
    ensure!(there, "there is no {SQLITE} in {}", folder.display());
    DataDir::open(folder).map(Some).context("stop the server first")
}

fn told(options: &Options, moved: &Moved) -> anyhow::Result<String> {
    let mut text = String::new();
    for table in &moved.content.tables {
        text += &format!("{:16} {:>10}  {}\n", table.table, table.rows, table.blake3);
    }
    let rows: u64 = moved.content.tables.iter().map(|table| table.rows).sum();
    text += &format!("equal on both sides: {rows} rows, content {}\n", moved.content.digest());
    if moved.found > 0 {
        text += &format!("{} of them had been moved before\n", moved.found);
    }
    text += &format!("epoch {}, as before: nobody has to load anything anew\n\n", moved.epoch);
    Ok(text + &rest(&options.from, &options.to)?)
}

/// What remains to be done.
fn rest(from: &End, to: &End) -> anyhow::Result<String> {
    let kept = format!("keep {} until you have seen that all is well\n", from.shown()?);
    let (next, secret) = match (from, to) {
        (End::Folder(folder), End::Postgres(_)) => (
            format!("parlor serve --data-dir {} --database-url {}", folder.display(), to.shown()?),
            format!(
                "{}/{SECRET} stays where it is; several nodes need the same one, as \
                 PARLOR_SECRET_KEY",
                folder.display()
            ),
        ),
        (_, End::Folder(folder)) => (
            format!("parlor serve --data-dir {}", folder.display()),
            format!(
                "put the {SECRET} of the old data folder into {}, or set PARLOR_SECRET_KEY as \
                 before: with another secret everybody signs in again",
                folder.display()
            ),
        ),
        (_, End::Postgres(_)) => (
            format!("parlor serve --database-url {}", to.shown()?),
            "the secret stays as it is".to_owned(),
        ),
    };
    Ok(format!("what remains to be done:\n  - {secret}\n  - start with: {next}\n  - {kept}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_database_and_all_else_a_folder() {
        let variable = |name: &str| (name == "URL").then(|| "postgresql://a:b@c/d".to_owned());
        assert!(matches!(End::read("./data", variable), End::Folder(_)));
        assert!(matches!(End::read("env:OTHER", variable), End::Folder(_)));
        let End::Postgres(url) = End::read("env:URL", variable) else {
            panic!("that is a URL");
        };
        assert_eq!(url.expose(), "postgres://a:b@c/d");
        assert_eq!(End::Postgres(url).shown().unwrap(), "postgres://a@c:5432/d");
    }
}
