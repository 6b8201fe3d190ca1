//! `cargo xtask <verb>`: everything that is done with the repository, one verb a file.
//!
//! It builds, checks, generates and measures. It refuses to hold anything that the product needs:
//! delete this folder and `parlor` still builds and runs.
#![expect(clippy::print_stdout, reason = "a command-line tool speaks on stdout")]
#![expect(clippy::disallowed_methods, reason = "a tool that times its steps reads the real clock")]

#[cfg(feature = "bench")]
mod bench;
mod bench_entry;
mod browser;
mod clients;
mod operate;
mod parts;
mod process;
mod python;
mod reference;
mod release;
mod rows;
mod scale;
mod schemathesis;
mod serve;
mod setup;
mod sim;
mod socketio;
mod steps;
mod storm;
mod test;
mod tidy;
mod tree;
mod trials;
mod uploads;
mod verb;
mod web;
mod wire_ts;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match verb::Verb::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why:#}");
            ExitCode::FAILURE
        }
    }
}
