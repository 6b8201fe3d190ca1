//! What waits for a device: in order, until it says that it has it.

use std::collections::BTreeSet;

use parlor_domain::{DeviceId, Time, UserId};
use rusqlite::{Connection, Row, params};

use super::super::rows::{many, most, one, user_no, uuid};
use super::super::txn::Txn;
use super::{changes, directory};
use crate::StoreError;
use crate::e2ee::{CHANGED, MESSAGE, News, PARTED, Sending, Sent};

/// Puts messages into queues; see [`crate::e2ee::Keys::send_to_devices`].
pub(super) fn send(txn: &Txn<'_>, sending: &Sending, now: Time) -> Result<Vec<UserId>, StoreError> {
    let sql = "insert or ignore into e2ee_sent (device_id, txn_id, at) values (?, ?, ?)";
    let by = params![sending.device.0.as_bytes(), sending.txn_id, now.0];
    let Some(sender_no) = user_no(txn.conn, sending.user)? else {
        return Ok(vec![]);
    };
    if txn.execute(sql, by)? == 0 {
        return Ok(vec![]);
    }
    let mut woken = BTreeSet::new();
    for (user, device, content) in &sending.messages {
        let Some(no) = user_no(txn.conn, *user)? else { continue };
        if !directory::meet(txn.conn, sender_no, no)? {
            continue;
        }
        let sql = "select device_id from e2ee_devices where user_no = ?1 \
                   and device_id = coalesce(?2, device_id) and device_id <> ?3";
        let device = device.map(|device| device.0.into_bytes());
        let bound = params![no, device, sending.device.0.as_bytes()];
        for device in many(txn.conn, sql, bound, |row| Ok(DeviceId(uuid(row, 0)?)))? {
            let waiting = "select count(*) from e2ee_queue where device_id = ?";
            let waiting = one(txn.conn, waiting, [device.0.as_bytes()], |row| row.get(0))?;
            if waiting.unwrap_or(0_i64) < most(sending.waiting_max) {
                push(txn, device, MESSAGE, sender_no, Some((&sending.kind, content)))?;
                woken.insert(*user);
            }
        }
    }
    Ok(woken.into_iter().collect())
}

/// Puts one row at the end of a device's queue.
fn push(
    txn: &Txn<'_>,
    device: DeviceId,
    kind: i64,
    user_no: i64,
    said: Option<(&String, &String)>,
) -> Result<(), StoreError> {
    let id = device.0.as_bytes();
    txn.execute("update e2ee_devices set pos = pos + 1 where device_id = ?", [id])?;
    let (what, content) = said.unzip();
    let sql = "insert into e2ee_queue (device_id, pos, kind, user_no, type, content) \
               select device_id, pos, ?2, ?3, ?4, ?5 from e2ee_devices where device_id = ?1";
    txn.execute(sql, params![id, kind, user_no, what, content]).map(drop)
}

/// A device, as its queue stands.
struct Device {
    user_no: i64,
    pos: i64,
    taken: i64,
    changes_to: i64,
}

fn device(conn: &Connection, id: DeviceId) -> Result<Option<Device>, StoreError> {
    let sql = "select user_no, pos, taken, changes_to from e2ee_devices where device_id = ?";
    one(conn, sql, [id.0.as_bytes()], |row| {
        let (user_no, pos) = (row.get(0)?, row.get(1)?);
        Ok(Device { user_no, pos, taken: row.get(2)?, changes_to: row.get(3)? })
    })
}

/// What a device is told next; `None` when something has to be written before.
pub(super) fn news(
    conn: &Connection,
    id: DeviceId,
    taken: i64,
    limit: i64,
) -> Result<Option<News>, StoreError> {
    let Some(device) = device(conn, id)? else {
        return Ok(Some(News::default()));
    };
    let is_over = taken > device.taken && taken <= device.pos;
    if is_over || changes::newest(conn)? > device.changes_to {
        return Ok(None);
    }
    read(conn, id, device.taken, limit).map(Some)
}

/// The same, with what has to be written.
pub(super) fn turn(
    txn: &Txn<'_>,
    id: DeviceId,
    taken: i64,
    limit: i64,
) -> Result<News, StoreError> {
    let Some(device) = device(txn.conn, id)? else {
        return Ok(News::default());
    };
    let taken = if taken <= device.pos { taken.max(device.taken) } else { device.taken };
    let sql = "delete from e2ee_queue where device_id = ? and pos <= ?";
    txn.execute(sql, params![id.0.as_bytes(), taken])?;
    for (user_no, fresh) in changes::since(txn.conn, device.user_no, device.changes_to)? {
        let sql = "delete from e2ee_queue where device_id = ? and user_no = ? and kind <> 1";
        txn.execute(sql, params![id.0.as_bytes(), user_no])?;
        push(txn, id, if fresh { CHANGED } else { PARTED }, user_no, None)?;
    }
    let sql = "update e2ee_devices set taken = ?, changes_to = ? where device_id = ?";
    let to = changes::newest(txn.conn)?;
    txn.execute(sql, params![taken, to, id.0.as_bytes()])?;
    read(txn.conn, id, taken, limit)
}

enum Next {
    Sent(Sent),
    Changed(UserId),
    Parted(UserId),
}

fn read(conn: &Connection, id: DeviceId, taken: i64, limit: i64) -> Result<News, StoreError> {
    let sql = "select q.pos, q.kind, u.id, q.type, q.content from e2ee_queue q \
               join users u on u.no = q.user_no where q.device_id = ? and q.pos > ? \
               order by q.pos limit ?";
    let next = |row: &Row<'_>| {
        let user = UserId(uuid(row, 2)?);
        let next = match row.get(1)? {
            MESSAGE => Next::Sent(Sent { sender: user, kind: row.get(3)?, content: row.get(4)? }),
            CHANGED => Next::Changed(user),
            _ => Next::Parted(user),
        };
        Ok((row.get::<_, i64>(0)?, next))
    };
    let rows = many(conn, sql, params![id.0.as_bytes(), taken, limit], next)?;
    let mut news = News { pos: taken, keys: directory::left(conn, id)?, ..News::default() };
    news.more = rows.len() as i64 == limit;
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
