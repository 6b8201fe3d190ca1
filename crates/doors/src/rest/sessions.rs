//! Sessions.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::sessions::{CreateSession, SessionPatch};
use parlor_domain::{RoomId, SessionId, UserId};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ids;
use crate::Doors;
use crate::auth::Signed;
use crate::body::Body;
use crate::key::Key;
use crate::openapi::{Conflict, Forbidden, Gone, KeyParam};
use crate::path::{Id, Ids};
use crate::query::{self, After, Paged, Query};
use crate::reply::{Answer, Done, created, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(room_sessions, create_session))
        .routes(routes!(session, patch_session, end_session))
        .routes(routes!(session_members, add_to_session))
        .routes(routes!(remove_from_session))
        .routes(routes!(read))
        .routes(routes!(typing))
        .routes(routes!(events))
}

/// The sessions of a room that one is in.
#[utoipa::path(
    get, path = "/rooms/{id}/sessions", tag = "sessions",
    params(("id" = String, Path, description = "The room")),
    responses((status = 200, description = "The main one first", body = v1::SessionList), Forbidden)
)]
async fn room_sessions(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
) -> Answer<v1::SessionList> {
    let sessions = doors.app.sessions(&actor, room).await?;
    ok(v1::SessionList { sessions: sessions.iter().map(Into::into).collect() })
}

/// Open a session in a room.
#[utoipa::path(
    post, path = "/rooms/{id}/sessions", tag = "sessions",
    params(("id" = String, Path, description = "The room"), KeyParam),
    request_body = v1::CreateSessionRequest,
    responses(
        (status = 201, description = "The session", body = v1::Session),
        (status = 200, description = "The session that this key opened before", body = v1::Session),
        Conflict
    )
)]
async fn create_session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<RoomId>,
    Key(key): Key,
    Body(asked): Body<v1::CreateSessionRequest>,
) -> Answer<v1::Session> {
    let encryption = v1::Encryption::asked(asked.encryption.as_ref())?;
    let members = ids(&asked.members)?;
    let asked = CreateSession {
        room,
        name: asked.name,
        members,
        encryption,
        message_ttl_s: asked.message_ttl_s,
        end: asked.end.as_ref().map(Into::into).unwrap_or_default(),
        key,
    };
    let session = doors.app.create_session(&actor, asked).await?;
    created(session.fresh, (&session.value).into())
}

/// A session.
#[utoipa::path(
    get, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "The session", body = v1::Session))
)]
async fn session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
) -> Answer<v1::Session> {
    ok((&doors.app.session(&actor, session).await?).into())
}

/// Change a session: its name, how long messages live in it, and when it ends.
#[utoipa::path(
    patch, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    request_body = v1::PatchSessionRequest,
    responses(
        (status = 200, description = "The session as it is now", body = v1::Session),
        Conflict
    )
)]
async fn patch_session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Body(asked): Body<v1::PatchSessionRequest>,
) -> Answer<v1::Session> {
    let end = asked.end.as_ref().map(Into::into);
    let patch = SessionPatch { name: asked.name, message_ttl_s: asked.message_ttl_s, end };
    ok((&doors.app.change_session(&actor, session, patch).await?).into())
}

/// End a session: its log takes nothing more, and nothing that was said in it is left.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "It has ended"), Conflict)
)]
async fn end_session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
) -> Done {
    doors.app.end_session(&actor, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who is in a session.
#[utoipa::path(
    get, path = "/sessions/{id}/members", tag = "sessions",
    params(("id" = String, Path, description = "The session"), Paged),
    responses((status = 200, description = "By username", body = v1::MemberList))
)]
async fn session_members(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Query(asked): Query<Paged>,
) -> Answer<v1::MemberList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    // Asked for first: who comes in between is in the list, and makes the version too old.
    let version = doors.app.membership_version(&actor, session).await?;
    let members = doors.app.session_members(&actor, session, asked.cursor, limit).await?;
    ok(v1::MemberList {
        membership_version: Some(version),
        next_cursor: query::next_cursor(&members, limit, |m| m.user.username.clone()),
        members: doors.members(&members),
    })
}

/// Put members of the room into a session.
#[utoipa::path(
    post, path = "/sessions/{id}/members", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    request_body = v1::AddMembersRequest,
    responses(
        (status = 200, description = "The session as it is now", body = v1::Session),
        Conflict
    )
)]
async fn add_to_session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Body(asked): Body<v1::AddMembersRequest>,
) -> Answer<v1::Session> {
    let people = ids(&asked.users)?;
    let session = doors.app.add_to_session(&actor, session, people).await?;
    ok((&session).into())
}

/// Take somebody, or oneself, out of a session.
#[utoipa::path(
    delete, path = "/sessions/{id}/members/{user}", tag = "sessions",
    params(
        ("id" = String, Path, description = "The session"),
        ("user" = String, Path, description = "The member")
    ),
    responses((status = 204, description = "They are out"), Conflict)
)]
async fn remove_from_session(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(session, user): Ids<SessionId, UserId>,
) -> Done {
    doors.app.remove_from_session(&actor, session, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say how far one has read.
#[utoipa::path(
    put, path = "/sessions/{id}/read", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    request_body = v1::ReadRequest,
    responses((status = 204, description = "Remembered; never moved back"))
)]
async fn read(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Body(asked): Body<v1::ReadRequest>,
) -> Done {
    doors.app.read(&actor, session, asked.number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say that one is writing.
#[utoipa::path(
    post, path = "/sessions/{id}/typing", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "Told to the others"), Conflict)
)]
async fn typing(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
) -> Done {
    doors.app.typing(&actor, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The log of a session.
#[utoipa::path(
    get, path = "/sessions/{id}/events", tag = "sessions",
    params(("id" = String, Path, description = "The session"), After),
    responses((status = 200, description = "Ascending by `seq`", body = v1::EventPage), Gone)
)]
async fn events(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Query(asked): Query<After>,
) -> Answer<v1::EventPage> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let after = query::count("after", asked.after)?;
    let page = doors.app.events_after(&actor, session, after, limit).await?;
    ok(v1::EventPage { events: page.events.iter().map(Into::into).collect(), head: page.head })
}
