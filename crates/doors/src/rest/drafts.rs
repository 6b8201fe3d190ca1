//! What one has begun to write.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::drafts::KeepDraft;
use parlor_domain::SessionId;
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::messages::maybe_id;
use crate::Doors;
use crate::auth::Signed;
use crate::body::Body;
use crate::openapi::Conflict;
use crate::path::Id;
use crate::reply::{Answer, Done, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(keep_draft)).routes(routes!(drafts))
}

/// Keep what one has begun to write in a session, or in a thread of it.
#[utoipa::path(
    put, path = "/sessions/{id}/draft", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    request_body = v1::DraftRequest,
    responses((status = 204, description = "Kept; told to one's other devices"), Conflict)
)]
async fn keep_draft(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Body(asked): Body<v1::DraftRequest>,
) -> Done {
    let draft = KeepDraft {
        session,
        thread: maybe_id(asked.thread_id.as_deref())?,
        reply_to: maybe_id(asked.reply_to.as_deref())?,
        content: asked.content,
    };
    doors.app.keep_draft(&actor, draft).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything that one has begun to write.
#[utoipa::path(
    get, path = "/me/drafts", tag = "me",
    responses((status = 200, description = "The last one first", body = v1::DraftList))
)]
async fn drafts(State(doors): State<Doors>, Signed(actor): Signed) -> Answer<v1::DraftList> {
    let drafts = doors.app.drafts(&actor).await?;
    ok(v1::DraftList { drafts: drafts.iter().map(Into::into).collect() })
}
