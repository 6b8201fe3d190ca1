//! Rooms.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::Hidden;
use parlor_app::rooms::{CreateRoom, RoomPatch};
use parlor_domain::rules::AskedRules;
use parlor_domain::{Denied, Role, RoomId, RoomKind, UserId};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ids;
use crate::Doors;
use crate::auth::Signed;
use crate::body::{Body, MaybeBody};
use crate::key::Key;
use crate::openapi::{Conflict, Forbidden, KeyParam, NotFound};
use crate::path::{Id, Ids};
use crate::query::{self, Limited, Paged, Query, Search};
use crate::reply::{Answer, Done, created, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(my_rooms, create_room))
        .routes(routes!(public_rooms))
        .routes(routes!(room, change_room, delete_room))
        .routes(routes!(join))
        .routes(routes!(leave))
        .routes(routes!(room_members, add_to_room))
        .routes(routes!(set_role, kick))
        .routes(routes!(bans))
        .routes(routes!(ban, unban))
}

fn kind(text: &str) -> Result<RoomKind, Denied> {
    RoomKind::parse(text).ok_or(Denied::invalid("kind", "no such kind of room"))
}

/// The rooms that one is in.
#[utoipa::path(
    get, path = "/rooms", tag = "rooms",
    responses((status = 200, description = "The oldest first", body = v1::RoomList))
)]
async fn my_rooms(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::RoomList> {
    let rooms = doors.app.rooms(&actor).await?;
    ok(v1::RoomList { rooms: doors.rooms(&rooms), next_cursor: None })
}

/// Make a room. A direct room of the same people is found instead of made twice.
#[utoipa::path(
    post, path = "/rooms", tag = "rooms", params(KeyParam),
    request_body = v1::CreateRoomRequest,
    responses(
        (status = 201, description = "The room", body = v1::Room),
        (status = 200, description = "The room, which was there already", body = v1::Room),
        NotFound, Conflict
    )
)]
async fn create_room(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Key(key): Key,
    Body(asked): Body<v1::CreateRoomRequest>,
) -> Answer<v1::Room> {
    let asked = CreateRoom {
        name: asked.name,
        kind: kind(asked.kind.as_deref().unwrap_or("public"))?,
        description: asked.description.unwrap_or_default(),
        password: asked.password.map(Hidden::new),
        members: ids(&asked.members)?,
        key,
        slug: None,
        unique: false,
        encryption: v1::Encryption::asked(asked.encryption.as_ref())?,
        rules: AskedRules {
            message_ttl_s: asked.message_ttl_s,
            retention_s: asked.retention_s,
            sessions_max: asked.sessions_max,
        },
    };
    let room = doors.app.create_room(&actor, asked).await?;
    created(room.fresh, doors.room(&room.value))
}

/// Rooms that anybody may join.
#[utoipa::path(
    get, path = "/rooms/public", tag = "rooms", params(Search),
    responses((status = 200, description = "The oldest first", body = v1::RoomList))
)]
async fn public_rooms(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<Search>,
) -> Answer<v1::RoomList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let after = query::number_cursor(asked.cursor.as_deref())?;
    let rooms = doors.app.public_rooms(&actor, &asked.query, after, limit).await?;
    ok(v1::RoomList {
        next_cursor: query::next_cursor(&rooms, limit, |room| room.no.to_string()),
        rooms: doors.rooms(&rooms),
    })
}

/// A room.
#[utoipa::path(
    get, path = "/rooms/{id}", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    responses((status = 200, description = "The room", body = v1::Room))
)]
async fn room(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
) -> Answer<v1::Room> {
    ok(doors.room(&doors.app.room(&actor, room).await?))
}

/// Change a room's settings: for its owners.
#[utoipa::path(
    patch, path = "/rooms/{id}", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    request_body = v1::PatchRoomRequest,
    responses((status = 200, description = "The room as it is now", body = v1::Room))
)]
async fn change_room(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    Body(asked): Body<v1::PatchRoomRequest>,
) -> Answer<v1::Room> {
    let patch = RoomPatch {
        name: asked.name,
        description: asked.description,
        kind: asked.kind.as_deref().map(kind).transpose()?,
        password: asked.password.map(Hidden::new),
        archived: asked.archived,
        rules: AskedRules {
            message_ttl_s: asked.message_ttl_s,
            retention_s: asked.retention_s,
            sessions_max: asked.sessions_max,
        },
    };
    ok(doors.room(&doors.app.change_room(&actor, room, patch).await?))
}

