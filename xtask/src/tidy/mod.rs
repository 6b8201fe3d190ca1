//! `cargo xtask tidy`: the rules of the house that no other tool knows, as `path:line` faults.
//!
//! Each check is a function from a source file (or from the whole tree) to faults. It repairs
//! nothing and has no exceptions file: a rule that hurts is changed in STYLE.md.

mod imports;
mod mask;
mod names;
mod path;
mod sizes;
mod source;
mod words;

use anyhow::bail;

use crate::tree;
use source::Source;

/// Something that a rule forbids, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl Fault {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

/// The verb: prints every fault, and fails if there is one.
pub(crate) fn tidy() -> anyhow::Result<()> {
    let mut faults = imports::check()?;
    let root = tree::root();
    let mut sources = Vec::new();
    for path in tree::files(&root)? {
        let name = path.strip_prefix(&root)?.to_string_lossy().into_owned();
        faults.extend(names::check(&name));
        if name.ends_with(".rs") {
            sources.push(Source::new(&name, &std::fs::read_to_string(&path)?));
        }
    }
    for source in &sources {
        faults.extend(sizes::check(source));
        faults.extend(words::check(source));
    }
    faults.extend(path::check(&sources));
    faults.sort();
    for fault in &faults {
        println!("{}:{}: {}", fault.path, fault.line, fault.what);
    }
    if !faults.is_empty() {
        bail!("{} faults in {} files of Rust", faults.len(), sources.len());
    }
    println!("tidy: {} files of Rust", sources.len());
    Ok(())
}
