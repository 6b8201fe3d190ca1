//! The verbs, as they are typed; each is a file.

use crate::{
    bench_entry, operate, parts, process, reference, release, scale, schemathesis, serve, sim,
    storm, test, tidy, trials, uploads, web,
};

/// The tasks of the Parlor repository.
#[derive(clap::Parser)]
#[command(bin_name = "cargo xtask")]
pub(crate) enum Verb {
    Web(web::Options),
    Serve(serve::Options),
    Test(test::Options),
    /// What .ci/run does: every test and check, and nothing may be missing.
    Ci,
    /// Check the rules of the house: imports, sizes, words, names.
    Tidy,
    Parts(parts::Options),
    Reference(reference::Options),
    /// Build a `parlor` that runs on any Linux with glibc 2.28 or later.
    Release,
    Schemathesis(schemathesis::Options),
    Sim(sim::SimOptions),
    Kills(sim::CountOptions),
    Disconnects(sim::CountOptions),
    Chorus(sim::ChorusOptions),
    Storm(storm::Options),
    Moves(operate::MovesOptions),
    Backups(operate::BackupsOptions),
    Deadlines(operate::DeadlinesOptions),
    Markers(operate::MarkersOptions),
    Uploads(uploads::Options),
    Trials(trials::Options),
    /// Kill the server in the middle of every step of its schema.
    Upgrades,
    Bench(bench_entry::Options),
    Scale(scale::Options),
    /// Replay the Dockerfile, everything compiled, and run the image that comes of it.
    Image,
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Verb::Web(options) => web::web(&options),
            Verb::Serve(options) => serve::serve(&options),
            Verb::Test(options) => test::test(&options),
            Verb::Ci => test::ci(),
            Verb::Tidy => tidy::tidy(),
            Verb::Parts(options) => parts::parts(&options),
            Verb::Reference(options) => reference::reference(&options),
            Verb::Release => release::release(),
            Verb::Schemathesis(options) => schemathesis::schemathesis(&options),
            Verb::Sim(options) => sim::sim(&options),
            Verb::Kills(options) => sim::kills(&options),
            Verb::Disconnects(options) => sim::disconnects(&options),
            Verb::Chorus(options) => sim::chorus(&options),
            Verb::Storm(options) => storm::storm(&options),
            Verb::Moves(options) => operate::moves(&options),
            Verb::Backups(options) => operate::backups(&options),
            Verb::Deadlines(options) => operate::deadlines(&options),
            Verb::Markers(options) => operate::markers(&options),
            Verb::Uploads(options) => uploads::uploads(&options),
            Verb::Trials(options) => trials::trials(&options),
            Verb::Upgrades => process::run(&mut operate::upgrades()),
            Verb::Bench(options) => bench_entry::bench(&options),
            Verb::Scale(options) => scale::scale(&options),
            Verb::Image => sim::image(),
        }
    }
}
