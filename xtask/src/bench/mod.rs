//! `cargo xtask bench`: the server against its targets, its peers and the limits of the machine.
//!
//! Servers run alone on one core, the load on another; everything is loopback and ends by itself.
//! Runs of the servers take turns, and the median counts. What was acknowledged is looked for in
//! the database after every run; a run with a fault in it is no run.

mod acks;
mod ceiling;
mod codec;
mod commit;
mod crowd;
mod decay;
mod dialect;
mod doors;
mod fanout;
mod figures;
mod frames;
mod idle;
mod ledger;
mod lighthouse;
mod machine;
mod pages;
mod rest;
mod search;
mod start;
mod storm;
mod swarm;
mod system;
mod town;
mod tui;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use figures::Figures;
use system::{Kind, System};

/// Measure a release build of the server against its targets.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Options {
    /// What to measure; everything when none is named.
    #[arg(ignore_case = true)]
    scenarios: Vec<Scenario>,
    /// How often; the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// How long one load lasts.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// S2: ask for this many deliveries per second, and search for no higher rate.
    #[arg(long)]
    rate: Option<f64>,
    /// Write all figures to this file, too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Measure others' servers as well (needs Node, or Python).
    #[arg(long)]
    peers: bool,
    /// Measure the server that was built last.
    #[arg(long)]
    no_build: bool,
    /// Measure only these servers.
    #[arg(long, value_delimiter = ',')]
    servers: Vec<Kind>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Scenario {
    /// Idle connections.
    S1,
    /// Fan-out in one room.
    S2,
    /// Fan-out in many rooms.
    S2Rooms,
    /// Acknowledged sends.
    S3,
    /// Pages of history.
    S4,
    /// Everybody reconnects.
    S5,
    /// Fan-out in one room and acknowledged sends, on PostgreSQL and Redis.
    Postgres,
    /// Searches in a million messages, on both stores.
    Search,
    /// Sends that decay, and a million messages that are due at once.
    Decay,
    /// What a delivery costs at each door.
    Doors,
    /// Size and speed of an event's two forms.
    Codec,
    /// Start-up, and memory at rest.
    Start,
    /// The terminal client's first screen.
    Tui,
    /// The web client's page, in Lighthouse (needs Node and Chromium).
    Page,
}

/// The verb, and the two parts that it starts as programs of their own.
pub(crate) fn bench(args: &[OsString]) -> anyhow::Result<()> {
    match args {
        [verb, command @ ..] if verb == "pinned" => machine::become_pinned(command),
        [verb, mode] if verb == "ceiling" => ceiling::serve(mode == "coalesce"),
        args => {
            measure(&Options::parse_from(std::iter::once(&OsString::from("bench")).chain(args)))
        }
    }
}

fn measure(options: &Options) -> anyhow::Result<()> {
    let kinds = options.kinds();
    system::prepare(&kinds, options.no_build)?;
    if options.scenarios().contains(&Scenario::Tui) && !options.no_build {
        tui::prepare()?;
    }
    let _alone = machine::alone()?;
    let machine = machine::description();
    println!("{machine}");
    machine::raise_descriptors()?;
    machine::pin(machine::LOAD_CORE)?;
    let mut figures = Figures::default();
    let wanted = |scenario: &&Scenario| options.scenarios().contains(scenario);
    let mut faults = Vec::new();
    let load = Load { seconds: options.seconds, rate: options.rate };
    for run in 1..=options.runs {
        for scenario in Scenario::value_variants().iter().filter(wanted) {
            println!("run {run}");
            scenario.run(load, &kinds, &mut figures, &mut faults);
        }
    }
    println!("\n{machine}\n\n{}", figures.table());
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&figures.json(&machine))?;
        std::fs::write(path, text + "\n").with_context(|| format!("{}", path.display()))?;
    }
    anyhow::ensure!(faults.is_empty(), "runs without a figure: {}", faults.join("; "));
    Ok(())
}

/// How much is asked of a server.
#[derive(Clone, Copy)]
struct Load {
    seconds: f64,
    /// Deliveries per second; found by searching when not given.
    rate: Option<f64>,
}

