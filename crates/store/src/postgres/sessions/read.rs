//! Sessions as their members see them.

use parlor_domain::{Denied, Member, Role, RoomId, Session, SessionId, UserId};
use tokio_postgres::Row;

use super::super::readers::Db;
use super::super::rooms;
use super::super::rows::{
    USER, USER_COLUMNS, encryption_at, ending_at, many, maybe_time, maybe_ttl, maybe_user, most,
    one, time, user_at, uuid, word,
};
use super::super::txn::Txn;
use crate::StoreError;

/// Selects sessions `s` that the user `$1` is in, to be read by [`session_row`].
///
/// Who says something has read it, and what was said before. That is derived here rather than
/// written with each message, which every send would pay for: from the last two hundred things
/// that they said, which one index holds. A marker that they set counts however long ago. What is
/// said in a thread is read with its thread; a mention in one, with whichever marker comes first.
/// Of one thread a thousand unread messages are counted ([`parlor_domain::Thread::COUNTED`]).
const SESSION: &str = "with said as materialized (select session_no, max(number) as number from \
    (select session_no, number, thread_id from messages where sender_no = \
    (select no from users where id = $1) order by no desc limit 200) last \
    where thread_id is null group by session_no) \
    select s.id, s.no, r.id, s.name, s.main, c.id, s.created_at, s.ended_at, s.member_count, \
    h.seq, h.number, greatest(sm.read_number, said.number) as read_number, \
    (select count(distinct n.number) from mentions n left join followers f \
    on f.root_no = n.root_no and f.user_no = sm.user_no where n.session_no = s.no \
    and n.user_no in (sm.user_no, 0) \
    and n.number > greatest(sm.read_number, said.number, f.read_number)), \
    h.threaded, coalesce((select m.threaded from messages m where m.session_no = s.no \
    and m.number = greatest(sm.read_number, said.number)), 0), \
    (select coalesce(sum(u.count), 0)::bigint from followers f \
    join threads t on t.root_no = f.root_no and t.last_number > f.read_number \
    cross join lateral (select count(*) as count from (select 1 from messages m \
    where m.thread_id = t.root_id and m.number > f.read_number limit 1000) x) u \
    where f.user_no = sm.user_no and f.session_no = s.no and f.following), \
    h.membership_version, s.algorithm, s.rotation_period_ms, s.rotation_period_msgs, \
    s.verified_only, s.message_ttl_s, s.ends_at, s.silence_s, s.read_only_s, \
    (select m.sent_at from messages m where s.silence_s is not null \
    and m.session_no = s.no and m.number = h.number) \
    from users u join session_members sm on sm.user_no = u.no \
    join sessions s on s.no = sm.session_no join rooms r on r.no = s.room_no \
    join heads h on h.session_no = s.no left join users c on c.no = s.created_by \
    left join said on said.session_no = s.no where u.id = $1";

/// Reads a row of [`SESSION`].
fn session_row(row: &Row) -> Result<Session, StoreError> {
    let (ending, said_at) = (ending_at(row, 22)?, maybe_time(row, 25)?);
    Ok(Session {
        id: SessionId(uuid(row, 0)?),
        no: row.try_get(1)?,
        room: RoomId(uuid(row, 2)?),
        name: row.try_get(3)?,
        main: row.try_get(4)?,
        created_by: maybe_user(row, 5)?,
        created_at: time(row, 6)?,
        ended_at: maybe_time(row, 7)?,
        member_count: row.try_get(8)?,
        head_seq: row.try_get(9)?,
        head_number: row.try_get(10)?,
        read_number: row.try_get(11)?,
        mentions: row.try_get(12)?,
        head_threaded: row.try_get(13)?,
        read_threaded: row.try_get(14)?,
        thread_unread: row.try_get(15)?,
        membership_version: row.try_get(16)?,
        encryption: encryption_at(row, 17)?,
        message_ttl: maybe_ttl(row, 21)?,
        ending: ending.map(|ending| ending.put_off(said_at)),
    })
}

/// A session as a member sees it; `None` when they are not in it.
pub(in super::super) async fn joined(
    db: &Db,
    user: UserId,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    // So that it is not looked for among all the sessions that they are in.
    let sql = format!("{SESSION} and s.no = (select no from sessions where id = $2)");
    one(db, &sql, &[&user.0, &session.0], session_row).await
}

