//! The other things that are done with messages: reworded, deleted, read.

use async_trait::async_trait;
use parlor_domain::rewording::Rewording;
use parlor_domain::{
    ClientId, Denied, Draft, EventKind, Message, MessageId, Revision, RoomId, SessionId, Time,
    UserId, View,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Append, first_result};
use crate::StoreError;
use crate::erasures::Erasure;
use crate::keyring::Missing;
use crate::messages::{Appending, DecideDelete, DecideEdit, MessagePage, Messages, Page, Receipt};
use crate::postgres::extras::NOBODY;
use crate::postgres::readers::{Bound, Db};
use crate::postgres::rows::{
    MESSAGE, MESSAGE_COLUMNS, exists, many, message, message_at, most, one, time, user_no, uuid,
    view,
};
use crate::postgres::txn::Txn;
use crate::postgres::{PostgresStore, extras, files, previews, receipts, sealing, search};

#[async_trait]
impl Messages for PostgresStore {
    async fn append(&self, draft: Draft) -> Result<Appending, StoreError> {
        let (answer, appending) = oneshot::channel();
        match self.sealed(draft).await {
            Ok((draft, sealed)) => self.lanes.push(Append { draft, sealed, answer }).await?,
            Err(error) => drop(answer.send(Err(error))),
        }
        Ok(appending)
    }

    async fn receipt(
        &self,
        user: UserId,
        client_id: ClientId,
    ) -> Result<Option<Receipt>, StoreError> {
        let sql = "select m.id, m.no, m.number, m.seq, m.sent_at, r.digest, m.expires_at \
                   from receipts r left join messages m on m.no = r.made_no and r.kind = 1 \
                   where r.user_no = (select no from users where id = $1) and r.key = $2";
        one(&self.one().await?, sql, &[&user.0, &client_id.0], first_result).await
    }

    async fn edit(
        &self,
        user: UserId,
        id: MessageId,
        asked: Rewording,
        now: Time,
        decide: DecideEdit,
    ) -> Result<Message, StoreError> {
        let mut txn = self.begin().await?;
        let (view, mut old) = held(&mut txn, user, id).await?;
        sealing::open(&txn, &mut [&mut old]).await?;
        let sql = "select count(*) from revisions where message_no = $1";
        let nth: i64 = one(&txn, sql, &[&old.no], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0);
        decide(&view, &old, nth.unsigned_abs())?;
        let written = old.edited_at.unwrap_or(old.sent_at);
        let sql = "insert into revisions (message_no, nth, content, sealed, written_at) \
                   select no, $2, content, sealed, $3 from messages where no = $1";
        txn.execute(sql, &[&old.no, &nth, &written.0]).await?;
        let content = asked.content.unwrap_or_else(|| old.content.clone());
        let file = asked.file.or_else(|| old.file.clone());
        let sealed = sealing::again(&txn, &old, &content).await?;
        let kept = if sealed.is_some() { "" } else { &content };
        let sql = "update messages set content = $1, sealed = $5, file = $2, edited_at = $3 \
                   where no = $4 returning sender_no";
        let bound: Bound<'_> = &[&kept, &file, &now.0, &old.no, &sealed];
        let author_no = one(&txn, sql, bound, |row| Ok(row.try_get(0)?)).await?;
        let author_no = author_no.ok_or(Denied::NotFound)?;
        let text = if old.is_encrypted() { "" } else { kept };
        let said = search::Said { session_no: view.session_no, no: old.no, author_no, text };
        search::reword(&txn, said).await?;
        let new = Message { content, file, edited_at: Some(now), ..old };
        let told = extras::filled(&txn, NOBODY, new.clone()).await?;
        txn.log(view.session_no, now, Some(new.no), EventKind::Edited(told)).await?;
        let new = extras::filled(&txn, view.user_no, new).await?;
        txn.commit().await?;
        Ok(new)
    }

