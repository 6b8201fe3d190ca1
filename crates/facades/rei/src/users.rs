//! People: oneself and others.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use parlor_app::users::ProfilePatch;
use parlor_app::{Error, Hidden};
use parlor_domain::{Denied, UserId};
use parlor_doors::Doors;
use serde_json::json;

use crate::accounts::Caller;
use crate::error::Refused;
use crate::form::{self, Form};
use crate::words;

/// `GET /user`. The address is one's own; who gave none has the one that others see.
pub(crate) async fn oneself(
    State(doors): State<Doors>,
    Caller(actor): Caller,
) -> Result<Response, Refused> {
    let own = doors.app.profile(&actor).await?.email;
    let person = doors.app.person(actor.user).await.map_err(no_such_user)?;
    let email = own.unwrap_or_else(|| doors.app.address_of(&person, false));
    let details = words::person(&person, &email);
    // COMPAT(rei): it never lists rooms here; they are at `/joined`.
    Ok(words::with(json!({"user_details": details, "rooms": []})))
}

/// `GET /user/{user_id}`
pub(crate) async fn somebody(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id: UserId = id.parse().map_err(|_| Refused::missing(NO_SUCH_USER))?;
    if id == actor.user {
        let own = doors.app.profile(&actor).await?.email;
        let person = doors.app.person(id).await.map_err(no_such_user)?;
        let email = own.unwrap_or_else(|| doors.app.address_of(&person, false));
        return Ok(words::with(json!({"user_details": words::person(&person, &email)})));
    }
    let person = doors.app.person(id).await.map_err(no_such_user)?;
    let known = doors.app.knows(&actor, id).await?;
    let email = doors.app.address_of(&person, known);
    Ok(words::with(json!({"user_details": words::person(&person, &email)})))
}

/// `PUT /user/username`
pub(crate) async fn rename(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    request: Request,
) -> Result<Response, Refused> {
    let [name] = Form::read(&doors, request).await?.texts(["username"])?;
    form::username(&name)?;
    let patch = ProfilePatch { name: Some(name), ..ProfilePatch::default() };
    doors.app.change_profile(&actor, patch).await?;
    Ok(words::ok())
}

/// `PUT /user/password`
pub(crate) async fn change_password(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    request: Request,
) -> Result<Response, Refused> {
    let [old, new] = Form::read(&doors, request).await?.texts(["password", "new_password"])?;
    form::password(&new)?;
    if old == new {
        return Err(Refused::bad("New password cannot be the same as the old password"));
    }
    let (old, new) = (Hidden::new(old), Hidden::new(new));
    match doors.app.change_password(&actor, &old, &new).await {
        Ok(()) => Ok(words::ok()),
        Err(Error::Denied(Denied::Forbidden(_) | Denied::Invalid { field: "old", .. })) => {
            Err(Refused::bad(form::WRONG_PASSWORD))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is said of somebody who is not there.
pub(crate) const NO_SUCH_USER: &str = "User not found";

fn no_such_user(error: Error) -> Refused {
    match error {
        Error::Denied(Denied::NotFound) => Refused::missing(NO_SUCH_USER),
        other => other.into(),
    }
}
