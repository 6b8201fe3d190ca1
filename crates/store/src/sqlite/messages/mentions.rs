//! Whom a message names.

use parlor_domain::Draft;
use rusqlite::params;

use crate::StoreError;
use crate::sqlite::txn::Txn;

/// Writes whom a draft names: everybody by one row.
pub(super) fn write(
    txn: &Txn<'_>,
    draft: &Draft,
    number: i64,
    root_no: Option<i64>,
) -> Result<(), StoreError> {
    let (session_no, sender_no) = (draft.session_no, draft.sender_no);
    let sql = "insert or ignore into mentions (session_no, user_no, number, root_no) \
               select m.session_no, u.no, ?3, ?5 from users u join session_members m \
               on m.user_no = u.no and m.session_no = ?1 \
               where u.username_key = ?2 and u.no <> ?4";
    for name in &draft.mentions.people {
        txn.execute(sql, params![session_no, name, number, sender_no, root_no])?;
    }
    if draft.mentions.all {
        let sql = "insert into mentions (session_no, user_no, number, root_no) \
                   values (?, 0, ?, ?)";
        txn.execute(sql, params![session_no, number, root_no])?;
    }
    Ok(())
}
