//! Making a room.

use parlor_domain::room::NewRoom;
use parlor_domain::rules::AskedRules;
use parlor_domain::{
    ClientId, Denied, Encryption, Limits, Room, RoomId, RoomKind, Rules, SessionId, UserId, name,
};
use parlor_store::rooms::RoomDraft;

use super::check_password;
use crate::clock::new_id;
use crate::{Actor, App, Changed, Error, Hidden, digest};

/// What somebody who makes a room says.
#[derive(Debug, Clone)]
pub struct CreateRoom {
    /// Its name; of no account for a direct room.
    pub name: String,
    /// Who can find and enter it.
    pub kind: RoomKind,
    /// What it is for.
    pub description: String,
    /// What joining takes.
    pub password: Option<Hidden>,
    /// People to add at once.
    pub members: Vec<UserId>,
    /// The request's own id, by which repeating it makes nothing new.
    pub key: Option<ClientId>,
    /// A name of its own in paths: 3 to 32 letters and digits.
    pub slug: Option<String>,
    /// Whether no other room may have its name.
    pub unique: bool,
    /// How its main session is encrypted; `None`: not.
    pub encryption: Option<Encryption>,
    /// What it lays down for its sessions.
    pub rules: AskedRules,
}

impl App {
    /// Makes a room; a direct room of the same people, or the room that an earlier request with
    /// this key made, is found instead.
    ///
    /// # Errors
    /// [`Denied::Taken`] when another room has the name; [`Denied`] when a value is not acceptable,
    /// somebody has no account or the actor owns too
    /// many rooms; [`Error::IdempotencyConflict`].
    pub async fn create_room(
        &self,
        actor: &Actor,
        asked: CreateRoom,
    ) -> Result<Changed<Room>, Error> {
        let now = self.admit(actor)?;
        let room = NewRoom::new(
            actor.user,
            asked.kind,
            &asked.name,
            &asked.description,
            &asked.members,
            &self.limits_for(&asked),
        )?
        .encrypted(asked.encryption)?
        .ruled(asked.rules, &self.limits)?;
        // A direct room is found when it is there, however many devices its people have by now.
        if room.encryption.is_some() && room.kind != RoomKind::Direct {
            self.admit_crowd(actor, &room.members).await?;
        }
        if let Some(password) = &asked.password {
            check_password(password, &self.limits)?;
            if room.kind == RoomKind::Direct {
                return Err(Denied::invalid("password", "a direct room has none").into());
            }
        }
        if let Some(slug) = &asked.slug {
            name::slug(slug)?;
        }
        let key = asked.key.map(|key| (key, self.room_digest(&room, &asked.password)));
        let password_hash = match &asked.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let draft = RoomDraft {
            id: RoomId(new_id(now)),
            main_session: SessionId(new_id(now)),
            creator: actor.user,
            room,
            password_hash,
            key,
            slug: asked.slug,
            unique: asked.unique,
        };
        let owned_max = self.limits.rooms_owned_max;
        Ok(self.store.create_room(draft, owned_max, now).await?)
    }

    /// Rooms that are made by a façade, which asks for a name of its own, may have longer names.
    fn limits_for(&self, asked: &CreateRoom) -> Limits {
        let mut limits = self.limits;
        if asked.unique || asked.slug.is_some() {
            limits.name_chars_max = limits.facade_room_name_chars_max;
        }
        limits
    }

    fn room_digest(&self, room: &NewRoom, password: &Option<Hidden>) -> [u8; 16] {
        let password = password.as_ref().map_or("", Hidden::expose);
        let encryption = digest::encryption(room.encryption);
        let rules = digest::rules(&room.rules);
        let parts: [&[u8]; 7] = [
            room.name.as_bytes(),
            room.kind.as_str().as_bytes(),
            room.description.as_bytes(),
            password.as_bytes(),
            &digest::ids(room.members.iter().map(|user| user.0)),
            &encryption,
            &rules,
        ];
        // What asks for no more than it could before has the digest that it had then.
        let parts = match (room.rules == Rules::default(), room.encryption) {
            (true, None) => &parts[..5],
            (true, Some(_)) => &parts[..6],
            (false, _) => &parts[..],
        };
        self.digests.of("create room", parts)
    }
}
