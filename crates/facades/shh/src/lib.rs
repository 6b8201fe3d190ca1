//! The API of shh-chatroom.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case.

mod accounts;
mod error;
mod fields;
mod multipart;
mod passwords;
mod people;
mod proof;
mod rooms;
mod socket;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use parlor_doors::Doors;
use parlor_doors::facade::Facade;
use parlor_wire::Dialect;

use error::Refused;

/// Its paths. Every one ends in a slash.
const PATHS: &[(Method, &str)] = &[
    (Method::POST, "/register/"),
    (Method::POST, "/login/"),
    (Method::POST, "/refresh/"),
    (Method::POST, "/logout/"),
    (Method::GET, "/api/users/"),
    (Method::GET, "/rooms/"),
    (Method::POST, "/rooms/create/"),
    (Method::POST, "/room/join/"),
    (Method::DELETE, "/room/delete/{room_id}/"),
    (Method::GET, "/ws/chat/{room_id}/"),
];

/// The façade.
pub fn facade() -> Facade {
    let routes = Router::new()
        .route("/register/", post(accounts::register))
        .route("/login/", post(accounts::login))
        .route("/refresh/", post(accounts::refresh))
        .route("/logout/", post(accounts::logout))
        .route("/api/users/", get(accounts::users))
        .route("/rooms/", get(rooms::rooms))
        .route("/rooms/create/", post(rooms::create))
        .route("/room/join/", post(rooms::join))
        .route("/room/delete/{room_id}/", delete(rooms::remove))
        .route("/ws/chat/{room_id}/", get(socket::chat))
        .fallback(elsewhere)
        .method_not_allowed_fallback(other_method);
    Facade { dialect: Dialect::Shh, paths: PATHS, routes }
}

/// A path that is not there; where only the slash is missing, who reads is sent to it.
async fn elsewhere(State(doors): State<Doors>, asked: OriginalUri, request: Request) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || !is_known(&format!("{}/", request.uri().path())) {
        return Refused::detail(StatusCode::NOT_FOUND, "Not found.").into_response();
    }
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    let place = format!("{}{}/{query}", base(&doors, request.headers()), asked.path());
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, place)]).into_response()
}

async fn other_method(method: Method) -> Refused {
    let said = format!("Method \"{method}\" not allowed.");
    Refused::detail(StatusCode::METHOD_NOT_ALLOWED, said)
}

/// Where the client says that we are: scheme and host.
fn base(doors: &Doors, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let scheme = doors.app.settings().public_url.split("://").next().unwrap_or("http");
    host.map(|host| format!("{scheme}://{host}")).unwrap_or_default()
}

fn is_known(path: &str) -> bool {
    let same =
        |(known, part): (&str, &str)| known == part || known.starts_with('{') && !part.is_empty();
    PATHS.iter().any(|(_, known)| {
        known.matches('/').count() == path.matches('/').count()
            && known.split('/').zip(path.split('/')).all(same)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_parts() {
        for known in ["/rooms/", "/room/delete/x/", "/ws/chat/0190/"] {
            assert!(is_known(known), "{known}");
        }
        for unknown in ["/", "/rooms", "/room/delete//", "/room/delete/x/y/", "/room/x/"] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
