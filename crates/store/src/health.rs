//! How a database is, for `parlor doctor`: read only, while servers use it.

/// How a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The number of its schema; 0: no server has opened it yet.
    pub schema: i64,
    /// The newest that this program knows.
    pub newest: i64,
    /// Whether a move into it has begun and not ended.
    pub half_moved: bool,
    /// What its own check of itself has found.
    pub damage: Option<String>,
    /// A setting under which what was acknowledged could be lost, in words.
    pub unsafe_setting: Option<String>,
    /// Messages that the search index does not hold yet.
    pub unindexed: i64,
    /// When the last message was sent, in microseconds since 1970 UTC.
    pub last_sent_at: Option<i64>,
    /// The time of the database's own clock, if it has one.
    pub clock: Option<i64>,
}
