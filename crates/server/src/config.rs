//! Configuration: one table of keys, read from flags, the environment, `.env` and a TOML file, in
//! this order of precedence. Every fault is reported, not only the first.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use parlor_app::{Hidden, Secret};
use parlor_domain::Limits;
use parlor_egress::Rules;
use parlor_wire::Dialect;

mod egress;
mod keys;
mod s3;
mod tls;

pub use keys::{KEYS, Key};
pub use s3::S3;
pub use tls::{Acme, Pem, Tls};

/// Prefix of the keys that set a limit: `limit_message_bytes_max`.
pub const LIMIT: &str = "limit_";

/// A configuration that can be run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of everything that is kept.
    pub data_dir: PathBuf,
    /// The folder of the files that people send; `None`: `blobs` in the data folder.
    pub files_dir: Option<PathBuf>,
    /// The store of the files that people send; `None`: a folder.
    pub s3: Option<S3>,
    /// The PostgreSQL database, with its password, as `postgres://…`; `None`: SQLite in the data
    /// folder.
    pub database_url: Option<Hidden>,
    /// PostgreSQL where the keys to what is sealed are; `None`: beside what is sealed.
    pub keyring_url: Option<Hidden>,
    /// The file that these keys are copied into, twice a day.
    pub keyring_copy: Option<PathBuf>,
    /// The Redis that nodes talk over, with its password; `None`: this is the only node.
    pub redis_url: Option<Hidden>,
    /// Where people reach the server; `None`: where it listens.
    pub public_url: Option<String>,
    /// Where its certificate comes from; `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Where plain HTTP is answered with the way to `https://`.
    pub http_listen: Option<SocketAddr>,
    /// How long browsers shall use nothing but TLS; zero where TLS is off, or where the operator
    /// does not want it.
    pub hsts: Duration,
    /// What it calls itself.
    pub server_name: String,
    /// The SMTP server, with its password.
    pub smtp_url: Option<Hidden>,
    /// Sender of the mails.
    pub email_from: String,
    /// The secret, if it is given.
    pub secret: Option<Secret>,
    /// Further origins whose pages may call the API.
    pub allowed_origins: Vec<String>,
    /// Host names that requests may name; empty: any.
    pub allowed_hosts: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// What may be fetched of what is behind links; `None`: nothing.
    pub previews: Option<Rules>,
    /// The façades that are switched on.
    pub compat: Vec<Dialect>,
    /// Host names of one façade each.
    pub compat_hosts: Vec<(String, Dialect)>,
    /// Further addresses, of one façade each.
    pub compat_listen: Vec<(SocketAddr, Dialect)>,
    /// The folder of a façade's own web app.
    pub compat_static: Option<PathBuf>,
    /// Whether a name alone makes an account; `None`: where only loopback is served.
    pub compat_guests: Option<bool>,
    /// The limits.
    pub limits: Limits,
    /// Whether the limits are lifted.
    pub lifted: bool,
    /// Whether WebSockets may be compressed.
    pub deflate: bool,
    /// Who may read `/metrics` from elsewhere.
    pub metrics_token: Option<Hidden>,
    /// What is logged.
    pub log: String,
    /// Whether the log is JSON.
    pub log_json: bool,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long a login lives unless it is used.
    pub refresh_ttl: Duration,
    /// How long a mailed code is good.
    pub code_ttl: Duration,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration cannot be used:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// Values as they were written, each with where it was.
#[derive(Debug, Default)]
pub struct Raw {
    values: BTreeMap<String, (String, String)>,
    faults: Vec<String>,
}

impl Raw {
    /// Nothing given.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds values that stand behind those added before.
    pub fn add(&mut self, origin: &str, values: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in values {
            if !is_known(&name) {
                self.faults.push(format!("{origin}: unknown key `{name}`"));
                continue;
            }
            self.values.entry(name).or_insert_with(|| (value, origin.to_owned()));
        }
    }

