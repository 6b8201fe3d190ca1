//! Path 5/8: `append`: one transaction gives `seq` and `number` and writes the rows. Next: the
//! committed batch goes to `bus/src/local.rs`, by way of `app/src/deliver.rs`.

use async_trait::async_trait;
use parlor_domain::{
    ClientId, Denied, Draft, EventKind, Message, MessageId, Revision, SessionId, Time, UserId, View,
};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::receipts::{self, Made};
use super::rows::{MESSAGE, message, one, user_no, view};
use super::writer::{Op, Txn};
use super::{SqliteStore, failed};
use crate::StoreError;
use crate::messages::{
    Appending, DecideDelete, DecideEdit, MessagePage, Messages, Page, Posted, Receipt,
};

/// A draft on its way into the log.
pub(super) struct Append {
    pub(super) draft: Draft,
    pub(super) answer: oneshot::Sender<Result<Posted, StoreError>>,
}

/// Stores a draft, exactly once. What is refused is refused before anything is written, so that it
/// needs no savepoint.
pub(super) fn append(txn: &mut Txn<'_>, draft: &Draft) -> Result<Posted, StoreError> {
    if let Some(first) = receipt(txn.conn, draft.sender_no, draft.client_id)? {
        let same = first.digest == draft.digest;
        return same.then_some(first.posted).ok_or(StoreError::KeyReused);
    }
    let head = txn.head(draft.session_no)?;
    if head.acl_version != draft.acl_version {
        return Err(StoreError::Stale(Box::new(draft.clone())));
    }
    if !reply_is_here(txn.conn, draft)? {
        return Err(Denied::NotFound.into());
    }
    let no = txn.take_message_no();
    let head = txn.set_head(draft.session_no, |head| head.number += 1)?;
    let posted = Posted {
        id: draft.id,
        no,
        number: head.number,
        seq: head.seq + 1,
        sent_at: draft.sent_at,
        fresh: true,
    };
    write(txn, draft, &posted)?;
    let kind = EventKind::Posted(told(draft, &posted));
    txn.log(draft.session_no, draft.sent_at, Some(no), kind)?;
    Ok(posted)
}

/// Writes the rows of a draft: the receipt, the message, and whom it names.
fn write(txn: &mut Txn<'_>, draft: &Draft, posted: &Posted) -> Result<(), StoreError> {
    let receipt = (draft.client_id, draft.digest);
    receipts::keep(
        txn,
        draft.sender_no,
        &receipt,
        (Made::Message, posted.no),
        draft.sent_at,
    )?;
    let key = draft.client_id.0.as_bytes();
    let sql = "insert into messages (no, id, session_no, number, seq, sender_no, client_id, \
               content, reply_to, sent_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let row = params![
        posted.no,
        draft.id.0.as_bytes(),
        draft.session_no,
        posted.number,
        posted.seq,
        draft.sender_no,
        key,
        draft.content,
        draft.reply_to.as_ref().map(|id| id.0.as_bytes()),
        draft.sent_at.0,
    ];
    txn.execute(sql, row)?;
    let sql = "insert or ignore into mentions (session_no, user_no, number) \
               select m.session_no, u.no, ?3 from users u join session_members m \
               on m.user_no = u.no and m.session_no = ?1 \
               where u.username_key = ?2 and u.no <> ?4";
    for name in &draft.mentions {
        txn.execute(
            sql,
            params![draft.session_no, name, posted.number, draft.sender_no],
        )?;
    }
    Ok(())
}

/// The message as everybody is told of it.
fn told(draft: &Draft, posted: &Posted) -> Message {
    Message {
        id: draft.id,
        no: posted.no,
        number: posted.number,
        seq: posted.seq,
        session: draft.session,
        sender: draft.sender,
        client_id: draft.client_id,
        content: draft.content.clone(),
        reply_to: draft.reply_to,
        sent_at: draft.sent_at,
        edited_at: None,
        deleted_at: None,
    }
}

fn reply_is_here(conn: &Connection, draft: &Draft) -> Result<bool, StoreError> {
    let Some(to) = draft.reply_to else {
        return Ok(true);
    };
    let sql = "select 1 from messages where id = ? and session_no = ? and deleted_at is null";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    statement
        .exists(params![to.0.as_bytes(), draft.session_no])
        .map_err(failed)
}

/// What an earlier send came to, by one lookup; a key that made something else is refused.
fn receipt(conn: &Connection, user_no: i64, key: ClientId) -> Result<Option<Receipt>, StoreError> {
    let sql = "select m.id, m.no, m.number, m.seq, m.sent_at, r.digest from receipts r \
               left join messages m on m.no = r.made_no and r.kind = 1 \
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
            fresh: false,
        };
        Ok(Some(Receipt {
            posted,
            digest: row.get(5)?,
        }))
    })?;
    found
        .map(|receipt| receipt.ok_or(StoreError::KeyReused))
        .transpose()
}

#[async_trait]
impl Messages for SqliteStore {
    async fn append(&self, draft: Draft) -> Result<Appending, StoreError> {
        let (answer, appending) = oneshot::channel();
        let op = Op::append(Append { draft, answer });
        self.ops.send(op).await.map_err(|_| StoreError::Closed)?;
        Ok(appending)
    }

    async fn receipt(
        &self,
        user: UserId,
        client_id: ClientId,
    ) -> Result<Option<Receipt>, StoreError> {
        self.read(move |conn| {
            let Some(no) = user_no(conn, user)? else {
                return Ok(None);
            };
            receipt(conn, no, client_id)
        })
        .await
    }

