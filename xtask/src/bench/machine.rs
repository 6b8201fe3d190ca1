//! What the benchmark asks of the machine: a core to run on, enough descriptors, and what a
//! process has used of both time and memory. Linux only; nothing of ours is known here.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::{CpuSet, sched_setaffinity};

/// The core that servers run on.
pub(super) const SERVER_CORE: usize = 0;
/// The core that the load runs on.
pub(super) const LOAD_CORE: usize = 1;

/// Keeps this thread, and what it starts from now on, on one core, where there are two; and, where
/// we may, before whatever else the machine is doing.
pub(super) fn pin(core: usize) -> anyhow::Result<()> {
    // The kernel weighs sessions against each other, not only processes.
    let _ = std::fs::write("/proc/self/autogroup", "-15");
    if cores() < 2 {
        return Ok(());
    }
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).context("failed to choose a core")
}

/// Lets this thread, and what it starts from now on, run wherever there is room.
pub(super) fn unpin() -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    (0..cores()).for_each(|core| set.set(core));
    sched_setaffinity(None, &set).context("failed to choose all cores")
}

/// Waits until no other benchmark runs on this machine; none starts while the result lives.
pub(super) fn alone() -> anyhow::Result<File> {
    let path = std::env::temp_dir().join("parlor-bench.lock");
    let lock = File::options().create(true).append(true).open(path)?;
    if lock.try_lock().is_err() {
        println!("another benchmark is running: waiting for its end");
        lock.lock()?;
    }
    Ok(lock)
}

/// As many open files as the machine lets us have.
pub(super) fn raise_descriptors() -> anyhow::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// `command` as it is started on the servers' core.
pub(super) fn on_server_core(command: &Command) -> anyhow::Result<Command> {
    let mut pinned = Command::new(std::env::current_exe()?);
    pinned.args(["bench", "pinned"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => pinned.env(name, value),
            None => pinned.env_remove(name),
        };
    }
    Ok(pinned)
}

/// The other side of [`on_server_core`]: becomes the command.
pub(super) fn become_pinned(command: &[OsString]) -> anyhow::Result<()> {
    let [program, args @ ..] = command else { bail!("nothing to run") };
    // However the benchmark ends, its servers end with it.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    raise_descriptors()?;
    pin(SERVER_CORE)?;
    Err(Command::new(program).args(args).exec().into())
}

/// Seconds of processor time that a process has used so far.
pub(super) fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    times(process).map(|[user, system]| user + system)
}

/// The same of everything that we have started and what that has started, ourselves left out.
pub(super) fn cpu_seconds_below() -> anyhow::Result<f64> {
    let own = std::process::id();
    let below = family()?.into_iter().filter(|process| *process != own);
    Ok(below.filter_map(|process| cpu_seconds(process).ok()).sum())
}

/// Seconds in a process's own code, and in the kernel for it; with what it had waited for.
fn times(process: u32) -> anyhow::Result<[f64; 2]> {
    let ticks = fields(process)?;
    let ticks: Vec<_> = ticks.iter().skip(11).take(4).filter_map(|it| seconds(it)).collect();
    let [user, system, of_children, of_children_system] = ticks[..] else {
        bail!("no times in /proc/{process}/stat");
    };
    Ok([user + of_children, system + of_children_system])
}

/// What stands behind the name in `/proc/PID/stat`.
fn fields(process: u32) -> anyhow::Result<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(") ").context("an unreadable /proc/PID/stat")?.1;
    Ok(after_name.split(' ').map(str::to_owned).collect())
}

/// This process and everything below it.
fn family() -> anyhow::Result<Vec<u32>> {
    let all = std::fs::read_dir("/proc")?.flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Who ends meanwhile is nobody's child.
    let parent = |process: u32| fields(process).ok()?.get(1)?.parse::<u32>().ok();
    let born: Vec<(u32, u32)> = all.filter_map(|id| Some((id, parent(id)?))).collect();
    let mut family = vec![std::process::id()];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(born.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id));
        at += 1;
    }
    Ok(family)
}

fn seconds(ticks: &str) -> Option<f64> {
    let ticks: u64 = ticks.parse().ok()?;
    Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Looks at what everybody else does with the machine while we measure.
pub(super) struct Watch {
    since: Instant,
    before: f64,
}

impl Watch {
    /// From now on; what we have started is not anybody else.
    pub(super) fn start() -> anyhow::Result<Self> {
        let before = others()?;
        Ok(Self { since: Instant::now(), before })
    }

    /// How many cores the others have used since, on average.
    pub(super) fn cores(&self) -> anyhow::Result<f64> {
        Ok((others()? - self.before) / self.since.elapsed().as_secs_f64())
    }
}

/// Seconds of code that was not ours, so far. What the kernel did is left out: it cannot be told
/// for whom.
fn others() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let all: f64 = stat.split_ascii_whitespace().skip(1).take(2).filter_map(seconds).sum();
    let ours = family()?.into_iter().filter_map(|process| times(process).ok());
    Ok(all - ours.map(|[user, _]| user).sum::<f64>())
}

/// More than this, and a figure says as much about the others as about us.
pub(super) const DISTURBED: f64 = 0.3;

/// Waits until the machine has little else to do; not for ever, since it may never be so.
pub(super) fn wait_for_quiet() -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_millis(250);
    const LOOKS: usize = 20;
    for _ in 0..LOOKS {
        let watch = Watch::start()?;
        std::thread::sleep(LOOK);
        if watch.cores()? < DISTURBED {
            break;
        }
    }
    Ok(())
}

/// Bytes of user memory of a process; what it shares is counted in part.
pub(super) fn memory(process: u32) -> anyhow::Result<f64> {
    share(process, "Pss:")
}

/// Of these, what is no part of a file: without the program's own code.
pub(super) fn memory_without_files(process: u32) -> anyhow::Result<f64> {
    share(process, "Pss_Anon:")
}

fn share(process: u32, of: &str) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(of)).context("no such share")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0)
}

/// What the figures were measured on, in one line.
pub(super) fn description() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(": ")).map_or("?", |(_, name)| name);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{} × {model}, Linux {}, load before {load}", cores(), kernel.trim())
}

/// All of the machine's, also those that we are kept from.
fn cores() -> usize {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines().filter(|line| line.starts_with("processor")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_is_found_below_us() {
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let found = family().unwrap();
        assert!(found.contains(&std::process::id()) && found.contains(&child.id()));
        assert!(!found.contains(&1) || std::process::id() == 1, "not everybody is ours");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(cpu_seconds_below().is_ok_and(|seconds| seconds >= 0.0));
    }

    #[test]
    fn our_own_time_and_memory_can_be_read() {
        let id = std::process::id();
        assert!(cpu_seconds(id).is_ok_and(|seconds| seconds >= 0.0));
        assert!(memory(id).is_ok_and(|bytes| bytes > 100_000.0));
    }
}
