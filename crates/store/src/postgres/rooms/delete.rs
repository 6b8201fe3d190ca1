//! A room goes for good, with everything that was in it. Its row and all its logs are locked.

use parlor_domain::{EventKind, Gone, SessionId, Time, UserEventKind, UserId};
use tokio_postgres::Row;

use super::super::rows::{many, uuid};
use super::super::txn::Txn;
use super::super::{files, previews, search};
use super::Place;
use crate::StoreError;
use crate::erasures::Erasure;

/// What goes with a room, in an order that keeps every reference valid.
const ROWS: [&str; 20] = [
    "delete from receipts r using messages m join sessions s on s.no = m.session_no \
     where s.room_no = $1 and r.user_no = m.sender_no and r.key = m.client_id \
     and r.kind = 1 and r.made_no = m.no",
    "delete from receipts where kind <> 1 and kind = 3 and made_no in \
     (select no from sessions where room_no = $1)",
    "delete from receipts where kind <> 1 and kind = 2 and made_no = $1",
    "delete from revisions where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = $1)",
    "delete from reactions where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = $1)",
    "delete from forwards where message_no in (select m.no \
     from messages m join sessions s on s.no = m.session_no where s.room_no = $1)",
    "delete from pins where session_no in (select no from sessions where room_no = $1)",
    "delete from threads where session_no in (select no from sessions where room_no = $1)",
    "delete from followers where session_no in (select no from sessions where room_no = $1)",
    "delete from drafts where session_no in (select no from sessions where room_no = $1)",
    "delete from mentions where session_no in (select no from sessions where room_no = $1)",
    "delete from events where session_no in (select no from sessions where room_no = $1)",
    "delete from messages where session_no in (select no from sessions where room_no = $1)",
    "delete from session_members where session_no in \
     (select no from sessions where room_no = $1)",
    "delete from e2ee_statements where session_no in \
     (select no from sessions where room_no = $1)",
    "delete from heads where session_no in (select no from sessions where room_no = $1)",
    "delete from sessions where room_no = $1",
    "delete from room_members where room_no = $1",
    "delete from bans where room_no = $1",
    "delete from rooms where no = $1",
];

/// A session that goes with its room.
struct Doomed {
    no: i64,
    id: SessionId,
    ended: bool,
}

/// Ends the room's sessions, tells everybody, and deletes every row of it. What is told reaches
/// those who listen; nobody can read it afterwards.
pub(super) async fn delete(
    txn: &mut Txn,
    place: &Place,
    actor: UserId,
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select no, id, ended_at is not null from sessions where room_no = $1 \
               order by main, no";
    let sessions = many(txn, sql, &[&place.no], |row| {
        Ok(Doomed { no: row.try_get(0)?, id: SessionId(uuid(row, 1)?), ended: row.try_get(2)? })
    })
    .await?;
    for session in &sessions {
        if !session.ended {
            txn.log(session.no, now, None, EventKind::Ended { by: Some(actor) }).await?;
        }
        txn.forget(session.no);
    }
    tell(txn, place, &sessions, now).await?;
    txn.be_patient().await?;
    search::remove_room(txn, place.no).await?;
    release_files(txn, place).await?;
    for sql in ROWS {
        txn.execute(sql, &[&place.no]).await?;
    }
    txn.erasures().push(Erasure::Room(place.id, actor));
    Ok(())
}

/// Takes their files and previews from a room's messages.
async fn release_files(txn: &Txn, place: &Place) -> Result<(), StoreError> {
    let with = |table: &str| {
        format!(
            "select distinct a.message_no from {table} a join messages m on m.no = a.message_no \
             join sessions s on s.no = m.session_no where s.room_no = $1"
        )
    };
    let read = |row: &Row| Ok(row.try_get(0)?);
    let carrying = many(txn, &with("attachments"), &[&place.no], read).await?;
    files::release(txn, &carrying).await?;
    let shown = many(txn, &with("previews"), &[&place.no], read).await?;
    previews::release(txn, &shown).await
}

/// Tells everybody in the sessions that they are gone, the main one last.
async fn tell(
    txn: &mut Txn,
    place: &Place,
    sessions: &[Doomed],
    now: Time,
) -> Result<(), StoreError> {
    let sql = "select sm.session_no, sm.user_no from session_members sm \
               join sessions s on s.no = sm.session_no where s.room_no = $1 \
               order by s.main, s.no, sm.user_no";
    let placed = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?));
    for (session_no, user_no) in many(txn, sql, &[&place.no], placed).await? {
        let Some(session) = sessions.iter().find(|session| session.no == session_no) else {
            continue;
        };
        let kind = UserEventKind::Removed {
            room: place.id,
            session: session.id,
            whole_room: session.no == place.main_no,
            reason: Gone::Deleted,
        };
        txn.log_user(user_no, now, kind);
    }
    Ok(())
}
