//! `cargo xtask release`: the binary as it is given to others. It runs wherever the C library is as
//! old as [`GLIBC`] or newer, whatever the machine that built it has: zig brings the symbols of the
//! older library to link against. What the binary then asks for is read back from it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::process::{output, run};
use crate::{setup, tree, web};

/// The oldest C library that it runs with: RHEL 8, Debian 10, Ubuntu 18.10, of 2018.
const GLIBC: (u32, u32) = (2, 28);

/// What links: cargo-zigbuild (its author keeps maturin, too) and the zig that it calls.
const TOOLS: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// The verb. Its last line is the path of the binary.
pub(crate) fn release() -> anyhow::Result<()> {
    web::web(&web::Options::build())?;
    let tools = install()?.join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([tools.clone()].into_iter().chain(std::env::split_paths(&path)))?;
    let machine = std::env::consts::ARCH;
    let target = format!("{machine}-unknown-linux-gnu");
    let mut build = Command::new(tools.join("cargo-zigbuild"));
    build.current_dir(tree::root()).env("PATH", path).args(["zigbuild", "--release"]);
    build.args(["--package", "parlor-server", "--bin", "parlor", "--target"]);
    run(build.arg(format!("{target}.{}.{}", GLIBC.0, GLIBC.1)))?;
    let binary = tree::target().join(target).join("release/parlor");
    let needs = needed(&binary)?;
    ensure!(needs <= GLIBC, "it needs glibc {}.{}", needs.0, needs.1);
    let version = output(Command::new(&binary).arg("--version"))?;
    let bytes = std::fs::metadata(&binary)?.len();
    println!("{} needs glibc {}.{}, {bytes} bytes", version.trim(), needs.0, needs.1);
    println!("{}", binary.display());
    Ok(())
}

/// The tools, in a virtual environment of their own, unless they are there already.
fn install() -> anyhow::Result<PathBuf> {
    let home = tree::scratch("release")?;
    let (stamp, wanted) = (home.join("installed.txt"), TOOLS.join("\n"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(home);
    }
    if !setup::has("python3-venv") {
        bail!("please install: python3-venv");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let mut pip = Command::new(home.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(TOOLS))?;
    std::fs::write(stamp, wanted)?;
    Ok(home)
}

/// The newest glibc that a binary asks for.
fn needed(binary: &std::path::Path) -> anyhow::Result<(u32, u32)> {
    let symbols = output(Command::new("readelf").args(["--wide", "--version-info"]).arg(binary))?;
    newest(&symbols).context("it asks for no glibc at all: was it linked against another library?")
}

/// The newest version in a listing of `readelf`.
fn newest(symbols: &str) -> Option<(u32, u32)> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(rest.len());
        let mut parts = rest[..end].split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_glibc_is_found_by_number_and_not_by_letter() {
        let symbols = "  0x0010:   Name: GLIBC_2.9  Flags: none  Version: 8\n\
                       0x0020:   Name: GLIBC_2.17  Flags: none  Version: 4\n\
                       0x0030:   Name: GLIBC_2.2.5  Flags: none  Version: 2\n\
                       0x0040:   Name: GCC_3.0  Flags: none  Version: 3\n\
                       0x0050:   Name: GLIBC_PRIVATE  Flags: none  Version: 5\n";
        assert_eq!(newest(symbols), Some((2, 17)));
        assert_eq!(newest("Name: GCC_3.0"), None);
    }
}
