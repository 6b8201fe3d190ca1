//! `parlor backup`: a copy of an installation, made while it runs, with checksums.
//!
//! The database is one state of it; what is acknowledged before the command begins is in it. The
//! blobs are copied after the database, since each is there before its row. The generated secret is
//! in the copy: without it everybody would have to sign in again, so the copy is as secret as it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Arg, ArgMatches, Command, value_parser};
use parlor_app::Clock;
use parlor_store::{State, postgres, sqlite};

use crate::behind::BLOBS;
use crate::config::{Config, Faults};
use crate::manifest::{self, DUMP, Database, Manifest, SQLITE};
use crate::progress::Progress;
use crate::secrets::SECRET;
use crate::{cli, dump};

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    /// Where the installation is.
    pub config: Config,
    /// The folder of the backup, which must be empty or not there.
    pub to: PathBuf,
}

impl Options {
    /// The verb, as it is typed.
    pub(crate) fn command() -> Command {
        Command::new("backup")
            .about("Copy an installation into a folder, while it runs")
            .after_help(
                "The folder holds the database, the blobs, the generated secret and a manifest \
                 with checksums. Whoever can read it can read every message.\n\nExamples:\n  \
                 parlor backup --to /var/backups/parlor/monday\n  parlor backup --database-url \
                 postgres://parlor@db/parlor --to monday",
            )
            .arg(
                Arg::new("to")
                    .long("to")
                    .value_name("FOLDER")
                    .required(true)
                    .value_parser(value_parser!(PathBuf))
                    .help("The folder of the backup, which must be empty or not there"),
            )
            .args(cli::flags(&["data_dir", "files_dir", "database_url"]))
    }

    /// Reads it.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Faults> {
        let to = matches.get_one::<PathBuf>("to").cloned().unwrap_or_default();
        Ok(Self { config: cli::configure(matches)?, to })
    }
}

/// The verb. Returns what was done, in words.
///
/// # Errors
/// When the folder is not empty, or anything cannot be read or written: then it has no manifest.
pub async fn backup(options: Options, clock: &dyn Clock) -> anyhow::Result<String> {
    let Options { config, to } = options;
    let shown = to.display().to_string();
    ensure!(manifest::is_vacant(&to)?, "{shown} is not empty: a backup has a folder of its own");
    if let Some(url) = &config.database_url {
        dump::find("pg_dump", url.expose())?;
    }
    manifest::make_folder(&to)?;
    let made_at = clock.now().0;
    let (database, state) = match &config.database_url {
        None => (Database::Sqlite, copy_sqlite(&config.data_dir, &to).await?),
        Some(url) => (Database::Postgres, dump_postgres(url.expose(), &to).await?),
    };
    let folder = config.files_dir.clone().unwrap_or_else(|| config.data_dir.join(BLOBS));
    let blobs = config.s3.is_none().then_some(folder);
    let (data_dir, folder) = (config.data_dir.clone(), to.clone());
    let manifest = tokio::task::spawn_blocking(move || {
        copy_files(&data_dir, blobs.as_deref(), &folder)?;
        manifest::sync_tree(&folder)?;
        let manifest = Manifest::of(&folder, database, state, made_at)?;
        manifest.write(&folder)?;
        anyhow::Ok(manifest)
    });
    Ok(told(&manifest.await.context("the copying has panicked")??, &shown, &config))
}

async fn copy_sqlite(data_dir: &Path, to: &Path) -> anyhow::Result<State> {
    let (from, copy) = (data_dir.join(SQLITE), to.join(SQLITE));
    let target = copy.clone();
    let copied = tokio::task::spawn_blocking(move || {
        let progress = Progress::begin();
        let done = sqlite::backup::copy(&from, &target, |done, total| {
            progress.tell("copying the database, bytes", done, total);
        });
        progress.end();
        done
    });
    copied.await.context("the copying has panicked")?.context("failed to copy the database")?;
    sqlite::backup::inspect(&copy).await.context("failed to look at the copy of the database")
}

async fn dump_postgres(url: &str, to: &Path) -> anyhow::Result<State> {
    let (snapshot, path) = (postgres::backup::Snapshot::take(url).await?, to.join(DUMP));
    // Made first, so that nobody else can ever read it.
    manifest::create(&path).with_context(|| format!("failed to make {}", path.display()))?;
    dump::dump(url, snapshot.name(), &path).await?;
    manifest::sync_file(&path)?;
    Ok(snapshot.state().await?)
}

/// The generated secret, and the blobs where they are in a folder.
fn copy_files(data_dir: &Path, blobs: Option<&Path>, to: &Path) -> anyhow::Result<()> {
    if data_dir.join(SECRET).is_file() {
        manifest::copy(&data_dir.join(SECRET), &to.join(SECRET))?;
    }
    let Some(blobs) = blobs.filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    for path in manifest::list(blobs)? {
        // One that is gone by now belongs to a message that is gone.
        if blobs.join(&path).is_file() {
            manifest::copy(&blobs.join(&path), &to.join(BLOBS).join(&path))?;
        }
    }
    Ok(())
}

fn told(manifest: &Manifest, folder: &str, config: &Config) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let mut text =
        format!("backed up into {folder}: {} files, {bytes} bytes\n", manifest.files.len());
    if let Some(content) = &manifest.state.content {
        text += &format!("messages {}, content {}\n", content.rows("messages"), content.digest());
    }
    if let Some(last) = &manifest.state.last_message {
        text += &format!("last message: number {} of session {}\n", last.number, last.session);
    }
    if !manifest.files.iter().any(|file| file.path == SECRET) {
        let kept = if config.secret.is_some() { "given by the configuration" } else { "not there" };
        text += &format!("the secret is {kept}, so it is not in the backup: keep it elsewhere\n");
    }
    if config.s3.is_some() {
        text += "the files that people sent are in the bucket (s3_url): copy it, too\n";
    }
    text + "whoever can read the folder can read every message and sign in as anybody: keep it so\n"
}
