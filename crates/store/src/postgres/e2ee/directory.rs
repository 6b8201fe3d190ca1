//! What devices publish, and the keys that are given out.

use std::collections::HashMap;

use parlor_domain::{Denied, DeviceId, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::readers::Db;
use super::super::rows::{exists, many, most, one, user_no, uuid, word};
use super::super::txn::Txn;
use super::changes;
use crate::StoreError;
use crate::e2ee::{
    Claim, Claimed, DecideSigning, GIVEN_OUT, Key, Left, NO_DEVICE_KEYS, NOTED, OTHER_KEYS,
    Published, Signature, Upload, Usage,
};

/// Publishes keys of a device; see [`crate::e2ee::Keys::publish_keys`].
pub(super) async fn publish(
    txn: &mut Txn,
    user: UserId,
    device: DeviceId,
    upload: &Upload,
    keys_max: u64,
) -> Result<Left, StoreError> {
    let no = user_no(txn, user).await?.ok_or(Denied::NotFound)?;
    if let Some(keys) = &upload.device {
        publish_device(txn, no, device, keys).await?;
    }
    // One request of a device at a time.
    let sql = "select 1 from e2ee_devices where device_id = $1 for no key update";
    if !exists(txn, sql, &[&device.0]).await? {
        let nothing = upload.one_time.is_empty() && upload.fallback.is_none();
        return if nothing { Ok(Left::default()) } else { Err(NO_DEVICE_KEYS.into()) };
    }
    publish_one_time(txn, device, &upload.one_time, keys_max).await?;
    if let Some(fallback) = &upload.fallback {
        let sql = "update e2ee_devices set fallback_used = fallback_used \
                   and fallback_key is not distinct from $3, fallback_id = $2, fallback_key = $3 \
                   where device_id = $1";
        txn.execute(sql, &[&device.0, &fallback.id, &fallback.key]).await?;
    }
    left(txn, device).await
}

async fn publish_device(
    txn: &mut Txn,
    user_no: i64,
    device: DeviceId,
    keys: &str,
) -> Result<(), StoreError> {
    let to = changes::newest(txn).await?;
    let sql = "insert into e2ee_devices (device_id, user_no, keys, changes_to) \
               values ($1, $2, $3, $4) on conflict do nothing";
    if txn.execute(sql, &[&device.0, &user_no, &keys, &to]).await? > 0 {
        txn.changes().keys(user_no);
        return Ok(());
    }
    let sql = "select 1 from e2ee_devices where device_id = $1 and keys = $2";
    match exists(txn, sql, &[&device.0, &keys]).await? {
        true => Ok(()),
        false => Err(OTHER_KEYS.into()),
    }
}

/// One that was published before stays as it is, and one that was given out is not given out again:
/// a program that ended before it knew that they were published says the same ones once more.
async fn publish_one_time(
    txn: &Txn,
    device: DeviceId,
    keys: &[Key],
    keys_max: u64,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let sql = "select key_id, key from e2ee_one_time_keys where device_id = $1 \
               and key_id = any($2)";
    let read = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    let known: HashMap<String, String> =
        many(txn, sql, &[&device.0, &ids], read).await?.into_iter().collect();
    let other = |key: &&Key| {
        known.get(&key.id).is_some_and(|known| known != GIVEN_OUT && *known != key.key)
    };
    if keys.iter().any(|key| other(&key)) {
        return Err(OTHER_KEYS.into());
    }
    let room = most(keys_max) - left(txn, device).await?.one_time;
    let new = keys.iter().filter(|key| !known.contains_key(&key.id));
    let new: Vec<&Key> = new.take(usize::try_from(room).unwrap_or(0)).collect();
    let ids: Vec<&str> = new.iter().map(|key| key.id.as_str()).collect();
    let texts: Vec<&str> = new.iter().map(|key| key.key.as_str()).collect();
    let sql = "insert into e2ee_one_time_keys (device_id, nth, key_id, key) \
               select $1, d.nth + n.nth, n.id, n.key from e2ee_devices d cross join \
               unnest($2::text[], $3::text[]) with ordinality n (id, key, nth) \
               where d.device_id = $1";
    txn.execute(sql, &[&device.0, &ids, &texts]).await?;
    let sql = "update e2ee_devices set nth = nth + $2 where device_id = $1";
    txn.execute(sql, &[&device.0, &(new.len() as i64)]).await?;
    let sql = "delete from e2ee_one_time_keys where device_id = $1 and key = $2 and nth <= \
               (select nth from e2ee_devices where device_id = $1) - $3";
    txn.execute(sql, &[&device.0, &GIVEN_OUT, &(most(keys_max) * NOTED)]).await.map(drop)
}

/// What is left of a device's keys.
pub(super) async fn left(db: &Db, device: DeviceId) -> Result<Left, StoreError> {
    let sql = "select (select count(*) from e2ee_one_time_keys \
               where device_id = $1 and key <> ''), \
               exists (select 1 from e2ee_devices where device_id = $1 \
               and fallback_key is not null and not fallback_used)";
    let read = |row: &Row| Ok(Left { one_time: row.try_get(0)?, unused_fallback: row.try_get(1)? });
    Ok(one(db, sql, &[&device.0], read).await?.unwrap_or_default())
}

/// Those of these people with whom `reader` shares a session, and the reader, by their small ids.
pub(super) async fn met(
    db: &Db,
    reader: UserId,
    users: &[UserId],
) -> Result<HashMap<UserId, i64>, StoreError> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sql = "select u.id, u.no from users u join users r on r.id = $1 where u.id = any($2) \
               and (u.no = r.no or exists (select 1 from session_members a join session_members b \
               on b.session_no = a.session_no and b.user_no = u.no where a.user_no = r.no))";
    let read = |row: &Row| Ok((UserId(uuid(row, 0)?), row.try_get(1)?));
    Ok(many(db, sql, &[&reader.0, &ids], read).await?.into_iter().collect())
}

