//! Threads: what was said in them, who follows them and how far they have read.

use async_trait::async_trait;
use parlor_domain::{
    Denied, Draft, Extras, Message, MessageId, RoomId, Thread, Time, UserId, View,
};
use rusqlite::{Connection, params};

use super::messages::seen;
use super::rows::{MESSAGE, MESSAGE_COLUMNS, exists, many, message, most, one, user_no, uuid};
use super::txn::Txn;
use super::{SqliteStore, extras};
use crate::messages::{MessagePage, Page, no_thread};
use crate::threads::{Followed, Threads};
use crate::{Posted, StoreError};

#[async_trait]
impl Threads for SqliteStore {
    async fn thread(
        &self,
        user: UserId,
        root: MessageId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError> {
        self.read(move |conn| {
            let Some((view, _)) = seen(conn, user, root)? else {
                return Ok(None);
            };
            read_page(conn, &view, root, page, most(limit)).map(Some)
        })
        .await
    }

    async fn mark_thread(
        &self,
        user: UserId,
        root: MessageId,
        number: i64,
    ) -> Result<i64, StoreError> {
        self.write(move |txn| {
            let (view, root) = seen(txn.conn, user, root)?.ok_or(Denied::NotFound)?;
            let sql = "select last_number from threads where root_no = ?";
            let last: Option<i64> = one(txn.conn, sql, [root.no], |row| row.get(0))?;
            let number = number.min(last.ok_or(Denied::NotFound)?);
            mark(txn, &view, root.no, number, false)
        })
        .await
    }

    async fn follow(&self, user: UserId, root: MessageId, on: bool) -> Result<(), StoreError> {
        self.write(move |txn| {
            let (view, message) = seen(txn.conn, user, root)?.ok_or(Denied::NotFound)?;
            let root = Root::of(txn.conn, view.session_no, message.id)?;
            if on {
                let sql = "select last_number from threads where root_no = ?";
                let last: Option<i64> = one(txn.conn, sql, [root.no], |row| row.get(0))?;
                return mark(txn, &view, root.no, last.unwrap_or(root.number), true).map(drop);
            }
            let sql = "update followers set following = 0 where root_no = ? and user_no = ?";
            txn.execute(sql, [root.no, view.user_no]).map(drop)
        })
        .await
    }

    async fn followed(
        &self,
        user: UserId,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Followed>, StoreError> {
        self.read(move |conn| followed(conn, user, before.unwrap_or(i64::MAX), most(limit))).await
    }
}

/// A message that a thread is under, or is about to be.
pub(super) struct Root {
    pub(super) no: i64,
    id: MessageId,
    author_no: i64,
    number: i64,
    begun: bool,
}

impl Root {
    /// The message with this id, if a thread of this session can be under it. Under a deleted one
    /// none begins any more.
    pub(super) fn of(
        conn: &Connection,
        session_no: i64,
        id: MessageId,
    ) -> Result<Self, StoreError> {
        let sql = "select m.no, m.sender_no, m.number, t.root_no is not null \
                   from messages m left join threads t on t.root_no = m.no \
                   where m.id = ? and m.session_no = ? and m.thread_id is null \
                   and (m.deleted_at is null or t.root_no is not null)";
        let found = one(conn, sql, params![id.0.as_bytes(), session_no], |row| {
            let (no, author_no, number) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Self { no, id, author_no, number, begun: row.get(3)? })
        })?;
        found.ok_or(no_thread().into())
    }
}

/// Notes that something was said in a thread: what became of it, and who follows it now. Its first
/// message lets the author of what it is under follow it, too.
pub(super) fn reply(
    txn: &Txn<'_>,
    root: &Root,
    draft: &Draft,
    posted: &Posted,
) -> Result<(), StoreError> {
    let (session_no, number) = (draft.session_no, posted.number);
    let sql = "insert into threads (root_no, root_id, session_no, replies, last_no, last_number, \
               last_at) values (?, ?, ?, 1, ?, ?, ?) on conflict (root_no) do update set \
               replies = replies + 1, last_no = excluded.last_no, \
               last_number = excluded.last_number, last_at = excluded.last_at";
    let id = root.id.0.as_bytes();
    let row = params![root.no, id, session_no, posted.no, number, posted.sent_at.0];
    txn.execute(sql, row)?;
    if !root.begun {
        extras::set(txn, root.no, Extras::THREAD)?;
        let sql = "insert or ignore into followers \
                   (root_no, user_no, session_no, following, read_number) \
                   select ?1, user_no, session_no, 1, ?2 from session_members \
                   where session_no = ?3 and user_no = ?4";
        txn.execute(sql, [root.no, root.number, session_no, root.author_no])?;
    }
    let sql = "insert into followers \
               (root_no, user_no, session_no, following, read_number, said_number) \
               values (?, ?, ?, 1, ?4, ?4) on conflict (root_no, user_no) do update set \
               following = 1, read_number = max(read_number, excluded.read_number), \
               said_number = excluded.said_number";
    txn.execute(sql, [root.no, draft.sender_no, session_no, number])?;
    let sql = "insert into followers (root_no, user_no, session_no, following, read_number) \
               select ?1, user_no, session_no, 1, ?2 - 1 from mentions where session_no = ?3 \
               and number = ?2 and user_no = (select no from users where username_key = ?4) \
               on conflict (root_no, user_no) do update set following = 1";
    for name in &draft.mentions.people {
        txn.execute(sql, params![root.no, number, session_no, name])?;
    }
    Ok(())
}

/// Moves a marker forward, and returns it; with `follow`, the thread is followed from now on.
fn mark(
    txn: &Txn<'_>,
    view: &View,
    root_no: i64,
    number: i64,
    follow: bool,
) -> Result<i64, StoreError> {
    let sql = "insert into followers (root_no, user_no, session_no, following, read_number) \
               values (?, ?, ?, ?, ?) on conflict (root_no, user_no) do update set \
               following = max(following, excluded.following), \
               read_number = max(read_number, excluded.read_number) returning read_number";
    let bound = params![root_no, view.user_no, view.session_no, follow, number];
    one(txn.conn, sql, bound, |row| row.get(0))?.ok_or(Denied::NotFound.into())
}

/// What became of a message that began a thread, as the user with this small id sees it.
pub(super) fn of(
    conn: &Connection,
    root_no: i64,
    reader_no: i64,
) -> Result<Option<Thread>, StoreError> {
    let sql = "select t.replies, t.last_at, coalesce(f.following, 0), coalesce(f.read_number, 0), \
               (select count(*) from (select 1 from messages m where m.thread_id = t.root_id \
               and f.following and m.number > f.read_number limit ?3)) \
               from threads t left join followers f on f.root_no = t.root_no and f.user_no = ?2 \
               where t.root_no = ?1";
    let found = one(conn, sql, [root_no, reader_no, Thread::COUNTED], |row| {
        Ok(Thread {
            replies: row.get(0)?,
            last_reply_at: Some(Time(row.get(1)?)),
            users: vec![],
            following: row.get(2)?,
            unread: row.get(4)?,
            read_number: row.get(3)?,
        })
    })?;
    let Some(thread) = found else { return Ok(None) };
    let sql = "select u.id from followers f join users u on u.no = f.user_no \
               where f.root_no = ? and f.said_number > 0 order by f.said_number desc limit ?";
    let shown = Thread::SHOWN as i64;
    let users = many(conn, sql, [root_no, shown], |row| Ok(UserId(uuid(row, 0)?)))?;
    Ok(Some(Thread { users, ..thread }))
}

fn followed(
    conn: &Connection,
    user: UserId,
    before: i64,
    limit: i64,
) -> Result<Vec<Followed>, StoreError> {
    let Some(user_no) = user_no(conn, user)? else {
        return Ok(vec![]);
    };
    let columns = MESSAGE.replacen(" from messages m", ", r.id, t.last_no from messages m", 1);
    let sql = format!(
        "{columns} join threads t on t.root_no = m.no join rooms r on r.no = s.room_no \
         join followers f on f.root_no = t.root_no and f.user_no = ?1 and f.following \
         join session_members me on me.session_no = m.session_no and me.user_no = ?1 \
         where t.last_no < ?2 and s.ended_at is null order by t.last_no desc limit ?3"
    );
    let mut found = many(conn, &sql, [user_no, before, limit], |row| {
        Ok(Followed {
            root: message(row)?,
            room: RoomId(uuid(row, MESSAGE_COLUMNS)?),
            last_no: row.get(MESSAGE_COLUMNS + 1)?,
        })
    })?;
    extras::fill(conn, user_no, found.iter_mut().map(|followed| &mut followed.root))?;
    Ok(found)
}

/// Numbers of a thread have holes, so one message more than asked for is read to know whether there
/// are more.
fn read_page(
    conn: &Connection,
    view: &View,
    root: MessageId,
    page: Page,
    limit: i64,
) -> Result<MessagePage, StoreError> {
    let (from, to, descending) = page.range(limit);
    let order = if descending { "desc" } else { "asc" };
    let sql = format!(
        "{MESSAGE} where m.thread_id = ? and m.number between ? and ? \
         order by m.number {order} limit ?"
    );
    let id = root.0.as_bytes();
    let bound = params![id, from, to, limit.saturating_add(1)];
    let mut messages: Vec<Message> = many(conn, &sql, bound, message)?;
    let more = messages.len() as i64 > limit;
    messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if descending {
        messages.reverse();
    }
    extras::fill(conn, view.user_no, &mut messages)?;
    let sql = "select 1 from messages where thread_id = ? and number between ? and ?";
    let beside = |from: i64, to: i64| exists(conn, sql, params![id, from, to]);
    let (more_before, more_after) = match descending {
        true => (more, to < i64::MAX && beside(to + 1, i64::MAX)?),
        false => (from > 1 && beside(1, from - 1)?, more),
    };
    Ok(MessagePage { messages, more_before, more_after })
}
