//! Which messages carry which files.

use parlor_domain::{Denied, Draft, File, FileId, Time};
use rusqlite::{Connection, params};

use super::super::jobs;
use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use super::{FILE, delete, found, visible};
use crate::StoreError;
use crate::jobs::Kind;

/// Refuses a draft with a file that its sender may not have.
pub(in super::super) fn may_carry(conn: &Connection, draft: &Draft) -> Result<(), StoreError> {
    // A copy decays no later than where it is from, nor than the session that it takes it out of.
    let until = draft.expires_at.unwrap_or(Time(i64::MAX));
    for file in &draft.files {
        let place = Some((draft.session_no, until));
        visible(conn, draft.sender, file.id, place)?.ok_or(Denied::NotFound)?;
    }
    Ok(())
}

/// Has a message carry a draft's files.
pub(in super::super) fn carry(
    txn: &Txn<'_>,
    message_no: i64,
    draft: &Draft,
) -> Result<(), StoreError> {
    for (nth, file) in (1_i64..).zip(&draft.files) {
        let id = file.id.0.as_bytes();
        let sql = "insert into attachments (message_no, nth, file_id) values (?, ?, ?)";
        txn.execute(sql, params![message_no, nth, id])?;
        let sql = "update files set carried = carried + 1 where id = ? returning sealed";
        let sealed: Option<bool> = one(txn.conn, sql, [id], |row| row.get(0))?;
        if sealed == Some(true) || draft.seal.is_some() && !file.encrypted {
            jobs::ask(txn, Kind::Seal, file.id.0, draft.sent_at)?;
        }
    }
    Ok(())
}

/// The files that a message carries.
pub(in super::super) fn of_messages(
    conn: &Connection,
    message_no: i64,
) -> Result<Vec<File>, StoreError> {
    let sql = format!(
        "{FILE} join attachments a on a.file_id = f.id where a.message_no = ? order by a.nth"
    );
    let files = many(conn, &sql, [message_no], found)?;
    Ok(files.into_iter().map(|found| found.file).collect())
}

/// Takes a message's files from it; those that no other carries are deleted.
pub(in super::super) fn release(txn: &mut Txn<'_>, message_no: i64) -> Result<(), StoreError> {
    let sql = "delete from attachments where message_no = ? returning file_id";
    let taken = many(txn.conn, sql, [message_no], |row| Ok(FileId(uuid(row, 0)?)))?;
    taken.into_iter().try_for_each(|id| put_down(txn, id))
}

/// One less carries a file. It goes with the last one.
pub(super) fn put_down(txn: &mut Txn<'_>, id: FileId) -> Result<(), StoreError> {
    let sql = "update files set carried = carried - 1 where id = ? returning carried";
    match one(txn.conn, sql, [id.0.as_bytes()], |row| row.get(0))? {
        Some(0_i64) => delete(txn, id),
        _ => Ok(()),
    }
}
