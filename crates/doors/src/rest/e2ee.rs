//! Keys of encrypted sessions. Bodies are those of Matrix's client-server API, so that its
//! libraries' JSON passes through as it is.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use parlor_app::e2ee::Reader;
use parlor_domain::SessionId;
use parlor_hub::Who;
use parlor_wire::v1;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Signed;
use crate::opaque::{Json, Opaque};
use crate::openapi::{Forbidden, NotFound};
use crate::path::{Id, Ids};
use crate::query::{self, Query};
use crate::reply::{Answer, Done, ok};
use crate::{Doors, Peer, Refusal};

type Said = Result<Json, Refusal>;

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(identity))
        .routes(routes!(upload))
        .routes(routes!(query_keys))
        .routes(routes!(claim))
        .routes(routes!(signing))
        .routes(routes!(signatures))
        .routes(routes!(send_to_device))
        .routes(routes!(sync))
        .routes(routes!(account_data, set_account_data))
        .routes(routes!(statements, add_statements))
        .merge(super::backups::routes())
}

/// By which ids one signs: they never change.
#[utoipa::path(
    get, path = "/e2ee", tag = "e2ee",
    responses((status = 200, description = "`server_name`, `user_id`, `device_id`", body = Object))
)]
async fn identity(State(doors): State<Doors>, Signed(actor): Signed) -> Said {
    Ok(Json(json!({
        "server_name": doors.app.server_name().await?,
        "user_id": doors.app.signed_id(actor.user).await?,
        "device_id": actor.device.to_string(),
    })))
}

/// Publish keys of one's device.
#[utoipa::path(
    post, path = "/e2ee/keys/upload", tag = "e2ee", request_body = Object,
    responses((status = 200, description = "`one_time_key_counts`", body = Object))
)]
async fn upload(State(doors): State<Doors>, Signed(actor): Signed, Opaque(body): Opaque) -> Said {
    let left = doors.app.publish_keys(&actor, &body).await?;
    Ok(Json(json!({ "one_time_key_counts": { "signed_curve25519": left.one_time } })))
}

/// Ask for the keys of people.
#[utoipa::path(
    post, path = "/e2ee/keys/query", tag = "e2ee", request_body = Object,
    responses((
        status = 200, body = Object,
        description = "`device_keys`, `master_keys`, `self_signing_keys`, `user_signing_keys`"
    ))
)]
async fn query_keys(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Opaque(body): Opaque,
) -> Said {
    doors.app.query_keys(&actor, &body).await.map(Json).map_err(Into::into)
}

/// Take one-time keys of devices, each for oneself alone.
#[utoipa::path(
    post, path = "/e2ee/keys/claim", tag = "e2ee", request_body = Object,
    responses((status = 200, description = "`one_time_keys`", body = Object))
)]
async fn claim(State(doors): State<Doors>, Signed(actor): Signed, Opaque(body): Opaque) -> Said {
    doors.app.claim_keys(&actor, &body).await.map(Json).map_err(Into::into)
}

/// Publish the keys that sign one's devices.
///
/// The first are taken as they come; to replace them takes `auth` with the `password`.
#[utoipa::path(
    post, path = "/e2ee/keys/device_signing/upload", tag = "e2ee", request_body = Object,
    responses((status = 200, description = "They are published", body = Object), Forbidden)
)]
async fn signing(State(doors): State<Doors>, Signed(actor): Signed, Opaque(body): Opaque) -> Said {
    doors.app.publish_signing_keys(&actor, &body).await?;
    Ok(Json(json!({})))
}

/// Publish signatures of devices and master keys.
#[utoipa::path(
    post, path = "/e2ee/keys/signatures/upload", tag = "e2ee", request_body = Object,
    responses((status = 200, description = "`failures`: those that were not good", body = Object))
)]
async fn signatures(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Opaque(body): Opaque,
) -> Said {
    doors.app.publish_signatures(&actor, &body).await.map(Json).map_err(Into::into)
}

