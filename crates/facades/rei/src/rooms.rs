//! Rooms: listed, looked at, made, changed, closed.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use parlor_app::rooms::{CreateRoom, RoomPatch};
use parlor_app::{Actor, Error, Hidden, Which};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Card, Denied, RoomKind};
use parlor_doors::Doors;
use serde_json::{Value, json};

use crate::accounts::{Caller, caller};
use crate::error::Refused;
use crate::form::{self, Form};
use crate::words;

/// What is said of a room that is not there, or that one may not see.
pub(crate) const NO_SUCH_ROOM: &str = "Room not found";

/// The room that goes by this id.
pub(crate) async fn find(doors: &Doors, actor: &Actor, slug: &str) -> Result<Card, Refused> {
    match doors.app.card_by_slug(actor, slug).await {
        Err(Error::Denied(Denied::NotFound)) if doors.app.is_kept_out(actor, slug).await? => {
            Err(Refused::forbidden())
        }
        Err(Error::Denied(Denied::NotFound)) => Err(Refused::missing(NO_SUCH_ROOM)),
        found => Ok(found?),
    }
}

/// `GET /public`
pub(crate) async fn public(
    State(doors): State<Doors>,
    Caller(actor): Caller,
) -> Result<Response, Refused> {
    let cards = doors.app.cards(&actor, Which::Visible).await?;
    let open = |card: &&Card| card.room.kind == RoomKind::Public && !card.room.has_password;
    let listed = cards.iter().filter(open).map(|card| {
        let room = &card.room;
        json!({"room_id": card.slug, "name": room.name, "description": room.description})
    });
    Ok(words::with(json!({"rooms": listed.collect::<Vec<_>>()})))
}

/// `GET /joined`
pub(crate) async fn joined(
    State(doors): State<Doors>,
    Caller(actor): Caller,
) -> Result<Response, Refused> {
    let mut rooms = Vec::new();
    for card in doors.app.cards(&actor, Which::Mine).await? {
        let mut room = described(&doors, &actor, &card).await?;
        room["room_id"] = json!(card.slug);
        rooms.push(room);
    }
    Ok(words::with(json!({"rooms": rooms})))
}

/// `GET /room/{room_id}`. A room with a password shows what it is to its members.
pub(crate) async fn one(
    State(doors): State<Doors>,
    Path(slug): Path<String>,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let actor = caller(&doors, headers).await?;
    let card = find(&doors, &actor, &slug).await?;
    if card.room.has_password && card.room.my_role.is_none() {
        return Err(Refused::forbidden());
    }
    let room = described(&doors, &actor, &card).await?;
    Ok(words::with(json!({"room": room})))
}

/// A room in full. One without a name, which is a conversation of a few, is called by the others.
async fn described(doors: &Doors, actor: &Actor, card: &Card) -> Result<Value, Refused> {
    if !card.room.name.is_empty() {
        return Ok(words::room(card, &card.room.name));
    }
    let others = card.people.iter().copied().filter(|user| *user != actor.user);
    let people = doors.app.several_people(others.clone()).await?;
    let names = others.filter_map(|user| people.get(&user)).map(|person| &*person.user.name);
    Ok(words::room(card, &names.collect::<Vec<_>>().join(", ")))
}

/// `POST /room`. COMPAT(rei): its README knows no `room_id`, its code wants one.
pub(crate) async fn create(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    request: Request,
) -> Result<Response, Refused> {
    let asked = Form::read(&doors, request).await?;
    let [name, description] = asked.texts(["name", "description"])?;
    let (slug, password) = (asked.optional("room_id")?, password(&asked)?);
    if let Some(slug) = &slug {
        form::room_id(slug)?;
    }
    let chosen = slug.is_some();
    let kind = if password.is_some() { RoomKind::Unlisted } else { RoomKind::Public };
    let asked = CreateRoom {
        encryption: None,
        rules: AskedRules::default(),
        name,
        kind,
        description,
        password,
        members: vec![],
        key: None,
        slug,
        unique: false,
    };
    let made = doors.app.create_room(&actor, asked).await?;
    let said = if chosen {
        json!({})
    } else {
        json!({"room_id": doors.app.card(&actor, made.value.id).await?.slug})
    };
    Ok((StatusCode::CREATED, words::with(said)).into_response())
}

/// `PUT /room/{room_id}`. A room without a password is public, as far as it was the password that
/// kept it from being: what was made unlisted or private elsewhere stays so.
pub(crate) async fn update(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let asked = Form::read(&doors, request).await?;
    let [name, description] = asked.texts(["name", "description"])?;
    let password = password(&asked)?;
    let room = find(&doors, &actor, &slug).await?.room;
    let kind = match (room.kind, &password) {
        (RoomKind::Public, Some(_)) => Some(RoomKind::Unlisted),
        (RoomKind::Unlisted, None) if room.has_password => Some(RoomKind::Public),
        _ => None,
    };
    let taken_away = (password.is_none() && room.has_password).then(|| Hidden::new(""));
    let patch = RoomPatch {
        name: Some(name),
        description: Some(description),
        kind,
        password: password.or(taken_away),
        archived: None,
        rules: AskedRules::default(),
    };
    doors.app.change_room(&actor, room.id, patch).await?;
    Ok(words::ok())
}

/// `DELETE /room/{room_id}`
pub(crate) async fn delete(
    State(doors): State<Doors>,
    Caller(actor): Caller,
    Path(slug): Path<String>,
) -> Result<Response, Refused> {
    let room = find(&doors, &actor, &slug).await?.room.id;
    doors.app.delete_room(&actor, room).await?;
    Ok(words::ok())
}

/// A room's password, if it is to have one.
pub(crate) fn password(asked: &Form) -> Result<Option<Hidden>, Refused> {
    let text = asked.optional("password")?.filter(|text| !text.is_empty());
    Ok(text.map(Hidden::new))
}
