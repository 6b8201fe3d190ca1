//! Pins.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_domain::{MessageId, SessionId};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::openapi::Conflict;
use crate::path::Id;
use crate::reply::{Answer, Done, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(pins)).routes(routes!(pin, unpin))
}

/// The pinned messages of a session.
#[utoipa::path(
    get, path = "/sessions/{id}/pins", tag = "messages",
    params(("id" = String, Path, description = "The session")),
    responses((
        status = 200, description = "All of them, the last one pinned first",
        body = v1::MessagePage
    ))
)]
async fn pins(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
) -> Answer<v1::MessagePage> {
    let pinned = doors.app.pins(&actor, session).await?;
    ok(v1::MessagePage {
        messages: pinned.iter().map(Into::into).collect(),
        has_more_before: false,
        has_more_after: false,
    })
}

/// Pin a message.
#[utoipa::path(
    put, path = "/messages/{id}/pin", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 204, description = "So it is"), Conflict)
)]
async fn pin(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Done {
    doors.app.pin(&actor, message, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take the pin off a message.
#[utoipa::path(
    delete, path = "/messages/{id}/pin", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 204, description = "So it is"), Conflict)
)]
async fn unpin(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Done {
    doors.app.pin(&actor, message, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
