//! What waits for a device: in order, until it says that it has it.

use std::collections::BTreeMap;

use parlor_domain::{DeviceId, Time, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rows::{many, most, one, user_no, uuid};
use super::super::txn::Txn;
use super::{changes, directory};
use crate::StoreError;
use crate::e2ee::{CHANGED, MESSAGE, News, PARTED, Sending, Sent};

/// Puts messages into queues; see [`crate::e2ee::Keys::send_to_devices`].
pub(super) async fn send(
    txn: &Txn,
    sending: &Sending,
    now: Time,
) -> Result<Vec<UserId>, StoreError> {
    let Some(sender_no) = user_no(txn, sending.user).await? else {
        return Ok(vec![]);
    };
    let sql = "insert into e2ee_sent (device_id, txn_id, at) values ($1, $2, $3) \
               on conflict do nothing";
    if txn.execute(sql, &[&sending.device.0, &sending.txn_id, &now.0]).await? == 0 {
        return Ok(vec![]);
    }
    let mut users: Vec<UserId> = sending.messages.iter().map(|(user, ..)| *user).collect();
    users.sort_unstable();
    users.dedup();
    let met = directory::met(txn, sending.user, &users).await?;
    let (mut all, devices) =
        (Vec::new(), devices(txn, &met.values().copied().collect::<Vec<_>>()).await?);
    for (user, device, content) in &sending.messages {
        let Some(no) = met.get(user) else { continue };
        for (id, _) in devices.iter().filter(|(_, user_no)| user_no == no) {
            let meant = device.is_none_or(|device| device == *id);
            if meant && *id != sending.device {
                all.push((*id, *user, content.as_str()));
            }
        }
    }
    let room = room(txn, &all, most(sending.waiting_max)).await?;
    let mut left = room;
    all.retain(|(id, ..)| {
        left.get_mut(&id.0).is_some_and(|left| {
            *left -= 1;
            *left >= 0
        })
    });
    let row = |&(device, _, content): &(DeviceId, UserId, &str)| {
        (device, MESSAGE, sender_no, Some((sending.kind.clone(), content.to_owned())))
    };
    push(txn, all.iter().map(row).collect()).await?;
    let mut woken: Vec<UserId> = all.iter().map(|(_, user, _)| *user).collect();
    woken.sort_unstable();
    woken.dedup();
    Ok(woken)
}

/// The devices of these people, locked, in the order of their ids.
async fn devices(txn: &Txn, user_nos: &[i64]) -> Result<Vec<(DeviceId, i64)>, StoreError> {
    let sql = "select device_id, user_no from e2ee_devices where user_no = any($1) \
               order by device_id for no key update";
    let read = |row: &Row| Ok((DeviceId(uuid(row, 0)?), row.try_get(1)?));
    many(txn, sql, &[&user_nos], read).await
}

/// How many more messages each of the devices takes.
async fn room(
    txn: &Txn,
    all: &[(DeviceId, UserId, &str)],
    waiting_max: i64,
) -> Result<BTreeMap<Uuid, i64>, StoreError> {
    let ids: Vec<Uuid> = all.iter().map(|(device, ..)| device.0).collect();
    let sql = "select d.device_id, (select count(*) from e2ee_queue q \
               where q.device_id = d.device_id) from e2ee_devices d where d.device_id = any($1)";
    let read = |row: &Row| Ok((uuid(row, 0)?, waiting_max - row.try_get::<_, i64>(1)?));
    Ok(many(txn, sql, &[&ids], read).await?.into_iter().collect())
}

/// What comes into a queue: the device, what it is, whom it is of or about, and what they say.
type New = (DeviceId, i64, i64, Option<(String, String)>);

/// Puts rows at the end of the queues of devices that are locked, each in the order of the list.
async fn push(txn: &Txn, rows: Vec<New>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let devices: Vec<Uuid> = rows.iter().map(|(device, ..)| device.0).collect();
    let kinds: Vec<i64> = rows.iter().map(|(_, kind, ..)| *kind).collect();
    let users: Vec<i64> = rows.iter().map(|(_, _, user_no, _)| *user_no).collect();
    let (types, contents): (Vec<Option<String>>, Vec<Option<String>>) =
        rows.into_iter().map(|(.., said)| said.unzip()).unzip();
    let sql = "insert into e2ee_queue (device_id, pos, kind, user_no, type, content) \
               select d.device_id, d.pos + row_number() over (partition by d.device_id \
               order by n.nth), n.kind, n.user_no, n.type, n.content \
               from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]) \
               with ordinality n (device_id, kind, user_no, type, content, nth) \
               join e2ee_devices d on d.device_id = n.device_id";
    txn.execute(sql, &[&devices, &kinds, &users, &types, &contents]).await?;
    let sql = "update e2ee_devices d set pos = d.pos + n.count from (select device_id, \
               count(*) as count from unnest($1::uuid[]) n (device_id) group by device_id) n \
               where d.device_id = n.device_id";
    txn.execute(sql, &[&devices]).await.map(drop)
}

/// A device, as its queue stands.
struct Device {
    user_no: i64,
    pos: i64,
    taken: i64,
    changes_to: i64,
}

const DEVICE: &str =
    "select user_no, pos, taken, changes_to from e2ee_devices where device_id = $1";

fn device(row: &Row) -> Result<Device, StoreError> {
    let (user_no, pos) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Device { user_no, pos, taken: row.try_get(2)?, changes_to: row.try_get(3)? })
}

