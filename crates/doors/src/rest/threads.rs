//! Threads.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::Followed;
use parlor_domain::MessageId;
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::messages::which;
use crate::Doors;
use crate::auth::Signed;
use crate::body::Body;
use crate::openapi::Unacceptable;
use crate::path::Id;
use crate::query::{self, Numbers, Paged, Query};
use crate::reply::{Answer, Done, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(thread))
        .routes(routes!(read_thread))
        .routes(routes!(follow, unfollow))
        .routes(routes!(threads))
}

/// A page of what was said in the thread of a message.
#[utoipa::path(
    get, path = "/messages/{id}/thread", tag = "threads",
    params(("id" = String, Path, description = "The message that began it"), Numbers),
    responses((status = 200, description = "Ascending by `number`", body = v1::MessagePage))
)]
async fn thread(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(root): Id<MessageId>,
    Query(asked): Query<Numbers>,
) -> Answer<v1::MessagePage> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let page = doors.app.thread(&actor, root, which(&asked)?, limit).await?;
    ok(v1::MessagePage {
        messages: page.messages.iter().map(Into::into).collect(),
        has_more_before: page.more_before,
        has_more_after: page.more_after,
    })
}

/// Say how far one has read in a thread.
#[utoipa::path(
    put, path = "/messages/{id}/thread/read", tag = "threads",
    params(("id" = String, Path, description = "The message that began it")),
    request_body = v1::ReadRequest,
    responses((status = 204, description = "Remembered; never moved back"))
)]
async fn read_thread(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(root): Id<MessageId>,
    Body(asked): Body<v1::ReadRequest>,
) -> Done {
    doors.app.read_thread(&actor, root, asked.number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Follow the thread of a message, which need not have begun.
#[utoipa::path(
    put, path = "/messages/{id}/thread/follow", tag = "threads",
    params(("id" = String, Path, description = "The message that begins it")),
    responses((status = 204, description = "So it is"), Unacceptable)
)]
async fn follow(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(root): Id<MessageId>,
) -> Done {
    doors.app.follow(&actor, root, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do not follow the thread of a message any more.
#[utoipa::path(
    delete, path = "/messages/{id}/thread/follow", tag = "threads",
    params(("id" = String, Path, description = "The message that begins it")),
    responses((status = 204, description = "So it is"), Unacceptable)
)]
async fn unfollow(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(root): Id<MessageId>,
) -> Done {
    doors.app.follow(&actor, root, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The threads that one follows.
#[utoipa::path(
    get, path = "/me/threads", tag = "threads", params(Paged),
    responses((
        status = 200, description = "Where something was said last, first", body = v1::ThreadList
    ))
)]
async fn threads(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<Paged>,
) -> Answer<v1::ThreadList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let before = query::number_cursor(asked.cursor.as_deref())?;
    let found = doors.app.threads(&actor, before, limit).await?;
    let wire = |followed: &Followed| v1::FollowedThread {
        message: Some((&followed.root).into()),
        room_id: followed.room.to_string(),
    };
    ok(v1::ThreadList {
        next_cursor: query::next_cursor(&found, limit, |followed| followed.last_no.to_string()),
        threads: found.iter().map(wire).collect(),
    })
}
