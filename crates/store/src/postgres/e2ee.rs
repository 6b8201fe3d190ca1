//! The keys that devices publish, and what they send to each other. Rows of devices are locked in
//! the order of their ids, after users; the count of changes last, by [`super::txn::Txn::commit`].

mod backups;
mod changes;
mod crowd;
mod directory;
mod queue;
mod statements;

use async_trait::async_trait;
use parlor_domain::{DeviceId, Time, UserId};

use super::PostgresStore;
use super::rows::{most, one, user_no};
use crate::StoreError;
use crate::e2ee::{
    Claim, Claimed, Crowd, DecideSigning, Keys, Left, News, Published, SERVER_NAME, Sending,
    Signature, Upload, Usage, new_server_name,
};

pub(super) use changes::Changes;
pub(super) use directory::forget_devices;

#[async_trait]
impl Keys for PostgresStore {
    async fn server_name(&self) -> Result<String, StoreError> {
        let db = self.one().await?;
        let sql = "select value from meta where key = $1";
        if let Some(name) = one(&db, sql, &[&SERVER_NAME], |row| Ok(row.try_get(0)?)).await? {
            return Ok(name);
        }
        let insert = "insert into meta (key, value) values ($1, $2) on conflict do nothing";
        db.execute(insert, &[&SERVER_NAME, &new_server_name()]).await?;
        let name = one(&db, sql, &[&SERVER_NAME], |row| Ok(row.try_get(0)?)).await?;
        Ok(name.unwrap_or_default())
    }

    async fn publish_keys(
        &self,
        user: UserId,
        device: DeviceId,
        upload: Upload,
        most: u64,
    ) -> Result<Left, StoreError> {
        let mut txn = self.begin().await?;
        let left = directory::publish(&mut txn, user, device, &upload, most).await?;
        txn.commit().await?;
        Ok(left)
    }

    async fn published_keys(
        &self,
        reader: UserId,
        users: Vec<UserId>,
    ) -> Result<Vec<Published>, StoreError> {
        directory::published(&self.read().await?, reader, &users).await
    }

    async fn claim_keys(
        &self,
        reader: UserId,
        claims: Vec<Claim>,
    ) -> Result<Vec<Claimed>, StoreError> {
        let txn = self.begin().await?;
        let claimed = directory::claim(&txn, reader, claims).await?;
        txn.commit().await?;
        Ok(claimed)
    }

    async fn set_signing_keys(
        &self,
        user: UserId,
        keys: Vec<(Usage, String)>,
        decide: DecideSigning,
    ) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        directory::set_signing(&mut txn, user, &keys, decide).await?;
        txn.commit().await
    }

    async fn add_signatures(&self, signatures: Vec<Signature>) -> Result<(), StoreError> {
        let mut txn = self.begin().await?;
        directory::sign(&mut txn, signatures).await?;
        txn.commit().await
    }

    async fn key_sharers(&self, user: UserId) -> Result<Vec<UserId>, StoreError> {
        let db = self.read().await?;
        match user_no(&db, user).await? {
            Some(no) => changes::sharers(&db, no).await,
            None => Ok(vec![]),
        }
    }

    async fn count_devices(
        &self,
        crowd: Crowd,
        people: Vec<UserId>,
    ) -> Result<Option<u64>, StoreError> {
        crowd::count(&self.read().await?, crowd, &people).await
    }

    async fn send_to_devices(
        &self,
        sending: Sending,
        now: Time,
    ) -> Result<Vec<UserId>, StoreError> {
        let txn = self.begin().await?;
        let woken = queue::send(&txn, &sending, now).await?;
        txn.commit().await?;
        Ok(woken)
    }

    async fn key_news(&self, device: DeviceId, taken: i64, limit: u64) -> Result<News, StoreError> {
        let limit = most(limit);
        // Mostly there is nothing to be written.
        if let Some(news) = queue::news(&self.one().await?, device, taken, limit).await? {
            return Ok(news);
        }
        let txn = self.begin().await?;
        let news = queue::turn(&txn, device, taken, limit).await?;
        txn.commit().await?;
        Ok(news)
    }

    async fn forget_sendings(&self, before: Time, limit: u64) -> Result<u64, StoreError> {
        let sql = "delete from e2ee_sent where (device_id, txn_id) in (select device_id, txn_id \
                   from e2ee_sent where at < $1 limit $2 for update skip locked)";
        self.one().await?.execute(sql, &[&before.0, &most(limit)]).await
    }
}
