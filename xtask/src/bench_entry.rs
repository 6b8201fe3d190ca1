//! `cargo xtask bench`: hands over to an optimised build of this tool that has the benchmark in.
//! The benchmark's dependencies are no part of the build that every other verb waits for.

use std::ffi::OsString;

/// Measure a release build of the server against its targets: `cargo xtask bench --help`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// What to measure, and how.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// The verb.
#[cfg(not(feature = "bench"))]
pub(crate) fn bench(options: &Options) -> anyhow::Result<()> {
    let build = ["run", "--quiet", "--release", "--package", "xtask", "--features", "bench"];
    let mut command = crate::process::cargo(&build);
    crate::process::run(command.args(["--", "bench"]).args(&options.args))
}

/// The verb.
#[cfg(feature = "bench")]
pub(crate) fn bench(options: &Options) -> anyhow::Result<()> {
    crate::bench::bench(&options.args)
}
