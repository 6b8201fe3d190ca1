//! Sessions as their members see them.

use parlor_domain::{Member, Role, RoomId, Session, SessionId, Time, UserId, View};
use rusqlite::{Connection, Row, params};

use super::super::rows::{
    USER, USER_COLUMNS, encryption_at, ending_at, many, maybe_time, maybe_ttl, maybe_user, most,
    one, user_at, uuid, word,
};
use super::super::txn::Txn;
use crate::StoreError;

/// Selects sessions `s` that the user `?1` is in, to be read by [`session_row`].
///
/// Who says something has read it, and what was said before. That is derived here rather than
/// written with each message, which every send would pay for: from the last two hundred things
/// that they said, which one index holds. A marker that they set counts however long ago. What is
/// said in a thread is read with its thread; a mention in one, with whichever marker comes first.
/// Of one thread a thousand unread messages are counted ([`parlor_domain::Thread::COUNTED`]).
const SESSION: &str = "with said as materialized (select session_no, max(number) as number from \
    (select session_no, number, thread_id from messages where sender_no = \
    (select no from users where id = ?1) order by no desc limit 200) \
    where thread_id is null group by session_no) \
    select s.id, s.no, r.id, s.name, s.main, c.id, s.created_at, s.ended_at, s.member_count, \
    h.seq, h.number, max(sm.read_number, coalesce(said.number, 0)) as read_number, \
    (select count(distinct n.number) from mentions n left join followers f \
    on f.root_no = n.root_no and f.user_no = sm.user_no where n.session_no = s.no \
    and n.user_no in (sm.user_no, 0) \
    and n.number > max(sm.read_number, coalesce(said.number, 0), coalesce(f.read_number, 0))), \
    h.threaded, coalesce((select m.threaded from messages m where m.session_no = s.no \
    and m.number = max(sm.read_number, coalesce(said.number, 0))), 0), \
    (select coalesce(sum((select count(*) from (select 1 from messages m \
    where m.thread_id = t.root_id and m.number > f.read_number limit 1000))), 0) \
    from followers f join threads t on t.root_no = f.root_no and t.last_number > f.read_number \
    where f.user_no = sm.user_no and f.session_no = s.no and f.following), \
    h.membership_version, s.algorithm, s.rotation_period_ms, s.rotation_period_msgs, \
    s.verified_only, s.message_ttl_s, s.ends_at, s.silence_s, s.read_only_s, \
    (select m.sent_at from messages m where s.silence_s is not null \
    and m.session_no = s.no and m.number = h.number) \
    from users u join session_members sm on sm.user_no = u.no \
    join sessions s on s.no = sm.session_no join rooms r on r.no = s.room_no \
    join heads h on h.session_no = s.no left join users c on c.no = s.created_by \
    left join said on said.session_no = s.no where u.id = ?1";

/// Reads a row of [`SESSION`].
fn session_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    let (ending, said_at) = (ending_at(row, 22)?, maybe_time(row, 25)?);
    Ok(Session {
        id: SessionId(uuid(row, 0)?),
        no: row.get(1)?,
        room: RoomId(uuid(row, 2)?),
        name: row.get(3)?,
        main: row.get(4)?,
        created_by: maybe_user(row, 5)?,
        created_at: Time(row.get(6)?),
        ended_at: maybe_time(row, 7)?,
        member_count: row.get(8)?,
        head_seq: row.get(9)?,
        head_number: row.get(10)?,
        read_number: row.get(11)?,
        mentions: row.get(12)?,
        head_threaded: row.get(13)?,
        read_threaded: row.get(14)?,
        thread_unread: row.get(15)?,
        membership_version: row.get(16)?,
        encryption: encryption_at(row, 17)?,
        message_ttl: maybe_ttl(row, 21)?,
        ending: ending.map(|ending| ending.put_off(said_at)),
    })
}

/// A session as a member sees it; `None` when they are not in it. Its head is the committed one.
pub(in super::super) fn joined(
    conn: &Connection,
    user: UserId,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    let sql = format!("{SESSION} and s.id = ?2");
    one(conn, &sql, params![user.0.as_bytes(), session.0.as_bytes()], session_row)
}

/// Like [`joined`], with the head as it is inside the transaction.
pub(super) fn joined_now(
    txn: &mut Txn<'_>,
    user: UserId,
    session: SessionId,
) -> Result<Option<Session>, StoreError> {
    let Some(session) = joined(txn.conn, user, session)? else {
        return Ok(None);
    };
    let head = txn.head(session.no)?;
    let (head_seq, head_number, head_threaded) = (head.seq, head.number, head.threaded);
    let membership_version = head.membership_version;
    Ok(Some(Session { head_seq, head_number, head_threaded, membership_version, ..session }))
}

/// The sessions that somebody is in, of one room or of all.
pub(super) fn sessions_of(
    conn: &Connection,
    user: UserId,
    room: Option<RoomId>,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION} and (?2 is null or r.id = ?2) order by r.no, s.main desc, s.no");
    let room = room.as_ref().map(|id| id.0.as_bytes());
    many(conn, &sql, params![user.0.as_bytes(), room], session_row)
}

/// The sessions that two people are in, as `user` sees them.
pub(super) fn sessions_shared(
    conn: &Connection,
    user: UserId,
    other: UserId,
    room: Option<RoomId>,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "{SESSION} and (?2 is null or r.id = ?2) and exists (select 1 from session_members they \
         where they.session_no = s.no and they.user_no = (select no from users where id = ?3)) \
         order by r.no, s.main desc, s.no"
    );
    let room = room.as_ref().map(|id| id.0.as_bytes());
    many(conn, &sql, params![user.0.as_bytes(), room, other.0.as_bytes()], session_row)
}

/// A session's members, by username. Who hides when they are here hides how far they have read,
/// except from themselves.
pub(super) fn members(
    conn: &Connection,
    view: &View,
    after: &str,
    limit: u64,
) -> Result<Vec<Member>, StoreError> {
    let sql = format!(
        "select {USER}, rm.role, sm.joined_at, sm.read_number from session_members sm \
         join users u on u.no = sm.user_no join sessions s on s.no = sm.session_no \
         join room_members rm on rm.room_no = s.room_no and rm.user_no = sm.user_no \
         where sm.session_no = ? and u.username > ? order by u.username limit ?"
    );
    many(conn, &sql, params![view.session_no, after, most(limit)], |row| {
        let user = user_at(row, 0)?;
        let shown = user.show_last_seen || user.id == view.user;
        Ok(Member {
            user,
            role: word(row, USER_COLUMNS, Role::parse)?,
            joined_at: Time(row.get(USER_COLUMNS + 1)?),
            read_number: Some(row.get(USER_COLUMNS + 2)?).filter(|_| shown),
        })
    })
}
