//! The data folder: made on the first start, held by one process, with the generated secret.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use parlor_app::Secret;

/// The generated secret.
pub(crate) const SECRET: &str = "secret.key";

/// The database while a backup is being restored.
pub(crate) const RESTORING: &str = "parlor.sqlite.restoring";

/// The folder of everything that is kept. While this lives, no other process has it.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, which is made when missing, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be made, another process has it open, or a restore into it is not finished.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("failed to make the data folder {}", path.display()))?;
        let lock = OpenOptions::new().create(true).append(true).open(path.join("parlor.lock"))?;
        if lock.try_lock().is_err() {
            bail!("another process has the data folder {} open", path.display());
        }
        if path.join(RESTORING).exists() {
            bail!(
                "a restore into {} was not finished: empty the folder and restore again",
                path.display()
            );
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret that was generated here, generated now if there was none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn secret(&self) -> anyhow::Result<Secret> {
        let path = self.path.join(SECRET);
        let mut text = String::new();
        match File::open(&path) {
            Ok(mut file) => file.read_to_string(&mut text).map(|_| ())?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                text = generate(&path).context("failed to generate the secret")?;
            }
            Err(e) => return Err(e).context("failed to open the secret"),
        }
        Secret::new(text.trim().as_bytes().to_vec())
            .with_context(|| format!("{} holds less than 32 characters", path.display()))
    }
}

fn generate(path: &Path) -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    let text: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    // Readable by its owner from the first moment on.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(text)
}