    async fn edit(
        &self,
        user: UserId,
        id: MessageId,
        content: String,
        now: Time,
        decide: DecideEdit,
    ) -> Result<Message, StoreError> {
        self.write(move |txn| {
            let (view, old) = seen(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
            let sql = "select count(*) from revisions where message_no = ?";
            let mut statement = txn.conn.prepare_cached(sql).map_err(failed)?;
            let nth: i64 = statement
                .query_row([old.no], |row| row.get(0))
                .map_err(failed)?;
            decide(&view, &old, nth.unsigned_abs())?;
            let written = old.edited_at.unwrap_or(old.sent_at);
            let sql = "insert into revisions (message_no, nth, content, written_at) \
                       values (?, ?, ?, ?)";
            txn.execute(sql, params![old.no, nth, old.content, written.0])?;
            let sql = "update messages set content = ?, edited_at = ? where no = ?";
            txn.execute(sql, params![content, now.0, old.no])?;
            let new = Message {
                content,
                edited_at: Some(now),
                ..old
            };
            txn.log(
                view.session_no,
                now,
                Some(new.no),
                EventKind::Edited(new.clone()),
            )?;
            Ok(new)
        })
        .await
    }

    async fn delete(
        &self,
        user: UserId,
        id: MessageId,
        now: Time,
        decide: DecideDelete,
    ) -> Result<(), StoreError> {
        self.write(move |txn| {
            let (view, old) = seen(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
            decide(&view, &old)?;
            let sql = "update messages set content = '', deleted_at = ? where no = ?";
            txn.execute(sql, params![now.0, old.no])?;
            txn.execute("delete from revisions where message_no = ?", [old.no])?;
            let sql = "delete from mentions where session_no = ? and number = ?";
            txn.execute(sql, params![view.session_no, old.number])?;
            let kind = EventKind::Deleted {
                message: id,
                number: old.number,
                by: user,
            };
            txn.log(view.session_no, now, Some(old.no), kind)?;
            Ok(())
        })
        .await
    }

    async fn message(&self, user: UserId, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.read(move |conn| Ok(seen(conn, user, id)?.map(|(_, message)| message)))
            .await
    }

    async fn page(
        &self,
        user: UserId,
        session: SessionId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError> {
        self.read(move |conn| {
            let Some(view) = view(conn, user, session)? else {
                return Ok(None);
            };
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            read_page(conn, &view, page, limit).map(Some)
        })
        .await
    }

    async fn messages_of(
        &self,
        user: UserId,
        author: UserId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |conn| {
            let sql = format!(
                "{MESSAGE} join session_members me on me.session_no = m.session_no \
                 and me.user_no = (select no from users where id = ?1) \
                 where m.sender_no = (select no from users where id = ?2) \
                 and m.no < ?3 and m.deleted_at is null order by m.no desc limit ?4"
            );
            let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let before = before.unwrap_or(i64::MAX);
            let bound = params![user.0.as_bytes(), author.0.as_bytes(), before, limit];
            let rows = statement.query_map(bound, message).map_err(failed)?;
            rows.collect::<Result<_, _>>().map_err(failed)
        })
        .await
    }

    async fn revisions(
        &self,
        user: UserId,
        id: MessageId,
    ) -> Result<Option<Vec<Revision>>, StoreError> {
        self.read(move |conn| {
            let Some((_, message)) = seen(conn, user, id)? else {
                return Ok(None);
            };
            let sql = "select content, written_at from revisions where message_no = ? order by nth";
            let mut statement = conn.prepare_cached(sql).map_err(failed)?;
            let rows = statement.query_map([message.no], |row| {
                Ok(Revision {
                    content: row.get(0)?,
                    written_at: Time(row.get(1)?),
                })
            });
            rows.map_err(failed)?
                .collect::<Result<_, _>>()
                .map(Some)
                .map_err(failed)
        })
        .await
    }
}

/// A message and its session, if the user is in that session.
fn seen(
    conn: &Connection,
    user: UserId,
    id: MessageId,
) -> Result<Option<(View, Message)>, StoreError> {
    let sql = format!("{MESSAGE} where m.id = ?");
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let found = statement
        .query_row([id.0.as_bytes()], message)
        .optional()
        .map_err(failed)?;
    let Some(found) = found else { return Ok(None) };
    Ok(view(conn, user, found.session)?.map(|view| (view, found)))
}

fn read_page(
    conn: &Connection,
    view: &View,
    page: Page,
    limit: i64,
) -> Result<MessagePage, StoreError> {
    let (from, to, descending) = match page {
        Page::Newest => (1, i64::MAX, true),
        Page::Before(number) => (1, number.saturating_sub(1), true),
        Page::After(number) => (number.saturating_add(1), i64::MAX, false),
        Page::Around(number) => (number.saturating_sub(limit / 2).max(1), i64::MAX, false),
    };
    let order = if descending { "desc" } else { "asc" };
    let sql = format!(
        "{MESSAGE} where m.session_no = ? and m.number between ? and ? \
         order by m.number {order} limit ?"
    );
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let rows = statement.query_map(params![view.session_no, from, to, limit], message);
    let mut messages: Vec<Message> = rows
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if descending {
        messages.reverse();
    }
    let sql = "select number from heads where session_no = ?";
    let head: i64 = one(conn, sql, [view.session_no], |row| row.get(0))?.unwrap_or(0);
    // Numbers have no holes, so they tell what is on either side, even of an empty page.
    let (first, last) = match (messages.first(), messages.last()) {
        (Some(first), Some(last)) => (first.number, last.number),
        _ => (from.min(head.saturating_add(1)), to.min(head)),
    };
    Ok(MessagePage {
        messages,
        more_before: first > 1,
        more_after: last < head,
    })
}
