//! The instances that many small tests share, and how a test finds them: by variables of the
//! environment, which `cargo xtask test` and `cargo xtask parts` set.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

use crate::postgres::{run, secret};
use crate::program::required;
use crate::{Postgres, Redis, RedisCluster};

/// Where the shared PostgreSQL is.
const POSTGRES: &str = "PARLOR_TEST_POSTGRES_URL";

/// Where the shared Redis is.
const REDIS: &str = "PARLOR_TEST_REDIS_URL";

/// Where the shared Redis Cluster is: the addresses of all its servers, with commas between them.
const REDIS_CLUSTER: &str = "PARLOR_TEST_REDIS_CLUSTER_URL";

/// One PostgreSQL, one Redis and one Redis Cluster.
pub struct Shared {
    postgres: Postgres,
    redis: Redis,
    cluster: RedisCluster,
}

impl Shared {
    /// Starts them.
    ///
    /// # Errors
    /// When one of them is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Ok(Self {
            postgres: Postgres::start()?,
            redis: Redis::start()?,
            cluster: RedisCluster::start()?,
        })
    }

    /// The variables by which tests find them.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            (POSTGRES, self.postgres.url()),
            (REDIS, self.redis.url()),
            (REDIS_CLUSTER, self.cluster.urls().join(",")),
        ]
    }
}

/// The shared Redis.
///
/// # Errors
/// When there is none; the text names the command that starts it.
pub fn redis_url() -> anyhow::Result<String> {
    shared(REDIS)
}

/// The servers of the shared Redis Cluster, with commas between them.
///
/// # Errors
/// When there is none; the text names the command that starts it.
pub fn redis_cluster_url() -> anyhow::Result<String> {
    shared(REDIS_CLUSTER)
}

fn shared(variable: &str) -> anyhow::Result<String> {
    std::env::var(variable).with_context(|| {
        format!("{variable} is not set: run `cargo xtask parts -- cargo nextest run …`")
    })
}

/// A fresh, empty database on the shared PostgreSQL, which is dropped with this value.
///
/// # Errors
/// When there is no shared PostgreSQL; the text names the command that starts it.
pub fn database() -> anyhow::Result<Database> {
    Database::make(&shared(POSTGRES)?, "template1")
}

/// A database of its own for one test.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes a database on `server`, the address of one of its databases.
    ///
    /// # Errors
    /// When the server does not.
    pub fn on(server: &Postgres) -> anyhow::Result<Self> {
        Self::make(&server.url(), "template1")
    }

    /// Makes a database with all that is in this one, to which nobody may be connected.
    ///
    /// # Errors
    /// When the server does not.
    pub fn copy(&self) -> anyhow::Result<Self> {
        Self::make(&self.server, &self.name)
    }

    /// Its address, with the password.
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap_or((&self.server, ""));
        format!("{server}/{}", self.name)
    }

    fn make(server: &str, template: &str) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (n, secret) = (COUNT.fetch_add(1, Ordering::Relaxed), secret()?);
        let name = format!("test_{}_{n}_{}", std::process::id(), &secret[..8]);
        let database = Self { server: server.to_owned(), name };
        database.tell(&format!("create database {} template {template}", database.name))?;
        Ok(database)
    }

    fn tell(&self, sql: &str) -> anyhow::Result<()> {
        run(&mut self.psql(sql)?)
    }

    fn psql(&self, sql: &str) -> anyhow::Result<Command> {
        let mut psql = Command::new(required("psql", "postgresql")?);
        // The address has a password, which nobody else shall see among the arguments.
        psql.args(["--no-psqlrc", "--quiet", "--command", sql]).env("PGSERVICEFILE", "/dev/null");
        for (variable, value) in connection(&self.server) {
            psql.env(variable, value);
        }
        psql.stdin(Stdio::null());
        Ok(psql)
    }
}

impl Drop for Database {
    /// Nobody waits for it here: a connection that is still being made keeps a server from dropping
    /// any database, and this thread may be the one that was making it. A server that is gone has
    /// dropped it already.
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let psql = self
            .psql(&sql)
            .and_then(|mut psql| Ok(psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?));
        if let Ok(mut psql) = psql {
            std::thread::spawn(move || psql.wait());
        }
    }
}

/// The variables of libpq for an address.
pub(crate) fn connection(url: &str) -> Vec<(&'static str, String)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, database) = rest.split_once('/').unwrap_or((rest, "postgres"));
    let (who, place) = rest.rsplit_once('@').unwrap_or(("postgres", rest));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
    let variables = [
        ("PGHOST", host),
        ("PGPORT", port),
        ("PGUSER", user),
        ("PGPASSWORD", password),
        ("PGDATABASE", database),
    ];
    variables.map(|(variable, value)| (variable, value.to_owned())).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_no_shared_part_is_told_the_command() {
        let told = shared("PARLOR_TEST_NOTHING_URL").unwrap_err().to_string();
        assert!(told.contains("PARLOR_TEST_NOTHING_URL"), "{told}");
        assert!(told.contains("cargo xtask parts -- "), "{told}");
    }

    #[test]
    fn an_address_is_read_with_and_without_its_parts() {
        let read = |url| connection(url).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        let whole = read("postgres://ana:se:cret@127.0.0.1:99/chat");
        assert_eq!(whole, ["127.0.0.1", "99", "ana", "se:cret", "chat"]);
        assert_eq!(read("postgres://db"), ["db", "5432", "postgres", "", "postgres"]);
    }
}
