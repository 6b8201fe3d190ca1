//! Accounts: who there is, and how they prove it.

mod codes;
mod delete;

use async_trait::async_trait;
pub(super) use delete::delete;
use parlor_domain::name::username_key;
use parlor_domain::{Denied, LoginId, Profile, Role, Time, User, UserEventKind, UserId};
use rusqlite::{Connection, Row, params};

use super::rows::{
    USER, USER_COLUMNS, exists, literally, many, most, one, person, user_at, user_no,
};
use super::txn::Txn;
use super::{SqliteStore, logins, rooms};
use crate::StoreError;
use crate::accounts::{Accounts, CodeOutcome, Credentials, NewAccount, ProfileChange, Purpose};

const TAKEN: StoreError = StoreError::Denied(Denied::Taken("username"));
const MAIL_TAKEN: StoreError = StoreError::Denied(Denied::Taken("mail address"));

#[async_trait]
impl Accounts for SqliteStore {
    async fn create_account(&self, new: NewAccount, now: Time) -> Result<User, StoreError> {
        self.write(move |txn| create(txn, &new, now)).await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |conn| user(conn, id)).await
    }

    async fn profile(&self, user: UserId) -> Result<Option<Profile>, StoreError> {
        self.read(move |conn| profile(conn, user)).await
    }

    async fn find_users(&self, query: String, limit: u64) -> Result<Vec<User>, StoreError> {
        let by_key = format!("{}%", literally(&username_key(&query)));
        let by_name = format!("{}%", literally(&query.trim().to_lowercase()));
        self.read(move |conn| {
            let sql = format!(
                "select {USER} from users u where u.username_key like ?1 escape '\\' \
                 or u.name_key like ?2 escape '\\' order by u.username limit ?3"
            );
            many(conn, &sql, params![by_key, by_name, most(limit)], |row| user_at(row, 0))
        })
        .await
    }

    async fn credentials(&self, login: String) -> Result<Option<Credentials>, StoreError> {
        // No handle has an `@`, and every address does.
        let (column, key) = if login.contains('@') {
            ("email", login.trim().to_ascii_lowercase())
        } else {
            ("username_key", username_key(&login))
        };
        self.read(move |conn| {
            let sql = format!("{CREDENTIALS} where {column} = ?");
            one(conn, &sql, [key], credentials)
        })
        .await
    }

    async fn credentials_of(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.read(move |conn| {
            let sql = format!("{CREDENTIALS} where id = ?");
            one(conn, &sql, [user.0.as_bytes()], credentials)
        })
        .await
    }

    async fn change_profile(
        &self,
        user: UserId,
        change: ProfileChange,
        now: Time,
    ) -> Result<Profile, StoreError> {
        self.write(move |txn| change_profile(txn, user, &change, now)).await
    }

    async fn delete_account(&self, user: UserId, now: Time) -> Result<Vec<LoginId>, StoreError> {
        self.write(move |txn| delete::delete(txn, user, now)).await
    }

    async fn erase_deleted(&self, limit: u64, now: Time) -> Result<u64, StoreError> {
        self.write(move |txn| delete::erase_deleted(txn, limit, now)).await
    }

    async fn set_password(
        &self,
        user: UserId,
        password_hash: String,
        keep: Option<LoginId>,
        now: Time,
    ) -> Result<Vec<LoginId>, StoreError> {
        self.write(move |txn| {
            let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
            txn.execute(
                "update users set password_hash = ? where no = ?",
                params![password_hash, no],
            )?;
            // A code mailed for the old password must not undo the new one.
            codes::forget(txn, no, Purpose::Reset)?;
            logins::revoke_all(txn, no, keep, now)
        })
        .await
    }

    async fn put_code(
        &self,
        user: UserId,
        purpose: Purpose,
        hash: [u8; 32],
        expires: Time,
    ) -> Result<(), StoreError> {
        self.write(move |txn| codes::put(txn, user, purpose, hash, expires)).await
    }

    async fn try_code(
        &self,
        email: String,
        purpose: Purpose,
        hash: [u8; 32],
        tries_max: u64,
        now: Time,
    ) -> Result<CodeOutcome, StoreError> {
        self.write(move |txn| codes::attempt(txn, &email, purpose, hash, tries_max, now)).await
    }

    async fn forget_codes(&self, now: Time, limit: u64) -> Result<u64, StoreError> {
        self.write(move |txn| {
            let sql = "delete from codes where (user_no, purpose) in \
                       (select user_no, purpose from codes where expires_at <= ? limit ?)";
            Ok(txn.execute(sql, params![now.0, most(limit)])? as u64)
        })
        .await
    }

    async fn touch_users(&self, seen: Vec<(UserId, Time)>) -> Result<(), StoreError> {
        self.write(move |txn| {
            let sql = "update users set last_seen_at = max(coalesce(last_seen_at, ?2), ?2) \
                       where id = ?1";
            for (user, at) in &seen {
                txn.execute(sql, params![user.0.as_bytes(), at.0])?;
            }
            Ok(())
        })
        .await
    }
}

