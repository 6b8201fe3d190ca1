//! The other things that are done with messages: reworded, deleted, read.

use std::sync::Arc;

use async_trait::async_trait;
use parlor_domain::rewording::Rewording;
use parlor_domain::{
    ClientId, Denied, Draft, EventKind, Message, MessageId, Revision, RoomId, SessionId, Time,
    UserId, View,
};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::{Append, receipt};
use crate::StoreError;
use crate::erasures::Erasure;
use crate::keyring::Missing;
use crate::messages::{Appending, DecideDelete, DecideEdit, MessagePage, Messages, Page, Receipt};
use crate::sqlite::extras::NOBODY;
use crate::sqlite::receipts;
use crate::sqlite::rows::{MESSAGE, exists, many, message, most, one, user_no, uuid, view};
use crate::sqlite::search::{self, Gone};
use crate::sqlite::txn::Txn;
use crate::sqlite::writer::Op;
use crate::sqlite::{SqliteStore, extras, failed, files, previews};

#[async_trait]
impl Messages for SqliteStore {
    async fn append(&self, draft: Draft) -> Result<Appending, StoreError> {
        let (answer, appending) = oneshot::channel();
        match self.sealed(draft).await {
            Ok((draft, sealed)) => {
                let op = Op::append(Append { draft, sealed, answer });
                self.ops.send(op).await.map_err(|_| StoreError::Closed)?;
            }
            Err(error) => drop(answer.send(Err(error))),
        }
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
        asked: Rewording,
        now: Time,
        decide: DecideEdit,
    ) -> Result<Message, StoreError> {
        self.write(move |txn| {
            let (view, old) = seen(txn.conn, user, id)?.ok_or(Denied::NotFound)?;
            let sql = "select count(*) from revisions where message_no = ?";
            let mut statement = txn.conn.prepare_cached(sql).map_err(failed)?;
            let nth: i64 = statement.query_row([old.no], |row| row.get(0)).map_err(failed)?;
            decide(&view, &old, nth.unsigned_abs())?;
            let written = old.edited_at.unwrap_or(old.sent_at);
            let sql = "insert into revisions (message_no, nth, content, sealed, written_at) \
                       select no, ?2, content, sealed, ?3 from messages where no = ?1";
            txn.execute(sql, [old.no, nth, written.0])?;
            let content = asked.content.unwrap_or_else(|| old.content.clone());
            let file = asked.file.or_else(|| old.file.clone());
            let sealed = sealed_again(txn, &old, &content)?;
            let kept = if sealed.is_some() { "" } else { &content };
            let sql = "update messages set content = ?, sealed = ?, file = ?, edited_at = ? \
                       where no = ?";
            txn.execute(sql, params![kept, sealed, file, now.0, old.no])?;
            let words = if old.is_encrypted() { "" } else { kept };
            search::reword(txn, &gone(&view, &old), words)?;
            let new = Message { content, file, edited_at: Some(now), ..old };
            let told = extras::filled(txn.conn, NOBODY, new.clone())?;
            txn.log(view.session_no, now, Some(new.no), EventKind::Edited(told))?;
            extras::filled(txn.conn, view.user_no, new)
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
            let erased = Erased { id, number: old.number, gone: gone(&view, &old) };
            txn.erasures.push(Erasure::Message(id, user));
            erase(txn, erased, user, now)
        })
        .await
    }

