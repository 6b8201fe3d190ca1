//! Coming into a room: the rows, the count, and who is told.

use std::collections::HashSet;

use parlor_domain::Time;

use super::super::rows::many;
use super::super::sessions::{self, Newcomer};
use super::super::txn::Txn;
use super::Place;
use crate::StoreError;

/// Puts people into a room and its main session, all at once, and returns those who were not in it
/// yet. The room is locked.
pub(in super::super) async fn admit<'a>(
    txn: &mut Txn,
    place: &Place,
    newcomers: Vec<Newcomer<'a>>,
    now: Time,
) -> Result<Vec<Newcomer<'a>>, StoreError> {
    let nos: Vec<i64> = newcomers.iter().map(|newcomer| newcomer.person.no).collect();
    let roles: Vec<&str> = newcomers.iter().map(|newcomer| newcomer.role.as_str()).collect();
    let sql = "insert into room_members (room_no, user_no, role, joined_at) \
               select $1::bigint, n.user_no, n.role, $4::bigint \
               from unnest($2::bigint[], $3::text[]) n (user_no, role) \
               on conflict do nothing returning user_no";
    let bound = [&place.no as _, &nos as _, &roles as _, &now.0 as _];
    let new = many(txn, sql, &bound, |row| Ok(row.try_get(0)?)).await?;
    if new.is_empty() {
        return Ok(vec![]);
    }
    let sql = "update rooms set member_count = member_count + $2 where no = $1";
    txn.execute(sql, &[&place.no, &(new.len() as i64)]).await?;
    let mut new: HashSet<i64> = new.into_iter().collect();
    let admitted = newcomers.into_iter().filter(|newcomer| new.remove(&newcomer.person.no));
    sessions::enter(txn, place.main_no, admitted.collect(), now).await
}

/// Logs, in the own logs of people who came in, that they are in the room now.
pub(in super::super) async fn tell_added(
    txn: &mut Txn,
    place: &Place,
    news: &[Newcomer<'_>],
    now: Time,
) -> Result<(), StoreError> {
    sessions::tell_added(txn, (place.id, place.main_no), news, now).await
}
