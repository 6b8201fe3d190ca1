//! Threads: what was said in them, who follows them and how far they have read. What is said in one
//! is written with the message, by `messages/more.rs`.

use std::collections::HashMap;

use async_trait::async_trait;
use parlor_domain::{Denied, Message, MessageId, RoomId, Thread, UserId, View};
use tokio_postgres::Row;

use super::messages::seen;
use super::readers::Db;
use super::rows::{
    MESSAGE, MESSAGE_COLUMNS, exists, many, message, most, one, time, user_no, uuid,
};
use super::{PostgresStore, extras};
use crate::StoreError;
use crate::messages::{MessagePage, Page, no_thread};
use crate::threads::{Followed, Threads};

#[async_trait]
impl Threads for PostgresStore {
    async fn thread(
        &self,
        user: UserId,
        root: MessageId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError> {
        let db = self.read().await?;
        let Some((view, _)) = seen(&db, user, root).await? else {
            return Ok(None);
        };
        read_page(&db, &view, root, page, most(limit)).await.map(Some)
    }

    async fn mark_thread(
        &self,
        user: UserId,
        root: MessageId,
        number: i64,
    ) -> Result<i64, StoreError> {
        let txn = self.begin().await?;
        let (view, root) = seen(&txn, user, root).await?.ok_or(Denied::NotFound)?;
        let sql = "select last_number from threads where root_no = $1";
        let last: Option<i64> = one(&txn, sql, &[&root.no], |row| Ok(row.try_get(0)?)).await?;
        let number = number.min(last.ok_or(Denied::NotFound)?);
        let marker = mark(&txn, &view, root.no, number, false).await?;
        txn.commit().await?;
        Ok(marker)
    }

    async fn follow(&self, user: UserId, root: MessageId, on: bool) -> Result<(), StoreError> {
        let txn = self.begin().await?;
        let (view, message) = seen(&txn, user, root).await?.ok_or(Denied::NotFound)?;
        let no = root_no(&txn, view.session_no, message.id).await?;
        if on {
            let sql = "select last_number from threads where root_no = $1";
            let last: Option<i64> = one(&txn, sql, &[&no], |row| Ok(row.try_get(0)?)).await?;
            mark(&txn, &view, no, last.unwrap_or(message.number), true).await?;
        } else {
            let sql = "update followers set following = false where root_no = $1 and user_no = $2";
            txn.execute(sql, &[&no, &view.user_no]).await?;
        }
        txn.commit().await
    }

    async fn followed(
        &self,
        user: UserId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Followed>, StoreError> {
        let db = self.read().await?;
        match user_no(&db, user).await? {
            Some(no) => followed(&db, no, before.unwrap_or(i64::MAX), most(limit)).await,
            None => Ok(vec![]),
        }
    }
}

/// The small id of a message, if a thread of this session can be under it. Under a deleted one none
/// begins any more.
pub(super) async fn root_no(db: &Db, session_no: i64, id: MessageId) -> Result<i64, StoreError> {
    let sql = "select m.no from messages m left join threads t on t.root_no = m.no \
               where m.id = $1 and m.session_no = $2 and m.thread_id is null \
               and (m.deleted_at is null or t.root_no is not null)";
    let found = one(db, sql, &[&id.0, &session_no], |row| Ok(row.try_get(0)?)).await?;
    found.ok_or(no_thread().into())
}

/// Moves a marker forward, and returns it; with `follow`, the thread is followed from now on.
async fn mark(
    db: &Db,
    view: &View,
    root_no: i64,
    number: i64,
    follow: bool,
) -> Result<i64, StoreError> {
    let sql = "insert into followers (root_no, user_no, session_no, following, read_number) \
               values ($1, $2, $3, $4, $5) on conflict (root_no, user_no) do update set \
               following = followers.following or excluded.following, \
               read_number = greatest(followers.read_number, excluded.read_number) \
               returning read_number";
    let bound = [&root_no as _, &view.user_no as _, &view.session_no as _, &follow as _];
    let bound = [&bound[..], &[&number as _]].concat();
    one(db, sql, &bound, |row| Ok(row.try_get(0)?)).await?.ok_or(Denied::NotFound.into())
}

/// What became of messages that began threads, as the user with this small id sees it.
pub(super) async fn of(
    db: &Db,
    nos: &[i64],
    reader_no: i64,
) -> Result<HashMap<i64, Thread>, StoreError> {
    let sql = "select t.root_no, t.replies, t.last_at, coalesce(f.following, false), \
               coalesce(f.read_number, 0), (select count(*) from (select 1 from messages m \
               where m.thread_id = t.root_id and f.following and m.number > f.read_number \
               limit $3) x) from threads t left join followers f on f.root_no = t.root_no \
               and f.user_no = $2 where t.root_no = any($1)";
    let mut found: HashMap<i64, Thread> = HashMap::new();
    for row in db.query(sql, &[&nos, &reader_no, &Thread::COUNTED]).await? {
        let thread = Thread {
            replies: row.try_get(1)?,
            last_reply_at: Some(time(&row, 2)?),
            users: vec![],
            following: row.try_get(3)?,
            unread: row.try_get(5)?,
            read_number: row.try_get(4)?,
        };
        found.insert(row.try_get(0)?, thread);
    }
    let sql = "select f.root_no, u.id from (select root_no, user_no, said_number, row_number() \
               over (partition by root_no order by said_number desc) as nth from followers \
               where root_no = any($1) and said_number > 0) f join users u on u.no = f.user_no \
               where f.nth <= $2 order by f.root_no, f.nth";
    for row in db.query(sql, &[&nos, &(Thread::SHOWN as i64)]).await? {
        let user = UserId(uuid(&row, 1)?);
        if let Some(thread) = found.get_mut(&row.try_get(0)?) {
            thread.users.push(user);
        }
    }
    Ok(found)
}

async fn followed(
    db: &Db,
    user_no: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<Followed>, StoreError> {
    let columns = MESSAGE.replacen(" from messages m", ", r.id, t.last_no from messages m", 1);
    let sql = format!(
        "{columns} join threads t on t.root_no = m.no join rooms r on r.no = s.room_no \
         join followers f on f.root_no = t.root_no and f.user_no = $1 and f.following \
         join session_members me on me.session_no = m.session_no and me.user_no = $1 \
         where t.last_no < $2 and s.ended_at is null order by t.last_no desc limit $3"
    );
    let mut found = many(db, &sql, &[&user_no, &before, &limit], |row: &Row| {
        Ok(Followed {
            root: message(row)?,
            room: RoomId(uuid(row, MESSAGE_COLUMNS)?),
            last_no: row.try_get(MESSAGE_COLUMNS + 1)?,
        })
    })
    .await?;
    let mut roots: Vec<&mut Message> =
        found.iter_mut().map(|followed| &mut followed.root).collect();
    extras::fill(db, user_no, &mut roots).await?;
    Ok(found)
}

/// Numbers of a thread have holes, so one message more than asked for is read to know whether there
/// are more.
async fn read_page(
    db: &Db,
    view: &View,
    root: MessageId,
    page: Page,
    limit: i64,
) -> Result<MessagePage, StoreError> {
    let (from, to, descending) = page.range(limit);
    let order = if descending { "desc" } else { "asc" };
    let sql = format!(
        "{MESSAGE} where m.thread_id = $1 and m.number between $2 and $3 \
         order by m.number {order} limit $4"
    );
    let bound = [&root.0 as _, &from as _, &to as _, &limit.saturating_add(1) as _];
    let mut messages: Vec<Message> = many(db, &sql, &bound, message).await?;
    let more = messages.len() as i64 > limit;
    messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if descending {
        messages.reverse();
    }
    extras::fill_all(db, view.user_no, &mut messages).await?;
    let (before, after) = (from > 1, to < i64::MAX);
    let beside = if descending { (to.saturating_add(1), i64::MAX) } else { (1, from - 1) };
    let beside = (if descending { after } else { before }) && {
        let sql =
            "select 1 from messages where thread_id = $1 and number between $2 and $3 limit 1";
        exists(db, sql, &[&root.0, &beside.0, &beside.1]).await?
    };
    let (more_before, more_after) = if descending { (more, beside) } else { (beside, more) };
    Ok(MessagePage { messages, more_before, more_after })
}
