//! Other people.

use axum::extract::State;
use parlor_domain::UserId;
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::path::Id;
use crate::query::{self, FindUsers, InRoom, PagedInRoom, Query};
use crate::reply::{Answer, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(find_users))
        .routes(routes!(user))
        .routes(routes!(messages_of))
        .routes(routes!(sessions_with))
}

/// Find people by the beginning of their username or name.
#[utoipa::path(
    get, path = "/users", tag = "users", params(FindUsers),
    responses((status = 200, description = "By username", body = v1::UserList))
)]
async fn find_users(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<FindUsers>,
) -> Answer<v1::UserList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let users = doors.app.find_users(&actor, &asked.query, limit).await?;
    ok(v1::UserList { users: doors.users(&users), next_cursor: None })
}

/// A person.
#[utoipa::path(
    get, path = "/users/{id}", tag = "users",
    params(("id" = String, Path, description = "The person")),
    responses((status = 200, description = "The person", body = v1::User))
)]
async fn user(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(user): Id<UserId>,
) -> Answer<v1::User> {
    ok(doors.user(&doors.app.user(&actor, user).await?))
}

/// What a person said in sessions that one is in, newest first, of one room or of all.
#[utoipa::path(
    get, path = "/users/{id}/messages", tag = "users",
    params(("id" = String, Path, description = "The person"), PagedInRoom),
    responses((status = 200, description = "Newest first", body = v1::UserMessages))
)]
async fn messages_of(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(author): Id<UserId>,
    Query(asked): Query<PagedInRoom>,
) -> Answer<v1::UserMessages> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let before = query::number_cursor(asked.cursor.as_deref())?;
    let room = query::room(asked.room_id.as_deref())?;
    let messages = doors.app.messages_of(&actor, author, room, before, limit).await?;
    ok(v1::UserMessages {
        next_cursor: query::next_cursor(&messages, limit, |m| m.no.to_string()),
        messages: messages.iter().map(Into::into).collect(),
    })
}

/// The chat sessions that both one and this person are in, of one room or of all.
#[utoipa::path(
    get, path = "/users/{id}/sessions", tag = "users",
    params(("id" = String, Path, description = "The person"), InRoom),
    responses((status = 200, description = "The sessions", body = v1::SessionList))
)]
async fn sessions_with(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(other): Id<UserId>,
    Query(asked): Query<InRoom>,
) -> Answer<v1::SessionList> {
    let room = query::room(asked.room_id.as_deref())?;
    let sessions = doors.app.sessions_with(&actor, other, room).await?;
    ok(v1::SessionList { sessions: sessions.iter().map(Into::into).collect() })
}
