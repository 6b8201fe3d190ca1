//! An account is made, and put into the lobby.

use parlor_domain::{Denied, Role, Time, User};

use super::super::rooms::{self, Place};
use super::super::rows::{Person, one};
use super::super::sessions::Newcomer;
use super::super::txn::{Space, Txn};
use super::{MAIL_TAKEN, TAKEN, delete, user};
use crate::StoreError;
use crate::accounts::NewAccount;

/// How often names are looked at again that others take at the same moment.
const LOOKS: usize = 4;

/// Makes an account; see [`crate::Accounts::create_account`].
pub(super) async fn create(txn: &mut Txn, new: &NewAccount, now: Time) -> Result<User, StoreError> {
    let lobby = if new.guest {
        // No key of the table keeps two guests from having one name: they may take it later.
        txn.lock_key(Space::Name, rooms::hashed("guest", &new.name)).await?;
        None
    } else {
        // The lobby is for people who can prove who they are. It is the first room, and so the
        // first to be locked.
        Some(rooms::lock_lobby(txn).await?)
    };
    if new.replaces_pending {
        delete::forget_pending(txn, new.email.as_deref(), now).await?;
    }
    let newcomer = insert(txn, new, now).await?;
    if let Some(lobby) = lobby {
        enter_lobby(txn, &lobby, &newcomer, now).await?;
    }
    user(txn, new.id).await?.ok_or(Denied::NotFound.into())
}

/// Writes the row, unless somebody has what belongs to one account only. Whoever takes it at the
/// same moment is waited for, and then it is looked again.
async fn insert(txn: &Txn, new: &NewAccount, now: Time) -> Result<Person, StoreError> {
    let sql = "insert into users (id, username, username_key, name, name_key, email, usable, \
               password_hash, created_at, guest, shows_email) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
               on conflict do nothing returning no";
    for _ in 0..LOOKS {
        let mail_taken = check_free(txn, new).await?;
        let written = one(
            txn,
            sql,
            &[
                &new.id.0,
                &new.username.shown,
                &new.username.key,
                &new.name,
                &new.name.to_lowercase(),
                &new.email.as_ref().filter(|_| !mail_taken),
                &(new.usable && !mail_taken),
                &new.password_hash,
                &now.0,
                &new.guest,
                &new.shows_email,
            ],
            |row| Ok(row.try_get(0)?),
        )
        .await?;
        if let Some(no) = written {
            let (username, name) = (new.username.shown.clone(), new.name.clone());
            return Ok(Person { no, id: new.id, username, name });
        }
    }
    Err(StoreError::Busy)
}

/// Refuses an account that somebody else has the name of; says whether its address is somebody
/// else's, where that is no reason.
async fn check_free(txn: &Txn, new: &NewAccount) -> Result<bool, StoreError> {
    let sql = "select exists (select 1 from users where username_key = $1), \
               exists (select 1 from users where email = $2), \
               exists (select 1 from users where guest and name = $3)";
    let taken = one(txn, sql, &[&new.username.key, &new.email, &new.name], |row| {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    })
    .await?;
    let (handle, mail, guest): (bool, bool, bool) = taken.unwrap_or_default();
    if handle {
        return Err(TAKEN);
    }
    if mail && !new.discreet {
        return Err(MAIL_TAKEN);
    }
    if new.guest && guest {
        return Err(TAKEN);
    }
    Ok(mail)
}

/// Puts a new account into the lobby; the first one owns it.
async fn enter_lobby(
    txn: &mut Txn,
    lobby: &Place,
    person: &Person,
    now: Time,
) -> Result<(), StoreError> {
    let role = if rooms::owners(txn, lobby.no).await? == 0 {
        rooms::date_lobby(txn, lobby, now).await?;
        Role::Owner
    } else {
        Role::Member
    };
    let newcomer = Newcomer { person, role, by: None };
    let news = rooms::admit(txn, lobby, vec![newcomer], now).await?;
    rooms::tell_added(txn, lobby, &news, now).await
}
