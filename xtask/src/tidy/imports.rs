//! Who may import whom: the table in ARCHITECTURE.md against what cargo says.
//!
//! The table is the truth; a crate that is not in it may not exist. The third column is words
//! such as `SQL`, which stand for packages in the list below. Only normal dependencies count.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use super::Fault;
use crate::{process, tree};

const HEAD: &str = "| Crate | may import (ours) | must never see |";
const FILE: &str = "ARCHITECTURE.md";

const SQL: &[&str] = &["rusqlite", "tokio-postgres", "deadpool-postgres", "refinery", "sqlx"];
const HTTP: &[&str] = &["axum", "http", "hyper", "hyper-util", "reqwest", "tower-http"];
const ASYNC: &[&str] = &["tokio", "tokio-util", "futures", "futures-util", "async-trait"];
const IO: &[&str] = &["mio", "rustix", "socket2", "object_store", "lettre", "fs4", "tempfile"];

/// What each word of the third column stands for.
const WORDS: [(&str, &[&str]); 13] = [
    ("tokio", &["tokio", "tokio-util"]),
    ("async", ASYNC),
    ("I/O", IO),
    ("clocks", &["chrono", "time", "quanta", "coarsetime"]),
    ("axum", &["axum", "axum-core", "axum-extra"]),
    ("hyper", &["hyper", "hyper-util"]),
    ("SQL", SQL),
    ("SQL dialects", SQL),
    ("rusqlite", &["rusqlite"]),
    ("Redis", &["redis"]),
    ("HTTP", HTTP),
    ("network", &["reqwest", "hyper", "hyper-util", "tokio-tungstenite", "mio", "socket2"]),
    ("dev-dependency only", &[]),
];

/// Words that the second column says already: only what it names may be imported.
const SAID_ALREADY: [&str; 3] = ["everything of ours", "the server side", "server side"];

/// A row of the table.
#[derive(Debug, Default, PartialEq)]
struct Row {
    line: usize,
    may: Vec<String>,
    never: Vec<String>,
}

type Table = BTreeMap<String, Row>;
/// Each of our crates with its normal dependencies.
type Graph = BTreeMap<String, Vec<String>>;

/// Faults of the workspace, and of the clients' workspace where there is one.
pub(crate) fn check() -> anyhow::Result<Vec<Fault>> {
    let root = tree::root();
    let Ok(text) = std::fs::read_to_string(root.join(FILE)) else {
        return Ok(vec![Fault::new(FILE, 1, "it is not there")]);
    };
    let mut graph = graph(&root.join("Cargo.toml"))?;
    let clients = root.join("clients/Cargo.toml");
    if clients.is_file() {
        graph.extend(self::graph(&clients)?);
    }
    Ok(compare(&table(&text)?, &graph))
}

fn graph(manifest: &Path) -> anyhow::Result<Graph> {
    let mut metadata = process::cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let text = process::output(metadata.arg("--manifest-path").arg(manifest))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let ours = packages.iter().filter(|package| package["name"] != "xtask");
    Ok(ours.map(|package| (short(&package["name"]), normal_dependencies(package))).collect())
}

fn normal_dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"].as_array().into_iter().flatten();
    all.filter(|it| it["kind"].is_null()).map(|it| short(&it["name"])).collect()
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap_or_default();
    name.strip_prefix("parlor-").unwrap_or(name).to_owned()
}

fn table(text: &str) -> anyhow::Result<Table> {
    let lines = text.lines().enumerate().skip_while(|(_, line)| line.trim() != HEAD);
    let rows = lines.skip(2).take_while(|(_, line)| line.starts_with('|'));
    let mut table = Table::new();
    for (index, line) in rows {
        let line_number = index + 1;
        let cells: Vec<_> = line.trim_matches('|').split('|').map(plain).collect();
        let [names, may, never] = &cells[..] else {
            bail!("{FILE}:{line_number}: a row has three cells");
        };
        // `sdk → tui | domain → sdk`: sdk may domain; tui may domain and sdk.
        let mut may_so_far = Vec::new();
        let mut steps = may.split('→');
        for name in names.split('→').map(str::trim) {
            may_so_far.extend(words(steps.next().unwrap_or_default()));
            let row = Row { line: line_number, may: may_so_far.clone(), never: words(never) };
            table.insert(name.to_owned(), row);
        }
    }
    if table.is_empty() {
        bail!("{FILE} has no table headed `{HEAD}`");
    }
    Ok(resolved(table))
}

fn plain(cell: &str) -> String {
    cell.replace(['`', '(', ')', '–'], "").trim().to_owned()
}

