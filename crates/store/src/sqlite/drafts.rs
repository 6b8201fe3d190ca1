//! What people have begun to write and not said yet.

use async_trait::async_trait;
use parlor_domain::{Denied, MessageId, SessionId, Time, Unsent, UserId};
use rusqlite::params;
use uuid::Uuid;

use super::SqliteStore;
use super::rows::{exists, many, maybe_message, one, uuid, view};
use super::threads::Root;
use super::txn::Txn;
use crate::StoreError;
use crate::drafts::{DecideDraft, Drafts};

#[async_trait]
impl Drafts for SqliteStore {
    async fn keep_draft(
        &self,
        user: UserId,
        unsent: Unsent,
        most: u64,
        decide: DecideDraft,
    ) -> Result<(), StoreError> {
        self.write(move |txn| keep(txn, user, &unsent, most, decide)).await
    }

    async fn drafts(&self, user: UserId) -> Result<Vec<Unsent>, StoreError> {
        self.read(move |conn| {
            let sql = "select s.id, m.id, d.content, d.reply_to, d.updated_at from users u \
                       join drafts d on d.user_no = u.no join sessions s on s.no = d.session_no \
                       left join messages m on m.no = d.root_no where u.id = ? \
                       order by d.updated_at desc, d.session_no, d.root_no";
            many(conn, sql, [user.0.as_bytes()], |row| {
                let thread: Option<[u8; 16]> = row.get(1)?;
                Ok(Unsent {
                    session: SessionId(uuid(row, 0)?),
                    thread: thread.map(|id| MessageId(Uuid::from_bytes(id))),
                    content: row.get(2)?,
                    reply_to: maybe_message(row, 3)?,
                    updated_at: Time(row.get(4)?),
                })
            })
        })
        .await
    }
}

fn keep(
    txn: &mut Txn<'_>,
    user: UserId,
    unsent: &Unsent,
    most: u64,
    decide: DecideDraft,
) -> Result<(), StoreError> {
    let view = view(txn.conn, user, unsent.session)?.ok_or(Denied::NotFound)?;
    decide(&view, unsent)?;
    let root = unsent.thread.map(|id| Root::of(txn.conn, view.session_no, id)).transpose()?;
    let key = [view.user_no, view.session_no, root.map_or(0, |root| root.no)];
    let place = "user_no = ? and session_no = ? and root_no = ?";
    if unsent.content.is_empty() {
        // Overwritten, as what is deleted is: it was never said.
        txn.execute(&format!("delete from drafts where {place}"), key)?;
        txn.erase();
        return Ok(());
    }
    if !exists(txn.conn, &format!("select 1 from drafts where {place}"), key)? {
        let sql = "select count(*) from drafts where user_no = ?";
        let count: i64 = one(txn.conn, sql, [view.user_no], |row| row.get(0))?.unwrap_or(0);
        if count.unsigned_abs() >= most {
            return Err(Denied::Conflict("there are too many drafts").into());
        }
    }
    let sql = "insert or replace into drafts \
               (user_no, session_no, root_no, content, reply_to, updated_at) \
               values (?, ?, ?, ?, ?, ?)";
    let reply_to = unsent.reply_to.as_ref().map(|id| id.0.as_bytes());
    let (content, at) = (&unsent.content, unsent.updated_at.0);
    txn.execute(sql, params![key[0], key[1], key[2], content, reply_to, at]).map(drop)
}
