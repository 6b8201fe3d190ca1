//! What the operator chose about accounts.

use std::time::Duration;

/// The settings of the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long a login lives unless it is used.
    pub refresh_ttl: Duration,
    /// How long a mailed code is good.
    pub code_ttl: Duration,
    /// Whether an account must prove its mail address before it can sign in.
    pub verification_required: bool,
    /// Where people reach this server; links in mails begin with it. No slash at the end.
    pub public_url: String,
    /// Who signs access tokens; `None`: the database, by its epoch. What changes from one start to
    /// the next, like a port, would make every token void.
    pub issuer: Option<String>,
    /// What this server calls itself.
    pub server_name: String,
    /// What a password's hash costs.
    pub hashing: Hashing,
    /// Whether a name alone makes an account, as one façade has it.
    pub guests: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_ttl: Duration::from_mins(15),
            refresh_ttl: Duration::from_hours(7 * 24),
            code_ttl: Duration::from_mins(10),
            verification_required: false,
            public_url: "http://127.0.0.1:8000".into(),
            issuer: None,
            server_name: "Parlor".into(),
            hashing: Hashing::Full,
            guests: false,
        }
    }
}

/// What a password's hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hashing {
    /// 19 MiB and two passes (OWASP's choice for Argon2id).
    #[default]
    Full,
    /// Next to nothing: for tests and benchmarks, never where passwords matter.
    Minimal,
}
