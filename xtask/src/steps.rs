//! Runs named steps one after the other, times them, keeps their output in a file each, and adds
//! up. The first step that fails is the last that runs, and its output is shown.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{process, tree};

/// The steps so far.
pub(crate) struct Steps {
    rows: Vec<Row>,
    logs: PathBuf,
    allow_missing: bool,
}

struct Row {
    name: &'static str,
    took: Duration,
    state: State,
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    Passed(u64),
    Failed(u64, u64),
    Missing(String),
}

impl Steps {
    /// None yet. What cannot run is a failure unless `allow_missing`.
    pub(crate) fn new(allow_missing: bool) -> anyhow::Result<Self> {
        Ok(Self { rows: Vec::new(), logs: tree::scratch("logs")?, allow_missing })
    }

    /// Runs a command as a step.
    pub(crate) fn run(&mut self, name: &'static str, mut command: Command) -> anyhow::Result<()> {
        let started = begin(name);
        let path = self.logs.join(format!("{}.log", name.replace(' ', "-")));
        let log = File::create(&path)?;
        command.env("NO_COLOR", "1").env("CARGO_TERM_COLOR", "never");
        let status = command
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .with_context(|| format!("failed to start `{}`", process::shown(&command)))?;
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let (passed, failed) = count(&text);
        if status.success() && failed == 0 {
            return self.end(name, started, State::Passed(passed.max(1)));
        }
        println!("FAILED\n$ {}\n{text}", process::shown(&command));
        self.end(name, started, State::Failed(passed, failed.max(1)))
    }

    /// Runs a piece of our own as a step.
    pub(crate) fn call(
        &mut self,
        name: &'static str,
        verb: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let started = begin(name);
        match verb() {
            Ok(()) => self.end(name, started, State::Passed(1)),
            Err(why) => {
                println!("FAILED\n{why:#}");
                self.end(name, started, State::Failed(0, 1))
            }
        }
    }

    /// Says that a step cannot run here.
    pub(crate) fn missing(&mut self, name: &'static str, why: &str) -> anyhow::Result<()> {
        let started = begin(name);
        println!("{why}");
        self.end(name, started, State::Missing(why.to_owned()))
    }

    /// The folder with the steps' output.
    pub(crate) fn logs(&self) -> &Path {
        &self.logs
    }

    /// Prints the summary, and ends the program if anything failed.
    pub(crate) fn finish(mut self, result: anyhow::Result<()>) {
        let told = self.rows.last().is_some_and(|row| !matches!(row.state, State::Passed(_)));
        if let (Err(why), false) = (&result, told) {
            println!("FAILED: {why:#}");
            let state = State::Failed(0, 1);
            self.rows.push(Row { name: "between steps", took: Duration::ZERO, state });
        }
        print!("{}", summary(&self.rows));
        if result.is_err() {
            std::process::exit(1);
        }
    }

    fn end(&mut self, name: &'static str, started: Instant, state: State) -> anyhow::Result<()> {
        let took = started.elapsed();
        if matches!(state, State::Passed(_)) {
            println!("ok, {:.1} s", took.as_secs_f64());
        }
        let stop = match &state {
            State::Passed(_) => false,
            State::Failed(..) => true,
            State::Missing(_) => !self.allow_missing,
        };
        self.rows.push(Row { name, took, state });
        if stop {
            bail!("{name} failed");
        }
        Ok(())
    }
}

fn begin(name: &str) -> Instant {
    use std::io::Write;
    print!("{name:<22} ");
    let _ = std::io::stdout().flush();
    Instant::now()
}

fn summary(rows: &[Row]) -> String {
    let (mut passed, mut failed, mut text) = (0, 0, "\n".to_owned());
    for row in rows {
        let state = match &row.state {
            State::Passed(tests) => format!("ok       {tests:>6}"),
            State::Failed(_, tests) => format!("FAILED   {tests:>6}"),
            State::Missing(why) => format!("MISSING  {why}"),
        };
        text += &format!("{:<22} {:>7.1} s  {state}\n", row.name, row.took.as_secs_f64());
        match &row.state {
            State::Passed(tests) => passed += tests,
            State::Failed(good, bad) => (passed, failed) = (passed + good, failed + bad),
            State::Missing(_) => {}
        }
    }
    text + &format!("{passed} passed, {failed} failed\n")
}

/// How many tests a log says have passed and failed: nextest, cargo test, vitest, node --test.
fn count(log: &str) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for line in log.lines().map(str::trim) {
        let counts = line.starts_with("test result:")
            || line.starts_with("Summary [")
            || line.starts_with("Tests ")
            || starts_with_count(line);
        if counts {
            passed += before(line, "passed");
            failed += before(line, "failed");
        }
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["#" | "ℹ", "pass", count] => passed += count.parse().unwrap_or(0),
            ["#" | "ℹ", "fail", count] => failed += count.parse().unwrap_or(0),
            _ => {}
        }
    }
    (passed, failed)
}

fn starts_with_count(line: &str) -> bool {
    let mut words = line.split(' ');
    words.next().is_some_and(|word| word.parse::<u64>().is_ok())
        && words.next().is_some_and(|word| matches!(word, "passed" | "failed"))
}

fn before(line: &str, word: &str) -> u64 {
    let words: Vec<_> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|found| *found == word);
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runner_is_counted_in_its_own_words() {
        assert_eq!(
            count("     Summary [  0.1s] 12 tests run: 11 passed, 1 failed, 2 skipped"),
            (11, 1)
        );
        assert_eq!(count("test result: ok. 3 passed; 0 failed; 0 ignored"), (3, 0));
        assert_eq!(count("      Tests  1 failed | 4 passed (5)\n Test Files 2 passed (2)"), (4, 1));
        assert_eq!(count("  1 failed\n  5 passed (2.0s)"), (5, 1));
        assert_eq!(count("ℹ tests 5\nℹ pass 4\nℹ fail 1\n# pass 2"), (6, 1));
        assert_eq!(count("12 messages passed by; nothing failed"), (0, 0));
    }

    #[test]
    fn the_last_line_adds_everything_up() {
        let row = |state| Row { name: "step", took: Duration::ZERO, state };
        let rows = [row(State::Passed(3)), row(State::Failed(2, 1))];
        assert!(summary(&rows).ends_with("\n5 passed, 1 failed\n"));
    }
}
