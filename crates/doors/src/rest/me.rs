//! Oneself.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use parlor_app::users::ProfilePatch;
use parlor_app::{Hidden, MessagePage};
use parlor_domain::{DeviceId, SessionId};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::body::{self, Body};
use crate::openapi::{Conflict, Gone};
use crate::path::Id;
use crate::query::{self, After, Query};
use crate::reply::{Answer, Done, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(me, change_me))
        .routes(routes!(set_picture, remove_picture))
        .routes(routes!(change_password))
        .routes(routes!(init))
        .routes(routes!(devices))
        .routes(routes!(revoke_device))
        .routes(routes!(my_sessions))
        .routes(routes!(my_events))
}

/// One's own profile.
#[utoipa::path(
    get, path = "/me", tag = "me",
    responses((status = 200, description = "The profile", body = v1::Me))
)]
async fn me(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::Me> {
    ok(doors.me(&doors.app.profile(&actor).await?))
}

/// Change one's own profile.
#[utoipa::path(
    patch, path = "/me", tag = "me", request_body = v1::PatchMeRequest,
    responses((status = 200, description = "The profile as it is now", body = v1::Me), Conflict)
)]
async fn change_me(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Body(asked): Body<v1::PatchMeRequest>,
) -> Answer<v1::Me> {
    let patch = ProfilePatch {
        username: asked.username,
        name: asked.name,
        status: asked.status,
        show_last_seen: asked.show_last_seen,
        show_email: asked.show_email,
    };
    ok(doors.me(&doors.app.change_profile(&actor, patch).await?))
}

/// Say what one looks like.
///
/// The body is a JPEG, PNG, GIF or WebP as it is. Its middle becomes a small square, of which
/// everybody sees the id as `picture_id`; what else was in it is not kept.
#[utoipa::path(
    put, path = "/me/picture", tag = "me",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The profile as it is now", body = v1::Me))
)]
async fn set_picture(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    request: Request,
) -> Answer<v1::Me> {
    let limits = doors.app.limits();
    let bytes = body::read_up_to(request, limits.picture_bytes_max, limits).await?;
    ok(doors.me(&doors.app.set_picture(&actor, bytes).await?))
}

/// Look like nothing any more.
#[utoipa::path(
    delete, path = "/me/picture", tag = "me",
    responses((status = 204, description = "There is no picture"))
)]
async fn remove_picture(State(doors): State<Doors>, Signed(actor): Signed) -> Done {
    doors.app.remove_picture(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change one's password. Every other login ends.
#[utoipa::path(
    post, path = "/me/password", tag = "me", request_body = v1::ChangePasswordRequest,
    responses((status = 204, description = "The password is changed"))
)]
async fn change_password(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Body(asked): Body<v1::ChangePasswordRequest>,
) -> Done {
    let (old, new) = (Hidden::new(asked.old), Hidden::new(asked.new));
    doors.app.change_password(&actor, &old, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything for a first screen.
#[utoipa::path(
    get, path = "/me/init", tag = "me",
    responses((status = 200, description = "Profile, rooms, sessions, messages", body = v1::Init))
)]
async fn init(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::Init> {
    let init = doors.app.init(&actor).await?;
    ok(v1::Init {
        me: Some(doors.me(&init.me)),
        rooms: doors.rooms(&init.rooms),
        sessions: init.sessions.iter().map(Into::into).collect(),
        epoch: doors.app.epoch().to_owned(),
        user_seq: init.user_seq,
        server_name: doors.app.settings().server_name.clone(),
        newest: init.newest.iter().map(newest).collect(),
        limits: Some(doors.app.limits().into()),
        drafts: init.drafts.iter().map(Into::into).collect(),
    })
}

fn newest((session, page): &(SessionId, MessagePage)) -> v1::Newest {
    v1::Newest {
        session_id: session.to_string(),
        messages: page.messages.iter().map(Into::into).collect(),
        has_more_before: page.more_before,
    }
}

/// The devices that are signed in.
#[utoipa::path(
    get, path = "/me/devices", tag = "me",
    responses((status = 200, description = "The last used first", body = v1::DeviceList))
)]
async fn devices(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::DeviceList> {
    let devices = doors.app.devices(&actor).await?;
    let wire = devices
        .iter()
        .map(|device| v1::Device { current: device.id == actor.device, ..device.into() });
    ok(v1::DeviceList { devices: wire.collect() })
}

/// Sign a device out.
#[utoipa::path(
    delete, path = "/me/devices/{id}", tag = "me",
    params(("id" = String, Path, description = "The device")),
    responses((status = 204, description = "Signed out"))
)]
async fn revoke_device(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(device): Id<DeviceId>,
) -> Done {
    doors.app.revoke_device(&actor, device).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The chat sessions that one is in, of all rooms.
#[utoipa::path(
    get, path = "/me/sessions", tag = "me",
    responses((status = 200, description = "The sessions", body = v1::SessionList))
)]
async fn my_sessions(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::SessionList> {
    let sessions = doors.app.my_sessions(&actor).await?;
    ok(v1::SessionList { sessions: sessions.iter().map(Into::into).collect() })
}

/// One's own log.
#[utoipa::path(
    get, path = "/me/events", tag = "me", params(After),
    responses(
        (status = 200, description = "Ascending by `user_seq`", body = v1::UserEventPage),
        Gone
    )
)]
async fn my_events(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<After>,
) -> Answer<v1::UserEventPage> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let after = query::count("after", asked.after)?;
    let page = doors.app.user_events_after(&actor, after, limit).await?;
    ok(v1::UserEventPage { events: page.events.iter().map(Into::into).collect(), head: page.head })
}
