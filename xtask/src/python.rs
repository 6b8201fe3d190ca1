//! Virtual environments of Python, each with exactly what is written down for it, kept in the
//! target folder until the list changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::process::run;
use crate::{setup, tree};

/// Where the environment of this name is.
pub(crate) fn home(name: &str) -> anyhow::Result<PathBuf> {
    tree::scratch(name)
}

/// Makes the environment with what stands in `list`, unless it is there already.
pub(crate) fn install(name: &str, list: &Path) -> anyhow::Result<()> {
    let (home, wanted) = (home(name)?, std::fs::read_to_string(list)?);
    let stamp = home.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !setup::has("python3-venv") {
        bail!("please install: python3-venv");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let mut pip = Command::new(home.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(list);
    run(&mut pip)?;
    Ok(std::fs::write(stamp, wanted)?)
}
