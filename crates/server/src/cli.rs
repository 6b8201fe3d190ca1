//! The command line: verbs, and a flag for every key of the configuration.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};

use crate::config::{Config, Faults, KEYS, Key, LIMIT, Raw};
use crate::{admin, backup, doctor, migrate, restore, tui};
use parlor_domain::Limits;

/// What the command line asks for.
pub enum Verb {
    /// Run the server.
    Serve(Box<Config>),
    /// Ask the server that runs with this configuration whether it is alive.
    Health(Box<Config>),
    /// Print every key of the configuration, as Markdown.
    ConfigReference,
    /// Print every key of the configuration, as a `.env` to begin with.
    ConfigExample,
    /// Print every limit, as Markdown.
    Limits,
    /// Copy an installation.
    Backup(Box<backup::Options>),
    /// Make an installation out of a copy.
    Restore(Box<restore::Options>),
    /// Move an installation to another database.
    Migrate(migrate::Options),
    /// Say what is wrong with an installation.
    Doctor(Box<doctor::Options>),
    /// Look after a server that runs.
    Admin(Box<admin::Options>),
    /// Talk in this terminal, by another program that gets these arguments.
    Tui(Vec<OsString>),
}

/// Reads the command line, the environment, `.env` and the file.
///
/// # Errors
/// [`Faults`] when the configuration cannot be used. A command line that cannot be understood ends
/// the process with a hint and status 2, `--help` with status 0.
pub fn read() -> Result<Verb, Faults> {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("config", form)) if form.subcommand_name() == Some("example") => {
            Ok(Verb::ConfigExample)
        }
        Some(("config", _)) => Ok(Verb::ConfigReference),
        Some(("limits", _)) => Ok(Verb::Limits),
        Some(("backup", given)) => Ok(Verb::Backup(Box::new(backup::Options::read(given)?))),
        Some(("restore", given)) => Ok(Verb::Restore(Box::new(restore::Options::read(given)?))),
        Some(("migrate", given)) => Ok(Verb::Migrate(migrate::Options::read(given))),
        Some(("doctor", given)) => Ok(Verb::Doctor(Box::new(doctor::Options::read(given)))),
        Some(("admin", given)) => Ok(Verb::Admin(Box::new(admin::Options::read(given)?))),
        Some(("tui", given)) => Ok(Verb::Tui(tui::arguments(given))),
        Some(("health", asked)) => configure(asked).map(|config| Verb::Health(Box::new(config))),
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
        .args(flags(&KEYS.iter().map(|key| key.name).collect::<Vec<_>>()));
    let health = Command::new("health")
        .about("Ask the server that runs here whether it is alive; status 0 says yes")
        .args(flags(&KEYS.iter().map(|key| key.name).collect::<Vec<_>>()));
    let reference = Command::new("reference").about("Print every key, as Markdown");
    let example = Command::new("example").about("Print every key, as a .env to begin with");
    Command::new("parlor")
        .about("A self-hosted chat server: rooms, sessions, and one command")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand(serve)
        .subcommand(backup::Options::command())
        .subcommand(restore::Options::command())
        .subcommand(migrate::Options::command())
        .subcommand(doctor::Options::command())
        .subcommand(admin::Options::command())
        .subcommand(tui::command())
        .subcommand(health)
        .subcommand(
            Command::new("config")
                .about("Explain the configuration")
                .subcommand_required(true)
                .subcommand(reference)
                .subcommand(example),
        )
        .subcommand(Command::new("limits").about("Print every limit, as Markdown"))
}

/// Flags for some keys of the configuration, and for its file.
pub(crate) fn flags(names: &[&str]) -> Vec<Arg> {
    let file = Arg::new("config").long("config").value_name("FILE").help("TOML file of the keys");
    let flag = |key: &Key| {
        let flag = key.name.replace('_', "-");
        let shown = if key.default.is_empty() { "none" } else { key.default };
        let variable = format!("PARLOR_{}", key.name.to_uppercase());
        let help = format!("{} [default: {shown}] [env: {variable}]", key.about);
        Arg::new(key.name).long(flag).value_name("VALUE").help(help)
    };
    let named = KEYS.iter().filter(|key| names.contains(&key.name));
    std::iter::once(file).chain(named.map(flag)).collect()
}

/// Reads the configuration: flags, the environment, `.env` and the file.
pub(crate) fn configure(matches: &ArgMatches) -> Result<Config, Faults> {
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

/// Keys of others that stand in the same file: what the compose files give to PostgreSQL and Redis.
const COMPOSE: [(&str, &str, &str); 5] = [
    ("POSTGRES_USER", "parlor", "Who owns the database."),
    ("POSTGRES_PASSWORD", "", "Their password."),
    ("POSTGRES_DB", "parlor", "The name of the database."),
    ("REDIS_PASSWORD", "", "The password of Redis."),
    ("REDIS_PORT", "6379", "The port of Redis."),
];

/// Every key, as a `.env` in which nothing is set.
pub fn config_example() -> String {
    let mut page = String::from(
        "# Copy this file to .env and take away the # before what you set.\n\
         # Everything is optional; what stands there is the default. docs/config.md has it, too.\n",
    );
    for key in KEYS {
        let alias = key.alias.map(|alias| format!(" Also {alias}.")).unwrap_or_default();
        // A default that is described, and not written, is no value.
        let literal = !key.default.contains(['<', ' ']) || key.default.contains('@');
        let (value, told) = match literal {
            true => (key.default, String::new()),
            false => ("", format!(" Default: {}.", key.default)),
        };
        let about = format!("{}{told}{alias}", key.about.replace('`', ""));
        page += &setting(&format!("PARLOR_{}", key.name.to_uppercase()), value, &about);
    }
    page +=
        "\n# For compose.yaml and compose.scale.yaml only; the server does not look at these.\n";
    for (name, value, about) in COMPOSE {
        page += &setting(name, value, about);
    }
    page
}

/// One setting, with what it is for in lines before it.
fn setting(name: &str, value: &str, about: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in about.split(' ') {
        if lines.last().is_some_and(|line| line.len() + 1 + word.len() > 100) {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            *line += &format!(" {word}");
        }
    }
    let value = if value.contains(' ') { format!("\"{value}\"") } else { value.to_owned() };
    format!("\n{}\n#{name}={value}\n", lines.join("\n"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_sets_nothing_and_all_of_it_can_be_set() {
        let page = config_example();
        assert!(page.lines().all(|line| line.is_empty() || line.starts_with('#')));
        let set = |line: &str| !line.starts_with("# ") && line.starts_with('#');
        let lines: Vec<_> = page.lines().filter(|line| set(line)).map(|line| &line[1..]).collect();
        assert_eq!(lines.len(), KEYS.len() + COMPOSE.len());
        let text = lines.join("\n");
        let variables = dotenvy::from_read_iter(text.as_bytes()).map(Result::unwrap);
        // What says something only together with another key is left out.
        let alone = ["PARLOR_TLS_DIRECTORY"];
        let variables = variables.filter(|(name, _)| !alone.contains(&&**name));
        let mut raw = Raw::new();
        raw.add_environment(".env", variables.collect::<Vec<_>>());
        let config = raw.read().unwrap();
        assert_eq!(config.email_from, "Parlor <parlor@localhost>");
        assert!(config.public_url.is_none() && config.compat_guests.is_none());
    }
}
