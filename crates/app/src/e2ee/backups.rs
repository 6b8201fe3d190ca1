//! Backups of the keys of sessions, which only their owner can read.

use parlor_domain::{Denied, SessionId};
use parlor_store::e2ee::{BackedUp, Backup, WhichKeys};
use serde_json::{Value, json};

use super::{Object, malformed, object, object_in, text};
use crate::{Actor, App, Error};

/// The kind of backup that there is.
const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// What the id of a key may be.
const KEY_ID_BYTES_MAX: usize = 255;

/// Where in a backup: a session, and a key in it, by their ids in the protocol.
pub type Place<'a> = (Option<&'a str>, Option<&'a str>);

impl App {
    /// Begins a new backup; its version.
    ///
    /// # Errors
    /// [`Denied::Malformed`] for another shape or algorithm.
    pub async fn begin_backup(&self, actor: &Actor, body: &Object) -> Result<Value, Error> {
        self.admit(actor)?;
        let auth_data = object_in(body, "auth_data")?.ok_or(malformed("auth_data"))?;
        if text(body, "algorithm")? != ALGORITHM {
            return Err(malformed("unknown algorithm").into());
        }
        let auth_data = Value::from(auth_data.clone()).to_string();
        let version = self.store.begin_backup(actor.user, ALGORITHM.to_owned(), auth_data).await?;
        Ok(json!({ "version": version.to_string() }))
    }

    /// A backup, or the newest.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn backup(&self, actor: &Actor, version: Option<&str>) -> Result<Value, Error> {
        let version = version.map(read_version).transpose()?;
        let backup = self.store.backup(actor.user, version).await?.ok_or(Denied::NotFound)?;
        let auth_data: Value = serde_json::from_str(&backup.auth_data).unwrap_or_default();
        Ok(json!({
            "version": backup.version.to_string(),
            "algorithm": backup.algorithm,
            "auth_data": auth_data,
            "count": backup.count,
            "etag": backup.etag.to_string(),
        }))
    }

    /// Changes what a backup's encryption needs: signatures of it, mostly.
    ///
    /// # Errors
    /// [`Denied::NotFound`]; [`Denied::Malformed`] for another shape.
    pub async fn change_backup(
        &self,
        actor: &Actor,
        version: &str,
        body: &Object,
    ) -> Result<(), Error> {
        self.admit(actor)?;
        let auth_data = object_in(body, "auth_data")?.ok_or(malformed("auth_data"))?;
        let auth_data = Value::from(auth_data.clone()).to_string();
        Ok(self.store.change_backup(actor.user, read_version(version)?, auth_data).await?)
    }

    /// Deletes a backup with its keys.
    ///
    /// # Errors
    /// [`Denied::NotFound`] for what is no version.
    pub async fn delete_backup(&self, actor: &Actor, version: &str) -> Result<(), Error> {
        self.admit(actor)?;
        Ok(self.store.delete_backup(actor.user, read_version(version)?).await?)
    }

    /// Puts keys into the newest backup: `rooms` and their `sessions`, or what is at a place in it.
    ///
    /// # Errors
    /// [`Denied::NotNewest`] when the version is another, [`Denied::Malformed`],
    /// [`Denied::NoRoom`].
    pub async fn back_up(
        &self,
        actor: &Actor,
        version: &str,
        place: Place<'_>,
        body: &Object,
    ) -> Result<Value, Error> {
        self.admit(actor)?;
        let (names, version) = (self.names().await?, read_version(version)?);
        let mut keys = Vec::new();
        match place {
            (Some(room), Some(id)) => keys.push(read_key(names.read_session(room)?, id, body)?),
            (Some(room), None) => read_room(names.read_session(room)?, body, &mut keys)?,
            (None, _) => {
                for (room, of_room) in object_in(body, "rooms")?.ok_or(malformed("rooms"))? {
                    let of_room = object(of_room, "rooms")?;
                    read_room(names.read_session(room)?, of_room, &mut keys)?;
                }
            }
        }
        let newest = self.store.backup(actor.user, None).await?.map(|backup| backup.version);
        if newest != Some(version) {
            return Err(Denied::NotNewest(newest.unwrap_or(0)).into());
        }
        let most = self.limits.backup_keys_max;
        Ok(counted(&self.store.back_up(actor.user, version, keys, most).await?))
    }

    /// The keys at a place in a backup, in the shape in which they came.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn backed_up(
        &self,
        actor: &Actor,
        version: &str,
        place: Place<'_>,
    ) -> Result<Value, Error> {
        let names = self.names().await?;
        let which = which(&names, place)?;
        let version = read_version(version)?;
        let keys = self.store.backed_up(actor.user, version, which).await?;
        if let (Some(_), Some(_)) = place {
            let key = keys.into_iter().next().ok_or(Denied::NotFound)?;
            return Ok(written(&key));
        }
        let mut rooms = Object::new();
        for key in keys {
            let room = rooms
                .entry(names.session(key.session))
                .or_insert_with(|| json!({ "sessions": {} }));
            room["sessions"][&key.key_session] = written(&key);
        }
        match place.0 {
            Some(room) => Ok(rooms.remove(room).unwrap_or_else(|| json!({ "sessions": {} }))),
            None => Ok(json!({ "rooms": rooms })),
        }
    }

    /// Deletes the keys at a place in a backup.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn forget_backed_up(
        &self,
        actor: &Actor,
        version: &str,
        place: Place<'_>,
    ) -> Result<Value, Error> {
        self.admit(actor)?;
        let which = which(&self.names().await?, place)?;
        let version = read_version(version)?;
        Ok(counted(&self.store.forget_backed_up(actor.user, version, which).await?))
    }
}

fn read_version(text: &str) -> Result<i64, Denied> {
    text.parse().map_err(|_| Denied::NotFound)
}

fn which(names: &super::names::Names, (room, key): Place<'_>) -> Result<WhichKeys, Denied> {
    let session = room.map(|room| names.read_session(room)).transpose()?;
    Ok(WhichKeys { session, key_session: key.map(str::to_owned) })
}

fn read_room(session: SessionId, room: &Object, keys: &mut Vec<BackedUp>) -> Result<(), Denied> {
    for (id, key) in object_in(room, "sessions")?.ok_or(malformed("sessions"))? {
        keys.push(read_key(session, id, object(key, "sessions")?)?);
    }
    Ok(())
}

fn read_key(session: SessionId, id: &str, key: &Object) -> Result<BackedUp, Denied> {
    let number = |field| key.get(field).and_then(Value::as_i64).ok_or(malformed(field));
    let data = object_in(key, "session_data")?.ok_or(malformed("session_data"))?;
    if id.len() > KEY_ID_BYTES_MAX {
        return Err(malformed("the id of a key is too long"));
    }
    Ok(BackedUp {
        session,
        key_session: id.to_owned(),
        first_index: number("first_message_index")?.max(0),
        forwarded: number("forwarded_count")?.max(0),
        verified: key
            .get("is_verified")
            .and_then(Value::as_bool)
            .ok_or(malformed("is_verified"))?,
        data: Value::from(data.clone()).to_string(),
    })
}

fn written(key: &BackedUp) -> Value {
    let data: Value = serde_json::from_str(&key.data).unwrap_or_default();
    json!({
        "first_message_index": key.first_index,
        "forwarded_count": key.forwarded,
        "is_verified": key.verified,
        "session_data": data,
    })
}

fn counted(backup: &Backup) -> Value {
    json!({ "count": backup.count, "etag": backup.etag.to_string() })
}
