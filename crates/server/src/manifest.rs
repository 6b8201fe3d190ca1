//! What a backup says of itself: which files, how long, with which checksum, and which state of the
//! installation they hold. Written last, with a seal beside it: a folder without them is no backup.
//!
//! `manifest.blake3` is what `b3sum manifest.json` prints, so that `b3sum --check` checks it too.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use parlor_store::State;
use serde::{Deserialize, Serialize};

/// The format that is written. Readers refuse what is newer.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
const SEAL: &str = "manifest.blake3";

/// The database of a backup of SQLite.
pub(crate) const SQLITE: &str = "parlor.sqlite";

/// The database of a backup of PostgreSQL, as `pg_dump --format=custom` writes it.
pub(crate) const DUMP: &str = "parlor.pgdump";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The format of the backup.
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When, in microseconds since 1970 UTC.
    pub made_at: i64,
    /// What the database is.
    pub database: Database,
    /// The state of the installation that the database holds.
    pub state: State,
    /// Every file but these two.
    pub files: Vec<Entry>,
}

/// What the database of a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Database {
    /// One file.
    Sqlite,
    /// A dump.
    Postgres,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Where it is in the folder.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3, in hexadecimal digits.
    pub blake3: String,
}

/// A manifest of a format that is not known may have any other fields.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Manifest {
    /// Describes the files that are in `folder`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn of(
        folder: &Path,
        database: Database,
        state: State,
        made_at: i64,
    ) -> anyhow::Result<Self> {
        let files = list(folder)?.into_iter().map(|path| entry(folder, path));
        let files = files.collect::<anyhow::Result<_>>()?;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Self { format: FORMAT, program, made_at, database, state, files })
    }

    /// Writes it, and the seal last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        let seal = format!("{}  {MANIFEST}\n", blake3::hash(text.as_bytes()).to_hex());
        write(&folder.join(MANIFEST), text.as_bytes())?;
        sync_folder(folder)?;
        write(&folder.join(SEAL), seal.as_bytes())?;
        sync_folder(folder)
    }

    /// Reads it, and checks it against its seal.
    ///
    /// # Errors
    /// When the folder is no finished backup, is damaged, or is of a newer format.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        let read = |name: &str| match fs::read(folder.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                bail!("{shown} is no finished backup: it has no {name}")
            }
            other => other.with_context(|| format!("failed to read {name}")),
        };
        let (text, seal) = (read(MANIFEST)?, read(SEAL)?);
        let expected = format!("{}  {MANIFEST}\n", blake3::hash(&text).to_hex());
        if seal != expected.as_bytes() {
            bail!("the backup is damaged: {MANIFEST} and {SEAL} do not fit each other");
        }
        let Format { format } =
            serde_json::from_slice(&text).context("failed to read the format")?;
        ensure!(
            format <= FORMAT,
            "the backup has format {format}, and this program knows only up to {FORMAT}: use the \
             version of Parlor that made it, or a newer one"
        );
        serde_json::from_slice(&text).context("failed to read the manifest")
    }

    /// Checks every file against its checksum.
    ///
    /// # Errors
    /// Names each file that is missing, shorter, longer or other than it was.
    pub(crate) fn verify(&self, folder: &Path) -> anyhow::Result<()> {
        let faults: Vec<String> =
            self.files.iter().filter_map(|entry| entry.fault(folder).err()).collect();
        ensure!(faults.is_empty(), "the backup is damaged:\n  - {}", faults.join("\n  - "));
        Ok(())
    }

    /// Copies the files into `target`, the database under the name `database`, and checks each
    /// once more while it is copied.
    ///
    /// # Errors
    /// As [`Manifest::verify`], or when they cannot be written.
    pub(crate) fn place(&self, folder: &Path, target: &Path, database: &str) -> anyhow::Result<()> {
        for entry in self.files.iter().filter(|entry| entry.path != DUMP) {
            let name = if entry.path == SQLITE { database } else { &entry.path };
            let copied = copy(&folder.join(&entry.path), &target.join(name))?;
            entry
                .fits(&copied)
                .map_err(|fault| anyhow::anyhow!("the backup is damaged: {fault}"))?;
        }
        sync_tree(target)
    }
}

impl Entry {
    /// What is wrong with the file, in words.
    fn fault(&self, folder: &Path) -> Result<(), String> {
        let path = Path::new(&self.path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(format!("{} is no place in a backup", self.path));
        }
        // A link could lead to what its maker could not read.
        let look = |file: PathBuf| -> io::Result<Option<(u64, String)>> {
            let inside = file.canonicalize()?.starts_with(folder.canonicalize()?);
            inside.then(|| sum(&file)).transpose()
        };
        match look(folder.join(path)) {
            Ok(Some(found)) => self.fits(&found),
            Ok(None) => Err(format!("{} leads out of the backup", self.path)),
            Err(error) => Err(format!("{}: {error}", self.path)),
        }
    }

    fn fits(&self, (bytes, blake3): &(u64, String)) -> Result<(), String> {
        if *bytes != self.bytes {
            return Err(format!("{} has {bytes} bytes instead of {}", self.path, self.bytes));
        }
        if *blake3 != self.blake3 {
            return Err(format!("{} is not what it was: BLAKE3 {blake3}", self.path));
        }
        Ok(())
    }
}

fn entry(folder: &Path, path: PathBuf) -> anyhow::Result<Entry> {
    let (bytes, blake3) =
        sum(&folder.join(&path)).with_context(|| format!("failed to read {}", path.display()))?;
    let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(Entry { path: path.to_owned(), bytes, blake3 })
}

/// The files below a folder, sorted, by their place in it.
pub(crate) fn list(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut open, mut found) = (vec![PathBuf::new()], Vec::new());
    while let Some(inner) = open.pop() {
        for item in fs::read_dir(folder.join(&inner))? {
            let item = item?;
            let path = inner.join(item.file_name());
            if item.file_type()?.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Length and checksum of a file.
fn sum(path: &Path) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// Copies a file into a new one that its owner alone can read, durably; its length and checksum.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<(u64, String)> {
    let told = || format!("failed to copy {} to {}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    let mut source = File::open(from).with_context(told)?;
    let mut target = create(to).with_context(told)?;
    let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; 1 << 20]);
    loop {
        let read = source.read(&mut buffer).with_context(told)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        target.write_all(&buffer[..read]).with_context(told)?;
    }
    target.sync_all().with_context(told)?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// Makes a new file that its owner alone can read.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let told = || format!("failed to write {}", path.display());
    let mut file = create(path).with_context(told)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(told)
}

/// Makes a folder that its owner alone can read, unless it is there.
pub(crate) fn make_folder(path: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("failed to make the folder {}", path.display()))
}

/// Makes what another program wrote durable.
pub(crate) fn sync_file(path: &Path) -> anyhow::Result<()> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.with_context(|| format!("failed to sync {}", path.display()))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> anyhow::Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.with_context(|| format!("failed to sync {}", path.display()))
}

/// Makes the names in a folder, in those below and in the one above durable.
pub(crate) fn sync_tree(path: &Path) -> anyhow::Result<()> {
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder)? {
            let item = item?;
            if item.file_type()?.is_dir() {
                open.push(item.path());
            }
        }
        sync_folder(&folder)?;
    }
    let path = path.canonicalize()?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Whether there is no such folder, or nothing in it.
pub(crate) fn is_vacant(path: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut items) => Ok(items.next().is_none()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(e).with_context(|| format!("failed to look into {}", path.display())),
    }
}
