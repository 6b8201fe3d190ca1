//! Coming, going, and being sent away.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use parlor_app::{Actor, Error};
use parlor_domain::permission::{Action, may};
use parlor_domain::{Card, Denied, RoomId, UserId};
use parlor_doors::Doors;

use crate::accounts::Caller;
use crate::error::Refused;
use crate::form::{self, Form};
use crate::rooms::{find, password};
use crate::users::NO_SUCH_USER;
use crate::words;

const NOT_IN_ROOM: &str = "User not in room";

/// `POST /room/{room_id}/join`
pub(crate) async fn join(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let password = password(&Form::read(&doors, request).await?)?;
    let room = find(&doors, &actor, &slug).await?.room;
    if room.has_password {
        let given = password.as_ref().ok_or(Refused::bad("Password required"))?;
        // Coming in checks it anyway; who is in is told first that it is wrong.
        if room.my_role.is_some() && !doors.app.is_room_password(&actor, room.id, given).await? {
            return Err(Refused::bad(form::WRONG_PASSWORD));
        }
    }
    if room.my_role.is_some() {
        return Err(Refused::conflict("Already joined"));
    }
    match doors.app.join(&actor, room.id, password.as_ref()).await {
        Ok(_) => Ok(words::ok()),
        Err(Error::Denied(Denied::Forbidden(_) | Denied::Invalid { field: "password", .. })) => {
            Err(Refused::bad(form::WRONG_PASSWORD))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /room/{room_id}/leave`
pub(crate) async fn leave(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path(slug): Path<String>,
) -> Result<Response, Refused> {
    let room = find(&doors, &actor, &slug).await?.room;
    if room.my_role.is_none() {
        return Err(Refused::conflict(NOT_IN_ROOM));
    }
    doors.app.leave(&actor, room.id).await?;
    Ok(words::ok())
}

/// `POST /room/{room_id}/kick/{user_id}`
pub(crate) async fn kick(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path((slug, user)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (room, user) = other(&doors, &actor, &slug, &user, "Cannot kick yourself").await?;
    let user = user.ok_or(Refused::conflict(NOT_IN_ROOM))?;
    match doors.app.kick(&actor, room, user).await {
        Err(Error::Denied(Denied::NotFound)) => Err(Refused::conflict(NOT_IN_ROOM)),
        done => Ok(done.map(|()| words::ok())?),
    }
}

/// `POST /room/{room_id}/ban/{user_id}`
pub(crate) async fn ban(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path((slug, user)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (room, user) = other(&doors, &actor, &slug, &user, "Cannot ban yourself").await?;
    let user = user.ok_or(Refused::missing(NO_SUCH_USER))?;
    let bans = doors.app.bans(&actor, room, doors.app.limits().facade_rows_max).await?;
    if bans.iter().any(|ban| ban.user.id == user) {
        return Err(Refused::bad("Already banned"));
    }
    match doors.app.ban(&actor, room, user, String::new()).await {
        Err(Error::Denied(Denied::NotFound)) => Err(Refused::missing(NO_SUCH_USER)),
        done => Ok(done.map(|()| words::ok())?),
    }
}

/// `POST /room/{room_id}/unban/{user_id}`
pub(crate) async fn unban(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path((slug, user)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let (room, user) = other(&doors, &actor, &slug, &user, "Cannot unban yourself").await?;
    let user = user.ok_or(Refused::bad(NOT_BANNED))?;
    match doors.app.unban(&actor, room, user).await {
        Err(Error::Denied(Denied::NotFound)) => Err(Refused::bad(NOT_BANNED)),
        done => Ok(done.map(|()| words::ok())?),
    }
}

const NOT_BANNED: &str = "User not banned";

/// The room, and somebody else, where the actor may send people away at all; nobody, when the id
/// is none.
async fn other(
    doors: &Doors,
    actor: &Actor,
    slug: &str,
    user: &str,
    oneself: &'static str,
) -> Result<(RoomId, Option<UserId>), Refused> {
    let Card { room, .. } = find(doors, actor, slug).await?;
    let role = room.my_role.ok_or(Refused::forbidden())?;
    may(role, Action::Ban(None)).map_err(|_| Refused::forbidden())?;
    let user: Option<UserId> = user.parse().ok();
    if user == Some(actor.user) {
        return Err(Refused::bad(oneself));
    }
    Ok((room.id, user))
}
