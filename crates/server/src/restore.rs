//! `parlor restore`: an installation out of a backup, in an empty place, once every checksum is
//! right.
//!
//! It begins a history of its own: what clients know of the old one is void, and they load anew.
//! What may have been taken back since the backup does not come back: mailed codes, and, unless the
//! operator says otherwise, logins. Interrupted, it leaves nothing that a server would open.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use parlor_app::{Clock, Hidden};
use parlor_domain::Time;
use parlor_store::keys::KeyPlace;
use parlor_store::{Kept, State, postgres, sqlite};

use crate::config::{Config, Faults};
use crate::manifest::{self, DUMP, Database, Manifest, SQLITE};
use crate::secrets::{DataDir, RESTORING};
use crate::{cli, dump, keys};

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    /// Where the installation shall be.
    pub config: Config,
    /// The folder of the backup.
    pub from: PathBuf,
    /// What becomes of its logins.
    pub kept: Kept,
    /// Where the keys to what is kept sealed are, which are in no backup.
    pub keys: Option<KeyPlace>,
}

impl Options {
    /// The verb, as it is typed.
    pub(crate) fn command() -> Command {
        Command::new("restore")
            .about("Make an installation out of a backup, in an empty folder")
            .after_help(
                "Every checksum is checked before anything is placed. Everybody signs in again: a \
                 login that was revoked after the backup must not come back. --keep-logins is for \
                 moving to another machine, when nothing happened since.\n\nExamples:\n  parlor \
                 restore --from /var/backups/parlor/monday --data-dir /var/lib/parlor\n  parlor \
                 restore --from monday --data-dir data --database-url postgres://parlor@db/parlor",
            )
            .arg(
                Arg::new("from")
                    .long("from")
                    .value_name("FOLDER")
                    .required(true)
                    .value_parser(value_parser!(PathBuf))
                    .help("The folder of the backup"),
            )
            .arg(
                Arg::new("keep_logins")
                    .long("keep-logins")
                    .action(ArgAction::SetTrue)
                    .help("Let those stay signed in who were when the backup was made"),
            )
            .arg(Arg::new("keys").long("keys").value_name("FILE|URL").help(
                "The keys to what is kept sealed: the file in the folder `keys` of the old \
                     data folder, a copy of it (keyring_copy), or the PostgreSQL database that \
                     they are in",
            ))
            .args(cli::flags(&["data_dir", "database_url", "keyring_url"]))
    }

    /// Reads it.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Faults> {
        let from = matches.get_one::<PathBuf>("from").cloned().unwrap_or_default();
        let kept = if matches.get_flag("keep_logins") { Kept::Logins } else { Kept::Nobody };
        let keys = matches.get_one::<String>("keys").map(|text| keys::named(text));
        Ok(Self { config: cli::configure(matches)?, from, kept, keys })
    }
}

/// The verb. Returns what was done, in words.
///
/// # Errors
/// When the backup is damaged, unfinished or of a newer program, or the place is not empty: then
/// nothing was placed.
pub async fn restore(options: Options, clock: &dyn Clock) -> anyhow::Result<String> {
    let Options { config, from, kept, keys } = options;
    let folder = from.clone();
    let read = tokio::task::spawn_blocking(move || {
        let manifest = Manifest::read(&folder)?;
        manifest.verify(&folder)?;
        anyhow::Ok(manifest)
    });
    let manifest = read.await.context("the checking has panicked")??;
    check_place(&manifest, &config).await?;
    if let Some(KeyPlace::File(file)) = &keys {
        ensure!(file.is_file(), "there are no keys at the place of --keys ({})", file.display());
    }
    let data = DataDir::open(&config.data_dir)?;
    let staged = data.path().join(RESTORING);
    let (placing, folder, target) = (manifest.clone(), from.clone(), data.path().to_owned());
    let placed = tokio::task::spawn_blocking(move || placing.place(&folder, &target, RESTORING));
    placed.await.context("the placing has panicked")??;
    let epoch = match (&manifest.database, &config.database_url) {
        (Database::Sqlite, _) => place_sqlite(&manifest, &staged, kept, clock.now()).await?,
        (Database::Postgres, Some(url)) => {
            place_dump(&manifest, &from.join(DUMP), url, kept, clock.now()).await?
        }
        (Database::Postgres, None) => bail!("the backup is a dump, and no database_url is given"),
    };
    if let Some(keys) = &keys {
        let copied = parlor_store::keys::copy(keys, &keys::place(&config)).await;
        let there = copied.context("failed to copy the keys")?.is_some();
        ensure!(
            there,
            "the installation is restored, but there are no keys at the place of --keys"
        );
    }
    manifest::sync_tree(data.path())?;
    Ok(told(&manifest, &config, kept, &epoch) + said_of_keys(&config, keys.is_some()))
}