    async fn message(&self, user: UserId, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.read(move |conn| {
            let found = seen(conn, user, id)?;
            let filled = found.map(|(view, message)| extras::filled(conn, view.user_no, message));
            filled.transpose()
        })
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

    async fn newest(
        &self,
        user: UserId,
        sessions: u64,
        messages: u64,
    ) -> Result<Vec<(SessionId, MessagePage)>, StoreError> {
        self.read(move |conn| {
            let sql = "select s.id from session_members me \
                       join sessions s on s.no = me.session_no and s.ended_at is null \
                       join heads h on h.session_no = s.no \
                       join messages m on m.session_no = s.no and m.number = h.number \
                       where me.user_no = (select no from users where id = ?) \
                       order by m.no desc limit ?";
            let bound = params![user.0.as_bytes(), most(sessions)];
            let last = many(conn, sql, bound, |row| Ok(SessionId(uuid(row, 0)?)))?;
            let mut found = Vec::with_capacity(last.len());
            for session in last {
                if let Some(view) = view(conn, user, session)? {
                    found.push((session, read_page(conn, &view, Page::Newest, most(messages))?));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn messages_of(
        &self,
        user: UserId,
        author: UserId,
        room: Option<RoomId>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError> {
        self.read(move |conn| {
            let sql = format!(
                "{MESSAGE} join session_members me on me.session_no = m.session_no \
                 and me.user_no = (select no from users where id = ?1) \
                 where m.sender_no = (select no from users where id = ?2) \
                 and m.no < ?3 and m.deleted_at is null and s.ended_at is null \
                 and (?5 is null or m.session_no in (select s.no from sessions s \
                 join rooms r on r.no = s.room_no where r.id = ?5)) \
                 order by m.no desc limit ?4"
            );
            let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let before = before.unwrap_or(i64::MAX);
            let room = room.map(|room| room.0.into_bytes());
            let bound = params![user.0.as_bytes(), author.0.as_bytes(), before, limit, room];
            let rows = statement.query_map(bound, message).map_err(failed)?;
            let mut found: Vec<Message> = rows.collect::<Result<_, _>>().map_err(failed)?;
            let reader_no = user_no(conn, user)?.unwrap_or(NOBODY);
            extras::fill(conn, reader_no, &mut found)?;
            Ok(found)
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
            let sql = "select iif(r.sealed is null, r.content, unsealed(r.sealed, ?2, ?3)), \
                       r.written_at from revisions r where r.message_no = ?1 order by r.nth";
            let encrypted = message.is_encrypted();
            let mut statement = conn.prepare_cached(sql).map_err(failed)?;
            let (session, id) = (message.session.0.as_bytes(), id.0.as_bytes());
            let rows = statement.query_map(params![message.no, session, id], |row| {
                let content: Option<String> = row.get(0)?;
                let (content, written_at) = (content.unwrap_or_default(), Time(row.get(1)?));
                Ok(Revision { content, written_at, encrypted })
            });
            rows.map_err(failed)?.collect::<Result<_, _>>().map(Some).map_err(failed)
        })
        .await
    }

    async fn forget_receipts(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        self.write(move |txn| receipts::forget(txn, before, most(limit))).await
    }
}

impl SqliteStore {
    /// A draft with its text as it is kept, where that is sealed. Where the session has ended the
    /// draft is stale.
    async fn sealed(&self, draft: Draft) -> Result<(Draft, Option<Vec<u8>>), StoreError> {
        let Some(seal) = draft.seal else { return Ok((draft, None)) };
        let closed = || self.keys.keys().seal(draft.session, draft.id, seal, &draft.content);
        let sealed = match closed() {
            Err(Missing::Secret) if self.has_secret_made(draft.session).await? => closed(),
            sealed => sealed,
        };
        match sealed {
            Err(Missing::Secret) => Err(StoreError::Stale(Box::new(draft))),
            sealed => Ok((draft, Some(sealed?))),
        }
    }

    /// Makes the secret of a session, which waits for the disk, once in it; false: it has ended.
    async fn has_secret_made(&self, session: SessionId) -> Result<bool, StoreError> {
        let sql = "select 1 from sessions where id = ? and ended_at is null";
        if !self.read(move |conn| exists(conn, sql, [session.0.as_bytes()])).await? {
            return Ok(false);
        }
        let keys = Arc::clone(&self.keys);
        let made = tokio::task::spawn_blocking(move || keys.prepare(session)).await;
        made.map_err(|_| StoreError::Closed)??;
        Ok(true)
    }
}

/// Another wording as it is kept, where the one before was sealed.
fn sealed_again(
    txn: &Txn<'_>,
    old: &Message,
    content: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "select sealed from messages where no = ? and sealed is not null";
    let before: Option<Vec<u8>> = one(txn.conn, sql, [old.no], |row| row.get(0))?;
    let again = |before: Vec<u8>| txn.keys.keys().seal_again(old.session, old.id, &before, content);
    Ok(before.map(again).transpose()?)
}

/// A message whose text goes.
pub(in super::super) struct Erased {
    pub(in super::super) id: MessageId,
    pub(in super::super) number: i64,
    pub(in super::super) gone: Gone,
}

/// Erases a message's text, its earlier wordings, whom it names and what it is found by; its number
/// stays.
pub(in super::super) fn erase(
    txn: &mut Txn<'_>,
    erased: Erased,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    strip(txn, &erased, now)?;
    let Erased { id, number, gone } = erased;
    let (no, session_no) = (gone.no, gone.session_no);
    search::remove(txn, 1, [Ok(gone)].into_iter())?;
    let kind = EventKind::Deleted { message: id, number, by };
    txn.log(session_no, now, Some(no), kind).map(drop)
}

/// Erases what [`erase`] does, but for what the message is found by, and tells nobody.
pub(in super::super) fn strip(
    txn: &mut Txn<'_>,
    erased: &Erased,
    now: Time,
) -> Result<(), StoreError> {
    let (no, session_no) = (erased.gone.no, erased.gone.session_no);
    let sql = "update messages set content = '', sealed = null, file = null, deleted_at = ? \
               where no = ?";
    txn.execute(sql, params![now.0, no])?;
    txn.execute("delete from revisions where message_no = ?", [no])?;
    extras::erase(txn, no)?;
    previews::release(txn, no)?;
    files::release(txn, no)?;
    txn.erase();
    let sql = "delete from mentions where session_no = ? and number = ?";
    txn.execute(sql, params![session_no, erased.number]).map(drop)
}

/// A message and its session, if the user is in that session. What else there is of the message is
/// still to be read.
pub(in super::super) fn seen(
    conn: &Connection,
    user: UserId,
    id: MessageId,
) -> Result<Option<(View, Message)>, StoreError> {
    let sql = format!("{MESSAGE} where m.id = ?");
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let found = statement.query_row([id.0.as_bytes()], message).optional().map_err(failed)?;
    let Some(found) = found else { return Ok(None) };
    Ok(view(conn, user, found.session)?.map(|view| (view, found)))
}

/// Whether what a draft answers is in its session.
pub(super) fn reply_is_here(conn: &Connection, draft: &Draft) -> Result<bool, StoreError> {
    let Some(to) = draft.reply_to else {
        return Ok(true);
    };
    let sql = "select 1 from messages where id = ? and session_no = ? and deleted_at is null";
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    statement.exists(params![to.0.as_bytes(), draft.session_no]).map_err(failed)
}

/// A message whose text goes, for the index.
fn gone(view: &View, message: &Message) -> Gone {
    // What is encrypted has no words, and what is sealed none that are in the index.
    let plain = !message.is_encrypted() && !message.is_sealed();
    let text = if plain { message.content.clone() } else { String::new() };
    Gone { no: message.no, session_no: view.session_no, text }
}

fn read_page(
    conn: &Connection,
    view: &View,
    page: Page,
    limit: i64,
) -> Result<MessagePage, StoreError> {
    let (from, to, descending) = page.range(limit);
    let order = if descending { "desc" } else { "asc" };
    let sql = format!(
        "{MESSAGE} where m.session_no = ? and m.number between ? and ? \
         order by m.number {order} limit ?"
    );
    let mut statement = conn.prepare_cached(&sql).map_err(failed)?;
    let rows = statement.query_map(params![view.session_no, from, to, limit], message);
    let mut messages: Vec<Message> =
        rows.map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    if descending {
        messages.reverse();
    }
    extras::fill(conn, view.user_no, &mut messages)?;
    let sql = "select number from heads where session_no = ?";
    let head: i64 = one(conn, sql, [view.session_no], |row| row.get(0))?.unwrap_or(0);
    // Numbers have no holes, so they tell what is on either side, even of an empty page.
    let (first, last) = match (messages.first(), messages.last()) {
        (Some(first), Some(last)) => (first.number, last.number),
        _ => (from.min(head.saturating_add(1)), to.min(head)),
    };
    Ok(MessagePage { messages, more_before: first > 1, more_after: last < head })
}
