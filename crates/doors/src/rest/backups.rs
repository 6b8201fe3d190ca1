//! Backups of keys, which only their owner can read.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Signed;
use crate::opaque::{Json, Opaque};
use crate::openapi::{Forbidden, NotFound};
use crate::path::{Id, Ids};
use crate::query::Query;
use crate::reply::Done;
use crate::{Doors, Refusal};

type Said = Result<Json, Refusal>;

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(newest, begin))
        .routes(routes!(version, change, delete))
        .routes(routes!(keys, put_keys, delete_keys))
        .routes(routes!(room_keys, put_room_keys, delete_room_keys))
        .routes(routes!(one_key, put_one_key, delete_one_key))
}

/// Which backup.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Of {
    /// Its version.
    #[param(required = true)]
    version: String,
}

/// The newest backup.
#[utoipa::path(
    get, path = "/e2ee/room_keys/version", tag = "e2ee",
    responses(
        (status = 200, description = "With its `version`, `count` and `etag`", body = Object),
        NotFound
    )
)]
async fn newest(State(doors): State<Doors>, Signed(actor): Signed) -> Said {
    doors.app.backup(&actor, None).await.map(Json).map_err(Into::into)
}

/// Begin a new backup.
#[utoipa::path(
    post, path = "/e2ee/room_keys/version", tag = "e2ee", request_body = Object,
    responses((status = 200, description = "Its `version`", body = Object))
)]
async fn begin(State(doors): State<Doors>, Signed(actor): Signed, Opaque(body): Opaque) -> Said {
    doors.app.begin_backup(&actor, &body).await.map(Json).map_err(Into::into)
}

/// A backup.
#[utoipa::path(
    get, path = "/e2ee/room_keys/version/{version}", tag = "e2ee",
    params(("version" = String, Path, description = "Which")),
    responses((status = 200, description = "With its `count` and `etag`", body = Object), NotFound)
)]
async fn version(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(version): Id<String>,
) -> Said {
    doors.app.backup(&actor, Some(&version)).await.map(Json).map_err(Into::into)
}

/// Change what a backup's encryption needs.
#[utoipa::path(
    put, path = "/e2ee/room_keys/version/{version}", tag = "e2ee", request_body = Object,
    params(("version" = String, Path, description = "Which")),
    responses((status = 204, description = "So it is"), NotFound)
)]
async fn change(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(version): Id<String>,
    Opaque(body): Opaque,
) -> Done {
    doors.app.change_backup(&actor, &version, &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a backup with its keys.
#[utoipa::path(
    delete, path = "/e2ee/room_keys/version/{version}", tag = "e2ee",
    params(("version" = String, Path, description = "Which")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(version): Id<String>,
) -> Done {
    doors.app.delete_backup(&actor, &version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All keys of a backup.
#[utoipa::path(
    get, path = "/e2ee/room_keys/keys", tag = "e2ee", params(Of),
    responses(
        (status = 200, description = "`rooms`, each with its `sessions`", body = Object), NotFound
    )
)]
async fn keys(State(doors): State<Doors>, Signed(actor): Signed, Query(of): Query<Of>) -> Said {
    doors.app.backed_up(&actor, &of.version, (None, None)).await.map(Json).map_err(Into::into)
}

/// Put keys into the newest backup, each unless a better one is there.
#[utoipa::path(
    put, path = "/e2ee/room_keys/keys", tag = "e2ee", params(Of), request_body = Object,
    responses(
        (status = 200, description = "`count` and `etag`", body = Object), Forbidden, NotFound
    )
)]
async fn put_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(of): Query<Of>,
    Opaque(body): Opaque,
) -> Said {
    let place = (None, None);
    doors.app.back_up(&actor, &of.version, place, &body).await.map(Json).map_err(Into::into)
}

/// Delete all keys of a backup.
#[utoipa::path(
    delete, path = "/e2ee/room_keys/keys", tag = "e2ee", params(Of),
    responses((status = 200, description = "`count` and `etag`", body = Object), NotFound)
)]
async fn delete_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(of): Query<Of>,
) -> Said {
    let place = (None, None);
    doors.app.forget_backed_up(&actor, &of.version, place).await.map(Json).map_err(Into::into)
}