/// The sessions that somebody is in, of one room or of all.
pub(super) async fn sessions_of(
    db: &Db,
    user: UserId,
    room: Option<RoomId>,
) -> Result<Vec<Session>, StoreError> {
    match room {
        Some(room) => {
            let sql = format!("{SESSION} and r.id = $2 {ORDER}");
            many(db, &sql, &[&user.0, &room.0], session_row).await
        }
        None => many(db, &format!("{SESSION} {ORDER}"), &[&user.0], session_row).await,
    }
}

const ORDER: &str = "order by r.no, s.main desc, s.no";

/// The sessions that two people are in, as `user` sees them.
pub(super) async fn sessions_shared(
    db: &Db,
    user: UserId,
    other: UserId,
    room: Option<RoomId>,
) -> Result<Vec<Session>, StoreError> {
    let shared = "exists (select 1 from session_members they where they.session_no = s.no \
                  and they.user_no = (select no from users where id = $2))";
    match room {
        Some(room) => {
            let sql = format!("{SESSION} and {shared} and r.id = $3 {ORDER}");
            many(db, &sql, &[&user.0, &other.0, &room.0], session_row).await
        }
        None => {
            let sql = format!("{SESSION} and {shared} {ORDER}");
            many(db, &sql, &[&user.0, &other.0], session_row).await
        }
    }
}

/// A session's members, by username; `None` when the reader is not one. Who hides when they are
/// here hides how far they have read, except from themselves.
pub(super) async fn members(
    db: &Db,
    reader: UserId,
    session: SessionId,
    after: &str,
    limit: u64,
) -> Result<Option<Vec<Member>>, StoreError> {
    let sql = "select no, room_no, member_count from sessions where id = $1 and exists \
               (select 1 from session_members where session_no = sessions.no \
               and user_no = (select no from users where id = $2))";
    let placed = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    let place: Option<(i64, i64, i64)> = one(db, sql, &[&session.0, &reader.0], placed).await?;
    let Some((no, room_no, count)) = place else {
        return Ok(None);
    };
    let from = if count < rooms::CROWD {
        "session_members sm join users u on u.no = sm.user_no join room_members rm \
         on rm.room_no = $2 and rm.user_no = sm.user_no where sm.session_no = $1 and"
    } else {
        "users u cross join lateral (select s.joined_at, s.read_number, r.role \
         from session_members s join room_members r on r.room_no = $2 and r.user_no = s.user_no \
         where s.session_no = $1 and s.user_no = u.no offset 0) sm \
         cross join lateral (select sm.role) rm where"
    };
    let sql = format!(
        "select {USER}, rm.role, sm.joined_at, sm.read_number from {from} u.username > $3 \
         order by u.username limit $4"
    );
    many(db, &sql, &[&no, &room_no, &after, &most(limit)], |row| {
        let user = user_at(row, 0)?;
        let read: i64 = row.try_get(USER_COLUMNS + 2)?;
        Ok(Member {
            role: word(row, USER_COLUMNS, Role::parse)?,
            joined_at: time(row, USER_COLUMNS + 1)?,
            read_number: (user.show_last_seen || user.id == reader).then_some(read),
            user,
        })
    })
    .await
    .map(Some)
}

/// Like [`joined`], with the head as it is inside the transaction.
pub(super) async fn joined_now(
    txn: &mut Txn,
    user: UserId,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    let Some(session) = joined(txn, user, session).await? else {
        return Ok(None);
    };
    let head = txn.head(session.no).await?;
    let (head_seq, head_number, head_threaded) = (head.seq, head.number, head.threaded);
    let membership_version = head.membership_version;
    Ok(Some(Session { head_seq, head_number, head_threaded, membership_version, ..session }))
}

/// A session as somebody sees it who came in just now: all that was said before is read.
pub(super) async fn entered(txn: &mut Txn, session_no: i64) -> Result<Session, StoreError> {
    let head = txn.head(session_no).await?;
    let sql = "select s.id, s.no, r.id, s.name, s.main, c.id, s.created_at, s.ended_at, \
               s.member_count, $2::bigint, $3::bigint, $3::bigint, 0::bigint, $4::bigint, \
               $4::bigint, 0::bigint, $5::bigint, s.algorithm, s.rotation_period_ms, \
               s.rotation_period_msgs, s.verified_only, s.message_ttl_s, s.ends_at, s.silence_s, \
               s.read_only_s, null::bigint \
               from sessions s join rooms r on r.no = s.room_no \
               left join users c on c.no = s.created_by where s.no = $1";
    let bound = [
        &session_no as _,
        &head.seq as _,
        &head.number as _,
        &head.threaded as _,
        &head.membership_version as _,
    ];
    let found = one(txn, sql, &bound, session_row).await?;
    found.ok_or(Denied::NotFound.into())
}