/// What a device is told next; `None` when something has to be written before.
pub(super) async fn news(
    db: &Db,
    id: DeviceId,
    taken: i64,
    limit: i64,
) -> Result<Option<News>, StoreError> {
    let Some(device) = one(db, DEVICE, &[&id.0], device).await? else {
        return Ok(Some(News::default()));
    };
    let is_over = taken > device.taken && taken <= device.pos;
    if is_over || changes::newest(db).await? > device.changes_to {
        return Ok(None);
    }
    read(db, id, device.taken, limit).await.map(Some)
}

/// The same, with what has to be written.
pub(super) async fn turn(
    txn: &Txn,
    id: DeviceId,
    taken: i64,
    limit: i64,
) -> Result<News, StoreError> {
    let sql = format!("{DEVICE} for no key update");
    let Some(device) = one(txn, &sql, &[&id.0], device).await? else {
        return Ok(News::default());
    };
    let taken = if taken <= device.pos { taken.max(device.taken) } else { device.taken };
    let sql = "delete from e2ee_queue where device_id = $1 and pos <= $2";
    txn.execute(sql, &[&id.0, &taken]).await?;
    let to = changes::newest(txn).await?;
    let new = changes::between(txn, device.user_no, (device.changes_to, to)).await?;
    let users: Vec<i64> = new.iter().map(|(user_no, _)| *user_no).collect();
    let sql = "delete from e2ee_queue where device_id = $1 and user_no = any($2) and kind <> 1";
    txn.execute(sql, &[&id.0, &users]).await?;
    let row = |(user_no, fresh)| (id, if fresh { CHANGED } else { PARTED }, user_no, None);
    push(txn, new.into_iter().map(row).collect()).await?;
    let sql = "update e2ee_devices set taken = $2, changes_to = $3 where device_id = $1";
    txn.execute(sql, &[&id.0, &taken, &to]).await?;
    read(txn, id, taken, limit).await
}

enum Next {
    Sent(Sent),
    Changed(UserId),
    Parted(UserId),
}

async fn read(db: &Db, id: DeviceId, taken: i64, limit: i64) -> Result<News, StoreError> {
    let sql = "select q.pos, q.kind, u.id, q.type, q.content from e2ee_queue q \
               join users u on u.no = q.user_no where q.device_id = $1 and q.pos > $2 \
               order by q.pos limit $3";
    let next = |row: &Row| {
        let user = UserId(uuid(row, 2)?);
        let next = match row.try_get(1)? {
            MESSAGE => {
                Next::Sent(Sent { sender: user, kind: row.try_get(3)?, content: row.try_get(4)? })
            }
            CHANGED => Next::Changed(user),
            _ => Next::Parted(user),
        };
        Ok((row.try_get::<_, i64>(0)?, next))
    };
    let rows = many(db, sql, &[&id.0, &taken, &limit], next).await?;
    let keys = directory::left(db, id).await?;
    let mut news = News { pos: taken, keys, more: rows.len() as i64 == limit, ..News::default() };
    for (pos, next) in rows {
        news.pos = pos;
        match next {
            Next::Sent(sent) => news.events.push(sent),
            Next::Changed(user) => news.changed.push(user),
            Next::Parted(user) => news.left.push(user),
        }
    }
    Ok(news)
}
