//! Accounts: who there is, and how they prove it.

mod codes;
mod create;
mod delete;

use std::collections::HashMap;

use async_trait::async_trait;
pub(super) use delete::delete;
use parlor_domain::name::username_key;
use parlor_domain::{Denied, LoginId, Profile, Time, User, UserEventKind, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::handles::is_text;
use super::readers::Db;
use super::rows::{USER, USER_COLUMNS, literally, many, most, one, user_at, uuid};
use super::txn::Txn;
use super::{PostgresStore, logins};
use crate::StoreError;
use crate::accounts::{Accounts, CodeOutcome, Credentials, NewAccount, ProfileChange, Purpose};

const TAKEN: StoreError = StoreError::Denied(Denied::Taken("username"));
const MAIL_TAKEN: StoreError = StoreError::Denied(Denied::Taken("mail address"));

#[async_trait]
impl Accounts for PostgresStore {
    async fn create_account(&self, new: NewAccount, now: Time) -> Result<User, StoreError> {
        let mut txn = self.begin().await?;
        let user = create::create(&mut txn, &new, now).await?;
        txn.commit().await?;
        Ok(user)
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        user(&self.one().await?, id).await
    }

    async fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        profile(&self.one().await?, user).await
    }

    async fn find_users(&self, query: String, limit: u64) -> Result<Vec<User>, StoreError> {
        if !is_text(&query) {
            return Ok(vec![]);
        }
        let by_key = format!("{}%", literally(&username_key(&query)));
        let by_name = format!("{}%", literally(&query.trim().to_lowercase()));
        let sql = format!(
            "select {USER} from users u where u.username_key like $1 or u.name_key like $2 \
             order by u.username limit $3"
        );
        let bound = [&by_key as _, &by_name as _, &most(limit) as _];
        many(&self.one().await?, &sql, &bound, |row| user_at(row, 0)).await
    }

    async fn credentials(&self, login: String) -> Result<Option<Credentials>, StoreError> {
        if !is_text(&login) {
            return Ok(None);
        }
        // No handle has an `@`, and every address does.
        let (column, key) = if login.contains('@') {
            ("email", login.trim().to_ascii_lowercase())
        } else {
            ("username_key", username_key(&login))
        };
        let sql = format!("{CREDENTIALS} where {column} = $1");
        one(&self.one().await?, &sql, &[&key], credentials).await
    }

    async fn credentials_of(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        let sql = format!("{CREDENTIALS} where id = $1");
        one(&self.one().await?, &sql, &[&user.0], credentials).await
    }

    async fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Time,
    ) -> Result<Profile, StoreError> {
        let mut txn = self.begin().await?;
        let profile = change_profile(&mut txn, user, &change, now).await?;
        txn.commit().await?;
        Ok(profile)
    }

    async fn delete_account(&self, user: UserId, now: Time) -> Result<Vec<LoginId>, StoreError> {
        let mut txn = self.begin().await?;
        let revoked = delete::delete(&mut txn, user, now).await?;
        txn.commit().await?;
        Ok(revoked)
    }

    async fn erase_deleted(&self, limit: u64, now: Time) -> Result<u64, StoreError> {
        let mut txn = self.begin().await?;
        let erased = delete::erase_deleted(&mut txn, limit, now).await?;
        if erased > 0 {
            txn.commit().await?;
        }
        Ok(erased)
    }

    async fn set_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: Option<LoginId>,
        now: Time,
    ) -> Result<Vec<LoginId>, StoreError> {
        let mut txn = self.begin().await?;
        let sql = "update users set password_hash = $2 where id = $1 returning no";
        let no = one(&txn, sql, &[&user.0, &password_hash], |row| Ok(row.try_get(0)?)).await?;
        let no = no.ok_or(Denied::NotFound)?;
        // A code mailed for the old password must not undo the new one.
        codes::forget(&txn, no, Purpose::Reset).await?;
        let revoked = logins::revoke_all(&mut txn, no, keep, now).await?;
        txn.commit().await?;
        Ok(revoked)
    }

    async fn put_code(
        &self,
        user: UserId,
        purpose: Purpose,
        hash: [u8; 32],
        expires: Time,
    ) -> Result<(), StoreError> {
        codes::put(&self.one().await?, user, purpose, hash, expires).await
    }

    async fn try_code(
        &self,
        email: String,
        purpose: Purpose,
        hash: [u8; 32],
        tries_max: u64,
        now: Time,
    ) -> Result<CodeOutcome, StoreError> {
        let mut txn = self.begin().await?;
        let outcome = codes::attempt(&mut txn, &email, purpose, hash, tries_max, now).await?;
        // A wrong one counts, and so it is committed too.
        txn.commit().await?;
        Ok(outcome)
    }

    async fn forget_codes(&self, now: Time, limit: u64) -> Result<u64, StoreError> {
        // What another node is changing at this moment is left to the next time.
        let sql = "delete from codes where (user_no, purpose) in (select user_no, purpose \
                   from codes where expires_at <= $1 order by expires_at limit $2 \
                   for update skip locked)";
        self.one().await?.execute(sql, &[&now.0, &most(limit)]).await
    }

    async fn touch_users(&self, seen: Vec<(UserId, Time)>) -> Result<(), StoreError> {
        let mut latest: HashMap<Uuid, i64> = HashMap::new();
        for (user, at) in seen {
            let known = latest.entry(user.0).or_insert(at.0);
            *known = at.0.max(*known);
        }
        let (ids, times): (Vec<Uuid>, Vec<i64>) = latest.into_iter().unzip();
        // Locked in everybody's order: another node may have seen the same people.
        let sql = "with seen as (select u.no, s.at \
                   from unnest($1::uuid[], $2::bigint[]) s (id, at) join users u on u.id = s.id \
                   where u.last_seen_at is null or u.last_seen_at < s.at \
                   order by u.no for no key update of u) \
                   update users u set last_seen_at = greatest(u.last_seen_at, seen.at) \
                   from seen where u.no = seen.no";
        self.one().await?.execute(sql, &[&ids, &times]).await.map(drop)
    }
}

