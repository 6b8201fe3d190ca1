//! Logins: sign-ins, each of one device, each a family of refresh tokens. A person's logins are
//! changed under the lock of the person's row, so that a token is exchanged once, whichever node
//! it comes to.

use async_trait::async_trait;
use parlor_domain::{Denied, Device, DeviceId, LoginId, Time, UserEventKind, UserId};
use subtle::ConstantTimeEq;
use tokio_postgres::Row;

use super::readers::Db;
use super::rows::{many, most, one, time, uuid};
use super::txn::Txn;
use super::{PostgresStore, e2ee};
use crate::StoreError;
use crate::logins::{Login, Logins, NewLogin, Rotation, Which};

#[async_trait]
impl Logins for PostgresStore {
    async fn create_login(&self, new: NewLogin, now: Time) -> Result<Login, StoreError> {
        let mut txn = self.begin().await?;
        let login = create(&mut txn, &new, now).await?;
        txn.commit().await?;
        Ok(login)
    }

    async fn login(&self, id: LoginId, now: Time) -> Result<Option<Login>, StoreError> {
        Ok(alive(&self.one().await?, id, now).await?.map(|(login, ..)| login))
    }

    async fn rotate(
        &self,
        login: LoginId,
        presented: [u8; 32],
        next: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Rotation, StoreError> {
        let mut txn = self.begin().await?;
        let Some((login, current, None)) = locked(&txn, login, now).await? else {
            return Ok(Rotation::Dead);
        };
        // The comparison's time must not tell how much of a forged token was right.
        if !bool::from(current.ct_eq(&presented)) {
            revoke_each(&mut txn, &[&login], now).await?;
            txn.commit().await?;
            return Ok(Rotation::Reused(login.id));
        }
        let sql = "update logins set refresh_hash = $2, expires_at = $3, last_used_at = $4 \
                   where id = $1";
        let bound = txn.execute(sql, &[&login.id.0, &&next[..], &expires.0, &now.0]).await?;
        // Another node, whose clock is ahead, may have forgotten it at this moment.
        if bound == 0 {
            return Ok(Rotation::Dead);
        }
        txn.commit().await?;
        Ok(Rotation::Rotated(Login { expires, ..login }))
    }

    async fn renew(
        &self,
        login: LoginId,
        dialect: &'static str,
        presented: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Option<Login>, StoreError> {
        let txn = self.begin().await?;
        let Some((login, current, Some(theirs))) = locked(&txn, login, now).await? else {
            return Ok(None);
        };
        if theirs != dialect || !bool::from(current.ct_eq(&presented)) {
            return Ok(None);
        }
        let sql = "update logins set expires_at = $2, last_used_at = $3 where id = $1";
        if txn.execute(sql, &[&login.id.0, &expires.0, &now.0]).await? == 0 {
            return Ok(None);
        }
        txn.commit().await?;
        Ok(Some(Login { expires, ..login }))
    }

    async fn extend(&self, login: LoginId, expires: Time, now: Time) -> Result<(), StoreError> {
        let sql = "update logins set expires_at = $2, last_used_at = $3 \
                   where id = $1 and revoked_at is null and expires_at > $3";
        self.one().await?.execute(sql, &[&login.0, &expires.0, &now.0]).await.map(drop)
    }

    async fn revoke(&self, which: Which, now: Time) -> Result<Vec<LoginId>, StoreError> {
        let mut txn = self.begin().await?;
        let revoked = match which {
            Which::Login(id) => match locked(&txn, id, now).await? {
                Some((login, ..)) => revoke_each(&mut txn, &[&login], now).await?,
                None => vec![],
            },
            Which::Device(user, device) => revoke_device(&mut txn, user, device, now).await?,
            Which::All(user) => match lock_user(&txn, user).await? {
                Some(no) => revoke_all(&mut txn, no, None, now).await?,
                None => vec![],
            },
        };
        if !revoked.is_empty() {
            txn.commit().await?;
        }
        Ok(revoked)
    }

    async fn forget_logins(&self, now: Time, limit: u64) -> Result<u64, StoreError> {
        // What another node is changing at this moment is left to the next time.
        let sql = "delete from logins where id in (select id from logins where expires_at <= $1 \
                   order by expires_at limit $2 for update skip locked) \
                   returning user_no, device_id";
        let mut txn = self.begin().await?;
        let read = |row: &Row| Ok((row.try_get(0)?, DeviceId(uuid(row, 1)?)));
        let gone: Vec<(i64, DeviceId)> = many(&txn, sql, &[&now.0, &most(limit)], read).await?;
        e2ee::forget_devices(&mut txn, &gone).await?;
        txn.commit().await?;
        Ok(gone.len() as u64)
    }

    async fn dead(&self, logins: Vec<LoginId>, now: Time) -> Result<Vec<LoginId>, StoreError> {
        let sql = "select asked.id from unnest($1::uuid[]) asked(id) \
                   left join logins l on l.id = asked.id \
                   and l.revoked_at is null and l.expires_at > $2 where l.id is null";
        let ids: Vec<_> = logins.into_iter().map(|id| id.0).collect();
        let read = |row: &Row| Ok(LoginId(uuid(row, 0)?));
        many(&self.one().await?, sql, &[&ids, &now.0], read).await
    }

    async fn devices(&self, user: UserId, now: Time) -> Result<Vec<Device>, StoreError> {
        let sql = "select l.device_id, l.device_name, l.created_at, l.last_used_at \
                   from logins l join users u on u.no = l.user_no \
                   where u.id = $1 and l.revoked_at is null and l.expires_at > $2 \
                   order by l.last_used_at desc, l.created_at desc, l.device_id";
        many(&self.one().await?, sql, &[&user.0, &now.0], device_row).await
    }
}

async fn create(txn: &mut Txn, new: &NewLogin, now: Time) -> Result<Login, StoreError> {
    let user_no = lock_user(txn, new.user).await?.ok_or(Denied::NotFound)?;
    let sql = "insert into logins (id, user_no, device_id, device_name, refresh_hash, \
               cookie_hash, created_at, last_used_at, expires_at, dialect) \
               values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)";
    txn.execute(
        sql,
        &[
            &new.id.0,
            &user_no,
            &new.device.0,
            &new.device_name,
            &&new.refresh_hash[..],
            &&new.cookie_hash[..],
            &now.0,
            &new.expires.0,
            &new.dialect,
        ],
    )
    .await?;
    void_earlier(txn, user_no, new).await?;
    let (id, name) = (new.device, new.device_name.clone());
    let device = Device { id, name, created_at: now, last_used_at: now };
    txn.log_user(user_no, now, UserEventKind::DeviceAdded(Some(device)));
    Ok(Login {
        id: new.id,
        user: new.user,
        user_no,
        device: new.device,
        cookie_hash: new.cookie_hash,
        expires: new.expires,
    })
}

/// Where a person has one refresh token of a façade: an earlier one works no more, though its login
/// lives on until its other proofs are over.
async fn void_earlier(txn: &Txn, user_no: i64, new: &NewLogin) -> Result<(), StoreError> {
    let Some(dialect) = new.dialect.filter(|_| new.alone) else {
        return Ok(());
    };
    let sql = "update logins set refresh_hash = $4 \
               where user_no = $1 and dialect = $2 and id <> $3";
    let void = [0_u8; 32];
    txn.execute(sql, &[&user_no, &dialect, &new.id.0, &&void[..]]).await.map(drop)
}

/// Locks a person whose account is in use, and gives their small id.
async fn lock_user(txn: &Txn, user: UserId) -> Result<Option<i64>, StoreError> {
    let sql = "select no from users where id = $1 and deleted_at is null for no key update";
    one(txn, sql, &[&user.0], |row| Ok(row.try_get(0)?)).await
}

const LOGIN: &str = "select l.id, u.id, l.user_no, l.device_id, l.cookie_hash, l.expires_at, \
    l.refresh_hash, l.dialect from logins l join users u on u.no = l.user_no";

/// A login, the hash of its current refresh token, and the façade that it came by.
type Alive = (Login, [u8; 32], Option<String>);

/// Reads a row of [`LOGIN`].
fn login_row(row: &Row) -> Result<Alive, StoreError> {
    let login = Login {
        id: LoginId(uuid(row, 0)?),
        user: UserId(uuid(row, 1)?),
        user_no: row.try_get(2)?,
        device: DeviceId(uuid(row, 3)?),
        cookie_hash: hash(row, 4)?,
        expires: time(row, 5)?,
    };
    Ok((login, hash(row, 6)?, row.try_get(7)?))
}

/// A hash in this column.
pub(super) fn hash(row: &Row, column: usize) -> Result<[u8; 32], StoreError> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| StoreError::Database("a hash cannot be read".to_owned()))
}

