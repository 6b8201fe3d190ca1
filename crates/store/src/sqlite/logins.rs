//! Logins: sign-ins, each of one device, each a family of refresh tokens.

use async_trait::async_trait;
use parlor_domain::{Denied, Device, DeviceId, LoginId, Time, UserEventKind, UserId};
use rusqlite::{Connection, Row, params};
use subtle::ConstantTimeEq;

use super::rows::{exists, many, most, one, person, user_no, uuid};
use super::txn::Txn;
use super::{SqliteStore, e2ee};
use crate::StoreError;
use crate::logins::{Login, Logins, NewLogin, Rotation, Which};

#[async_trait]
impl Logins for SqliteStore {
    async fn create_login(&self, new: NewLogin, now: Time) -> Result<Login, StoreError> {
        self.write(move |txn| create(txn, &new, now)).await
    }

    async fn login(&self, id: LoginId, now: Time) -> Result<Option<Login>, StoreError> {
        self.read(move |conn| Ok(alive(conn, id, now)?.map(|(login, _)| login))).await
    }

    async fn rotate(
        &self,
        login: LoginId,
        presented: [u8; 32],
        next: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Rotation, StoreError> {
        self.write(move |txn| {
            let rotates = "select 1 from logins where id = ? and dialect is null";
            let Some((login, current)) = alive(txn.conn, login, now)? else {
                return Ok(Rotation::Dead);
            };
            if !exists(txn.conn, rotates, [login.id.0.as_bytes()])? {
                return Ok(Rotation::Dead);
            }
            // The comparison's time must not tell how much of a forged token was right.
            if !bool::from(current.ct_eq(&presented)) {
                revoke(txn, &login, now)?;
                return Ok(Rotation::Reused(login.id));
            }
            let sql = "update logins set refresh_hash = ?, expires_at = ?, last_used_at = ? \
                       where id = ?";
            txn.execute(sql, params![next, expires.0, now.0, login.id.0.as_bytes()])?;
            Ok(Rotation::Rotated(Login { expires, ..login }))
        })
        .await
    }

    async fn renew(
        &self,
        login: LoginId,
        dialect: &'static str,
        presented: [u8; 32],
        expires: Time,
        now: Time,
    ) -> Result<Option<Login>, StoreError> {
        self.write(move |txn| {
            let sql = "select 1 from logins where id = ? and dialect = ?";
            let Some((login, current)) = alive(txn.conn, login, now)? else {
                return Ok(None);
            };
            let theirs = exists(txn.conn, sql, params![login.id.0.as_bytes(), dialect])?;
            if !theirs || !bool::from(current.ct_eq(&presented)) {
                return Ok(None);
            }
            let sql = "update logins set expires_at = ?, last_used_at = ? where id = ?";
            txn.execute(sql, params![expires.0, now.0, login.id.0.as_bytes()])?;
            Ok(Some(Login { expires, ..login }))
        })
        .await
    }

    async fn extend(&self, login: LoginId, expires: Time, now: Time) -> Result<(), StoreError> {
        self.write(move |txn| {
            let sql = "update logins set expires_at = ?2, last_used_at = ?3 \
                       where id = ?1 and revoked_at is null and expires_at > ?3";
            txn.execute(sql, params![login.0.as_bytes(), expires.0, now.0])?;
            Ok(())
        })
        .await
    }

    async fn revoke(&self, which: Which, now: Time) -> Result<Vec<LoginId>, StoreError> {
        self.write(move |txn| match which {
            Which::Login(id) => match alive(txn.conn, id, now)? {
                Some((login, _)) => revoke(txn, &login, now).map(|()| vec![login.id]),
                None => Ok(vec![]),
            },
            Which::Device(user, device) => revoke_device(txn, user, device, now),
            Which::All(user) => match user_no(txn.conn, user)? {
                Some(no) => revoke_all(txn, no, None, now),
                None => Ok(vec![]),
            },
        })
        .await
    }

    async fn forget_logins(&self, now: Time, limit: u64) -> Result<u64, StoreError> {
        self.write(move |txn| {
            let sql = "delete from logins where id in \
                       (select id from logins where expires_at <= ? limit ?) \
                       returning user_no, device_id";
            let gone = many(txn.conn, sql, params![now.0, most(limit)], |row| {
                Ok((row.get(0)?, DeviceId(uuid(row, 1)?)))
            })?;
            for &(user_no, device) in &gone {
                e2ee::forget_device(txn, user_no, device)?;
            }
            Ok(gone.len() as u64)
        })
        .await
    }

    async fn dead(&self, logins: Vec<LoginId>, now: Time) -> Result<Vec<LoginId>, StoreError> {
        self.read(move |conn| {
            let sql = "select 1 from logins where id = ? and revoked_at is null and expires_at > ?";
            let dead = logins.into_iter().map(|id| {
                let alive = exists(conn, sql, params![id.0.as_bytes(), now.0])?;
                Ok((!alive).then_some(id))
            });
            dead.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn devices(&self, user: UserId, now: Time) -> Result<Vec<Device>, StoreError> {
        self.read(move |conn| {
            let sql = "select l.device_id, l.device_name, l.created_at, l.last_used_at \
                       from logins l join users u on u.no = l.user_no \
                       where u.id = ? and l.revoked_at is null and l.expires_at > ? \
                       order by l.last_used_at desc, l.created_at desc, l.device_id";
            many(conn, sql, params![user.0.as_bytes(), now.0], device_row)
        })
        .await
    }
}

fn create(txn: &mut Txn<'_>, new: &NewLogin, now: Time) -> Result<Login, StoreError> {
    let user_no = person(txn.conn, new.user)?.ok_or(Denied::NotFound)?.no;
    let sql = "insert into logins (id, user_no, device_id, device_name, refresh_hash, \
               cookie_hash, created_at, last_used_at, expires_at, dialect) \
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)";
    txn.execute(
        sql,
        params![
            new.id.0.as_bytes(),
            user_no,
            new.device.0.as_bytes(),
            new.device_name,
            new.refresh_hash,
            new.cookie_hash,
            now.0,
            new.expires.0,
            new.dialect,
        ],
    )?;
    void_earlier(txn, user_no, new)?;
    let device = device(txn.conn, new.device)?;
    txn.log_user(user_no, now, UserEventKind::DeviceAdded(device))?;
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
fn void_earlier(txn: &Txn<'_>, user_no: i64, new: &NewLogin) -> Result<(), StoreError> {
    let Some(dialect) = new.dialect.filter(|_| new.alone) else {
        return Ok(());
    };
    let sql = "update logins set refresh_hash = zeroblob(32) \
               where user_no = ? and dialect = ? and id <> ?";
    txn.execute(sql, params![user_no, dialect, new.id.0.as_bytes()])?;
    Ok(())
}

const LOGIN: &str = "select l.id, u.id, l.user_no, l.device_id, l.cookie_hash, l.expires_at, \
    l.refresh_hash from logins l join users u on u.no = l.user_no";

/// Reads a row of [`LOGIN`]: the login and the hash of its current refresh token.
fn login_row(row: &Row<'_>) -> rusqlite::Result<(Login, [u8; 32])> {
    let login = Login {
        id: LoginId(uuid(row, 0)?),
        user: UserId(uuid(row, 1)?),
        user_no: row.get(2)?,
        device: DeviceId(uuid(row, 3)?),
        cookie_hash: row.get(4)?,
        expires: Time(row.get(5)?),
    };
    Ok((login, row.get(6)?))
}

/// A login that is neither revoked nor over.
fn alive(
    conn: &Connection,
    id: LoginId,
    now: Time,
) -> Result<Option<(Login, [u8; 32])>, StoreError> {
    let sql = format!("{LOGIN} where l.id = ? and l.revoked_at is null and l.expires_at > ?");
    one(conn, &sql, params![id.0.as_bytes(), now.0], login_row)
}

/// Revokes one login.
fn revoke(txn: &mut Txn<'_>, login: &Login, now: Time) -> Result<(), StoreError> {
    let sql = "update logins set revoked_at = ? where id = ?";
    txn.execute(sql, params![now.0, login.id.0.as_bytes()])?;
    e2ee::forget_device(txn, login.user_no, login.device)?;
    txn.log_user(login.user_no, now, UserEventKind::DeviceRemoved(login.device))
}

fn revoke_device(
    txn: &mut Txn<'_>,
    user: UserId,
    device: DeviceId,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let sql = format!(
        "{LOGIN} where l.device_id = ? and u.id = ? and l.revoked_at is null and l.expires_at > ?"
    );
    let bound = params![device.0.as_bytes(), user.0.as_bytes(), now.0];
    let Some((login, _)) = one(txn.conn, &sql, bound, login_row)? else {
        return Ok(vec![]);
    };
    revoke(txn, &login, now)?;
    Ok(vec![login.id])
}

/// Revokes every login of a user except `keep`, and returns those that were alive.
pub(super) fn revoke_all(
    txn: &mut Txn<'_>,
    user_no: i64,
    keep: Option<LoginId>,
    now: Time,
) -> Result<Vec<LoginId>, StoreError> {
    let sql = format!(
        "{LOGIN} where l.user_no = ? and l.revoked_at is null and l.expires_at > ? order by l.id"
    );
    let mut revoked = Vec::new();
    for (login, _) in many(txn.conn, &sql, params![user_no, now.0], login_row)? {
        if keep != Some(login.id) {
            revoke(txn, &login, now)?;
            revoked.push(login.id);
        }
    }
    Ok(revoked)
}

fn device_row(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: DeviceId(uuid(row, 0)?),
        name: row.get(1)?,
        created_at: Time(row.get(2)?),
        last_used_at: Time(row.get(3)?),
    })
}

/// A device, while its login is not revoked.
pub(super) fn device(conn: &Connection, id: DeviceId) -> Result<Option<Device>, StoreError> {
    let sql = "select device_id, device_name, created_at, last_used_at from logins \
               where device_id = ? and revoked_at is null";
    one(conn, sql, [id.0.as_bytes()], device_row)
}
