//! Where things are: the root of the repository, the target folder, and a walk over its sources.
//! Knows paths only; runs nothing and judges nothing.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Folders that hold nothing written by us.
const SKIPPED: [&str; 6] = [".git", "target", "node_modules", "dist", "data", "test-results"];

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(Path::to_path_buf).unwrap_or(own)
}

/// Where cargo puts what it builds; our stamps and logs go there too.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A folder below the target folder, made if missing.
pub(crate) fn scratch(name: &str) -> anyhow::Result<PathBuf> {
    let dir = target().join("xtask").join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("failed to make {}", dir.display()))?;
    Ok(dir)
}

/// The server's binary in `profile` (`debug` or `release`).
pub(crate) fn parlor(profile: &str) -> PathBuf {
    target().join(profile).join("parlor")
}

/// Every file below `dir` that is ours, sorted by path.
pub(crate) fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let entries =
            std::fs::read_dir(&dir).with_context(|| format!("failed to list {}", dir.display()))?;
        for entry in entries {
            let entry = entry?;
            let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
            let kind = entry.file_type()?;
            if kind.is_dir() && !skipped {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
