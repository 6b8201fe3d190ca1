//! Every table of an installation, and a row of any of them, as both databases have it. What is
//! moved, backed up and hashed goes by this list; a test holds it against the schemas.
//!
//! Refuses what a database keeps for itself: the search index, which each fills anew, and the
//! notes of `meta` that are about one database.

use serde::{Deserialize, Serialize};

/// A note of `meta` that is there while rows are being moved into the database.
pub(crate) const MOVING: &str = "moving";

/// The note of `meta` that names the history.
pub(crate) const EPOCH: &str = "epoch";

/// The note of `meta` in which SQLite keeps the small id of the next message.
pub(crate) const NEXT_MESSAGE: &str = "next_message_no";

/// One table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns, in the order of the canonical row.
    pub(crate) columns: &'static [&'static str],
    /// How many of the columns, from the first, are the key by which its rows are ordered.
    pub(crate) key: usize,
    /// Which rows belong to the installation; empty: all.
    pub(crate) only: &'static str,
}

impl Table {
    /// The names of the columns, as a query has them.
    pub(crate) fn listed(&self) -> String {
        self.columns.join(", ")
    }

    /// The names of the key's columns.
    pub(crate) fn keys(&self) -> &'static [&'static str] {
        &self.columns[..self.key]
    }

    /// The key of one of its rows.
    pub(crate) fn key_of(&self, row: &[Value]) -> Vec<Value> {
        row[..self.key.min(row.len())].to_vec()
    }
}

macro_rules! tables {
    ($($name:ident($($key:ident),+) ($($column:ident),*) $({ $only:literal })?)+) => {
        /// Every table, those that others refer to first. The key's columns stand first.
        pub(crate) const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            columns: &[$(stringify!($key),)+ $(stringify!($column)),*],
            key: [$(stringify!($key)),+].len(),
            only: concat!("" $(, $only)?),
        }),+];
    };
}

tables! {
    meta(key) (value)
        { "key not in ('epoch', 'moving', 'next_message_no', 'probe') and key not like 'search%'" }
    users(no) (
        id, username, username_key, name, name_key, status, email, email_verified_at, usable,
        password_hash, show_last_seen, last_seen_at, created_at, log_seq, guest, shows_email,
        changed_at, deleted_at, erased_at, picture
    )
    codes(user_no, purpose) (hash, expires_at, tries)
    logins(id) (
        user_no, device_id, device_name, refresh_hash, cookie_hash, created_at, last_used_at,
        expires_at, revoked_at, dialect
    )
    rooms(no) (
        id, name, kind, description, search_key, password_hash, main_session_no, lobby, direct_key,
        created_at, archived_at, member_count, slug, changed_at, message_ttl_s, retention_s,
        sessions_max
    )
    room_members(room_no, user_no) (role, joined_at)
    bans(room_no, user_no) (by_no, reason, banned_at)
    sessions(no) (
        id, room_no, name, main, created_by, created_at, ended_at, member_count, algorithm,
        rotation_period_ms, rotation_period_msgs, verified_only, message_ttl_s, ends_at, silence_s,
        read_only_s, erasing_after, shortening_after, sealing_after
    )
    session_members(session_no, user_no) (joined_at, read_number)
    heads(session_no) (seq, number, acl_version, threaded, membership_version)
    messages(no) (
        id, session_no, number, seq, sender_no, client_id, content, reply_to, sent_at, edited_at,
        deleted_at, file, extras, thread_id, threaded, expires_at, sealed
    )
    revisions(message_no, nth) (content, written_at, sealed)
    mentions(session_no, user_no, number) (root_no)
    reactions(message_no, emoji, user_no) (at)
    pins(session_no, message_no) (by_no, at)
    forwards(message_no) (sender_no, sent_at)
    threads(root_no) (root_id, session_no, replies, last_no, last_number, last_at)
    followers(root_no, user_no) (session_no, following, read_number, said_number)
    drafts(user_no, session_no, root_no) (content, reply_to, updated_at)
    events(session_no, seq) (kind, at, message_no, data)
    user_events(user_no, seq) (kind, at, data)
    receipts(user_no, key) (kind, made_no, digest, at)
    blobs(hash) (size, refs, touched_at, doomed)
    files(id) (
        user_no, name, media_type, size, width, height, hash, thumbnail, encrypted, length,
        created_at, carried, sealed
    )
    attachments(message_no, nth) (file_id, sealed, opened)
    previews(message_no, nth) (url, title, description, site, image_id, image)
    uploads(id) (
        user_no, length, received, turn, name, encrypted, sha256, created_at, expires_at, doomed
    )
    file_bytes(user_no) (bytes)
    e2ee_devices(device_id) (
        user_no, keys, fallback_id, fallback_key, fallback_used, nth, pos, taken, changes_to
    )
    e2ee_one_time_keys(device_id, nth) (key_id, key)
    e2ee_signing_keys(user_no, usage) (key)
    e2ee_signatures(user_no, target, signer_no, key_id) (signature)
    e2ee_queue(device_id, pos) (kind, user_no, type, content)
    e2ee_sent(device_id, txn_id) (at)
    e2ee_changes(kind, user_no, session_no) (pos)
    e2ee_backups(user_no, version) (algorithm, auth_data, etag, gone)
    e2ee_backup_keys(user_no, version, session_id, key_session) (
        first_index, forwarded, verified, data
    )
    e2ee_account_data(user_no, type) (content)
    e2ee_statements(session_no, number) (statement)
    jobs(id) (
        kind, about, created_at, due_at, asked, worker, leased_until, tries, error, given_up
    )
}

/// The tables whose small ids are counted on: none is ever given twice.
pub(crate) const COUNTED: [&str; 4] = ["users", "rooms", "sessions", "messages"];

/// The next small id of each table of [`COUNTED`].
pub(crate) type Next = [i64; COUNTED.len()];

/// A value as both databases have it: truth is 0 or 1, a 16-byte id is its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// A number, a time in microseconds, or a truth.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes, or an id.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of its table's columns.
pub(crate) type Row = Vec<Value>;

/// Rows that are read or written at once. One has at most the longest text; a batch of them fits
/// the memory of a small machine.
pub(crate) const BATCH: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_keeps_for_itself_is_named_as_it_is_written() {
        let meta = TABLES.iter().find(|table| table.name == "meta").unwrap();
        for note in [EPOCH, MOVING, NEXT_MESSAGE] {
            assert!(meta.only.contains(&format!("'{note}'")), "{note}");
        }
    }

    #[test]
    fn keys_come_first() {
        let table = TABLES.iter().find(|table| table.name == "codes").unwrap();
        assert_eq!(table.keys(), ["user_no", "purpose"]);
        let row = [Value::Int(1), Value::Text("reset".into()), Value::Null];
        assert_eq!(table.key_of(&row), row[..2]);
    }
}