fn words(cell: &str) -> Vec<String> {
    let words = cell.split(',').flat_map(|part| part.split(" and "));
    words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// Replaces `all above` and `what X may` by the crates that they mean.
fn resolved(mut table: Table) -> Table {
    let written: BTreeMap<_, _> =
        table.iter().map(|(name, row)| (name.clone(), (row.line, row.may.clone()))).collect();
    let above = |line| written.iter().filter(move |(_, (at, _))| *at < line);
    for row in table.values_mut() {
        let meant = row.may.iter().flat_map(|word| match word.strip_prefix("what ") {
            Some(rest) => {
                let named = written.get(rest.trim_end_matches(" may"));
                named.map(|(_, may)| may.clone()).unwrap_or_default()
            }
            None if word == "all above" => above(row.line).map(|(name, _)| name.clone()).collect(),
            None => vec![word.clone()],
        });
        row.may = meant.collect();
    }
    table
}

fn compare(table: &Table, graph: &Graph) -> Vec<Fault> {
    let mut faults = Vec::new();
    for row in table.values() {
        for word in row.never.iter().filter(|word| !known(word, table)) {
            faults.push(Fault::new(FILE, row.line, format!("tidy does not know what {word} is")));
        }
    }
    for (name, dependencies) in graph {
        let Some(row) = table.get(name) else {
            faults.push(Fault::new(FILE, 1, format!("crate {name} is not in the table")));
            continue;
        };
        let mut fault = |what| faults.push(Fault::new(FILE, row.line, what));
        for other in dependencies {
            if graph.contains_key(other) && !row.may.contains(other) {
                fault(format!("{name} imports {other}, which it may not"));
            }
            for word in row.never.iter().filter(|word| packages(word).contains(&&**other)) {
                fault(format!("{name} imports {other}, and must never see {word}"));
            }
        }
    }
    faults
}

fn known(word: &str, table: &Table) -> bool {
    table.contains_key(word)
        || SAID_ALREADY.contains(&word)
        || WORDS.iter().any(|(known, _)| *known == word)
}

fn packages(word: &str) -> &'static [&'static str] {
    WORDS.iter().find(|(known, _)| *known == word).map_or(&[], |(_, packages)| packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Architecture

| Crate | may import (ours) | must never see |
|---|---|---|
| domain | – | tokio, I/O, clocks, `async` |
| wire | domain | axum, SQL |
| doors | domain, wire | store |
| facades | doors and what doors may | store |
| store | domain | wire, HTTP |
| server | all above | – |
| sdk → tui | wire → sdk | server side |
| testkit | server | – (dev-dependency only) |

| Crate | another table |
";

    fn faults(dependencies: &[(&str, &[&str])]) -> Vec<String> {
        let names = ["domain", "wire", "doors", "facades", "store", "server", "sdk", "tui"];
        let mut graph: Graph = names.iter().map(|name| ((*name).to_owned(), vec![])).collect();
        for (name, list) in dependencies {
            graph.insert((*name).into(), list.iter().map(|it| (*it).to_owned()).collect());
        }
        compare(&table(TEXT).unwrap(), &graph).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn the_table_is_read_with_its_shorthands() {
        let table = table(TEXT).unwrap();
        assert_eq!(table["facades"].may, ["doors", "domain", "wire"]);
        assert_eq!(table["server"].may, ["domain", "doors", "facades", "store", "wire"]);
        assert_eq!(table["sdk"].may, ["wire"]);
        assert_eq!(table["tui"].may, ["wire", "sdk"]);
        assert_eq!(table["domain"].never, ["tokio", "I/O", "clocks", "async"]);
        assert_eq!(table["testkit"].line, 12);
        assert!(!table.contains_key("Crate"));
    }

    #[test]
    fn what_the_table_allows_is_no_fault() {
        assert!(faults(&[("wire", &["domain", "serde"]), ("tui", &["sdk"])]).is_empty());
    }

    #[test]
    fn an_import_that_is_not_allowed_is_a_fault() {
        assert_eq!(faults(&[("wire", &["store"])]), ["wire imports store, which it may not"]);
    }

    #[test]
    fn a_package_that_must_not_be_seen_is_a_fault() {
        let expected = "wire imports rusqlite, and must never see SQL";
        assert_eq!(faults(&[("wire", &["rusqlite"])]), [expected]);
        assert_eq!(faults(&[("store", &["axum"])]).len(), 1);
        assert_eq!(faults(&[("domain", &["tokio"])]).len(), 2);
    }

    #[test]
    fn a_crate_or_word_that_is_unknown_is_a_fault() {
        assert_eq!(faults(&[("mystery", &[])]), ["crate mystery is not in the table"]);
        let table = table(&TEXT.replace("axum, SQL", "magic")).unwrap();
        assert_eq!(compare(&table, &Graph::new())[0].what, "tidy does not know what magic is");
    }

    #[test]
    fn a_file_without_the_table_is_an_error() {
        assert!(table("# Architecture\n").is_err());
    }
}
