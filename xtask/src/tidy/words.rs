//! What may not be written: clocks outside the places that own one, queues without a limit,
//! lints switched off, work left over, tests that sleep; and the header that every file has.

use super::Fault;
use super::mask::is_word;
use super::source::{Source, line_of};

/// Crates that may read the clock.
const CLOCK_OWNERS: [&str; 4] = ["server", "testkit", "xtask", "tests"];

/// Where programs that use the SDK get theirs from, and where the age of keys is told.
const CLOCKS_OF_CLIENTS: [&str; 2] = ["clients/sdk/src/clock.rs", "clients/e2ee/src/clock.rs"];

/// A word of code, where it is a fault, and why.
struct Rule {
    word: &'static str,
    place: Place,
    why: &'static str,
}

#[derive(PartialEq)]
enum Place {
    Anywhere,
    OutsideClockOwners,
    InTests,
}

const RULES: [Rule; 12] = [
    rule("SystemTime::now", Place::OutsideClockOwners, "time is a parameter: take a Clock"),
    rule("Instant::now", Place::OutsideClockOwners, "time is a parameter: take a Clock"),
    rule("Timestamp::now", Place::OutsideClockOwners, "time is a parameter: take a Clock"),
    rule("unbounded_channel", Place::Anywhere, "everything has a limit: bound the channel"),
    rule("unbounded(", Place::Anywhere, "everything has a limit: bound the channel"),
    rule("mpsc::channel()", Place::Anywhere, "everything has a limit: use sync_channel"),
    rule("#[allow(", Place::Anywhere, "say `#[expect(…, reason = …)]`"),
    rule("#![allow(", Place::Anywhere, "say `#![expect(…, reason = …)]`"),
    rule("todo!", Place::Anywhere, "finish it"),
    rule("unimplemented!", Place::Anywhere, "finish it"),
    rule("#[ignore", Place::Anywhere, "a test runs or it goes"),
    rule("sleep(", Place::InTests, "a test waits for what it waits for, it does not sleep"),
];

const fn rule(word: &'static str, place: Place, why: &'static str) -> Rule {
    Rule { word, place, why }
}

/// Every forbidden word in `source`, and a missing header.
pub(crate) fn check(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in &RULES {
        for (at, _) in source.code.match_indices(rule.word) {
            let line = line_of(&source.code, at);
            if starts_word(&source.code, at, rule.word) && applies(rule, source, line) {
                let what = format!("`{}`: {}", rule.word, rule.why);
                faults.push(Fault::new(&source.path, line, what));
            }
        }
    }
    if !has_header(source) {
        faults.push(Fault::new(&source.path, 1, "no `//!`: say what it owns and what it refuses"));
    }
    faults
}

fn applies(rule: &Rule, source: &Source, line: usize) -> bool {
    match rule.place {
        Place::Anywhere => true,
        Place::InTests => source.is_test(line),
        Place::OutsideClockOwners => {
            let owner = CLOCK_OWNERS.contains(&source.crate_name())
                || CLOCKS_OF_CLIENTS.contains(&&*source.path);
            !owner && !source.is_test(line)
        }
    }
}

/// Not the end of a longer name, such as `my_todo!`.
fn starts_word(code: &str, at: usize, word: &str) -> bool {
    !word.starts_with(is_word) || !code[..at].chars().next_back().is_some_and(is_word)
}

fn has_header(source: &Source) -> bool {
    source
        .lines
        .iter()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| line.starts_with("//!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Source::new(path, &format!("//! Header.\n{text}"))).iter().map(|f| f.line).collect()
    }

    #[test]
    fn each_word_is_found_in_code_only() {
        for rule in RULES.iter().filter(|rule| rule.place == Place::Anywhere) {
            let (word, path) = (rule.word, "crates/hub/src/lane.rs");
            assert_eq!(lines(path, &format!("\nx {word} y")), [3], "{word}");
            assert!(lines(path, &format!("// {word}\nlet x = \"{word}\";")).is_empty(), "{word}");
        }
        assert!(lines("crates/hub/src/lane.rs", "my_todo!()").is_empty());
    }

    #[test]
    fn only_owners_of_a_clock_read_it() {
        let text = "let now = std::time::Instant::now();";
        assert_eq!(lines("crates/hub/src/lane.rs", text), [2]);
        assert_eq!(lines("crates/hub/src/lane.rs", "jiff::Timestamp::now()"), [2]);
        assert_eq!(lines("crates/hub/src/lane.rs", "SystemTime::now()"), [2]);
        assert!(lines("crates/server/src/main.rs", text).is_empty());
        assert!(lines("crates/hub/tests/it/main.rs", text).is_empty());
    }

    #[test]
    fn tests_do_not_sleep_but_programs_may() {
        let text = "async fn f() { tokio::time::sleep(x).await }";
        assert!(lines("crates/hub/src/lane.rs", text).is_empty());
        assert_eq!(lines("crates/hub/tests/it/main.rs", text), [2]);
        let module = format!("#[cfg(test)]\nmod tests {{\n{text}\n}}");
        assert_eq!(lines("crates/hub/src/lane.rs", &module), [4]);
    }

    #[test]
    fn every_file_has_a_header() {
        let check = |text| check(&Source::new("a.rs", text)).len();
        assert_eq!(check("\n//! Owns it.\n"), 0);
        assert_eq!(check("// Not it.\n"), 1);
        assert_eq!(check(""), 1);
    }
}
