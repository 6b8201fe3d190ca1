//! Files: sent in one request, described, taken back; and the ticket by which bytes are fetched.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use parlor_app::files::{NewFile, Written};
use parlor_domain::FileId;
use parlor_wire::v1;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Signed;
use crate::incoming::pour;
use crate::openapi::Conflict;
use crate::path::Id;
use crate::query::Query;
use crate::reply::{Answer, Done, Reply, ok};
use crate::{Doors, Refusal};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(send_file))
        .routes(routes!(file, delete_file))
        .routes(routes!(media_ticket))
}

/// What is said of a file that comes in one request.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
struct Sent {
    /// What it is called.
    name: Option<String>,
    /// Whether only its readers can tell what it is: then nobody looks into it here.
    encrypted: Option<bool>,
}

/// Send a file in one request.
///
/// The body is the file as it is. What it is, the server tells by its content; a picture loses what
/// its sender did not mean to send. It is its sender's alone until a message carries it.
#[utoipa::path(
    post, path = "/files", tag = "files", params(Sent),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "The file", body = v1::File),
        (status = 411, description = "Say beforehand how long it is"),
        Conflict
    )
)]
async fn send_file(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<Sent>,
    request: Request,
) -> Answer<v1::File> {
    let new = NewFile {
        length: length(&request)?,
        name: asked.name.unwrap_or_default(),
        encrypted: asked.encrypted.unwrap_or_default(),
        sha256: None,
        at_once: true,
    };
    let begun = doors.app.begin_upload(&actor, new).await;
    let upload = begun.map_err(|error| Refusal::from(error).closing())?;
    let writing = doors.app.write_at_once(&actor, upload).await?;
    match pour(&doors, request.into_body(), writing, None).await? {
        Written::Whole(file) => Ok(Reply(StatusCode::CREATED, (&file).into())),
        Written::Part(_) => Err(Refusal::internal("a file at once came in parts")),
    }
}

/// How long a body is said to be.
pub(super) fn length(request: &Request) -> Result<u64, Refusal> {
    let said = request.headers().get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse().ok());
    let unknown = || Refusal::http(StatusCode::LENGTH_REQUIRED, "say how long the file is");
    said.ok_or_else(|| unknown().closing())
}

/// A file that one may have.
#[utoipa::path(
    get, path = "/files/{id}", tag = "files",
    params(("id" = String, Path, description = "The file")),
    responses((status = 200, description = "What it is", body = v1::File))
)]
async fn file(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(file): Id<FileId>,
) -> Answer<v1::File> {
    ok((&doors.app.file(&actor, file).await?).into())
}

/// Take back a file of one's own that no message carries.
#[utoipa::path(
    delete, path = "/files/{id}", tag = "files",
    params(("id" = String, Path, description = "The file")),
    responses((status = 204, description = "It is gone"), Conflict)
)]
async fn delete_file(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Id(file): Id<FileId>,
) -> Done {
    doors.app.delete_file(&actor, file).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A ticket to fetch files with.
///
/// It goes into the query of `/media/…`, which looks at neither cookies nor tokens, and is good for
/// every file that its owner may have when it is shown, until it or the login is over.
#[utoipa::path(
    post, path = "/media-ticket", tag = "files",
    responses((status = 200, description = "The ticket", body = v1::MediaTicket))
)]
async fn media_ticket(
    State(doors): State<Doors>,
    Signed(actor): Signed,
) -> Answer<v1::MediaTicket> {
    let (ticket, expires) = doors.app.media_ticket(&actor)?;
    ok(v1::MediaTicket { ticket: ticket.expose().to_owned(), expires_at: expires.0 })
}