/// A login that is neither revoked nor over.
async fn alive(db: &Db, id: LoginId, now: Time) -> Result<Option<Alive>, StoreError> {
    let sql = format!("{LOGIN} where l.id = $1 and l.revoked_at is null and l.expires_at > $2");
    one(db, &sql, &[&id.0, &now.0], login_row).await
}

/// Locks the person who has a login, and reads it when nobody else is changing it any more.
async fn locked(txn: &Txn, id: LoginId, now: Time) -> Result<Option<Alive>, StoreError> {
    let sql = "select 1 from users where no = (select user_no from logins where id = $1) \
               for no key update";
    txn.query(sql, &[&id.0]).await?;
    alive(txn, id, now).await
}

/// Revokes logins that are alive, of somebody who is locked.
async fn revoke_each(
    txn: &mut Txn,
    logins: &[&Login],
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let ids: Vec<LoginId> = logins.iter().map(|login| login.id).collect();
    let keys: Vec<_> = ids.iter().map(|id| id.0).collect();
    let sql = "update logins set revoked_at = $2 where id = any($1)";
    txn.execute(sql, &[&keys, &now.0]).await?;
    let devices: Vec<_> = logins.iter().map(|login| (login.user_no, login.device)).collect();
    e2ee::forget_devices(txn, &devices).await?;
    for login in logins {
        txn.log_user(login.user_no, now, UserEventKind::DeviceRemoved(login.device));
    }
    Ok(ids)
}

