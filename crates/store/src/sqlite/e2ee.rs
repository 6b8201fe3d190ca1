//! The keys that devices publish, and what they send to each other.

mod backups;
mod changes;
mod crowd;
mod directory;
mod queue;
mod statements;

use async_trait::async_trait;
use parlor_domain::{DeviceId, Time, UserId};
use rusqlite::params;

use super::SqliteStore;
use super::rows::{most, one, user_no};
use crate::StoreError;
use crate::e2ee::{
    Claim, Claimed, Crowd, DecideSigning, Keys, Left, News, Published, SERVER_NAME, Sending,
    Signature, Upload, Usage, new_server_name,
};

pub(super) use changes::{came, went};
pub(super) use directory::forget_device;

#[async_trait]
impl Keys for SqliteStore {
    async fn server_name(&self) -> Result<String, StoreError> {
        let sql = "select value from meta where key = ?";
        let found = move |conn: &_| one(conn, sql, [SERVER_NAME], |row| row.get(0));
        if let Some(name) = self.read(found).await? {
            return Ok(name);
        }
        self.write(move |txn| {
            let insert = "insert or ignore into meta (key, value) values (?, ?)";
            txn.execute(insert, [SERVER_NAME, &new_server_name()])?;
            Ok(one(txn.conn, sql, [SERVER_NAME], |row| row.get(0))?.unwrap_or_default())
        })
        .await
    }

    async fn publish_keys(
        &self,
        user: UserId,
        device: DeviceId,
        upload: Upload,
        most: u64,
    ) -> Result<Left, StoreError> {
        self.write(move |txn| directory::publish(txn, user, device, &upload, most)).await
    }

    async fn published_keys(
        &self,
        reader: UserId,
        users: Vec<UserId>,
    ) -> Result<Vec<Published>, StoreError> {
        self.read(move |conn| directory::published(conn, reader, users)).await
    }

    async fn claim_keys(
        &self,
        reader: UserId,
        claims: Vec<Claim>,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.write(move |txn| directory::claim(txn, reader, claims)).await
    }

    async fn set_signing_keys(
        &self,
        user: UserId,
        keys: Vec<(Usage, String)>,
        decide: DecideSigning,
    ) -> Result<(), StoreError> {
        self.write(move |txn| directory::set_signing(txn, user, &keys, decide)).await
    }

    async fn add_signatures(&self, signatures: Vec<Signature>) -> Result<(), StoreError> {
        self.write(move |txn| directory::sign(txn, &signatures)).await
    }

    async fn key_sharers(&self, user: UserId) -> Result<Vec<UserId>, StoreError> {
        self.read(move |conn| match user_no(conn, user)? {
            Some(no) => changes::sharers(conn, no),
            None => Ok(vec![]),
        })
        .await
    }

    async fn count_devices(
        &self,
        crowd: Crowd,
        people: Vec<UserId>,
    ) -> Result<Option<u64>, StoreError> {
        self.read(move |conn| crowd::count(conn, crowd, &people)).await
    }

    async fn send_to_devices(
        &self,
        sending: Sending,
        now: Time,
    ) -> Result<Vec<UserId>, StoreError> {
        self.write(move |txn| queue::send(txn, &sending, now)).await
    }

    async fn key_news(&self, device: DeviceId, taken: i64, limit: u64) -> Result<News, StoreError> {
        let limit = most(limit);
        // Mostly there is nothing to be written, and the writer is not asked.
        match self.read(move |conn| queue::news(conn, device, taken, limit)).await? {
            Some(news) => Ok(news),
            None => self.write(move |txn| queue::turn(txn, device, taken, limit)).await,
        }
    }

    async fn forget_sendings(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        self.write(move |txn| {
            let sql = "delete from e2ee_sent where (device_id, txn_id) in \
                       (select device_id, txn_id from e2ee_sent where at < ? limit ?)";
            Ok(txn.execute(sql, params![before.0, most(limit)])? as u64)
        })
        .await
    }
}