fn create(txn: &mut Txn<'_>, new: &NewAccount, now: Time) -> Result<User, StoreError> {
    if new.replaces_pending {
        delete::forget_pending(txn, new.email.as_deref(), now)?;
    }
    if exists(txn.conn, "select 1 from users where username_key = ?", [&new.username.key])? {
        return Err(TAKEN);
    }
    let sql = "select 1 from users where email = ?";
    let mail_taken = new.email.is_some() && exists(txn.conn, sql, [&new.email])?;
    if mail_taken && !new.discreet {
        return Err(MAIL_TAKEN);
    }
    if new.guest
        && exists(txn.conn, "select 1 from users where name = ? and guest = 1", [&new.name])?
    {
        return Err(TAKEN);
    }
    let sql = "insert into users (id, username, username_key, name, name_key, email, usable, \
               password_hash, created_at, guest, shows_email) \
               values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    txn.execute(
        sql,
        params![
            new.id.0.as_bytes(),
            new.username.shown,
            new.username.key,
            new.name,
            new.name.to_lowercase(),
            new.email.as_ref().filter(|_| !mail_taken),
            new.usable && !mail_taken,
            new.password_hash,
            now.0,
            new.guest,
            new.shows_email,
        ],
    )?;
    // The lobby is for people who can prove who they are.
    if !new.guest {
        enter_lobby(txn, new.id, now)?;
    }
    user(txn.conn, new.id)?.ok_or(Denied::NotFound.into())
}

/// Puts a new account into the lobby; the first one owns it.
fn enter_lobby(txn: &mut Txn<'_>, user: UserId, now: Time) -> Result<(), StoreError> {
    let lobby = rooms::lobby(txn.conn)?;
    let newcomer = person(txn.conn, user)?.ok_or(Denied::NotFound)?;
    let role = if rooms::owners(txn.conn, lobby.no)? == 0 {
        rooms::date_lobby(txn, &lobby, now)?;
        Role::Owner
    } else {
        Role::Member
    };
    rooms::admit(txn, &lobby, &newcomer, role, None, now)?;
    rooms::tell_added(txn, &lobby, &newcomer, None, now)
}

fn change_profile(
    txn: &mut Txn<'_>,
    user: UserId,
    change: &ProfileChange,
    now: Time,
) -> Result<Profile, StoreError> {
    let no = user_no(txn.conn, user)?.ok_or(Denied::NotFound)?;
    if let Some(username) = &change.username {
        let sql = "select 1 from users where username_key = ? and no <> ?";
        if exists(txn.conn, sql, params![username.key, no])? {
            return Err(TAKEN);
        }
    }
    let sql = "update users set username = coalesce(?2, username), \
               username_key = coalesce(?3, username_key), name = coalesce(?4, name), \
               name_key = coalesce(?5, name_key), status = coalesce(?6, status), \
               show_last_seen = coalesce(?7, show_last_seen), \
               shows_email = coalesce(?8, shows_email), changed_at = ?9 where no = ?1";
    txn.execute(
        sql,
        params![
            no,
            change.username.as_ref().map(|name| &name.shown),
            change.username.as_ref().map(|name| &name.key),
            change.name,
            change.name.as_ref().map(|name| name.to_lowercase()),
            change.status,
            change.show_last_seen,
            change.show_email,
            now.0,
        ],
    )?;
    tell_settings(txn, user, no, now)
}

/// Logs how somebody's profile is now, in their own log.
pub(super) fn tell_settings(
    txn: &mut Txn<'_>,
    user: UserId,
    no: i64,
    now: Time,
) -> Result<Profile, StoreError> {
    let profile = profile(txn.conn, user)?.ok_or(Denied::NotFound)?;
    txn.log_user(no, now, UserEventKind::Settings(Box::new(profile.clone())))?;
    Ok(profile)
}

/// A person, as others see them.
pub(super) fn user(conn: &Connection, user: UserId) -> Result<Option<User>, StoreError> {
    let sql = format!("select {USER} from users u where u.id = ?");
    one(conn, &sql, [user.0.as_bytes()], |row| user_at(row, 0))
}

/// A person, as they see themselves.
pub(super) fn profile(conn: &Connection, user: UserId) -> Result<Option<Profile>, StoreError> {
    let sql = format!(
        "select {USER}, u.email, u.email_verified_at is not null, u.shows_email \
         from users u where u.id = ?"
    );
    one(conn, &sql, [user.0.as_bytes()], |row| {
        Ok(Profile {
            user: user_at(row, 0)?,
            email: row.get(USER_COLUMNS)?,
            email_verified: row.get(USER_COLUMNS + 1)?,
            show_email: row.get(USER_COLUMNS + 2)?,
        })
    })
}

const CREDENTIALS: &str = "select id, password_hash, usable, email from users";

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        user: UserId(super::rows::uuid(row, 0)?),
        password_hash: row.get(1)?,
        usable: row.get(2)?,
        email: row.get(3)?,
    })
}
