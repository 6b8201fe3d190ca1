//! What devices publish, and the keys that are given out.

use std::collections::HashMap;

use parlor_domain::{Denied, DeviceId, UserId};
use rusqlite::{Connection, params};

use super::super::rows::{exists, many, most, one, user_no, uuid, word};
use super::super::txn::Txn;
use super::changes;
use crate::StoreError;
use crate::e2ee::{
    Claim, Claimed, DecideSigning, GIVEN_OUT, Key, Left, NO_DEVICE_KEYS, NOTED, OTHER_KEYS,
    Published, Signature, Upload, Usage,
};

/// Publishes keys of a device; see [`crate::e2ee::Keys::publish_keys`].
pub(super) fn publish(
    txn: &Txn<'_>,
    user: UserId,
    device: DeviceId,
    upload: &Upload,
    keys_max: u64,
) -> Result<Left, StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    if let Some(keys) = &upload.device {
        publish_device(txn, no, device, keys)?;
    }
    let id = device.0.as_bytes();
    if !exists(txn.conn, "select 1 from e2ee_devices where device_id = ?", [id])? {
        let nothing = upload.one_time.is_empty() && upload.fallback.is_none();
        return if nothing { Ok(Left::default()) } else { Err(NO_DEVICE_KEYS.into()) };
    }
    for key in &upload.one_time {
        publish_one_time(txn, device, key, keys_max)?;
    }
    if let Some(fallback) = &upload.fallback {
        let sql = "update e2ee_devices set fallback_used = case when fallback_key is ?3 \
                   then fallback_used else 0 end, fallback_id = ?2, fallback_key = ?3 \
                   where device_id = ?1";
        txn.execute(sql, params![id, fallback.id, fallback.key])?;
    }
    left(txn.conn, device)
}

fn publish_device(
    txn: &Txn<'_>,
    user_no: i64,
    device: DeviceId,
    keys: &str,
) -> Result<(), StoreError> {
    let id = device.0.as_bytes();
    let sql = "select keys from e2ee_devices where device_id = ?";
    match one(txn.conn, sql, [id], |row| row.get::<_, String>(0))? {
        Some(known) if known == keys => Ok(()),
        Some(_) => Err(OTHER_KEYS.into()),
        None => {
            changes::keys(txn, user_no)?;
            let to = changes::newest(txn.conn)?;
            let sql = "insert into e2ee_devices (device_id, user_no, keys, changes_to) \
                       values (?, ?, ?, ?)";
            txn.execute(sql, params![id, user_no, keys, to]).map(drop)
        }
    }
}

/// One that was published before stays as it is, and one that was given out is not given out again:
/// a program that ended before it knew that they were published says the same ones once more.
fn publish_one_time(
    txn: &Txn<'_>,
    device: DeviceId,
    key: &Key,
    keys_max: u64,
) -> Result<(), StoreError> {
    let id = device.0.as_bytes();
    let sql = "select key from e2ee_one_time_keys where device_id = ? and key_id = ?";
    match one(txn.conn, sql, params![id, key.id], |row| row.get::<_, String>(0))? {
        Some(known) if known == key.key || known == GIVEN_OUT => return Ok(()),
        Some(_) => return Err(OTHER_KEYS.into()),
        None => {}
    }
    if left(txn.conn, device)?.one_time >= most(keys_max) {
        return Ok(());
    }
    let sql = "update e2ee_devices set nth = nth + 1 where device_id = ?";
    txn.execute(sql, [id])?;
    let sql = "insert into e2ee_one_time_keys (device_id, nth, key_id, key) \
               select device_id, nth, ?2, ?3 from e2ee_devices where device_id = ?1";
    txn.execute(sql, params![id, key.id, key.key])?;
    let sql = "delete from e2ee_one_time_keys where device_id = ?1 and key = ?2 and nth <= \
               (select nth from e2ee_devices where device_id = ?1) - ?3";
    txn.execute(sql, params![id, GIVEN_OUT, most(keys_max) * NOTED]).map(drop)
}

