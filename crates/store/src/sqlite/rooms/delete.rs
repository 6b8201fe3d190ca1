//! A room goes for good, with everything that was in it.

use parlor_domain::{EventKind, Gone, SessionId, Time, UserEventKind, UserId};
use rusqlite::params;

use super::super::rows::{many, one, uuid};
use super::super::txn::Txn;
use super::super::{failed, files, previews, search};
use super::Place;
use crate::StoreError;
use crate::erasures::Erasure;

/// What goes with a room, in an order that keeps every reference valid.
const ROWS: [&str; 19] = [
    "delete from receipts where kind <> 1 and kind = 3 and made_no in \
     (select no from sessions where room_no = ?1)",
    "delete from receipts where kind <> 1 and kind = 2 and made_no = ?1",
    "delete from revisions where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = ?1)",
    "delete from reactions where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = ?1)",
    "delete from forwards where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = ?1)",
    "delete from pins where session_no in (select no from sessions where room_no = ?1)",
    "delete from threads where session_no in (select no from sessions where room_no = ?1)",
    "delete from followers where session_no in (select no from sessions where room_no = ?1)",
    "delete from drafts where session_no in (select no from sessions where room_no = ?1)",
    "delete from mentions where session_no in (select no from sessions where room_no = ?1)",
    "delete from events where session_no in (select no from sessions where room_no = ?1)",
    "delete from messages where session_no in (select no from sessions where room_no = ?1)",
    "delete from session_members where session_no in \
     (select no from sessions where room_no = ?1)",
    "delete from e2ee_statements where session_no in \
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
pub(in super::super) fn delete(
    txn: &mut Txn<'_>,
    place: &Place,
    actor: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select no, id, ended_at is not null from sessions where room_no = ? \
               order by main, no";
    let sessions = many(txn.conn, sql, [place.no], |row| {
        Ok(Doomed { no: row.get(0)?, id: SessionId(uuid(row, 1)?), ended: row.get(2)? })
    })?;
    for session in &sessions {
        if !session.ended {
            txn.log(session.no, now, None, EventKind::Ended { by: Some(actor) })?;
        }
        tell(txn, place, session, now)?;
        txn.forget(session.no)?;
    }
    delete_receipts(txn, place)?;
    unindex(txn, place)?;
    release_files(txn, place)?;
    for sql in ROWS {
        txn.execute(sql, [place.no])?;
    }
    txn.erase();
    txn.erasures.push(Erasure::Room(place.id, actor));
    Ok(())
}

/// Deletes the receipts of a room's messages, each by its own key: a join would look at all that
/// their senders ever sent.
fn delete_receipts(txn: &Txn<'_>, place: &Place) -> Result<(), StoreError> {
    let sql = "select m.sender_no, m.client_id from messages m \
               join sessions s on s.no = m.session_no where s.room_no = ?";
    let mut statement = txn.conn.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query([place.no]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let user_no: i64 = row.get(0).map_err(failed)?;
        let key: [u8; 16] = row.get(1).map_err(failed)?;
        let sql = "delete from receipts where user_no = ? and key = ?";
        txn.execute(sql, params![user_no, key])?;
    }
    Ok(())
}

/// Takes the texts of a room's messages out of the search index.
fn unindex(txn: &mut Txn<'_>, place: &Place) -> Result<(), StoreError> {
    let sql = "select coalesce(sum(h.number), 0) from heads h \
               join sessions s on s.no = h.session_no where s.room_no = ?";
    let count: Option<i64> = one(txn.conn, sql, [place.no], |row| row.get(0))?;
    let sql = "select m.no, m.session_no, iif(m.extras & 64, '', m.content) from messages m \
               join sessions s on s.no = m.session_no where s.room_no = ? order by m.no";
    let mut statement = txn.conn.prepare_cached(sql).map_err(failed)?;
    let texts = statement.query_map([place.no], |row| {
        Ok(search::Gone { no: row.get(0)?, session_no: row.get(1)?, text: row.get(2)? })
    });
    search::remove(txn, count.unwrap_or(0), texts.map_err(failed)?)
}

/// Takes their files and previews from a room's messages.
fn release_files(txn: &mut Txn<'_>, place: &Place) -> Result<(), StoreError> {
    let with = |txn: &Txn<'_>, table: &str| {
        let sql = format!(
            "select distinct a.message_no from {table} a join messages m on m.no = a.message_no \
             join sessions s on s.no = m.session_no where s.room_no = ?"
        );
        many(txn.conn, &sql, [place.no], |row| row.get::<_, i64>(0))
    };
    with(txn, "attachments")?.into_iter().try_for_each(|no| files::release(txn, no))?;
    with(txn, "previews")?.into_iter().try_for_each(|no| previews::release(txn, no))
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