/// Send messages to devices. The same `txn_id` again does nothing.
#[utoipa::path(
    put, path = "/e2ee/send_to_device/{kind}/{txn_id}", tag = "e2ee", request_body = Object,
    params(
        ("kind" = String, Path, description = "What kind of message it is"),
        ("txn_id" = String, Path, description = "The request's own id")
    ),
    responses((status = 200, description = "They wait for their devices", body = Object))
)]
async fn send_to_device(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Ids(kind, txn_id): Ids<String, String>,
    Opaque(body): Opaque,
) -> Said {
    doors.app.send_to_devices(&actor, &kind, &txn_id, &body).await?;
    Ok(Json(json!({})))
}

/// How far a device is, and how long it waits.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Since {
    /// Everything up to this `pos` is safe on the device, and is not said again.
    after: i64,
    /// Milliseconds to wait when there is nothing; at most 30,000 are waited.
    wait_ms: i64,
}

/// News about keys for this device, as `e2ee` on a socket; waits for some.
#[utoipa::path(
    get, path = "/e2ee/sync", tag = "e2ee", params(Since),
    responses((status = 200, description = "What comes next", body = v1::E2ee))
)]
async fn sync(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    peer: Peer,
    Query(asked): Query<Since>,
) -> Answer<v1::E2ee> {
    let taken = query::count("after", asked.after)?;
    let wait_ms = query::count("wait_ms", asked.wait_ms)?.unsigned_abs();
    if wait_ms == 0 {
        return ok(doors.app.key_news(&actor, taken).await?);
    }
    let patience = wait_ms.min(doors.app.limits().key_wait_ms_max);
    let who =
        Who { user: actor.user, login: actor.login, device: actor.device, address: peer.address() };
    let mut ear = doors.app.hub().connect(who).map_err(Refusal::too_many)?;
    let reader = Reader { actor: &actor, taken, patience: Duration::from_millis(patience) };
    ok(doors.app.wait_for_key_news(&mut ear, reader).await?)
}

/// A note of one's devices for each other.
#[utoipa::path(
    get, path = "/e2ee/account_data/{kind}", tag = "e2ee",
    params(("kind" = String, Path, description = "Its name")),
    responses((status = 200, description = "As it was written", body = Object), NotFound)
)]
async fn account_data(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(kind): Id<String>,
) -> Said {
    doors.app.account_data(&actor, &kind).await.map(Json).map_err(Into::into)
}

/// Write a note.
#[utoipa::path(
    put, path = "/e2ee/account_data/{kind}", tag = "e2ee", request_body = Object,
    params(("kind" = String, Path, description = "Its name")),
    responses((status = 204, description = "It is in the place of the one before"))
)]
async fn set_account_data(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(kind): Id<String>,
    Opaque(body): Opaque,
) -> Done {
    doors.app.set_account_data(&actor, &kind, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// After which statement.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct AfterNumber {
    /// The number of the last one that is known.
    after: i64,
}

/// What members of an encrypted session have signed about whom they let in.
#[utoipa::path(
    get, path = "/e2ee/statements/{session}", tag = "e2ee",
    params(("session" = String, Path, description = "The session"), AfterNumber),
    responses((
        status = 200, body = Object,
        description = "`statements` by `number`, and whether there are `more`"
    ))
)]
async fn statements(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Query(asked): Query<AfterNumber>,
) -> Said {
    let after = query::count("after", asked.after)?;
    doors.app.statements(&actor, session, after).await.map(Json).map_err(Into::into)
}

/// Say whom one lets into an encrypted session: before they are added.
#[utoipa::path(
    post, path = "/e2ee/statements/{session}", tag = "e2ee", request_body = Object,
    params(("session" = String, Path, description = "The session")),
    responses((status = 200, description = "They are kept", body = Object))
)]
async fn add_statements(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(session): Id<SessionId>,
    Opaque(body): Opaque,
) -> Said {
    doors.app.add_statements(&actor, session, &body).await?;
    Ok(Json(json!({})))
}
