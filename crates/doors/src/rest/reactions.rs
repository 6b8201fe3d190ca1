//! Reactions to messages.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_domain::MessageId;
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::openapi::{Conflict, Unacceptable};
use crate::path::{Id, Ids};
use crate::query::{self, PagedByEmoji, Query};
use crate::reply::{Answer, Done, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(reactors)).routes(routes!(react, unreact))
}

/// Who reacts to a message by an emoji.
#[utoipa::path(
    get, path = "/messages/{id}/reactions", tag = "messages",
    params(("id" = String, Path, description = "The message"), PagedByEmoji),
    responses((status = 200, description = "The oldest accounts first", body = v1::UserList))
)]
async fn reactors(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
    Query(asked): Query<PagedByEmoji>,
) -> Answer<v1::UserList> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let after = query::number_cursor(asked.cursor.as_deref())?.unwrap_or(0);
    let users = doors.app.reactors(&actor, message, &asked.emoji, after, limit).await?;
    ok(v1::UserList {
        next_cursor: query::next_cursor(&users, limit, |user| user.no.to_string()),
        users: doors.users(&users),
    })
}

/// React to a message by an emoji.
#[utoipa::path(
    put, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = String, Path, description = "The message"),
        ("emoji" = String, Path, description = "One emoji")
    ),
    responses((status = 204, description = "So it is"), Conflict, Unacceptable)
)]
async fn react(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(message, emoji): Ids<MessageId, String>,
) -> Done {
    doors.app.react(&actor, message, &emoji, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do not react to a message by an emoji any more.
#[utoipa::path(
    delete, path = "/messages/{id}/reactions/{emoji}", tag = "messages",
    params(
        ("id" = String, Path, description = "The message"),
        ("emoji" = String, Path, description = "One emoji")
    ),
    responses((status = 204, description = "So it is"), Conflict, Unacceptable)
)]
async fn unreact(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(message, emoji): Ids<MessageId, String>,
) -> Done {
    doors.app.react(&actor, message, &emoji, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
