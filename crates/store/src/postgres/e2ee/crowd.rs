//! How many devices read an encrypted session.

use parlor_domain::UserId;
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rows::one;
use crate::StoreError;
use crate::e2ee::Crowd;

/// The devices of a session and of those who are to come; see
/// [`crate::e2ee::Keys::count_devices`].
pub(super) async fn count(
    db: &Db,
    crowd: Crowd,
    people: &[UserId],
) -> Result<Option<u64>, StoreError> {
    let session_no: Option<i64> = match crowd {
        Crowd::New => None,
        Crowd::Session(session) => {
            let sql = "select no from sessions where id = $1 and algorithm is not null";
            one(db, sql, &[&session.0], |row| Ok(row.try_get(0)?)).await?
        }
        Crowd::Room(room) => {
            let sql = "select s.no from rooms r join sessions s on s.no = r.main_session_no \
                       where r.id = $1 and s.algorithm is not null";
            one(db, sql, &[&room.0], |row| Ok(row.try_get(0)?)).await?
        }
    };
    if session_no.is_none() && crowd != Crowd::New {
        return Ok(None);
    }
    let ids: Vec<Uuid> = people.iter().map(|user| user.0).collect();
    let sql = "select count(*) from e2ee_devices d where d.user_no in \
               (select sm.user_no from session_members sm where sm.session_no = $1 \
               union select u.no from users u where u.id = any($2::uuid[]))";
    let count: Option<i64> = one(db, sql, &[&session_no, &ids], |row| Ok(row.try_get(0)?)).await?;
    Ok(Some(count.unwrap_or(0).unsigned_abs()))
}
