//! What an installation was at one moment: what a backup says of itself, and a restore holds it to.

use serde::{Deserialize, Serialize};

use crate::Content;

/// One state of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The number of its schema.
    pub schema: i64,
    /// Its epoch; `None`: no server has opened it yet.
    pub epoch: Option<String>,
    /// The message that was committed last.
    pub last_message: Option<LastMessage>,
    /// The hash of its rows; `None` when its schema is older than this program's.
    pub content: Option<Content>,
}

/// The message that was committed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastMessage {
    /// Its id.
    pub id: String,
    /// Its session's id.
    pub session: String,
    /// Its number in the session.
    pub number: i64,
    /// Its place in the session's log.
    pub seq: i64,
    /// When it was sent, in microseconds since 1970 UTC.
    pub sent_at: i64,
}

/// The query for the last message, in the order of [`LastMessage`].
pub(crate) const LAST_MESSAGE: &str = "select m.id, s.id, m.number, m.seq, m.sent_at \
    from messages m join sessions s on s.no = m.session_no order by m.no desc limit 1";

/// What becomes of the logins of a backup that is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// They end: one that was revoked after the backup must not come back.
    Nobody,
    /// Those that were alive then are alive.
    Logins,
}
