//! How soon a start is over, and what a server that nobody uses takes.

use std::time::{Duration, Instant};

use anyhow::bail;

use super::figures::Figures;
use super::machine;
use super::rest::Rest;
use super::system::{BOUND, Data, Kind, parlor};
use crate::process::Background;

const START: Duration = Duration::from_secs(10);
const SETTLE: Duration = Duration::from_secs(1);

/// One run: a start on a new folder, and one on a folder that was used.
pub(super) fn run(figures: &mut Figures) -> anyhow::Result<()> {
    let data = Data::new()?;
    let mut add = |what, unit, value| figures.add("start", Kind::Parlor.name(), what, unit, value);
    let (took, server) = start(&data)?;
    add("exec to ready, new folder", "ms", took);
    std::thread::sleep(SETTLE);
    let memory = machine::memory(server.id())?;
    add("user memory before the first login", "MiB", memory / 1024.0 / 1024.0);
    let memory = machine::memory_without_files(server.id())?;
    add("of it without the program's code", "MiB", memory / 1024.0 / 1024.0);
    server.stop();
    let (took, server) = start(&data)?;
    add("exec to ready", "ms", took);
    server.stop();
    Ok(())
}

/// Milliseconds from the start of the program until it says that it is ready.
fn start(data: &Data) -> anyhow::Result<(f64, Background)> {
    let mut command = machine::on_server_core(&parlor(data.path()))?;
    let began = Instant::now();
    let mut server = Background::start(&mut command)?;
    let address = server.wait_for(BOUND, START)?;
    let mut rest = Rest::connect(address.trim_end_matches('/').parse()?)?;
    while began.elapsed() < START {
        if let (200, _) = rest.get("/ready", "")? {
            return Ok((began.elapsed().as_secs_f64() * 1e3, server));
        }
    }
    bail!("never ready")
}
