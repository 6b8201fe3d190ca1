//! The verbs, as they are typed; each is a file.

use crate::{bench_entry, reference, schemathesis, serve, sim, test, tidy, web};

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
    Reference(reference::Options),
    Schemathesis(schemathesis::Options),
    Sim(sim::SimOptions),
    Kills(sim::CountOptions),
    Disconnects(sim::CountOptions),
    Chorus(sim::ChorusOptions),
    Bench(bench_entry::Options),
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
            Verb::Reference(options) => reference::reference(&options),
            Verb::Schemathesis(options) => schemathesis::schemathesis(&options),
            Verb::Sim(options) => sim::sim(&options),
            Verb::Kills(options) => sim::kills(&options),
            Verb::Disconnects(options) => sim::disconnects(&options),
            Verb::Chorus(options) => sim::chorus(&options),
            Verb::Bench(options) => bench_entry::bench(&options),
        }
    }
}
