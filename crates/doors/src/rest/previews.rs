//! Previews of what is behind links.

use axum::extract::State;
use axum::http::StatusCode;
use parlor_domain::MessageId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::path::Id;
use crate::reply::Done;

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(drop_previews))
}

/// Take the previews off a message, for good.
///
/// Whoever may delete it may.
#[utoipa::path(
    delete, path = "/messages/{id}/previews", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 204, description = "So it is"))
)]
async fn drop_previews(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(message): Id<MessageId>,
) -> Done {
    doors.app.drop_previews(&actor, message).await?;
    Ok(StatusCode::NO_CONTENT)
}