/// What is left of a device's keys.
pub(super) fn left(conn: &Connection, device: DeviceId) -> Result<Left, StoreError> {
    let sql = "select (select count(*) from e2ee_one_time_keys \
               where device_id = ?1 and key <> ''), \
               exists (select 1 from e2ee_devices where device_id = ?1 \
               and fallback_key is not null and fallback_used = 0)";
    let read =
        |row: &rusqlite::Row<'_>| Ok(Left { one_time: row.get(0)?, unused_fallback: row.get(1)? });
    Ok(one(conn, sql, [device.0.as_bytes()], read)?.unwrap_or_default())
}

/// Whether two people share a session, or are one.
const MEET: &str = "?1 = ?2 or exists (select 1 from session_members a join session_members b \
    on b.session_no = a.session_no and b.user_no = ?2 where a.user_no = ?1)";

pub(super) fn meet(conn: &Connection, one: i64, other: i64) -> Result<bool, StoreError> {
    exists(conn, &format!("select 1 where {MEET}"), [one, other])
}

/// Published keys; see [`crate::e2ee::Keys::published_keys`].
pub(super) fn published(
    conn: &Connection,
    reader: UserId,
    users: Vec<UserId>,
) -> Result<Vec<Published>, StoreError> {
    let Some(reader_no) = user_no(conn, reader)? else {
        return Ok(vec![]);
    };
    let mut all = Vec::with_capacity(users.len());
    for user in users {
        let Some(no) = user_no(conn, user)? else { continue };
        if !meet(conn, reader_no, no)? {
            continue;
        }
        let sql = "select d.device_id, l.device_name, d.keys from e2ee_devices d \
                   join logins l on l.device_id = d.device_id and l.revoked_at is null \
                   where d.user_no = ? order by l.created_at, d.device_id";
        let devices =
            many(conn, sql, [no], |row| Ok((DeviceId(uuid(row, 0)?), row.get(1)?, row.get(2)?)))?;
        let mut signing = signing(conn, no)?;
        signing.retain(|(usage, _)| *usage != Usage::UserSigning || no == reader_no);
        let signatures = signatures(conn, user, no, reader_no)?;
        all.push(Published { user, devices, signing, signatures });
    }
    Ok(all)
}

fn signing(conn: &Connection, user_no: i64) -> Result<Vec<(Usage, String)>, StoreError> {
    let sql = "select usage, key from e2ee_signing_keys where user_no = ? order by usage";
    many(conn, sql, [user_no], |row| Ok((word(row, 0, Usage::parse)?, row.get(1)?)))
}

/// Whom third parties trust is nobody's business.
fn signatures(
    conn: &Connection,
    user: UserId,
    user_no: i64,
    reader_no: i64,
) -> Result<Vec<Signature>, StoreError> {
    let sql = "select s.target, u.id, s.key_id, s.signature from e2ee_signatures s \
               join users u on u.no = s.signer_no where s.user_no = ?1 \
               and s.signer_no in (?1, ?2) order by s.target, s.signer_no, s.key_id";
    many(conn, sql, [user_no, reader_no], |row| {
        let (target, signer) = (row.get(0)?, UserId(uuid(row, 1)?));
        Ok(Signature { user, target, signer, key_id: row.get(2)?, signature: row.get(3)? })
    })
}

/// Gives out keys; see [`crate::e2ee::Keys::claim_keys`].
pub(super) fn claim(
    txn: &Txn<'_>,
    reader: UserId,
    claims: Vec<Claim>,
) -> Result<Vec<Claimed>, StoreError> {
    let reader_no = user_no(txn.conn, reader)?.ok_or(Denied::NotFound)?;
    let mut known: HashMap<UserId, Option<i64>> = HashMap::new();
    let mut claimed = Vec::with_capacity(claims.len());
    for Claim { user, device, fresh } in claims {
        let no = match known.get(&user) {
            Some(no) => *no,
            None => {
                let no = user_no(txn.conn, user)?;
                let no = match no {
                    Some(no) if meet(txn.conn, reader_no, no)? => Some(no),
                    _ => None,
                };
                known.insert(user, no);
                no
            }
        };
        let Some(no) = no else { continue };
        let key = give_out(txn, no, device, fresh)?;
        claimed.extend(key.map(|key| Claimed { user, device, key }));
    }
    Ok(claimed)
}