    /// Adds an environment: variables that begin with `PARLOR_`, and the other names that some
    /// keys have. Each can end in `_FILE` and then names a file that holds the value.
    pub fn add_environment(
        &mut self,
        origin: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) {
        let (mut own, mut aliased) = (Vec::new(), Vec::new());
        for (variable, value) in variables {
            let (variable, value) = match self.read_named(&variable, &value) {
                Some(read) => read,
                None => (variable, value),
            };
            if let Some(name) = variable.strip_prefix("PARLOR_") {
                own.push((name.to_lowercase(), value));
            } else if let Some(key) = KEYS.iter().find(|k| k.alias == Some(&variable)) {
                aliased.push((key.name.to_owned(), value));
            }
        }
        self.add(origin, own);
        self.add(origin, aliased);
    }

    /// The variable without `_FILE`, and what is in the file.
    fn read_named(&mut self, variable: &str, path: &str) -> Option<(String, String)> {
        let name = variable.strip_suffix("_FILE")?;
        let ours = name.starts_with("PARLOR_") || KEYS.iter().any(|k| k.alias == Some(name));
        if !ours {
            return None;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Some((name.to_owned(), text.trim_end().to_owned())),
            Err(error) => {
                self.faults.push(format!("{variable}: failed to read {path}: {error}"));
                None
            }
        }
    }

    /// Adds a TOML file of the same keys.
    pub fn add_file(&mut self, path: &Path) {
        let origin = path.display().to_string();
        let table = std::fs::read_to_string(path)
            .map_err(|e| e.to_string())
            .and_then(|text| text.parse::<toml::Table>().map_err(|e| e.to_string()));
        match table {
            Ok(table) => {
                let values = table.into_iter().map(|(name, value)| match value {
                    toml::Value::String(text) => (name, text),
                    toml::Value::Array(list) => (name, joined(&list)),
                    other => (name, other.to_string()),
                });
                self.add(&origin, values.collect::<Vec<_>>());
            }
            Err(error) => self.faults.push(format!("{origin}: {error}")),
        }
    }

    /// Reads the values, all of them, and reports every fault.
    ///
    /// # Errors
    /// [`Faults`].
    pub fn read(mut self) -> Result<Config, Faults> {
        let lifted = self.switch("limits", true).is_some_and(|on| !on);
        let mut limits = if lifted { Limits::lifted() } else { Limits::default() };
        for row in Limits::ROWS {
            if let Some(value) = self.parsed(&format!("{LIMIT}{}", row.name), "a number") {
                limits.set(row.name, value);
            }
        }
        let listen = self.parsed_or("listen", "an address with a port", ([127, 0, 0, 1], 8000));
        if lifted && !listen.ip().is_loopback() {
            self.faults.push("limits: can be lifted on loopback listeners only".to_owned());
        }
        let smtp_url = self.text("smtp_url");
        let tls = self.tls();
        let config = Config {
            listen,
            data_dir: self.text("data_dir").unwrap_or_else(|| "./data".to_owned()).into(),
            database_url: self.postgres_url("database_url"),
            keyring_url: self.postgres_url("keyring_url"),
            keyring_copy: self.text("keyring_copy").map(PathBuf::from),
            files_dir: self.text("files_dir").map(PathBuf::from),
            s3: self.s3(),
            redis_url: self.redis_url(),
            public_url: self.public_url(tls.as_ref(), listen.port()),
            http_listen: self.http_listen(tls.as_ref()),
            hsts: self.hsts(tls.as_ref()),
            tls,
            server_name: self.text("server_name").unwrap_or_else(|| "Parlor".to_owned()),
            smtp_url: smtp_url.map(Hidden::new),
            email_from: self
                .text("email_from")
                .unwrap_or_else(|| "Parlor <parlor@localhost>".to_owned()),
            secret: self.secret(),
            allowed_origins: self.list("allowed_origins"),
            allowed_hosts: self.list("allowed_hosts"),
            trusted_proxies: self.list("trusted_proxies"),
            previews: self.previews(),
            compat: self.compat(),
            compat_hosts: self.bound("compat_hosts", "a host name"),
            compat_listen: self.bound("compat_listen", "an address with a port"),
            compat_static: self.text("compat_static").map(PathBuf::from),
            compat_guests: self
                .text("compat_guests")
                .and_then(|_| self.switch("compat_guests", false)),
            limits,
            lifted,
            deflate: self.switch("deflate", false).unwrap_or(false),
            metrics_token: self.text("metrics_token").map(Hidden::new),
            log: self.text("log").unwrap_or_else(|| "info".to_owned()),
            log_json: self.one_of("log_format", &["text", "json"]) == Some(1),
            access_token_ttl: self.minutes("access_token_expiration_minutes", 15),
            refresh_ttl: self.minutes("refresh_token_expiration_days", 7) * 24 * 60,
            code_ttl: self.minutes("verification_code_expiration_minutes", 10),
        };
        self.check_url(&config);
        if self.faults.is_empty() { Ok(config) } else { Err(Faults(self.faults)) }
    }