/// The keys of a session in a backup.
#[utoipa::path(
    get, path = "/e2ee/room_keys/keys/{room}", tag = "e2ee",
    params(("room" = String, Path, description = "`!<session id>:<server name>`"), Of),
    responses((status = 200, description = "`sessions`", body = Object), NotFound)
)]
async fn room_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<String>,
    Query(of): Query<Of>,
) -> Said {
    let place = (Some(room.as_str()), None);
    doors.app.backed_up(&actor, &of.version, place).await.map(Json).map_err(Into::into)
}

/// Put keys of a session into the newest backup.
#[utoipa::path(
    put, path = "/e2ee/room_keys/keys/{room}", tag = "e2ee", request_body = Object,
    params(("room" = String, Path, description = "`!<session id>:<server name>`"), Of),
    responses(
        (status = 200, description = "`count` and `etag`", body = Object), Forbidden, NotFound
    )
)]
async fn put_room_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<String>,
    Query(of): Query<Of>,
    Opaque(body): Opaque,
) -> Said {
    let place = (Some(room.as_str()), None);
    doors.app.back_up(&actor, &of.version, place, &body).await.map(Json).map_err(Into::into)
}

/// Delete the keys of a session in a backup.
#[utoipa::path(
    delete, path = "/e2ee/room_keys/keys/{room}", tag = "e2ee",
    params(("room" = String, Path, description = "`!<session id>:<server name>`"), Of),
    responses((status = 200, description = "`count` and `etag`", body = Object), NotFound)
)]
async fn delete_room_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(room): Id<String>,
    Query(of): Query<Of>,
) -> Said {
    let place = (Some(room.as_str()), None);
    doors.app.forget_backed_up(&actor, &of.version, place).await.map(Json).map_err(Into::into)
}

/// One key in a backup.
#[utoipa::path(
    get, path = "/e2ee/room_keys/keys/{room}/{key}", tag = "e2ee",
    params(
        ("room" = String, Path, description = "`!<session id>:<server name>`"),
        ("key" = String, Path, description = "The id of the key"), Of
    ),
    responses((status = 200, description = "The key, encrypted", body = Object), NotFound)
)]
async fn one_key(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, key): Ids<String, String>,
    Query(of): Query<Of>,
) -> Said {
    let place = (Some(room.as_str()), Some(key.as_str()));
    doors.app.backed_up(&actor, &of.version, place).await.map(Json).map_err(Into::into)
}

/// Put one key into the newest backup.
#[utoipa::path(
    put, path = "/e2ee/room_keys/keys/{room}/{key}", tag = "e2ee", request_body = Object,
    params(
        ("room" = String, Path, description = "`!<session id>:<server name>`"),
        ("key" = String, Path, description = "The id of the key"), Of
    ),
    responses(
        (status = 200, description = "`count` and `etag`", body = Object), Forbidden, NotFound
    )
)]
async fn put_one_key(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, key): Ids<String, String>,
    Query(of): Query<Of>,
    Opaque(body): Opaque,
) -> Said {
    let place = (Some(room.as_str()), Some(key.as_str()));
    doors.app.back_up(&actor, &of.version, place, &body).await.map(Json).map_err(Into::into)
}

/// Delete one key in a backup.
#[utoipa::path(
    delete, path = "/e2ee/room_keys/keys/{room}/{key}", tag = "e2ee",
    params(
        ("room" = String, Path, description = "`!<session id>:<server name>`"),
        ("key" = String, Path, description = "The id of the key"), Of
    ),
    responses((status = 200, description = "`count` and `etag`", body = Object), NotFound)
)]
async fn delete_one_key(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(room, key): Ids<String, String>,
    Query(of): Query<Of>,
) -> Said {
    let place = (Some(room.as_str()), Some(key.as_str()));
    doors.app.forget_backed_up(&actor, &of.version, place).await.map(Json).map_err(Into::into)
}
