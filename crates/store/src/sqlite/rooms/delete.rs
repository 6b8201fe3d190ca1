//! A room goes for good, with everything that was in it.

use parlor_domain::{EventKind, Gone, SessionId, Time, UserEventKind, UserId};

use super::super::rows::{many, uuid};
use super::super::txn::Txn;
use super::Place;
use crate::StoreError;

/// What goes with a room, in an order that keeps every reference valid. Rows that one could reach
/// only by a key of their own go first.
const ROWS: [&str; 13] = [
    "delete from receipts where (user_no, key) in (select m.sender_no, m.client_id \
     from messages m join sessions s on s.no = m.session_no where s.room_no = ?1)",
    "delete from receipts where kind <> 1 and kind = 3 and made_no in \
     (select no from sessions where room_no = ?1)",
    "delete from receipts where kind <> 1 and kind = 2 and made_no = ?1",
    "delete from revisions where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = ?1)",
    "delete from mentions where session_no in (select no from sessions where room_no = ?1)",
    "delete from events where session_no in (select no from sessions where room_no = ?1)",
    "delete from messages where session_no in (select no from sessions where room_no = ?1)",
    "delete from session_members where session_no in \
     (select no from sessions where room_no = ?1)",
    "delete from heads where session_no in (select no from sessions where room_no = ?1)",
    "delete from sessions where room_no = ?1",
    "delete from room_members where room_no = ?1",
    "delete from bans where room_no = ?1",
    "delete from rooms where no = ?1",
];

/// A session that goes with its room.
struct Doomed {
    no: i64,
    id: SessionId,
    ended: bool,
}

/// Ends the room's sessions, tells everybody, and deletes every row of it. What is told reaches
/// those who listen; nobody can read it afterwards.
pub(super) fn delete(
    txn: &mut Txn<'_>,
    place: &Place,
    actor: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select no, id, ended_at is not null from sessions where room_no = ? \
               order by main, no";
    let sessions = many(txn.conn, sql, [place.no], |row| {
        Ok(Doomed {
            no: row.get(0)?,
            id: SessionId(uuid(row, 1)?),
            ended: row.get(2)?,
        })
    })?;
    for session in &sessions {
        if !session.ended {
            txn.log(session.no, now, None, EventKind::Ended { by: Some(actor) })?;
        }
        tell(txn, place, session, now)?;
        txn.forget(session.no)?;
    }
    for sql in ROWS {
        txn.execute(sql, [place.no])?;
    }
    txn.erase();
    Ok(())
}

/// Tells everybody in a session that it is gone.
fn tell(txn: &mut Txn<'_>, place: &Place, session: &Doomed, now: Time) -> Result<(), StoreError> {
    let sql = "select user_no from session_members where session_no = ?";
    let members: Vec<i64> = many(txn.conn, sql, [session.no], |row| row.get(0))?;
    for user_no in members {
        let kind = UserEventKind::Removed {
            room: place.id,
            session: session.id,
            whole_room: session.no == place.main_no,
            reason: Gone::Deleted,
        };
        txn.log_user(user_no, now, kind)?;
    }
    Ok(())
}
