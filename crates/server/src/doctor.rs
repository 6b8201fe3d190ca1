//! `parlor doctor`: is everything as it should be, and if not, what is to be done. It changes
//! nothing, and may be run beside a server.
//!
//! Ends with 0 when all is well, 1 when something should be looked at, 2 when a server would not
//! run, or would lose something.

mod data;
mod database;
mod machine;
mod redis;
mod tls;

use std::fmt::Write as _;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use parlor_app::Clock;
use serde::Serialize;

use crate::cli;
use crate::config::{Config, Faults, KEYS};

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    config: Result<Config, Faults>,
    json: bool,
}

impl Options {
    /// The verb, as it is typed.
    pub(crate) fn command() -> Command {
        Command::new("doctor")
            .about("Look for what is wrong, and say what to do")
            .after_help(
                "Reads the same configuration as `parlor serve`, and may be run beside it. Ends \
                 with status 0 when all is well, 1 when something should be looked at, 2 when a \
                 server would not run or could lose something.",
            )
            .arg(
                Arg::new("json")
                    .long("json")
                    .action(ArgAction::SetTrue)
                    .help("Print one JSON object instead of lines"),
            )
            .args(cli::flags(&KEYS.iter().map(|key| key.name).collect::<Vec<_>>()))
    }

    /// Reads it. What is wrong with the configuration is the first thing that is told.
    pub(crate) fn read(matches: &ArgMatches) -> Self {
        Self { config: cli::configure(matches), json: matches.get_flag("json") }
    }
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// To be looked at.
    Warn,
    /// A server would not run, or could lose something.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which.
    pub name: &'static str,
    /// How it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, found: found.into(), advice: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    fn bad(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, level: Level::Bad, found: found.into(), advice: Some(advice.into()) }
    }
}

/// What is printed, and how the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The text.
    pub text: String,
    /// The status.
    pub status: u8,
}

impl Report {
    /// Nothing could be looked at.
    pub fn failed(error: &dyn std::error::Error) -> Self {
        Self { text: format!("bad   doctor: {error}\n"), status: 2 }
    }

    fn of(checks: &[Check], json: bool) -> Self {
        let worst = checks.iter().map(|check| check.level).max().unwrap_or(Level::Ok);
        let status = worst as u8;
        let text = if json {
            let object = serde_json::json!({ "status": status, "checks": checks });
            format!("{object}\n")
        } else {
            checks.iter().map(line).collect()
        };
        Self { text, status }
    }
}

fn line(check: &Check) -> String {
    let level = match check.level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Bad => "bad",
    };
    let mut line = format!("{level:5} {}: {}", check.name, check.found);
    if let Some(advice) = &check.advice {
        // A text takes everything.
        let _ = write!(line, "; {advice}");
    }
    line.replace('\n', " ") + "\n"
}

/// The verb.
pub async fn doctor(options: Options, clock: &dyn Clock) -> Report {
    let config = match options.config {
        Ok(config) => config,
        Err(Faults(faults)) => {
            let bad = |fault: String| Check::bad("configuration", fault, "see docs/config.md");
            return Report::of(&faults.into_iter().map(bad).collect::<Vec<_>>(), options.json);
        }
    };
    let now = clock.now();
    let mut checks = vec![Check::ok("configuration", "can be used")];
    checks.extend(data::folder(&config));
    checks.push(data::secret(&config));
    checks.extend(database::check(&config, now).await);
    checks.extend(redis::check(&config).await);
    checks.push(machine::space(&config));
    checks.push(machine::open_files());
    checks.push(machine::clock(&config));
    checks.extend(tls::certificate(&config, now));
    Report::of(&checks, options.json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_is_the_status() {
        let (ok, warn) = (Check::ok("a", "fine"), Check::warn("b", "old", "renew it"));
        let bad = Check::bad("c", "two\nlines", "begin anew");
        assert_eq!(Report::of(&[], false).status, 0);
        assert_eq!(Report::of(&[ok.clone(), warn.clone()], false).status, 1);
        let report = Report::of(&[ok.clone(), bad, warn], false);
        assert_eq!(report.status, 2);
        let lines: Vec<&str> = report.text.lines().collect();
        assert_eq!(
            lines,
            ["ok    a: fine", "bad   c: two lines; begin anew", "warn  b: old; renew it"]
        );
        let json = Report::of(&[ok], true);
        let object: serde_json::Value = serde_json::from_str(&json.text).unwrap();
        assert_eq!(object["checks"][0]["level"], "ok");
        assert!(object["checks"][0].get("do").is_none());
    }
}
