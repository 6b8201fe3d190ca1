//! The binary `parlor`.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use parlor_server::cli::{self, Verb};
use parlor_server::{Config, Running, SystemClock, shutdown, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match cli::read() {
        Ok(Verb::Serve(config)) => serve(*config),
        Ok(Verb::ConfigReference) => print(&cli::config_reference()),
        Ok(Verb::Limits) => print(&cli::limits_reference()),
        Err(faults) => Err(faults.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "parlor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> anyhow::Result<()> {
    // Huge pages would make thirty megabytes of ten: most connections are small and idle. A
    // kernel without the switch is as good.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    telemetry::log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let metrics = telemetry::metrics()?;
        let running = Running::start(config, Arc::new(SystemClock), Some(metrics)).await?;
        print(&format!("listening on http://{}\n", running.address()))?;
        shutdown::signalled().await;
        running.stop().await;
        Ok(())
    })
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
