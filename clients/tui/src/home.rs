//! The folder in which everything of one login is kept, and what of it is no secret: at which
//! server, and by what name.

use std::io;
use std::path::{Path, PathBuf};

/// The file that says where one is signed in: address and name, a line each.
const WHERE: &str = "signed-in";

/// The folder.
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    /// This folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder that is used when none is named: `$XDG_DATA_HOME/parlor`, which is
    /// `~/.local/share/parlor` for most.
    pub(crate) fn usual() -> PathBuf {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let data = data.filter(|path| path.is_absolute());
        let home = || std::env::home_dir().unwrap_or_default().join(".local/share");
        data.unwrap_or_else(home).join("parlor")
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// At which server, and by what name, one is signed in here.
    pub(crate) fn signed_in(&self) -> Option<(String, String)> {
        let text = std::fs::read_to_string(self.folder.join(WHERE)).ok()?;
        let mut lines = text.lines();
        Some((lines.next()?.to_owned(), lines.next()?.to_owned()))
    }

    /// Writes that down.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn note(&self, server: &str, name: &str) -> io::Result<()> {
        std::fs::write(self.folder.join(WHERE), format!("{server}\n{name}\n"))
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make(&self) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)
    }

    /// Forgets everything that is kept here, and nothing else that may lie in the folder.
    ///
    /// # Errors
    /// When something could not be removed.
    pub(crate) fn forget(&self) -> io::Result<()> {
        let keys = self.folder.join("keys");
        if keys.is_dir() {
            std::fs::remove_dir_all(keys)?;
        }
        for entry in std::fs::read_dir(&self.folder)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name == WHERE || name.starts_with("parlor.sqlite3") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Home;

    #[test]
    fn what_is_kept_is_forgotten_and_what_is_not_ours_stays() {
        let folder = tempfile::TempDir::new().unwrap();
        let home = Home::new(folder.path().join("parlor"));
        assert_eq!(home.signed_in(), None);
        home.make().unwrap();
        home.note("http://localhost", "ana").unwrap();
        assert_eq!(home.signed_in(), Some(("http://localhost".into(), "ana".into())));
        for file in ["parlor.sqlite3", "parlor.sqlite3-wal", "letter.txt"] {
            std::fs::write(home.path().join(file), "x").unwrap();
        }
        std::fs::create_dir_all(home.path().join("keys/device")).unwrap();
        home.forget().unwrap();
        let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(home.path().join("letter.txt").is_file());
    }
}