fn give_out(
    txn: &Txn<'_>,
    user_no: i64,
    device: DeviceId,
    fresh: bool,
) -> Result<Option<Key>, StoreError> {
    let id = device.0.as_bytes();
    let read = |row: &rusqlite::Row<'_>| Ok(Key { id: row.get(0)?, key: row.get(1)? });
    let sql = "select key_id, key from e2ee_one_time_keys where device_id = ?1 and key <> '' \
               and exists (select 1 from e2ee_devices where device_id = ?1 and user_no = ?2) \
               order by nth limit 1";
    if fresh && let Some(key) = one(txn.conn, sql, params![id, user_no], read)? {
        let sql = "update e2ee_one_time_keys set key = ? where device_id = ? and key_id = ?";
        txn.execute(sql, params![GIVEN_OUT, id, key.id])?;
        return Ok(Some(key));
    }
    let sql = "update e2ee_devices set fallback_used = 1 where device_id = ? and user_no = ? \
               and fallback_key is not null returning fallback_id, fallback_key";
    one(txn.conn, sql, params![id, user_no], read)
}

/// New signing keys; see [`crate::e2ee::Keys::set_signing_keys`].
pub(super) fn set_signing(
    txn: &Txn<'_>,
    user: UserId,
    keys: &[(Usage, String)],
    decide: DecideSigning,
) -> Result<(), StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    let known = signing(txn.conn, no)?;
    decide(&known)?;
    if keys.iter().all(|key| known.contains(key)) {
        return Ok(());
    }
    for (usage, key) in keys {
        let sql = "insert or replace into e2ee_signing_keys (user_no, usage, key) values (?, ?, ?)";
        txn.execute(sql, params![no, usage.as_str(), key])?;
    }
    changes::keys(txn, no)
}

/// Adds signatures; see [`crate::e2ee::Keys::add_signatures`].
pub(super) fn sign(txn: &Txn<'_>, signatures: &[Signature]) -> Result<(), StoreError> {
    let mut touched = Vec::new();
    for Signature { user, target, signer, key_id, signature } in signatures {
        let no = user_no(txn.conn, *user)?.ok_or(Denied::NotFound)?;
        let signer_no = user_no(txn.conn, *signer)?.ok_or(Denied::NotFound)?;
        let sql = "insert into e2ee_signatures (user_no, target, signer_no, key_id, signature) \
                   values (?, ?, ?, ?, ?) on conflict do update set signature = \
                   excluded.signature where signature <> excluded.signature";
        if txn.execute(sql, params![no, target, signer_no, key_id, signature])? > 0 {
            touched.push((no, signer_no));
        }
    }
    touched.sort_unstable();
    touched.dedup();
    touched.into_iter().try_for_each(|(no, signer_no)| changes::signed(txn, no, signer_no))
}

/// Takes a device out that is signed out: its keys, and what waits for it.
pub(in super::super) fn forget_device(
    txn: &Txn<'_>,
    user_no: i64,
    device: DeviceId,
) -> Result<(), StoreError> {
    let id = device.0.as_bytes();
    if txn.execute("delete from e2ee_devices where device_id = ?", [id])? == 0 {
        return Ok(());
    }
    for sql in [
        "delete from e2ee_one_time_keys where device_id = ?",
        "delete from e2ee_queue where device_id = ?",
        "delete from e2ee_sent where device_id = ?",
    ] {
        txn.execute(sql, [id])?;
    }
    let sql = "delete from e2ee_signatures where user_no = ? and target = ?";
    txn.execute(sql, params![user_no, device.to_string()])?;
    changes::keys(txn, user_no)
}
