//! What one node can do, as it stands in `docs/performance.md`: nobody types a figure twice.

use anyhow::{Context, bail};

/// Measured figures of one node on one core.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// Deliveries per second in a busy room, where many go out with one write.
    pub(crate) deliveries: f64,
    /// Microseconds of a core for a delivery there, and for one that goes out alone.
    pub(crate) together_us: f64,
    pub(crate) alone_us: f64,
    /// KiB of a connection that has joined and is silent.
    pub(crate) connection_kib: f64,
    /// Messages stored per second, many at a time; on PostgreSQL only where that was measured.
    pub(crate) sqlite: f64,
    pub(crate) postgres: Option<f64>,
}

/// Reads the tables.
pub(crate) fn read(text: &str) -> anyhow::Result<Measured> {
    let of = |section: &str, row: &str| {
        let (_, rest) = text.split_once(section).with_context(|| format!("no {section}"))?;
        first_cell(rest, row).with_context(|| format!("{section}: {row}"))
    };
    let one = |row: &str| of("| | Parlor |", row);
    Ok(Measured {
        deliveries: one("Fan-out, one room of 200, deliveries/s")?,
        together_us: one("… CPU per million deliveries")?,
        alone_us: one("… at 50 messages/s")?,
        connection_kib: one("Memory per idle connection, of 10,000")?,
        sqlite: one("Sends acknowledged/s, 50 clients, 20 at a time")?,
        postgres: of(
            "| | Parlor on PostgreSQL |",
            "Sends acknowledged/s, 50 clients, 20 at a time",
        )
        .ok(),
    })
}

/// The number in the first cell behind a row's name.
fn first_cell(table: &str, row: &str) -> anyhow::Result<f64> {
    let line = table.lines().find_map(|line| line.strip_prefix(&format!("| {row} | ")));
    let cell = line.and_then(|rest| rest.split(" |").next()).context("there is no such row")?;
    let (number, unit) = cell.trim().split_once(' ').unwrap_or((cell.trim(), ""));
    let times = match unit {
        "M" => 1e6,
        "k" => 1e3,
        "" | "s" | "KiB" | "ms" => 1.0,
        other => bail!("an unknown unit: {other}"),
    };
    Ok(number.parse::<f64>()? * times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_every_figure() {
        let path = crate::tree::root().join("docs/performance.md");
        let measured = read(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(measured.deliveries > 1e6 && measured.connection_kib > 1.0, "{measured:?}");
        assert!(measured.alone_us > measured.together_us, "{measured:?}");
        assert!(measured.sqlite > 1e3, "{measured:?}");
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        let table = "| a | 4.31 M | 1 k |\n| b | 0.24 s |\n| c | 4.30 KiB |\n";
        let cell = |row| first_cell(table, row).unwrap();
        assert_eq!((cell("a"), cell("b"), cell("c")), (4.31e6, 0.24, 4.30));
        assert!(first_cell(table, "d").is_err());
    }
}
