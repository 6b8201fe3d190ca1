//! `parlor admin job`: what is to be done later, looked at and put right, beside a server that
//! runs.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgMatches, Command};
use parlor_app::Clock;
use parlor_domain::Time;
use parlor_store::jobs::{Job, Order};
use parlor_store::{StoreError, postgres, sqlite};
use uuid::Uuid;

use crate::cli;
use crate::config::{Config, Faults};
use crate::manifest::SQLITE;

/// Jobs that are listed: the next ones.
const LISTED_MAX: u64 = 1_000;

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    config: Config,
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    List,
    Show(Uuid),
    Order(Order, Uuid),
}

impl Options {
    /// The verb, as it is typed.
    pub(crate) fn command() -> Command {
        let keys = || cli::flags(&["data_dir", "database_url"]);
        let id = || Arg::new("id").required(true).value_name("ID").help("The job, as listed");
        let one = |name, about| Command::new(name).about(about).arg(id()).args(keys());
        let job = Command::new("job")
            .about("What is to be done later, such as small pictures")
            .subcommand_required(true)
            .subcommand(Command::new("list").about("List jobs, the next first").args(keys()))
            .subcommand(one("show", "Show one job, and what went wrong with it"))
            .subcommand(one("retry", "Try a job at once, as if for the first time"))
            .subcommand(one("cancel", "Forget a job"));
        Command::new("admin")
            .about("Look after a server that runs")
            .subcommand_required(true)
            .subcommand(job)
    }

    /// Reads it.
    pub(crate) fn read(matches: &ArgMatches) -> Result<Self, Faults> {
        let (name, given) = matches
            .subcommand()
            .and_then(|(_, job)| job.subcommand())
            .expect("a verb without its verb is not understood");
        let id = || {
            let text = given.get_one::<String>("id").map(String::as_str).unwrap_or_default();
            let bad = |_| Faults(vec![format!("`{text}` is not the id of a job")]);
            Uuid::try_parse(text).map_err(bad)
        };
        let asked = match name {
            "show" => Asked::Show(id()?),
            "retry" => Asked::Order(Order::Retry, id()?),
            "cancel" => Asked::Order(Order::Cancel, id()?),
            _ => Asked::List,
        };
        Ok(Self { config: cli::configure(given)?, asked })
    }
}

/// The verb. Returns what there is, or what was done, in words.
///
/// # Errors
/// When the database cannot be reached, or there is no such job.
pub async fn admin(options: Options, clock: &dyn Clock) -> anyhow::Result<String> {
    let (config, now) = (options.config, clock.now());
    match options.asked {
        Asked::List => Ok(table(&list(&config, None).await?, now)),
        Asked::Show(id) => match list(&config, Some(id)).await?.first() {
            Some(job) => Ok(sheet(job, now)),
            None => bail!("there is no such job"),
        },
        Asked::Order(order, id) => {
            give(&config, id, order, now).await?;
            let done = if order == Order::Retry { "is tried at once" } else { "is forgotten" };
            Ok(format!("{id} {done}\n"))
        }
    }
}

async fn list(config: &Config, id: Option<Uuid>) -> anyhow::Result<Vec<Job>> {
    let listed = match &config.database_url {
        Some(url) => postgres::jobs::list(url.expose(), id, LISTED_MAX).await,
        None => {
            let path = config.data_dir.join(SQLITE);
            tokio::task::spawn_blocking(move || sqlite::jobs::list(&path, id, LISTED_MAX)).await?
        }
    };
    listed.context("failed to read the jobs")
}

async fn give(config: &Config, id: Uuid, order: Order, now: Time) -> anyhow::Result<()> {
    let given = match &config.database_url {
        Some(url) => postgres::jobs::order(url.expose(), id, order, now).await,
        None => {
            let path = config.data_dir.join(SQLITE);
            tokio::task::spawn_blocking(move || sqlite::jobs::order(&path, id, order, now)).await?
        }
    };
    match given {
        Err(StoreError::Denied(_)) => bail!("there is no such job"),
        given => given.context("failed to change the job"),
    }
}

fn table(jobs: &[Job], now: Time) -> String {
    if jobs.is_empty() {
        return "nothing is to be done\n".to_owned();
    }
    let mut text = format!("{:36}  {:10}  {:18}  {:>5}  error\n", "id", "kind", "state", "tries");
    for job in jobs {
        let (id, kind, state, tries) = (job.id, &job.kind, state(job, now), job.tries);
        let error = job.error.as_deref().unwrap_or_default();
        // Writing to a text does not fail.
        let _ = writeln!(text, "{id}  {kind:10}  {state:18}  {tries:>5}  {error}");
    }
    if jobs.len() as u64 == LISTED_MAX {
        text += "and perhaps more\n";
    }
    text
}

fn sheet(job: &Job, now: Time) -> String {
    let since = now.since(job.created_at).as_secs();
    let mut text = format!("id      {}\nkind    {}\nabout   {}\n", job.id, job.kind, job.about);
    text += &format!("state   {}\ntries   {}\nsince   {since} s\n", state(job, now), job.tries);
    if let Some(error) = &job.error {
        text += &format!("error   {error}\n");
    }
    text
}

/// How a job is.
fn state(job: &Job, now: Time) -> String {
    if job.given_up {
        "given up".to_owned()
    } else if job.leased_until > now {
        "being done".to_owned()
    } else if job.due_at > now {
        format!("due in {} s", job.due_at.since(now).as_secs())
    } else {
        "due".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_in_words() {
        let job = Job {
            id: Uuid::nil(),
            kind: "thumbnail".to_owned(),
            about: Uuid::nil(),
            created_at: Time(0),
            due_at: Time(30_000_000),
            leased_until: Time(0),
            tries: 2,
            error: Some("the picture is damaged".to_owned()),
            given_up: false,
        };
        let told = table(std::slice::from_ref(&job), Time(20_000_000));
        assert!(told.contains("due in 10 s") && told.contains("the picture is damaged"), "{told}");
        assert!(table(std::slice::from_ref(&job), Time(30_000_000)).contains("  due  "));
        let held = Job { leased_until: Time(40_000_000), ..job.clone() };
        assert!(sheet(&held, Time(30_000_000)).contains("being done"));
        let over = Job { given_up: true, ..job };
        assert!(sheet(&over, Time(30_000_000)).contains("given up"));
        assert_eq!(table(&[], Time(0)), "nothing is to be done\n");
    }
}
