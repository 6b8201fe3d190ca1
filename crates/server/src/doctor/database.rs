//! The database, and whether the clocks agree with what is stored.

use parlor_app::Hidden;
use parlor_domain::Time;
use parlor_store::{Health, StoreError, postgres, sqlite};

use super::Check;
use crate::config::Config;
use crate::manifest::SQLITE;

const NAME: &str = "database";

/// Messages behind which the index may be without anybody noticing: a search looks at them itself.
const UNINDEXED_MAX: i64 = 10_000;

/// How far two clocks may be apart, and the earliest that a clock can be right: this program is no
/// older. Microseconds.
const APART_MAX: i64 = 5_000_000;
const EARLIEST: i64 = 1_767_225_600_000_000;

/// The database, its schema, its index, and the clocks.
pub(super) async fn check(config: &Config, now: Time) -> Vec<Check> {
    let health = match &config.database_url {
        Some(url) => examine_postgres(url).await,
        None => examine_sqlite(config).await,
    };
    let health = match health {
        Ok(health) => health,
        Err(check) => return vec![check, clock(None, now)],
    };
    let mut checks = vec![soundness(&health, config.database_url.is_some()), schema(&health)];
    if health.schema > 0 {
        checks.push(index(&health));
    }
    checks.push(clock(Some(&health), now));
    checks
}

async fn examine_sqlite(config: &Config) -> Result<Health, Check> {
    let path = config.data_dir.join(SQLITE);
    if !path.is_file() {
        let found = format!("{} is not there", path.display());
        return Err(Check::warn(NAME, found, "parlor serve makes it; or restore a backup"));
    }
    let examined = tokio::task::spawn_blocking(move || sqlite::health::examine(&path)).await;
    let unread = |error: &dyn std::fmt::Display| {
        Check::bad(NAME, error.to_string(), "restore the last backup, beside the damaged one")
    };
    examined.map_err(|error| unread(&error))?.map_err(|error| unread(&error))
}

async fn examine_postgres(url: &Hidden) -> Result<Health, Check> {
    let timed = tokio::time::timeout(super::PATIENCE, postgres::health::examine(url.expose()));
    let Ok(examined) = timed.await else {
        let advice = "look at the database's own log, and whether it is reached from here";
        return Err(Check::bad(NAME, "does not answer", advice));
    };
    examined.map_err(|error: StoreError| {
        Check::bad(NAME, error.to_string(), "check database_url, and that PostgreSQL runs")
    })
}

fn soundness(health: &Health, remote: bool) -> Check {
    if let Some(damage) = &health.damage {
        let advice = "stop the server, keep the file, restore the last backup into another folder";
        return Check::bad(NAME, format!("damaged: {damage}"), advice);
    }
    if let Some(setting) = &health.unsafe_setting {
        return Check::bad(NAME, setting, "set it as PostgreSQL has it by itself, and reload");
    }
    let found = if remote { "reached, durable settings" } else { "opens, and is sound" };
    Check::ok(NAME, found)
}

fn schema(health: &Health) -> Check {
    const NAME: &str = "schema";
    let Health { schema, newest, .. } = health;
    if health.half_moved {
        let advice = "run the same parlor migrate again";
        return Check::bad(NAME, "a move into the database is not finished", advice);
    }
    let found = format!("{schema} of {newest}");
    match schema.cmp(newest) {
        std::cmp::Ordering::Equal => Check::ok(NAME, found),
        std::cmp::Ordering::Less => {
            Check::warn(NAME, found, "back up; then parlor serve brings it up to date")
        }
        std::cmp::Ordering::Greater => Check::bad(
            NAME,
            found,
            "a newer version has written it: use that version, or restore a backup from before",
        ),
    }
}

fn index(health: &Health) -> Check {
    const NAME: &str = "search index";
    let found = format!("{} messages behind", health.unindexed);
    if health.unindexed > UNINDEXED_MAX {
        let advice = "a running server catches up by itself; if it does not, look at its log";
        return Check::warn(NAME, found, advice);
    }
    Check::ok(NAME, found)
}

fn clock(health: Option<&Health>, now: Time) -> Check {
    const NAME: &str = "clock";
    const ADVICE: &str = "let the machine keep its time by NTP";
    if now.0 < EARLIEST {
        return Check::bad(NAME, "is before this program was made", ADVICE);
    }
    let last = health.and_then(|health| health.last_sent_at);
    if let Some(last) = last.filter(|last| *last > now.0 + APART_MAX) {
        let found = format!("is {} s behind the last message", (last - now.0) / 1_000_000);
        return Check::bad(NAME, found, ADVICE);
    }
    let other = health.and_then(|health| health.clock);
    if let Some(other) = other.filter(|other| (other - now.0).abs() > APART_MAX) {
        let found = format!("is {} s from the database's", (other - now.0) / 1_000_000);
        return Check::warn(NAME, found, ADVICE);
    }
    Check::ok(NAME, "agrees with what is stored")
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn health() -> Health {
        Health {
            schema: 5,
            newest: 5,
            half_moved: false,
            damage: None,
            unsafe_setting: None,
            unindexed: 0,
            last_sent_at: None,
            clock: None,
        }
    }

    #[test]
    fn every_kind_of_trouble_is_told_apart() {
        let now = Time(EARLIEST + 1_000_000_000);
        let level = |check: Check| check.level;
        assert_eq!(level(schema(&health())), Level::Ok);
        assert_eq!(level(schema(&Health { schema: 4, ..health() })), Level::Warn);
        assert_eq!(level(schema(&Health { schema: 6, ..health() })), Level::Bad);
        assert_eq!(level(schema(&Health { half_moved: true, ..health() })), Level::Bad);
        assert_eq!(level(index(&Health { unindexed: 10_001, ..health() })), Level::Warn);
        let damaged = Health { damage: Some("row 7".into()), ..health() };
        assert_eq!(level(soundness(&damaged, false)), Level::Bad);
        let hasty = Health { unsafe_setting: Some("fsync is off".into()), ..health() };
        assert_eq!(level(soundness(&hasty, true)), Level::Bad);
        assert_eq!(level(clock(None, Time(0))), Level::Bad);
        assert_eq!(level(clock(Some(&health()), now)), Level::Ok);
        let late = Health { last_sent_at: Some(now.0 + 60_000_000), ..health() };
        assert_eq!(level(clock(Some(&late), now)), Level::Bad);
        let apart = Health { clock: Some(now.0 - 60_000_000), ..health() };
        assert_eq!(level(clock(Some(&apart), now)), Level::Warn);
    }
}