/// Delete a room and all that is in it: for its owners.
#[utoipa::path(
    delete, path = "/rooms/{id}", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete_room(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
) -> Done {
    doors.app.delete_room(&actor, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Join an open room. The body may be left out.
#[utoipa::path(
    post, path = "/rooms/{id}/join", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    request_body = Option<v1::JoinRoomRequest>,
    responses((status = 200, description = "The room", body = v1::Room), Conflict)
)]
async fn join(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    MaybeBody(asked): MaybeBody<v1::JoinRoomRequest>,
) -> Answer<v1::Room> {
    let password = asked.password.map(Hidden::new);
    let joined = doors.app.join(&actor, room, password.as_ref()).await?;
    ok(doors.room(&joined))
}

/// Leave a room and all its sessions.
#[utoipa::path(
    post, path = "/rooms/{id}/leave", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    responses((status = 204, description = "Left"))
)]
async fn leave(State(doors): State<Doors>, Signed(actor): Signed, Id(room): Id<RoomId>) -> Done {
    doors.app.leave(&actor, room).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is in a room.
#[utoipa::path(
    get, path = "/rooms/{id}/members", tag = "rooms",
    params(("id" = String, Path, description = "The room"), Paged),
    responses((status = 200, description = "By username", body = v1::MemberList), Forbidden)
)]
async fn room_members(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    Query(asked): Query<Paged>,
) -> Answer<v1::MemberList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let members = doors.app.room_members(&actor, room, asked.cursor, limit).await?;
    ok(v1::MemberList {
        membership_version: None,
        next_cursor: query::next_cursor(&members, limit, |m| m.user.username.clone()),
        members: doors.members(&members),
    })
}

/// Put people into a room.
#[utoipa::path(
    post, path = "/rooms/{id}/members", tag = "rooms",
    params(("id" = String, Path, description = "The room")),
    request_body = v1::AddMembersRequest,
    responses((status = 200, description = "The room as it is now", body = v1::Room), Conflict)
)]
async fn add_to_room(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    Body(asked): Body<v1::AddMembersRequest>,
) -> Answer<v1::Room> {
    let people = ids(&asked.users)?;
    ok(doors.room(&doors.app.add_to_room(&actor, room, people).await?))
}

/// Give a member a role: for owners.
#[utoipa::path(
    patch, path = "/rooms/{id}/members/{user}", tag = "rooms",
    params(
        ("id" = String, Path, description = "The room"),
        ("user" = String, Path, description = "The member")
    ),
    request_body = v1::PatchMemberRequest,
    responses((status = 204, description = "The role is given"), Conflict)
)]
async fn set_role(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, user): Ids<RoomId, UserId>,
    Body(asked): Body<v1::PatchMemberRequest>,
) -> Done {
    let role = Role::parse(&asked.role).ok_or(Denied::invalid("role", "no such role"))?;
    doors.app.set_role(&actor, room, user, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send somebody out of a room.
#[utoipa::path(
    delete, path = "/rooms/{id}/members/{user}", tag = "rooms",
    params(
        ("id" = String, Path, description = "The room"),
        ("user" = String, Path, description = "The member")
    ),
    responses((status = 204, description = "They are out"))
)]
async fn kick(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, user): Ids<RoomId, UserId>,
) -> Done {
    doors.app.kick(&actor, room, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who may not come back: for moderators and owners.
#[utoipa::path(
    get, path = "/rooms/{id}/bans", tag = "rooms",
    params(("id" = String, Path, description = "The room"), Limited),
    responses((status = 200, description = "Newest first", body = v1::BanList), Forbidden)
)]
async fn bans(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    Query(asked): Query<Limited>,
) -> Answer<v1::BanList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let bans = doors.app.bans(&actor, room, limit).await?;
    ok(v1::BanList { bans: doors.bans(&bans) })
}

/// Send somebody out, and keep them out. The body may be left out.
#[utoipa::path(
    put, path = "/rooms/{id}/bans/{user}", tag = "rooms",
    params(
        ("id" = String, Path, description = "The room"),
        ("user" = String, Path, description = "The person")
    ),
    request_body = Option<v1::BanRequest>,
    responses((status = 204, description = "They are banned"))
)]
async fn ban(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, user): Ids<RoomId, UserId>,
    MaybeBody(asked): MaybeBody<v1::BanRequest>,
) -> Done {
    let reason = asked.reason.unwrap_or_default();
    doors.app.ban(&actor, room, user, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let somebody back in.
#[utoipa::path(
    delete, path = "/rooms/{id}/bans/{user}", tag = "rooms",
    params(
        ("id" = String, Path, description = "The room"),
        ("user" = String, Path, description = "The person")
    ),
    responses((status = 204, description = "They may come back"))
)]
async fn unban(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, user): Ids<RoomId, UserId>,
) -> Done {
    doors.app.unban(&actor, room, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