/// Published keys; see [`crate::e2ee::Keys::published_keys`].
pub(super) async fn published(
    db: &Db,
    reader: UserId,
    users: &[UserId],
) -> Result<Vec<Published>, StoreError> {
    let Some(reader_no) = user_no(db, reader).await? else {
        return Ok(vec![]);
    };
    let met = met(db, reader, users).await?;
    let mut all = Vec::with_capacity(met.len());
    for user in users {
        let Some(&no) = met.get(user) else { continue };
        let sql = "select d.device_id, l.device_name, d.keys from e2ee_devices d \
                   join logins l on l.device_id = d.device_id and l.revoked_at is null \
                   where d.user_no = $1 order by l.created_at, d.device_id";
        let device = |row: &Row| Ok((DeviceId(uuid(row, 0)?), row.try_get(1)?, row.try_get(2)?));
        let devices = many(db, sql, &[&no], device).await?;
        let mut signing = signing(db, no).await?;
        signing.retain(|(usage, _)| *usage != Usage::UserSigning || no == reader_no);
        let signatures = signatures(db, *user, no, reader_no).await?;
        all.push(Published { user: *user, devices, signing, signatures });
    }
    Ok(all)
}

async fn signing(db: &Db, user_no: i64) -> Result<Vec<(Usage, String)>, StoreError> {
    let sql = "select usage, key from e2ee_signing_keys where user_no = $1 order by usage";
    let read = |row: &Row| Ok((word(row, 0, Usage::parse)?, row.try_get(1)?));
    many(db, sql, &[&user_no], read).await
}

/// Whom third parties trust is nobody's business.
async fn signatures(
    db: &Db,
    user: UserId,
    user_no: i64,
    reader_no: i64,
) -> Result<Vec<Signature>, StoreError> {
    let sql = "select s.target, u.id, s.key_id, s.signature from e2ee_signatures s \
               join users u on u.no = s.signer_no where s.user_no = $1 \
               and s.signer_no in ($1, $2) order by s.target, s.signer_no, s.key_id";
    many(db, sql, &[&user_no, &reader_no], |row| {
        let (target, signer) = (row.try_get(0)?, UserId(uuid(row, 1)?));
        let (key_id, signature) = (row.try_get(2)?, row.try_get(3)?);
        Ok(Signature { user, target, signer, key_id, signature })
    })
    .await
}

/// Gives out keys; see [`crate::e2ee::Keys::claim_keys`].
pub(super) async fn claim(
    txn: &Txn,
    reader: UserId,
    mut claims: Vec<Claim>,
) -> Result<Vec<Claimed>, StoreError> {
    let mut users: Vec<UserId> = claims.iter().map(|claim| claim.user).collect();
    users.sort_unstable();
    users.dedup();
    let met = met(txn, reader, &users).await?;
    // Locked in one order.
    claims.sort_unstable_by_key(|claim| claim.device.0);
    let mut claimed = Vec::with_capacity(claims.len());
    for Claim { user, device, fresh } in claims {
        let Some(&no) = met.get(&user) else { continue };
        let key = give_out(txn, no, device, fresh).await?;
        claimed.extend(key.map(|key| Claimed { user, device, key }));
    }
    Ok(claimed)
}

