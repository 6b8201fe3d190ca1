//! The command line: verbs, and a flag for every key of the configuration.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};

use crate::config::{Config, Faults, KEYS, LIMIT, Raw};
use parlor_domain::Limits;

/// What the command line asks for.
pub enum Verb {
    /// Run the server.
    Serve(Box<Config>),
    /// Print every key of the configuration, as Markdown.
    ConfigReference,
    /// Print every limit, as Markdown.
    Limits,
}

/// Reads the command line, the environment, `.env` and the file.
///
/// # Errors
/// [`Faults`] when the configuration cannot be used. A command line that cannot be understood ends
/// the process with a hint and status 2, `--help` with status 0.
pub fn read() -> Result<Verb, Faults> {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("config", _)) => Ok(Verb::ConfigReference),
        Some(("limits", _)) => Ok(Verb::Limits),
        Some((_, serve)) => configure(serve).map(|config| Verb::Serve(Box::new(config))),
        None => configure(&ArgMatches::default()).map(|config| Verb::Serve(Box::new(config))),
    }
}

fn command() -> Command {
    let serve = Command::new("serve")
        .about("Run the server")
        .after_help(
            "Every option is also an environment variable (PARLOR_LISTEN), a line of .env, and a \
             key of the TOML file.\n\nExamples:\n  parlor serve\n  parlor serve --listen \
             0.0.0.0:8000 --public-url https://chat.example.org\n  parlor serve --data-dir \
             /var/lib/parlor",
        )
        .arg(Arg::new("config").long("config").value_name("FILE").help("TOML file of the keys"))
        .args(KEYS.iter().map(|key| {
            let flag = key.name.replace('_', "-");
            let shown = if key.default.is_empty() { "none" } else { key.default };
            let variable = format!("PARLOR_{}", key.name.to_uppercase());
            let help = format!("{} [default: {shown}] [env: {variable}]", key.about);
            Arg::new(key.name).long(flag).value_name("VALUE").help(help)
        }));
    let reference = Command::new("reference").about("Print every key, as Markdown");
    Command::new("parlor")
        .about("A self-hosted chat server: rooms, sessions, and one command")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand(serve)
        .subcommand(
            Command::new("config")
                .about("Explain the configuration")
                .subcommand_required(true)
                .subcommand(reference),
        )
        .subcommand(Command::new("limits").about("Print every limit, as Markdown"))
}

fn configure(matches: &ArgMatches) -> Result<Config, Faults> {
    let mut raw = Raw::new();
    let given = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    let flags = KEYS.iter().filter_map(|key| Some((key.name.to_owned(), given(key.name)?)));
    raw.add("command line", flags.collect::<Vec<_>>());
    raw.add_environment("environment", std::env::vars());
    if let Ok(lines) = dotenvy::from_path_iter(Path::new(".env")) {
        raw.add_environment(".env", lines.flatten());
    }
    if let Some(path) = given("config") {
        raw.add_file(&PathBuf::from(path));
    }
    raw.read()
}

/// Every key, as a Markdown page.
pub fn config_reference() -> String {
    let mut page = String::from(
        "# Configuration\n\nEvery key is a flag (`--data-dir`), an environment variable \
         (`PARLOR_DATA_DIR`, or `PARLOR_DATA_DIR_FILE` naming a file that holds the value), a line \
         of `.env` in the working directory, and a key of the TOML file that `--config` names. \
         Flags stand before the environment, the environment before `.env`, `.env` before the \
         file. Unknown keys are errors, and all errors are reported at once. Each row of \
         [limits](limits.md) is a key too: `PARLOR_LIMIT_PAGE_MAX`.\n\n\
         | Key | Environment | Default | |\n|---|---|---|---|\n",
    );
    for key in KEYS {
        let mut variables = format!("`PARLOR_{}`", key.name.to_uppercase());
        if let Some(alias) = key.alias {
            variables += &format!(", `{alias}`");
        }
        let default = match key.default {
            "" => "none".to_owned(),
            default => format!("`{default}`"),
        };
        page += &format!("| `{}` | {variables} | {default} | {} |\n", key.name, key.about);
    }
    page
}

/// Every limit, as a Markdown page.
pub fn limits_reference() -> String {
    let mut page = String::from(
        "# Limits\n\nEverything has a limit. Each can be set, as `PARLOR_LIMIT_…` or as a key of \
         the configuration file.\n\n| Limit | Default | |\n|---|---|---|\n",
    );
    for row in Limits::ROWS {
        page += &format!("| `{LIMIT}{}` | {} | {} |\n", row.name, row.default, row.about);
    }
    page
}
