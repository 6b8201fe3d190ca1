//! `/auth/…` and `/users/me`: guests come by a name, and everybody sees and changes themselves.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use parlor_app::accounts::SignedIn;
use parlor_app::{Actor, Error};
use parlor_domain::Denied;
use parlor_doors::{Doors, Peer};
use serde_json::{Value, json};

use crate::error::{Answer, Refused};
use crate::objects;
use crate::request::{needed, object, text};
use crate::visitor::Visitor;

/// `POST /auth/register`.
pub(crate) async fn register(
    State(doors): State<Doors>,
    _: Visitor,
    peer: Peer,
    request: Request,
) -> Answer {
    const DOING: &str = "Registration failed";
    let name = needed(&mut object(&doors, request, DOING).await?, "name", DOING)?;
    let made = doors.app.register_guest(&name, peer.address()).await;
    let signed_in = made.map_err(|error| match error {
        Error::Denied(Denied::Taken(_)) => Refused::bad("User with this name already exists"),
        error => Refused::Failed(DOING, error),
    })?;
    let said = came(&doors, &signed_in, "User created successfully", DOING).await?;
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// `POST /auth/login`.
pub(crate) async fn login(
    State(doors): State<Doors>,
    _: Visitor,
    peer: Peer,
    request: Request,
) -> Answer {
    const DOING: &str = "Login failed";
    let name = needed(&mut object(&doors, request, DOING).await?, "name", DOING)?;
    let found = doors.app.login_guest(&name, peer.address()).await;
    let unknown = Refused::not_found("User not found");
    let signed_in = found.map_err(Refused::or_missing(DOING, unknown))?;
    Ok(Json(came(&doors, &signed_in, "Login successful", DOING).await?).into_response())
}

async fn came(
    doors: &Doors,
    signed_in: &SignedIn,
    message: &str,
    doing: &'static str,
) -> Result<Value, Refused> {
    let person = doors.app.person(signed_in.user.id).await.map_err(Refused::failed(doing))?;
    Ok(json!({
        "message": message,
        "access_token": signed_in.access_token.expose(),
        "user": objects::user(&person),
    }))
}

/// `GET /auth/me`.
pub(crate) async fn me(State(doors): State<Doors>, visitor: Visitor) -> Answer {
    let actor = visitor.actor()?;
    Ok(Json(oneself(&doors, &actor, "Failed to get user").await?).into_response())
}

/// `PUT /users/me`.
pub(crate) async fn rename(
    State(doors): State<Doors>,
    visitor: Visitor,
    request: Request,
) -> Answer {
    const DOING: &str = "Failed to update user";
    let actor = visitor.actor()?;
    let mut asked = object(&doors, request, DOING).await?;
    if let Some(name) = text(&mut asked, "name", DOING)? {
        doors.app.rename(&actor, &name).await.map_err(Refused::failed(DOING))?;
    }
    let user = oneself(&doors, &actor, DOING).await?;
    let said = json!({"message": "User updated successfully", "user": user});
    Ok(Json(said).into_response())
}

async fn oneself(doors: &Doors, actor: &Actor, doing: &'static str) -> Result<Value, Refused> {
    let person = doors.app.person(actor.user).await.map_err(Refused::failed(doing))?;
    Ok(objects::user(&person))
}

/// `DELETE /users/me`.
pub(crate) async fn delete(State(doors): State<Doors>, visitor: Visitor) -> Answer {
    const DOING: &str = "Failed to delete user";
    let actor = visitor.actor()?;
    let gone = Refused::not_found("User not found");
    doors.app.delete_account(&actor).await.map_err(Refused::or_missing(DOING, gone))?;
    Ok(Json(json!({"message": "User deleted successfully"})).into_response())
}
