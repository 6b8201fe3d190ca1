//! The binary `parlor-tui`: Parlor in a terminal.

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use parlor_tui::args::Args;
use parlor_tui::clean::clean_line;
use parlor_tui::program::talk;
use parlor_tui::run::RunError;

fn main() -> ExitCode {
    let args = Args::read();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(RunError::from)
        .and_then(|runtime| {
            let done = runtime.block_on(talk(args));
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // It may be the server that says this, and the terminal that is gone.
            let _ = writeln!(stderr(), "parlor-tui: {}", clean_line(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}
