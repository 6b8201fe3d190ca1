//! People, and who of them is here.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use parlor_app::{Actor, Error};
use parlor_domain::Person;
use parlor_doors::Doors;
use parlor_doors::facade::by_login_cookie;
use serde_json::json;

use crate::error::{Failure, missing, number};

/// Everybody, oneself among them.
pub(crate) async fn everybody(
    State(doors): State<Doors>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let actor = by_login_cookie(&doors, &headers).await?;
    let own = own_address(&doors, &actor).await?;
    let said = |person: &Person| {
        json!({
            "id": person.user.no,
            "username": person.user.name,
            "email": address(&doors, &actor, own.as_deref(), person),
            "online": is_online(&doors, person),
        })
    };
    let users: Vec<_> = doors.app.everybody(&actor).await?.iter().map(said).collect();
    Ok(Json(json!({"users": users})).into_response())
}

/// One person.
pub(crate) async fn one(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let actor = by_login_cookie(&doors, &headers).await?;
    let found = doors.app.person_by_no(&actor, number(&id, "user_id")?).await;
    let person = found.map_err(|error| missing(error, "User not found"))?;
    let own = own_address(&doors, &actor).await?;
    let said = json!({
        "username": person.user.name,
        "email": address(&doors, &actor, own.as_deref(), &person),
        "id": person.user.no,
    });
    Ok(Json(json!({"user": said})).into_response())
}

/// Whether somebody is here, unless they hide it.
pub(crate) fn is_online(doors: &Doors, person: &Person) -> bool {
    person.user.show_last_seen && doors.app.hub().is_online(person.user.id)
}

async fn own_address(doors: &Doors, actor: &Actor) -> Result<Option<String>, Error> {
    Ok(doors.app.profile(actor).await?.email)
}

/// One's own address; of others the one that takes no mail, since all that people here share is
/// the lobby.
fn address(doors: &Doors, actor: &Actor, own: Option<&str>, person: &Person) -> String {
    match own {
        Some(own) if person.user.id == actor.user => own.to_owned(),
        _ => doors.app.address_of(person, false),
    }
}
