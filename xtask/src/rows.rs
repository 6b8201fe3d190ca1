//! The table of what the façades answer, made of the tests that show it: each test says in a line
//! of its doc comment that begins `Row: ` which row of the other system's API it is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use crate::tree;

/// Where the tests are.
const TESTS: &str = "crates/testkit/tests/it/compat";

const ABOUT: &str = "# What the façades answer, row by row\n\nEvery row is a test, which \
    `cargo xtask test` runs: a row that does not hold fails the build, so all of these do. What is \
    deliberately different from the original stands in each system's own page.\n";

/// What each file of tests is about.
const TITLES: [(&str, &str); 9] = [
    ("room", "ROOM"),
    ("mrsambosk", "Mrsambosk"),
    ("rei", "Rei's Chatroom"),
    ("groups", "Chat Room API"),
    ("shh", "shh-chatroom"),
    ("superset", "Where two systems share a path"),
    ("choice", "Which system is spoken to"),
    ("crossing", "From one system to the others"),
    ("security", "What is safer than the original"),
];

/// The document's body.
pub(crate) fn table() -> anyhow::Result<String> {
    let mut rows: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let root = tree::root().join(TESTS);
    for file in sources(&root)? {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let inside = file.strip_prefix(&root)?.with_extension("");
        let about = inside.iter().next().map(|part| part.to_string_lossy().into_owned());
        let found = rows_of(&text);
        if !found.is_empty() {
            rows.entry(about.unwrap_or_default()).or_default().extend(found);
        }
    }
    let mut page = ABOUT.to_owned();
    for (name, title) in TITLES {
        let Some(rows) = rows.remove(name) else { continue };
        page += &format!("\n## {title}: {} rows\n\n| Row | Test |\n|---|---|\n", rows.len());
        for (row, test) in rows {
            page += &format!("| {} | `{name}::{test}` |\n", row.replace('|', "\\|"));
        }
    }
    anyhow::ensure!(rows.is_empty(), "no title for the tests in {:?}", rows.keys());
    Ok(page)
}

fn sources(dir: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Each row with the name of the test below it. A row goes on over lines until the next one.
fn rows_of(text: &str) -> Vec<(String, String)> {
    let (mut found, mut waiting) = (Vec::new(), Vec::<String>::new());
    for line in text.lines().map(str::trim) {
        if let Some(row) = line.strip_prefix("/// Row: ") {
            waiting.push(row.to_owned());
        } else if let (Some(more), Some(row)) = (line.strip_prefix("/// "), waiting.last_mut()) {
            *row += " ";
            *row += more;
        } else if let Some(name) = line.split("fn ").nth(1).filter(|_| !line.starts_with("//")) {
            let name = name.split(['(', '<']).next().unwrap_or_default().to_owned();
            found.extend(waiting.drain(..).map(|row| (row, name.clone())));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::rows_of;

    #[test]
    fn a_row_goes_with_the_test_below_it() {
        let text = "/// Row: GET /a → 200\n/// Row: GET /a → 404\n/// for strangers\n\
                    #[tokio::test]\nasync fn it_is_there() {}\nfn another() {}\n";
        let row = |row: &str| (row.to_owned(), "it_is_there".to_owned());
        assert_eq!(rows_of(text), [row("GET /a → 200"), row("GET /a → 404 for strangers")]);
    }
}