/// Refuses a place that holds anything, or is no place for such a backup.
async fn check_place(manifest: &Manifest, config: &Config) -> anyhow::Result<()> {
    let folder = config.data_dir.display();
    ensure!(
        manifest::is_vacant(&config.data_dir)?,
        "{folder} is not empty: restore into a folder that is empty or not there"
    );
    match (manifest.database, &config.database_url) {
        (Database::Sqlite, Some(_)) => bail!(
            "the backup is of SQLite: restore it without database_url, then move it with parlor \
             migrate"
        ),
        (Database::Sqlite, None) => Ok(()),
        (Database::Postgres, None) => {
            bail!("the backup is of PostgreSQL: give an empty database with --database-url")
        }
        (Database::Postgres, Some(url)) => {
            dump::find("pg_restore", url.expose())?;
            let empty = postgres::backup::is_empty(url.expose()).await?;
            ensure!(empty, "the database is not empty: restore into an empty one");
            Ok(())
        }
    }
}

/// Looks at the copy, makes it a history of its own, and gives it its name last.
async fn place_sqlite(
    manifest: &Manifest,
    staged: &Path,
    kept: Kept,
    now: Time,
) -> anyhow::Result<String> {
    equal(manifest, &sqlite::backup::inspect(staged).await?)?;
    let path = staged.to_owned();
    let renewed = tokio::task::spawn_blocking(move || sqlite::backup::renew(&path, kept, now));
    let epoch = renewed.await.context("the restoring has panicked")??;
    fs::rename(staged, staged.with_file_name(SQLITE)).context("failed to name the database")?;
    Ok(epoch)
}

async fn place_dump(
    manifest: &Manifest,
    dump: &Path,
    url: &Hidden,
    kept: Kept,
    now: Time,
) -> anyhow::Result<String> {
    dump::restore(url.expose(), dump).await?;
    equal(manifest, &postgres::backup::restored(url.expose()).await?)?;
    Ok(postgres::backup::renew(url.expose(), kept, now).await?)
}

/// Holds what was restored against what the backup said of itself.
fn equal(manifest: &Manifest, found: &State) -> anyhow::Result<()> {
    let State { content, .. } = &manifest.state;
    if let (Some(was), Some(is)) = (content, &found.content)
        && manifest.state.schema == found.schema
        && let Some(table) = was.differs(is)
    {
        bail!("what was restored differs from the backup in {table}");
    }
    let same = (manifest.state.schema, &manifest.state.epoch, &manifest.state.last_message)
        == (found.schema, &found.epoch, &found.last_message);
    ensure!(same, "what was restored is not what the backup says of itself");
    Ok(())
}

/// What becomes of what was to disappear within days.
fn said_of_keys(config: &Config, copied: bool) -> &'static str {
    match (copied, &config.keyring_url) {
        (true, _) => {
            "what is kept sealed opens as long as there is its key, and what was erased since the \
             backup is erased again when the server starts\n"
        }
        (false, Some(_)) => {
            "what is kept sealed opens by the keys in keyring_url, and what was erased since the \
             backup is erased again when the server starts\n"
        }
        (false, None) => {
            "what was to disappear within seven days, and what was said in sessions that end, is \
             not read without its keys, and what was erased since the backup is back: --keys \
             brings the keys, and what was erased\n"
        }
    }
}

fn told(manifest: &Manifest, config: &Config, kept: Kept, epoch: &str) -> String {
    let folder = config.data_dir.display();
    let mut text = format!("restored into {folder}, as epoch {epoch}\n");
    if let Some(content) = &manifest.state.content {
        text += &format!("messages {}, content {}\n", content.rows("messages"), content.digest());
    }
    if kept == Kept::Nobody {
        text += "everybody signs in again: what was revoked since the backup stays revoked\n";
    }
    text
}