async fn give_out(
    txn: &Txn,
    user_no: i64,
    device: DeviceId,
    fresh: bool,
) -> Result<Option<Key>, StoreError> {
    let read = |row: &Row| Ok(Key { id: row.try_get(0)?, key: row.try_get(1)? });
    // What somebody else is being given at this moment is passed over.
    let sql = "with oldest as (select nth, key_id, key from e2ee_one_time_keys \
               where device_id = $1 and key <> '' and exists \
               (select 1 from e2ee_devices where device_id = $1 and user_no = $2) \
               order by nth limit 1 for update skip locked), \
               noted as (update e2ee_one_time_keys k set key = '' from oldest \
               where k.device_id = $1 and k.nth = oldest.nth) select key_id, key from oldest";
    if fresh && let Some(key) = one(txn, sql, &[&device.0, &user_no], read).await? {
        return Ok(Some(key));
    }
    let sql = "update e2ee_devices set fallback_used = true where device_id = $1 \
               and user_no = $2 and fallback_key is not null returning fallback_id, fallback_key";
    one(txn, sql, &[&device.0, &user_no], read).await
}

/// New signing keys; see [`crate::e2ee::Keys::set_signing_keys`].
pub(super) async fn set_signing(
    txn: &mut Txn,
    user: UserId,
    keys: &[(Usage, String)],
    decide: DecideSigning,
) -> Result<(), StoreError> {
    let sql = "select no from users where id = $1 for no key update";
    let no: Option<i64> = one(txn, sql, &[&user.0], |row| Ok(row.try_get(0)?)).await?;
    let no = no.ok_or(Denied::NotFound)?;
    let known = signing(txn, no).await?;
    decide(&known)?;
    if keys.iter().all(|key| known.contains(key)) {
        return Ok(());
    }
    for (usage, key) in keys {
        let sql = "insert into e2ee_signing_keys (user_no, usage, key) values ($1, $2, $3) \
                   on conflict (user_no, usage) do update set key = excluded.key";
        txn.execute(sql, &[&no, &usage.as_str(), key]).await?;
    }
    txn.changes().keys(no);
    Ok(())
}

/// Adds signatures; see [`crate::e2ee::Keys::add_signatures`].
pub(super) async fn sign(txn: &mut Txn, mut signatures: Vec<Signature>) -> Result<(), StoreError> {
    // Written in one order.
    signatures.sort_by(|a, b| (a.user, &a.target, &a.key_id).cmp(&(b.user, &b.target, &b.key_id)));
    for Signature { user, target, signer, key_id, signature } in &signatures {
        let no = user_no(txn, *user).await?.ok_or(Denied::NotFound)?;
        let signer_no = user_no(txn, *signer).await?.ok_or(Denied::NotFound)?;
        let sql = "insert into e2ee_signatures as known (user_no, target, signer_no, key_id, \
                   signature) values ($1, $2, $3, $4, $5) \
                   on conflict (user_no, target, signer_no, key_id) do update \
                   set signature = excluded.signature where known.signature <> excluded.signature";
        if txn.execute(sql, &[&no, target, &signer_no, key_id, signature]).await? > 0 {
            txn.changes().signed(no, signer_no);
        }
    }
    Ok(())
}

/// Takes devices out that are signed out: their keys, and what waits for them.
pub(in super::super) async fn forget_devices(
    txn: &mut Txn,
    devices: &[(i64, DeviceId)],
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = devices.iter().map(|(_, device)| device.0).collect();
    let sql = "delete from e2ee_devices where device_id in (select device_id from e2ee_devices \
               where device_id = any($1) order by device_id for update) \
               returning user_no, device_id";
    let read = |row: &Row| Ok((row.try_get::<_, i64>(0)?, DeviceId(uuid(row, 1)?)));
    let gone = many(txn, sql, &[&ids], read).await?;
    if gone.is_empty() {
        return Ok(());
    }
    for sql in [
        "delete from e2ee_one_time_keys where device_id = any($1)",
        "delete from e2ee_queue where device_id = any($1)",
        "delete from e2ee_sent where device_id = any($1)",
    ] {
        txn.execute(sql, &[&ids]).await?;
    }
    for (user_no, device) in gone {
        let sql = "delete from e2ee_signatures where user_no = $1 and target = $2";
        txn.execute(sql, &[&user_no, &device.to_string()]).await?;
        txn.changes().keys(user_no);
    }
    Ok(())
}
