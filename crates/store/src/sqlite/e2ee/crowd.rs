//! How many devices read an encrypted session.

use parlor_domain::UserId;
use rusqlite::{Connection, params};

use super::super::rows::one;
use crate::StoreError;
use crate::e2ee::Crowd;

/// The devices of a session and of those who are to come; see
/// [`crate::e2ee::Keys::count_devices`].
pub(super) fn count(
    conn: &Connection,
    crowd: Crowd,
    people: &[UserId],
) -> Result<Option<u64>, StoreError> {
    let session_no: Option<i64> = match crowd {
        Crowd::New => None,
        Crowd::Session(session) => {
            let sql = "select no from sessions where id = ? and algorithm is not null";
            one(conn, sql, [session.0.as_bytes()], |row| row.get(0))?
        }
        Crowd::Room(room) => {
            let sql = "select s.no from rooms r join sessions s on s.no = r.main_session_no \
                       where r.id = ? and s.algorithm is not null";
            one(conn, sql, [room.0.as_bytes()], |row| row.get(0))?
        }
    };
    if session_no.is_none() && crowd != Crowd::New {
        return Ok(None);
    }
    let sql = "select count(*) from session_members sm \
               join e2ee_devices d on d.user_no = sm.user_no where sm.session_no = ?";
    let mut count: i64 = one(conn, sql, [session_no], |row| row.get(0))?.unwrap_or(0);
    let sql = "select count(*) from users u join e2ee_devices d on d.user_no = u.no \
               where u.id = ?1 and not exists (select 1 from session_members sm \
               where sm.session_no = ?2 and sm.user_no = u.no)";
    for user in people {
        let theirs: Option<i64> =
            one(conn, sql, params![user.0.as_bytes(), session_no], |row| row.get(0))?;
        count += theirs.unwrap_or(0);
    }
    Ok(Some(count.unsigned_abs()))
}
