//! Figures of all runs: their medians, the targets they are held against, a table and JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::system::Kind;

/// Everything that was measured.
#[derive(Default)]
pub(super) struct Figures {
    rows: Vec<Row>,
}

/// One thing measured on one server, once a run.
struct Row {
    scenario: &'static str,
    what: &'static str,
    system: &'static str,
    unit: &'static str,
    runs: Vec<f64>,
}

/// What a figure must reach.
pub(super) struct Target {
    pub(super) name: &'static str,
    scenario: &'static str,
    /// Whose figure.
    of: &'static str,
    what: &'static str,
    bound: Bound,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// So many times the figure of another server in the same session.
    TimesAtLeast(f64, &'static str),
    TimesAtMost(f64, &'static str),
}

const fn target(
    name: &'static str,
    scenario: &'static str,
    what: &'static str,
    bound: Bound,
) -> Target {
    Target { name, scenario, of: PARLOR, what, bound }
}

/// What a delivery at a door may cost, compared with another.
const fn door(of: &'static str, times: f64, than: &'static str) -> Target {
    let bound = Bound::TimesAtMost(times, than);
    Target { name: "doors", scenario: "doors", of, what: CPU_STEADY, bound }
}

const PARLOR: &str = Kind::Parlor.name();
const SOCKETIO: &str = Kind::Socketio.name();
const COALESCE: &str = Kind::Coalesce.name();
const EACH: &str = Kind::Each.name();
const FASTAPI: &str = Kind::Fastapi.name();

/// How long a search may take when the server is half busy.
const fn search(of: &'static str) -> Target {
    Target { name: "search", scenario: "search", of, what: P99_HALF, bound: Bound::AtMost(50.0) }
}

/// What Parlor on PostgreSQL and Redis is to be beside a plain server on the same two.
const fn on_postgres(scenario: &'static str, what: &'static str) -> Target {
    let bound = Bound::TimesAtLeast(5.0, FASTAPI);
    Target { name: "PostgreSQL", scenario, of: Kind::ParlorPostgres.name(), what, bound }
}

/// What the door for Socket.IO is to be, beside Socket.IO's own server.
const BY_SOCKET_IO: Target = Target {
    name: "Socket.IO",
    scenario: "S2 200",
    of: Kind::ParlorSocketio.name(),
    what: CPU_STEADY,
    bound: Bound::TimesAtMost(0.5, SOCKETIO),
};

pub(super) const DELIVERIES: &str = "deliveries per second, p99 < 100 ms";
pub(super) const CPU: &str = "CPU per 1M deliveries";
pub(super) const CPU_STEADY: &str = "CPU per 1M deliveries at 50 messages/s";
pub(super) const P99_HALF: &str = "p99 at half of that rate";
pub(super) const MEMORY: &str = "user memory per idle connection";
pub(super) const ACKS: &str = "acknowledged per second";
pub(super) const PAGES: &str = "pages per second";
pub(super) const BACK: &str = "clients back per second";
pub(super) const P50: &str = "p50";
pub(super) const P99: &str = "p99";
pub(super) const FIRST_SCREEN: &str = "exec to first screen, 100 rooms and 105,000 messages";

/// The page of a room, on two sizes of screen, and what Lighthouse says of it.
pub(super) const DESKTOP: &str = "page, desktop";
pub(super) const PHONE: &str = "page, phone";
pub(super) const PERFORMANCE: &str = "performance";
pub(super) const ACCESSIBILITY: &str = "accessibility";
pub(super) const BEST_PRACTICES: &str = "best practices";
pub(super) const LARGEST_PAINT: &str = "largest paint";
pub(super) const INTERACTIVE: &str = "interactive";
pub(super) const BLOCKED: &str = "blocked";
pub(super) const LAYOUT_SHIFT: &str = "layout shift";

/// The doors, as they stand in tables.
pub(super) const SOCKET: &str = "our socket";
pub(super) const STREAM: &str = "our event stream";
pub(super) const SOCKET_IO: &str = "our Socket.IO";
pub(super) const REI: &str = "Rei's socket";
pub(super) const SHH: &str = "shh's socket";
pub(super) const MRSAMBOSK: &str = "Mrsambosk's socket";
pub(super) const GROUPS: &str = "Chat Room API's stream";

/// The targets of the design.
const TARGETS: [Target; 43] = [
    target("T1", "S2 200", DELIVERIES, Bound::AtLeast(1e6)),
    target("T1", "S2 200", DELIVERIES, Bound::TimesAtLeast(10.0, SOCKETIO)),
    target("T1", "S2 200", DELIVERIES, Bound::TimesAtLeast(0.125, COALESCE)),
    target("T2", "S2 200", CPU_STEADY, Bound::TimesAtMost(1.5, EACH)),
    target("T3", "S2 200×10", DELIVERIES, Bound::AtLeast(3e5)),
    target("T3", "S2 200×10", DELIVERIES, Bound::TimesAtLeast(3.0, SOCKETIO)),
    BY_SOCKET_IO,
    target("T4", "S2 200", P99_HALF, Bound::AtMost(15.0)),
    target("T5", "S1", MEMORY, Bound::AtMost(6.0)),
    target("T6", "S3 50×1", ACKS, Bound::AtLeast(8_000.0)),
    target("T6", "S3 50×1", P99, Bound::AtMost(20.0)),
    target("T7", "S3 50×20", ACKS, Bound::AtLeast(25_000.0)),
    target("T8", "S4", PAGES, Bound::AtLeast(7_000.0)),
    target("T8", "S4", P99, Bound::AtMost(5.0)),
    target("T9", "S5", BACK, Bound::AtLeast(3_000.0)),
    target("T9", "S5", BACK, Bound::TimesAtLeast(1.5, SOCKETIO)),
    target("T9", "S5", P99, Bound::AtMost(1_500.0)),
    door(REI, 1.3, SOCKET),
    door(SHH, 1.3, SOCKET),
    door(MRSAMBOSK, 1.3, SOCKET),
    door(STREAM, 2.0, SOCKET),
    door(GROUPS, 2.0, SOCKET),
    door(SOCKET_IO, 0.5, SOCKETIO),
    on_postgres("S2 200", DELIVERIES),
    on_postgres("S3 50×1", ACKS),
    on_postgres("S3 50×20", ACKS),
    search(PARLOR),
    search(Kind::ParlorPostgres.name()),
    target("start", "start", "exec to ready", Bound::AtMost(150.0)),
    target("start", "start", "user memory before the first login", Bound::AtMost(20.0)),
    target("tui", "tui", FIRST_SCREEN, Bound::AtMost(200.0)),
    target("page", DESKTOP, PERFORMANCE, Bound::AtLeast(95.0)),
    target("page", DESKTOP, ACCESSIBILITY, Bound::AtLeast(100.0)),
    target("page", DESKTOP, BEST_PRACTICES, Bound::AtLeast(100.0)),
    target("page", DESKTOP, LARGEST_PAINT, Bound::AtMost(0.8)),
    target("page", DESKTOP, INTERACTIVE, Bound::AtMost(1.0)),
    target("page", DESKTOP, LAYOUT_SHIFT, Bound::AtMost(0.02)),
    target("page", PHONE, PERFORMANCE, Bound::AtLeast(85.0)),
    target("page", PHONE, ACCESSIBILITY, Bound::AtLeast(100.0)),
    target("page", PHONE, LARGEST_PAINT, Bound::AtMost(2.5)),
    target("page", PHONE, INTERACTIVE, Bound::AtMost(3.0)),
    target("page", PHONE, BLOCKED, Bound::AtMost(300.0)),
    target("page", PHONE, LAYOUT_SHIFT, Bound::AtMost(0.02)),
];

impl Figures {
    /// One more run of a figure.
    pub(super) fn add(
        &mut self,
        scenario: &'static str,
        system: &'static str,
        what: &'static str,
        unit: &'static str,
        value: f64,
    ) {
        println!("  {scenario} {system}: {what} {} {unit}", shown(value));
        let same =
            |row: &&mut Row| (row.scenario, row.system, row.what) == (scenario, system, what);
        match self.rows.iter_mut().find(same) {
            Some(row) => row.runs.push(value),
            None => self.rows.push(Row { scenario, what, system, unit, runs: vec![value] }),
        }
    }

    fn median(&self, scenario: &str, system: &str, what: &str) -> Option<f64> {
        let row = self
            .rows
            .iter()
            .find(|row| (row.scenario, row.system, row.what) == (scenario, system, what));
        row.map(|row| median(&row.runs))
    }

    /// The wanted value of a target, and whether it is met; none if it was not measured.
    fn judge(&self, target: &Target) -> Option<(String, bool)> {
        let ours = self.median(target.scenario, target.of, target.what)?;
        let of = |than: &str| self.median(target.scenario, than, target.what);
        Some(match target.bound {
            Bound::AtLeast(least) => (format!("≥ {}", shown(least)), ours >= least),
            Bound::AtMost(most) => (format!("≤ {}", shown(most)), ours <= most),
            Bound::TimesAtLeast(times, than) => {
                let ratio = ours / of(than)?;
                (format!("≥ {times} × {than}: {ratio:.2} ×"), ratio >= times)
            }
            Bound::TimesAtMost(times, than) => {
                let ratio = ours / of(than)?;
                (format!("≤ {times} × {than}: {ratio:.2} ×"), ratio <= times)
            }
        })
    }

    /// Markdown: what was measured, and what that means.
    pub(super) fn table(&self) -> String {
        let mut text =
            "| Scenario | Figure | Server | Median | Runs |\n|---|---|---|---|---|\n".to_owned();
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|row| (row.scenario, row.what, row.system));
        for Row { scenario, what, system, unit, runs } in rows {
            let all: Vec<_> = runs.iter().map(|run| shown(*run)).collect();
            let (middle, all) = (shown(median(runs)), all.join(", "));
            let _ = writeln!(text, "| {scenario} | {what} | {system} | {middle} {unit} | {all} |");
        }
        text += "\n| Target | Figure | Wanted | Measured | |\n|---|---|---|---|---|\n";
        for target in &TARGETS {
            let Some((wanted, met)) = self.judge(target) else {
                continue;
            };
            let ours = self.median(target.scenario, target.of, target.what);
            let ours = ours.map(shown).unwrap_or_default();
            let word = if met { "met" } else { "**missed**" };
            let Target { name, scenario, of, what, .. } = target;
            let whose = if *of == PARLOR { String::new() } else { format!("{of}: ") };
            let _ = writeln!(
                text,
                "| {name} | {scenario}: {whose}{what} | {wanted} | {ours} | {word} |"
            );
        }
        text
    }

    /// Everything, for machines.
    pub(super) fn json(&self, machine: &str) -> Value {
        let row = |row: &Row| {
            json!({
                "scenario": row.scenario, "figure": row.what, "server": row.system,
                "unit": row.unit, "median": median(&row.runs), "runs": row.runs,
            })
        };
        let verdict = |target: &Target| {
            let (wanted, met) = self.judge(target)?;
            let Target { name, scenario, what, .. } = target;
            let all = json!({
                "target": name, "scenario": scenario, "figure": what, "wanted": wanted, "met": met,
            });
            Some(all)
        };
        json!({
            "machine": machine,
            "figures": self.rows.iter().map(row).collect::<Vec<_>>(),
            "targets": TARGETS.iter().filter_map(verdict).collect::<Vec<_>>(),
        })
    }
}

/// The middle one; of an even number the lower of the two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which the given share of all lies; sorts what it is given.
pub(super) fn quantile(values: &mut [u32], share: f64) -> f64 {
    values.sort_unstable();
    let at = (values.len() as f64 * share) as usize;
    values.get(at.min(values.len().saturating_sub(1))).map_or(f64::NAN, |value| f64::from(*value))
}

/// Three digits that mean something.
fn shown(value: f64) -> String {
    match value.abs() {
        1e6.. => format!("{:.2}M", value / 1e6),
        1e4.. => format!("{:.0}k", value / 1e3),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[3.0, 1.0]), 1.0);
        assert_eq!(quantile(&mut [4, 1, 3, 2], 0.5), 3.0);
        assert_eq!(quantile(&mut [4, 1, 3, 2], 0.99), 4.0);
    }

    #[test]
    fn a_target_is_judged_by_medians_of_the_same_session() {
        let mut figures = Figures::default();
        for value in [2e6, 9e5, 1.5e6] {
            figures.add("S2 200", Kind::Parlor.name(), DELIVERIES, "/s", value);
        }
        figures.add("S2 200", Kind::Socketio.name(), DELIVERIES, "/s", 2e5);
        let table = figures.table();
        assert!(table.contains("| ≥ 1.00M | 1.50M | met |"), "{table}");
        assert!(table.contains("| ≥ 10 × Socket.IO: 7.50 × | 1.50M | **missed** |"), "{table}");
        assert!(!table.contains("T5"), "what was not measured is not judged");
    }
}
