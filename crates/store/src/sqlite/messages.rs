//! Path 5/8: `append`: one transaction gives `seq` and `number` and writes the rows. Next: the
//! committed batch goes to `bus/src/local.rs`, by way of `app/src/deliver.rs`.

mod mentions;
mod queries;

pub(super) use queries::{Erased, erase, seen, strip};

use parlor_domain::{ClientId, Denied, Draft, EventKind, MessageId, Time};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::receipts::{self, Made};
use super::rows::{maybe_time, one};
use super::threads::{self, Root};
use super::txn::{Head, Txn};
use super::{extras, files};
use crate::StoreError;
use crate::messages::{Posted, Receipt, bits};

/// A draft on its way into the log.
pub(super) struct Append {
    pub(super) draft: Draft,
    /// Its text, where it is kept sealed.
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) answer: oneshot::Sender<Result<Posted, StoreError>>,
}

/// Stores a draft, exactly once. What is refused is refused before anything is written, so that it
/// needs no savepoint.
pub(super) fn append(txn: &mut Txn<'_>, append: &Append) -> Result<Posted, StoreError> {
    let draft = &append.draft;
    let root = match admit(txn, draft) {
        Ok(root) => root,
        Err(refused) => {
            return match receipt(txn.conn, draft.sender_no, draft.client_id)? {
                Some(first) if first.digest == draft.digest => Ok(first.posted),
                Some(_) => Err(StoreError::KeyReused),
                None => Err(refused),
            };
        }
    };
    let no = txn.take_message_no();
    let head = txn.set_head(draft.session_no, |head| {
        head.number += 1;
        head.threaded += i64::from(root.is_some());
    })?;
    let posted = Posted {
        id: draft.id,
        no,
        number: head.number,
        seq: head.seq + 1,
        sent_at: draft.sent_at,
        expires_at: draft.expires_at,
        fresh: true,
    };
    write(txn, append, &posted, head.threaded)?;
    mentions::write(txn, draft, posted.number, root.as_ref().map(|root| root.no))?;
    files::carry(txn, no, draft)?;
    if let Some(root) = root {
        threads::reply(txn, &root, draft, &posted)?;
    }
    if let Some(forwarded) = &draft.forwarded {
        extras::keep_forwarded(txn, no, forwarded)?;
    }
    txn.log(draft.session_no, draft.sent_at, Some(no), EventKind::Posted(posted.told(draft)))?;
    Ok(posted)
}

/// Writes the receipt, unless the draft is refused: as out of date, as an answer to nothing, or
/// because there is a receipt. Mostly there is none, and so it is not looked for before. Returns
/// what began the draft's thread.
fn admit(txn: &mut Txn<'_>, draft: &Draft) -> Result<Option<Root>, StoreError> {
    if !still_holds(draft, txn.head(draft.session_no)?) {
        return Err(StoreError::Stale(Box::new(draft.clone())));
    }
    if !queries::reply_is_here(txn.conn, draft)? {
        return Err(Denied::NotFound.into());
    }
    files::may_carry(txn.conn, draft)?;
    let root = draft.thread.map(|id| Root::of(txn.conn, draft.session_no, id)).transpose()?;
    let (key, made) = ((draft.client_id, draft.digest), (Made::Message, *txn.next_message_no));
    let fresh = receipts::keep(txn, draft.sender_no, &key, made, draft.sent_at)?;
    fresh.then_some(root).ok_or(StoreError::KeyReused)
}

/// Whether who may do what is still as it was when the draft was decided about.
fn still_holds(draft: &Draft, head: Head) -> bool {
    fail::fail_point!("store::append::skip-acl", |_| true);
    head.acl_version == draft.acl_version
}

/// Writes the row of a draft.
fn write(txn: &Txn<'_>, append: &Append, posted: &Posted, threaded: i64) -> Result<(), StoreError> {
    let Append { draft, sealed, .. } = append;
    let sql = "insert into messages (no, id, session_no, number, seq, sender_no, client_id, \
               content, reply_to, sent_at, file, thread_id, threaded, extras, expires_at, \
               sealed) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let row = params![
        posted.no,
        draft.id.0.as_bytes(),
        draft.session_no,
        posted.number,
        posted.seq,
        draft.sender_no,
        draft.client_id.0.as_bytes(),
        if sealed.is_some() { "" } else { &draft.content },
        draft.reply_to.as_ref().map(|id| id.0.as_bytes()),
        draft.sent_at.0,
        draft.file,
        draft.thread.as_ref().map(|id| id.0.as_bytes()),
        threaded,
        bits(draft),
        draft.expires_at.map(|at| at.0),
        sealed,
    ];
    txn.execute(sql, row).map(drop)
}

/// What an earlier send came to, by one lookup; a key that made something else is refused.
fn receipt(conn: &Connection, user_no: i64, key: ClientId) -> Result<Option<Receipt>, StoreError> {
    let sql = "select m.id, m.no, m.number, m.seq, m.sent_at, r.digest, m.expires_at \
               from receipts r left join messages m on m.no = r.made_no and r.kind = 1 \
               where r.user_no = ? and r.key = ?";
    let found = one(conn, sql, params![user_no, key.0.as_bytes()], |row| {
        let Some(id) = row.get(0)? else {
            return Ok(None);
        };
        let posted = Posted {
            id: MessageId(Uuid::from_bytes(id)),
            no: row.get(1)?,
            number: row.get(2)?,
            seq: row.get(3)?,
            sent_at: Time(row.get(4)?),
            expires_at: maybe_time(row, 6)?,
            fresh: false,
        };
        Ok(Some(Receipt { posted, digest: row.get(5)? }))
    })?;
    found.map(|receipt| receipt.ok_or(StoreError::KeyReused)).transpose()
}