impl Options {
    fn scenarios(&self) -> &[Scenario] {
        match &self.scenarios[..] {
            [] => Scenario::value_variants(),
            some => some,
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        let mut kinds = self.servers.clone();
        if kinds.is_empty() {
            kinds = vec![Kind::Parlor, Kind::Coalesce, Kind::Each, Kind::ParlorPostgres];
        }
        if self.peers {
            let others = [Kind::Socketio, Kind::ParlorSocketio, Kind::Fastapi];
            kinds.extend(others.into_iter().filter(|kind| !self.servers.contains(kind)));
        }
        // What no scenario concerns need not be built or installed.
        let scenarios = self.scenarios();
        kinds.retain(|kind| scenarios.iter().any(|scenario| scenario.concerns(*kind)));
        kinds
    }
}

impl Scenario {
    /// The scenario on every server; a fault of one does not stop the others.
    fn run(self, load: Load, kinds: &[Kind], figures: &mut Figures, faults: &mut Vec<String>) {
        let mut note = |name: &str, result: anyhow::Result<()>| {
            if let Err(why) = result {
                println!("  {name}: {why:#}");
                faults.push(format!("{name}: {why:#}"));
            }
        };
        for kind in kinds.iter().filter(|kind| self.concerns(**kind)) {
            note(kind.name(), self.run_on(*kind, load, figures));
        }
        if self == Scenario::S3 {
            for shape in [acks::ONE_EACH, acks::TWENTY_EACH] {
                note("bare group commit", acks::run_bare(&shape, load.seconds, figures));
            }
        }
    }

    /// A bare broadcaster has no history, and one of them is enough where nothing is fanned out.
    fn concerns(self, kind: Kind) -> bool {
        match self {
            Scenario::Search => matches!(kind, Kind::Parlor | Kind::ParlorPostgres),
            Scenario::Postgres => kind.has_parts(),
            Scenario::Decay => kind == Kind::Parlor,
            _ if kind.has_parts() => false,
            Scenario::S2 | Scenario::S2Rooms => true,
            Scenario::Doors => matches!(kind, Kind::Parlor | Kind::Socketio),
            Scenario::S1 => kind != Kind::Each,
            Scenario::S3 | Scenario::S5 => !matches!(kind, Kind::Each | Kind::ParlorSocketio),
            Scenario::S4 | Scenario::Codec | Scenario::Start | Scenario::Tui | Scenario::Page => {
                kind == Kind::Parlor
            }
        }
    }

    fn run_on(self, kind: Kind, load: Load, figures: &mut Figures) -> anyhow::Result<()> {
        machine::wait_for_quiet()?;
        match self {
            Scenario::S1 => idle::run(System::start(kind)?, figures),
            Scenario::S2 => fanout::run(System::start(kind)?, &fanout::ONE_ROOM, load, figures),
            Scenario::S2Rooms => {
                fanout::run(System::start(kind)?, &fanout::MANY_ROOMS, load, figures)
            }
            Scenario::S3 => sends(kind, load, figures),
            Scenario::Postgres => {
                sends(kind, load, figures)?;
                fanout::run(System::start(kind)?, &fanout::ONE_ROOM, load, figures)
            }
            Scenario::Search => search::run(System::start(kind)?, figures),
            Scenario::Decay => decay::run(kind, load.seconds, figures),
            Scenario::S4 => pages::run(System::start(kind)?, load.seconds, figures),
            Scenario::S5 => storm::run(System::start(kind)?, figures),
            // At so low a rate it takes longer until the clock has enough ticks to count.
            Scenario::Doors => doors::run(&System::start(kind)?, load.seconds * 3.0, figures),
            Scenario::Codec => codec::run(figures),
            Scenario::Start => start::run(figures),
            Scenario::Tui => tui::run(figures),
            Scenario::Page => lighthouse::run(figures),
        }
    }
}

/// Acknowledged sends in both shapes, each on a server of its own.
fn sends(kind: Kind, load: Load, figures: &mut Figures) -> anyhow::Result<()> {
    for shape in [acks::ONE_EACH, acks::TWENTY_EACH] {
        acks::run(System::start(kind)?, &shape, load.seconds, figures)?;
    }
    Ok(())
}
