//! `cargo xtask web`: the TypeScript of the wire, and the web client's build.
//! Never needed by the Rust build: without Node the server embeds a plain page instead.

use std::hash::Hasher;
use std::path::Path;

use anyhow::{Context, bail};

use crate::process::{exists, npm, run};
use crate::tree;

/// Generate web/src/wire.ts from proto/ and build the web client if its sources changed.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only check that web/src/wire.ts is what proto/ says.
    #[arg(long)]
    check: bool,
}

impl Options {
    /// `web --check`.
    pub(crate) fn check() -> Self {
        Self { check: true }
    }

    /// `web`.
    pub(crate) fn build() -> Self {
        Self { check: false }
    }
}

/// What came of a build.
pub(crate) enum Built {
    /// `web/dist` is up to date.
    Done,
    /// It cannot be built here, and why.
    Missing(String),
}

/// The verb.
pub(crate) fn web(options: &Options) -> anyhow::Result<()> {
    if options.check {
        return check();
    }
    match build()? {
        Built::Done => Ok(()),
        Built::Missing(why) => bail!("{why}"),
    }
}

/// Generates and builds what changed since the last time.
pub(crate) fn build() -> anyhow::Result<Built> {
    let web = tree::root().join("web");
    if !web.join("package.json").is_file() {
        return Ok(Built::Missing("there is no web client in web/".to_owned()));
    }
    write_wire(&web)?;
    if !exists("npm") {
        return Ok(Built::Missing("Node is not installed: the web client cannot be built".into()));
    }
    install(&web)?;
    let stamp = tree::scratch("stamps")?.join("web");
    let now = hash(&tree::files(&web)?)?;
    let built = web.join("dist/index.html").is_file();
    if built && std::fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
        return Ok(Built::Done);
    }
    run(&mut npm(&["run", "build"]))?;
    std::fs::write(&stamp, now)?;
    Ok(Built::Done)
}

/// `npm ci` if the lock file changed, or nothing is installed.
pub(crate) fn install(dir: &Path) -> anyhow::Result<()> {
    let stamp = dir.join("node_modules/.parlor-lock");
    let now = hash(&[dir.join("package-lock.json")])?;
    if std::fs::read_to_string(&stamp).is_ok_and(|then| then == now) {
        return Ok(());
    }
    run(npm(&["ci", "--no-audit", "--no-fund"]).current_dir(dir))?;
    std::fs::create_dir_all(dir.join("node_modules"))?;
    Ok(std::fs::write(&stamp, now)?)
}

fn write_wire(web: &Path) -> anyhow::Result<()> {
    let path = web.join("src/wire.ts");
    let text = crate::wire_ts::generate(&tree::root().join("proto"))?;
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::create_dir_all(web.join("src"))?;
    std::fs::write(&path, text).context("failed to write web/src/wire.ts")
}

fn check() -> anyhow::Result<()> {
    let root = tree::root();
    let text = crate::wire_ts::generate(&root.join("proto"))?;
    let old = std::fs::read_to_string(root.join("web/src/wire.ts")).unwrap_or_default();
    if old != text {
        bail!("web/src/wire.ts is not what proto/ says: run `cargo xtask web`");
    }
    println!("web/src/wire.ts is up to date");
    Ok(())
}

/// Names and contents in one number: good enough to see a change, no more is promised.
fn hash(files: &[std::path::PathBuf]) -> anyhow::Result<String> {
    let mut state = std::hash::DefaultHasher::new();
    for file in files {
        state.write(file.as_os_str().as_encoded_bytes());
        let bytes = std::fs::read(file);
        state.write(&bytes.with_context(|| format!("failed to read {}", file.display()))?);
    }
    Ok(format!("{:016x}", state.finish()))
}
