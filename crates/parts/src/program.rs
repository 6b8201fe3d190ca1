//! Where the programs are, and how they are run: as an ordinary user when we are root, since
//! PostgreSQL insists on it, and told to end when we do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rustix::process::geteuid;

/// Debian keeps the programs of each PostgreSQL in a folder below this.
const POSTGRES: &str = "/usr/lib/postgresql";

/// The user that Debian makes for PostgreSQL.
pub(crate) const USER: &str = "postgres";

/// Where this program is: on the path, or where Debian keeps it.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
    let system = ["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(name));
    newest_postgres()
        .map(|folder| folder.join(name))
        .into_iter()
        .chain(on_path)
        .chain(system)
        .find(|program| program.is_file())
}

/// The folder with the programs of the newest PostgreSQL, which is not on the path.
fn newest_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir(POSTGRES).ok()?;
    let numbers = versions.flatten().filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
    Some(Path::new(POSTGRES).join(numbers.max()?.to_string()).join("bin"))
}

/// The same, with words about how to get it.
pub(crate) fn required(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let missing = || format!("there is no {name} on this machine: install {package}");
    program(name).with_context(missing)
}

/// Whether parts run as another user than we do.
pub(crate) fn as_other_user() -> bool {
    geteuid().is_root()
}

/// `program`, as an ordinary user; it gets the signal `at_our_end` should we end without having
/// stopped it.
pub(crate) fn command(program: &Path, at_our_end: &str) -> Command {
    let Some(setpriv) = self::program("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    if as_other_user() {
        command.arg(format!("--reuid={USER}")).arg(format!("--regid={USER}")).arg("--init-groups");
    }
    command.args(["--pdeathsig", at_our_end, "--"]).arg(program);
    command
}
