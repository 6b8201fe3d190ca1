//! The data folder: whose it is, and the secret in it.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::Check;
use crate::config::Config;
use crate::secrets::{RESTORING, SECRET};

/// Bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;

/// The data folder.
pub(super) fn folder(config: &Config) -> Vec<Check> {
    const NAME: &str = "data folder";
    let (path, shown) = (&config.data_dir, config.data_dir.display());
    let Ok(meta) = fs::metadata(path) else {
        let advice = "parlor serve makes it; if there should be one, set data_dir";
        return vec![Check::warn(NAME, format!("{shown} is not there"), advice)];
    };
    let mut checks = Vec::new();
    if path.join(RESTORING).exists() {
        let found = format!("a restore into {shown} was not finished");
        checks.push(Check::bad(NAME, found, "empty the folder and restore again"));
    }
    let own = rustix::process::geteuid().as_raw();
    if meta.uid() != own && own != 0 {
        let found = format!("{shown} belongs to user {}, and this is user {own}", meta.uid());
        checks.push(Check::bad(NAME, found, "run parlor as the owner of the folder"));
    }
    let open = meta.permissions().mode() & OTHERS;
    if open != 0 {
        let found = format!("others than its owner may enter {shown}");
        checks.push(Check::warn(NAME, found, format!("chmod 700 {shown}")));
    }
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("{shown}, its owner's alone")));
    }
    checks
}

/// The secret.
pub(super) fn secret(config: &Config) -> Check {
    const NAME: &str = "secret";
    if config.secret.is_some() {
        return Check::ok(NAME, "given by the configuration");
    }
    let path = config.data_dir.join(SECRET);
    let shown = path.display();
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().len() < parlor_app::Secret::BYTES_MIN => {
            let found = format!("{shown} holds less than 32 characters");
            Check::bad(NAME, found, "put back the one that was there: another one signs all out")
        }
        Ok(_) if is_open(&path) => {
            let found = format!("others than its owner may read {shown}");
            Check::bad(NAME, found, format!("chmod 600 {shown}"))
        }
        Ok(_) if config.redis_url.is_some() => {
            let advice =
                "give every node the same one, as PARLOR_SECRET_KEY or PARLOR_SECRET_KEY_FILE";
            Check::warn(NAME, format!("{shown} is this node's own"), advice)
        }
        Ok(_) => Check::ok(NAME, format!("{shown}, its owner's alone")),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let advice = "parlor serve makes one; after a restore, put back the old one";
            Check::warn(NAME, format!("{shown} is not there"), advice)
        }
        Err(e) => Check::bad(NAME, format!("{shown}: {e}"), "let the server's user read it"),
    }
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & OTHERS != 0)
}
