//! The verbs, run: a runtime for each, its outcome as the process's status.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{self, Verb};
use crate::{
    Config, Running, SteadyClock, SystemClock, admin, backup, doctor, health, migrate, restore,
    shutdown, telemetry, tui,
};

/// Does what the command line asks for; what goes wrong is said on the standard error.
pub fn run() -> ExitCode {
    let done = match cli::read() {
        Ok(Verb::Serve(config)) => serve(*config),
        Ok(Verb::Health(config)) => health::health(&config),
        Ok(Verb::ConfigReference) => print(&cli::config_reference()),
        Ok(Verb::ConfigExample) => print(&cli::config_example()),
        Ok(Verb::Limits) => print(&cli::limits_reference()),
        Ok(Verb::Backup(given)) => once(backup::backup(*given, &SystemClock)),
        Ok(Verb::Restore(given)) => once(restore::restore(*given, &SystemClock)),
        Ok(Verb::Migrate(given)) => once(migrate::migrate(&given)),
        Ok(Verb::Admin(given)) => once(admin::admin(*given, &SystemClock)),
        Ok(Verb::Tui(given)) => tui::tui(&given),
        Ok(Verb::Doctor(given)) => return examine(*given),
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
    let done = runtime.block_on(async {
        let mut asked = shutdown::Asked::listen()?;
        let metrics = telemetry::metrics()?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let clock = Arc::new(SteadyClock::open(&config.data_dir));
        let running = Running::start(config, Arc::clone(&clock) as _, Some(metrics)).await?;
        print(&format!("listening on {scheme}://{}\n", running.address()))?;
        tokio::select! {
            () = asked.to_stop() => {}
            () = clock.watch() => {}
        }
        running.stop().await;
        Ok(())
    });
    // Nobody waits for a picture that is still being drawn: nothing of it counts yet.
    runtime.shutdown_background();
    done
}

/// Runs a verb that ends by itself, and prints what it did.
fn once(verb: impl Future<Output = anyhow::Result<String>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    print(&runtime.block_on(verb)?)
}

/// The doctor's status says how bad it is.
fn examine(options: doctor::Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let report = match runtime {
        Ok(runtime) => runtime.block_on(doctor::doctor(options, &SystemClock)),
        Err(error) => doctor::Report::failed(&error),
    };
    match print(&report.text) {
        Ok(()) => ExitCode::from(report.status),
        Err(_) => ExitCode::FAILURE,
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