async fn change_profile(
    txn: &mut Txn,
    user: UserId,
    change: &ProfileChange,
    now: Time,
) -> Result<Profile, StoreError> {
    let sql = "update users set username = coalesce($2, username), \
               username_key = coalesce($3, username_key), name = coalesce($4, name), \
               name_key = coalesce($5, name_key), status = coalesce($6, status), \
               show_last_seen = coalesce($7, show_last_seen), \
               shows_email = coalesce($8, shows_email), changed_at = $9 where id = $1";
    let bound: [&(dyn tokio_postgres::types::ToSql + Sync); 9] = [
        &user.0,
        &change.username.as_ref().map(|name| &*name.shown),
        &change.username.as_ref().map(|name| &*name.key),
        &change.name,
        &change.name.as_ref().map(|name| name.to_lowercase()),
        &change.status,
        &change.show_last_seen,
        &change.show_email,
        &now.0,
    ];
    // The handle is the only thing that somebody else may have.
    if txn.insert(sql, &bound, |_| Some(TAKEN)).await? == 0 {
        return Err(Denied::NotFound.into());
    }
    tell_settings(txn, user, now).await
}

/// Logs how somebody's profile is now, in their own log.
pub(super) async fn tell_settings(
    txn: &mut Txn,
    user: UserId,
    now: Time,
) -> Result<Profile, StoreError> {
    let profile = profile(txn, user).await?.ok_or(Denied::NotFound)?;
    txn.log_user(profile.user.no, now, UserEventKind::Settings(Box::new(profile.clone())));
    Ok(profile)
}

/// A person, as others see them.
pub(super) async fn user(db: &Db, user: UserId) -> Result<Option<User>, StoreError> {
    let sql = format!("select {USER} from users u where u.id = $1");
    one(db, &sql, &[&user.0], |row| user_at(row, 0)).await
}

/// A person, as they see themselves.
pub(super) async fn profile(db: &Db, user: UserId) -> Result<Option<Profile>, StoreError> {
    let sql = format!(
        "select {USER}, u.email, u.email_verified_at is not null, u.shows_email \
         from users u where u.id = $1"
    );
    one(db, &sql, &[&user.0], |row| {
        Ok(Profile {
            user: user_at(row, 0)?,
            email: row.try_get(USER_COLUMNS)?,
            email_verified: row.try_get(USER_COLUMNS + 1)?,
            show_email: row.try_get(USER_COLUMNS + 2)?,
        })
    })
    .await
}

const CREDENTIALS: &str = "select id, password_hash, usable, email from users";

fn credentials(row: &Row) -> Result<Credentials, StoreError> {
    Ok(Credentials {
        user: UserId(uuid(row, 0)?),
        password_hash: row.try_get(1)?,
        usable: row.try_get(2)?,
        email: row.try_get(3)?,
    })
}