    /// Given, or what follows from the domain that certificates are had for.
    fn public_url(&self, tls: Option<&Tls>, port: u16) -> Option<String> {
        let given = self.text("public_url").map(|url| url.trim_end_matches('/').to_owned());
        given.or_else(|| tls?.public_url(port))
    }

    /// One scheme out of the two that are usual. The address holds a password: no fault shows it.
    fn postgres_url(&mut self, key: &'static str) -> Option<Hidden> {
        let text = self.text(key)?;
        let rest = ["postgres://", "postgresql://"].iter().find_map(|s| text.strip_prefix(s));
        if rest.is_none() {
            self.faults.push(format!("{key}: does not begin with postgres://"));
        }
        rest.map(|rest| Hidden::new(format!("postgres://{rest}")))
    }

    fn redis_url(&mut self) -> Option<Hidden> {
        let text = self.text("redis_url")?;
        if !text.starts_with("redis") || !text.contains("://") {
            self.faults.push("redis_url: does not begin with redis://".to_owned());
        }
        Some(Hidden::new(text))
    }

    fn check_url(&mut self, config: &Config) {
        let Some(url) = &config.public_url else { return };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            self.faults
                .push(format!("public_url: `{url}` begins with neither http:// nor https://"));
        } else if config.tls.is_some() && !url.starts_with("https://") {
            self.faults.push(format!("public_url: `{url}` does not begin with https://, with TLS"));
        }
    }

    /// The text of a key; an empty one counts as not given.
    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|(value, _)| value.clone()).filter(|value| !value.is_empty())
    }

    fn compat(&mut self) -> Vec<Dialect> {
        let Some(text) = self.text("compat") else {
            return Dialect::ALL.to_vec();
        };
        if text == "none" {
            return vec![];
        }
        let names = self.list("compat");
        names.iter().filter_map(|name| self.dialect("compat", name)).collect()
    }

    fn dialect(&mut self, key: &str, name: &str) -> Option<Dialect> {
        let dialect = Dialect::parse(name);
        if dialect.is_none() {
            self.faults.push(format!("{key}: `{name}` is no façade"));
        }
        dialect
    }

    /// Things that are bound to a façade each: `thing=name`.
    fn bound<T: FromStr>(&mut self, key: &str, what: &str) -> Vec<(T, Dialect)> {
        let mut bound = Vec::new();
        for item in self.list(key) {
            let (thing, name) = item.split_once('=').unwrap_or((&item, ""));
            let dialect = self.dialect(key, name);
            match (thing.parse(), dialect) {
                (Ok(thing), Some(dialect)) => bound.push((thing, dialect)),
                (Err(_), _) => self.faults.push(format!("{key}: `{thing}` is not {what}")),
                _ => {}
            }
        }
        bound
    }

    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    }

    /// Things of one kind, separated by commas.
    fn each<T: FromStr>(&mut self, name: &str, what: &str) -> Vec<T> {
        let mut found = Vec::new();
        for item in self.list(name) {
            match item.parse() {
                Ok(thing) => found.push(thing),
                Err(_) => self.faults.push(format!("{name}: `{item}` is not {what}")),
            }
        }
        found
    }

    fn secret(&mut self) -> Option<Secret> {
        let text = self.text("secret_key")?;
        let secret = Secret::new(text.into_bytes());
        if secret.is_none() {
            self.faults.push("secret_key: shorter than 32 characters".to_owned());
        }
        secret
    }

    fn parsed<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let value = text.parse().ok();
        if value.is_none() {
            let origin = self.values.get(name).map_or("", |(_, origin)| origin);
            self.faults.push(format!("{origin}: {name}: `{text}` is not {what}"));
        }
        value
    }

    fn parsed_or(&mut self, name: &str, what: &str, (ip, port): ([u8; 4], u16)) -> SocketAddr {
        let default = SocketAddr::new(IpAddr::from(ip), port);
        self.parsed(name, what).unwrap_or(default)
    }

    fn minutes(&mut self, name: &str, default: u64) -> Duration {
        let count: u64 = self.parsed(name, "a number").unwrap_or(default);
        Duration::from_secs(count.clamp(1, 1_000_000) * 60)
    }

    fn one_of(&mut self, name: &str, words: &[&str]) -> Option<usize> {
        let text = self.text(name)?;
        let found = words.iter().position(|word| *word == text);
        if found.is_none() {
            self.faults.push(format!("{name}: `{text}` is none of {}", words.join(", ")));
        }
        found
    }

    fn switch(&mut self, name: &str, default: bool) -> Option<bool> {
        match self.one_of(name, &["on", "off", "true", "false", "1", "0"]) {
            Some(n) => Some(n % 2 == 0),
            None => Some(default),
        }
    }
}