    async fn delete(
        &self,
        user: UserId,
        id: MessageId,
        now: Time,
        decide: DecideDelete,
    ) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        let (view, old) = held(&mut txn, user, id).await?;
        decide(&view, &old)?;
        let (no, number, session_no) = (old.no, old.number, view.session_no);
        erase(&mut txn, vec![Erased { id, no, session_no, number }], user, now).await?;
        txn.erasures().push(Erasure::Message(id, user));
        txn.commit().await
    }

    async fn message(&self, user: UserId, id: MessageId) -> Result<Option<Message>, StoreError> {
        let db = self.read().await?;
        match seen(&db, user, id).await? {
            Some((view, message)) => extras::filled(&db, view.user_no, message).await.map(Some),
            None => Ok(None),
        }
    }

    async fn page(
        &self,
        user: UserId,
        session: SessionId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError> {
        let db = self.read().await?;
        let Some(view) = view(&db, user, session).await? else {
            return Ok(None);
        };
        read_page(&db, &view, page, most(limit)).await.map(Some)
    }

    async fn newest(
        &self,
        user: UserId,
        sessions: u64,
        messages: u64,
    ) -> Result<Vec<(SessionId, MessagePage)>, StoreError> {
        let (sessions, messages) = (most(sessions), most(messages));
        let db = self.one().await?;
        let rows = db.query(NEWEST, &[&user.0, &sessions, &messages]).await?;
        let mut found: Vec<(SessionId, MessagePage)> = Vec::new();
        for row in &rows {
            let session = SessionId(uuid(row, MESSAGE_COLUMNS)?);
            if found.last().is_none_or(|(last, _)| *last != session) {
                let more_before = row.try_get(MESSAGE_COLUMNS + 1)?;
                let page = MessagePage { messages: vec![], more_before, more_after: false };
                found.push((session, page));
            }
            if let Some((_, page)) = found.last_mut()
                && row.try_get::<_, Option<Uuid>>(0)?.is_some()
            {
                page.messages.push(message_at(row, 0)?);
            }
        }
        let all = found.iter_mut().flat_map(|(_, page)| &mut page.messages);
        let mut all: Vec<&mut Message> = all.filter(|message| message.extras.is_some()).collect();
        if !all.is_empty() {
            let reader_no = user_no(&db, user).await?.unwrap_or(NOBODY);
            extras::fill(&db, reader_no, &mut all).await?;
        }
        Ok(found)
    }

    async fn messages_of(
        &self,
        user: UserId,
        author: UserId,
        room: Option<RoomId>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError> {
        let sql = format!(
            "{MESSAGE} join session_members me on me.session_no = m.session_no \
             and me.user_no = (select no from users where id = $1) \
             where m.sender_no = (select no from users where id = $2) \
             and m.no < $3 and m.deleted_at is null and s.ended_at is null \
             and ($5::uuid is null or m.session_no in (select s.no from sessions s \
             join rooms r on r.no = s.room_no where r.id = $5)) \
             order by m.no desc limit $4"
        );
        let (before, limit) = (before.unwrap_or(i64::MAX), most(limit));
        let room = room.map(|room| room.0);
        let db = self.one().await?;
        let bound = [&user.0 as _, &author.0 as _, &before as _, &limit as _, &room as _];
        let mut found = many(&db, &sql, &bound, message).await?;
        if found.iter().any(|message| message.extras.is_some()) {
            let reader_no = user_no(&db, user).await?.unwrap_or(NOBODY);
            extras::fill_all(&db, reader_no, &mut found).await?;
        }
        Ok(found)
    }

    async fn revisions(
        &self,
        user: UserId,
        id: MessageId,
    ) -> Result<Option<Vec<Revision>>, StoreError> {
        let db = self.read().await?;
        let Some((_, message)) = seen(&db, user, id).await? else {
            return Ok(None);
        };
        let sql = "select content, written_at, sealed from revisions where message_no = $1 \
                   order by nth";
        let encrypted = message.is_encrypted();
        let mut revisions = Vec::new();
        for row in db.query(sql, &[&message.no]).await? {
            let content = match row.try_get::<_, Option<&[u8]>>(2)? {
                Some(sealed) => {
                    let text = db.keys().open_text(message.session, message.id, sealed).await?;
                    text.unwrap_or_default()
                }
                None => row.try_get(0)?,
            };
            revisions.push(Revision { content, written_at: time(&row, 1)?, encrypted });
        }
        Ok(Some(revisions))
    }

    async fn forget_receipts(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let txn = self.begin().await?;
        let forgotten = receipts::forget(&txn, before, most(limit)).await?;
        txn.commit().await?;
        Ok(forgotten)
    }
}

impl PostgresStore {
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

    /// Makes the secret of a session, once in it, or looks it up; false: it has ended.
    async fn has_secret_made(&self, session: SessionId) -> Result<bool, StoreError> {
        let sql = "select 1 from sessions where id = $1 and ended_at is null";
        if !exists(&self.one().await?, sql, &[&session.0]).await? {
            return Ok(false);
        }
        self.keys.prepare(session).await?;
        Ok(true)
    }
}

/// The newest messages of the sessions in which something was said last: the message, the session,
/// and whether there are earlier ones.
const NEWEST: &str = "select m.id, m.no, m.number, m.seq, t.id, u.id, m.client_id, m.content, \
    m.reply_to, m.sent_at, m.edited_at, m.deleted_at, m.file, m.thread_id, m.extras, \
    m.expires_at, null::bigint, t.id, t.number > $3 from \
    (select s.no, s.id, h.number, last.no as last_no from session_members me \
    join sessions s on s.no = me.session_no and s.ended_at is null \
    join room_members rm on rm.room_no = s.room_no and rm.user_no = me.user_no \
    join heads h on h.session_no = s.no \
    join messages last on last.session_no = s.no and last.number = h.number \
    where me.user_no = (select no from users where id = $1) \
    order by last.no desc limit $2) t \
    left join lateral (select * from messages x where x.session_no = t.no \
    order by x.number desc limit $3) m on true \
    left join users u on u.no = m.sender_no order by t.last_no desc, m.number";

/// A message whose text goes.
pub(in super::super) struct Erased {
    pub(in super::super) id: MessageId,
    pub(in super::super) no: i64,
    pub(in super::super) session_no: i64,
    pub(in super::super) number: i64,
}

/// Erases messages' texts, their earlier wordings, whom they name and what they are found by; their
/// numbers stay.
pub(in super::super) async fn erase(
    txn: &mut Txn,
    erased: Vec<Erased>,
    by: UserId,
    now: Time,
) -> Result<(), StoreError> {
    strip(txn, &erased, now).await?;
    for Erased { id, no, session_no, number } in erased {
        let kind = EventKind::Deleted { message: id, number, by };
        txn.log(session_no, now, Some(no), kind).await?;
    }
    Ok(())
}

/// The same, and tells nobody.
pub(in super::super) async fn strip(
    txn: &mut Txn,
    erased: &[Erased],
    now: Time,
) -> Result<(), StoreError> {
    let nos: Vec<i64> = erased.iter().map(|message| message.no).collect();
    let numbers: Vec<i64> = erased.iter().map(|message| message.number).collect();
    let sessions: Vec<i64> = erased.iter().map(|message| message.session_no).collect();
    // Before their rows: others that change them hold the locks of their logs.
    txn.lock_heads(&sessions).await?;
    let sql = "update messages set content = '', sealed = null, file = null, deleted_at = $1 \
               where no = any($2)";
    txn.execute(sql, &[&now.0, &nos]).await?;
    txn.execute("delete from revisions where message_no = any($1)", &[&nos]).await?;
    search::remove(txn, &nos).await?;
    extras::erase(txn, &nos).await?;
    previews::release(txn, &nos).await?;
    files::release(txn, &nos).await?;
    let sql = "delete from mentions m using unnest($1::bigint[], $2::bigint[]) \
               e (session_no, number) where m.session_no = e.session_no and m.number = e.number";
    txn.execute(sql, &[&sessions, &numbers]).await.map(drop)
}

/// A message and its session, if the user is in that session. What else there is of the message is
/// still to be read.
pub(in super::super) async fn seen(
    db: &Db,
    user: UserId,
    id: MessageId,
) -> Result<Option<(View, Message)>, StoreError> {
    let sql = format!("{MESSAGE} where m.id = $1");
    let Some(found) = one(db, &sql, &[&id.0], message).await? else {
        return Ok(None);
    };
    Ok(view(db, user, found.session).await?.map(|view| (view, found)))
}

/// The same, to be changed: nobody else changes it, or who is in its session, meanwhile.
pub(in super::super) async fn held(
    txn: &mut Txn,
    user: UserId,
    id: MessageId,
) -> Result<(View, Message), StoreError> {
    let sql = "select session_no from messages where id = $1";
    let session_no: Option<i64> = one(txn, sql, &[&id.0], |row| Ok(row.try_get(0)?)).await?;
    txn.lock_heads(&[session_no.ok_or(Denied::NotFound)?]).await?;
    seen(txn, user, id).await?.ok_or(Denied::NotFound.into())
}

async fn read_page(
    db: &Db,
    view: &View,
    page: Page,
    limit: i64,
) -> Result<MessagePage, StoreError> {
    let (from, to, descending) = page.range(limit);
    let order = if descending { "desc" } else { "asc" };
    let sql = format!(
        "{MESSAGE} where m.session_no = $1 and m.number between $2 and $3 \
         order by m.number {order} limit $4"
    );
    let mut messages = many(db, &sql, &[&view.session_no, &from, &to, &limit], message).await?;
    if descending {
        messages.reverse();
    }
    extras::fill_all(db, view.user_no, &mut messages).await?;
    let sql = "select number from heads where session_no = $1";
    let head = one(db, sql, &[&view.session_no], |row| Ok(row.try_get(0)?)).await?;
    let head: i64 = head.unwrap_or(0);
    // Numbers have no holes, so they tell what is on either side, even of an empty page.
    let (first, last) = match (messages.first(), messages.last()) {
        (Some(first), Some(last)) => (first.number, last.number),
        _ => (from.min(head.saturating_add(1)), to.min(head)),
    };
    Ok(MessagePage { messages, more_before: first > 1, more_after: last < head })
}