async fn revoke_device(
    txn: &mut Txn,
    user: UserId,
    device: DeviceId,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    if lock_user(txn, user).await?.is_none() {
        return Ok(vec![]);
    }
    let sql = format!(
        "{LOGIN} where l.device_id = $1 and u.id = $2 and l.revoked_at is null \
         and l.expires_at > $3"
    );
    match one(txn, &sql, &[&device.0, &user.0, &now.0], login_row).await? {
        Some((login, ..)) => revoke_each(txn, &[&login], now).await,
        None => Ok(vec![]),
    }
}

/// Revokes every login of somebody who is locked, except `keep`, and returns those that were alive.
pub(super) async fn revoke_all(
    txn: &mut Txn,
    user_no: i64,
    keep: Option<LoginId>,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let sql = format!(
        "{LOGIN} where l.user_no = $1 and l.revoked_at is null and l.expires_at > $2 order by l.id"
    );
    let alive = many(txn, &sql, &[&user_no, &now.0], login_row).await?;
    let logins: Vec<&Login> = alive.iter().map(|(login, ..)| login).collect();
    let logins: Vec<&Login> = logins.into_iter().filter(|login| keep != Some(login.id)).collect();
    revoke_each(txn, &logins, now).await
}

fn device_row(row: &Row) -> Result<Device, StoreError> {
    Ok(Device {
        id: DeviceId(uuid(row, 0)?),
        name: row.try_get(1)?,
        created_at: time(row, 2)?,
        last_used_at: time(row, 3)?,
    })
}

/// A device, while its login is not revoked.
pub(super) async fn device(db: &Db, id: DeviceId) -> Result<Option<Device>, StoreError> {
    let sql = "select device_id, device_name, created_at, last_used_at from logins \
               where device_id = $1 and revoked_at is null";
    one(db, sql, &[&id.0], device_row).await
}