/// Whether there is such a key.
fn is_known(name: &str) -> bool {
    let limit = name.strip_prefix(LIMIT);
    KEYS.iter().any(|key| key.name == name)
        || limit.is_some_and(|limit| Limits::ROWS.iter().any(|row| row.name == limit))
}

fn joined(list: &[toml::Value]) -> String {
    let item = |value: &toml::Value| match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    list.iter().map(item).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn what_is_added_first_wins() {
        let mut raw = Raw::new();
        raw.add("flags", pairs(&[("listen", "127.0.0.1:1")]));
        raw.add_environment(
            "environment",
            pairs(&[
                ("PARLOR_LISTEN", "127.0.0.1:2"),
                ("SECRET_KEY", "an old secret of thirty-two chars"),
                ("PATH", "/bin"),
                ("PARLOR_LIMIT_PAGE_MAX", "50"),
            ]),
        );
        let config = raw.read().unwrap();
        assert_eq!(config.listen.port(), 1);
        assert!(config.secret.is_some());
        assert_eq!(config.limits.page_max, 50);
    }

    #[test]
    fn every_fault_is_reported() {
        let mut raw = Raw::new();
        raw.add_environment(
            "environment",
            pairs(&[
                ("PARLOR_LISTEN", "here"),
                ("PARLOR_LISSTEN", "127.0.0.1:2"),
                ("PARLOR_LIMITS", "maybe"),
                ("PARLOR_SECRET_KEY", "short"),
                ("PARLOR_PUBLIC_URL", "ftp://x"),
                ("PARLOR_METRICS_TOKEN_FILE", "/no/such/file"),
            ]),
        );
        let Faults(faults) = raw.read().unwrap_err();
        assert_eq!(faults.len(), 7, "{faults:#?}");
    }

    #[test]
    fn addresses_with_passwords_are_read_and_never_printed() {
        let given = |database: &str, redis: &str| {
            let mut raw = Raw::new();
            let variables = pairs(&[("DATABASE_URL", database), ("REDIS_URL", redis)]);
            raw.add_environment("environment", variables);
            raw.read()
        };
        let config = given("postgresql://a:hunter2@db/parlor", "redis://:hunter2@cache").unwrap();
        let url = config.database_url.as_ref().map(Hidden::expose);
        assert_eq!(url, Some("postgres://a:hunter2@db/parlor"));
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        let faults = given("mysql://a:hunter2@db/parlor", "cache:hunter2").unwrap_err();
        assert_eq!(faults.0.len(), 2, "{faults}");
        assert!(!faults.to_string().contains("hunter2"), "{faults}");
    }

    #[test]
    fn limits_are_lifted_on_loopback_only() {
        let mut raw = Raw::new();
        raw.add("flags", pairs(&[("limits", "off"), ("listen", "0.0.0.0:80")]));
        assert!(raw.read().is_err());
    }
}
