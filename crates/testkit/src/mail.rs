//! The letters that a server without SMTP writes into its data folder.

use std::path::{Path, PathBuf};

use crate::PATIENCE;

/// A server's letters.
#[derive(Debug, Clone)]
pub struct Letters {
    folders: Vec<PathBuf>,
}

impl Letters {
    pub(crate) fn of<'a>(data_dirs: impl IntoIterator<Item = &'a Path>) -> Self {
        Self { folders: data_dirs.into_iter().map(|folder| folder.join("mail")).collect() }
    }

    /// Every letter to this address, the oldest first.
    pub fn to(&self, address: &str) -> Vec<String> {
        let files = self.folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        let mut paths: Vec<_> = files.flatten().flatten().map(|file| file.path()).collect();
        // Their names are ordered by time, whichever node wrote them.
        paths.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "eml"));
        let letters = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
        let line = format!("To: {address}");
        letters.filter(|text| text.lines().any(|l| l.eq_ignore_ascii_case(&line))).collect()
    }

    /// The code in the `nth` letter to this address, counted from 1; waits for it to be written.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn code(&self, address: &str, nth: usize) -> String {
        let found = async {
            loop {
                if let Some(letter) = self.to(address).get(nth - 1) {
                    return code_in(letter);
                }
                // Letters are written behind the answer; nobody tells when.
                tokio::task::yield_now().await;
            }
        };
        let code = tokio::time::timeout(PATIENCE, found).await;
        code.unwrap_or_else(|_| panic!("letter {nth} to {address} was not written"))
    }
}

fn code_in(letter: &str) -> String {
    let (_, rest) = letter.split_once("The code is ").expect("a letter has a code");
    rest.chars().take_while(char::is_ascii_digit).collect()
}
