//! The API of Rei's Chatroom.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case.

mod accounts;
mod error;
mod form;
mod members;
mod rooms;
mod socket;
mod users;
mod words;

use axum::Router;
use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post, put};
use parlor_doors::facade::{Facade, fastapi, is_upgrade};
use parlor_doors::{Doors, Peer};
use parlor_wire::Dialect;

const PATHS: &[(Method, &str)] = &[
    (Method::POST, "/register"),
    (Method::POST, "/verify"),
    (Method::POST, "/login"),
    (Method::GET, "/refresh"),
    (Method::GET, "/user"),
    (Method::GET, "/user/{user_id}"),
    (Method::PUT, "/user/username"),
    (Method::PUT, "/user/password"),
    (Method::GET, "/public"),
    (Method::GET, "/joined"),
    (Method::POST, "/room"),
    (Method::GET, "/room/{room_id}"),
    (Method::PUT, "/room/{room_id}"),
    (Method::DELETE, "/room/{room_id}"),
    (Method::POST, "/room/{room_id}/join"),
    (Method::POST, "/room/{room_id}/leave"),
    (Method::POST, "/room/{room_id}/kick/{user_id}"),
    (Method::POST, "/room/{room_id}/ban/{user_id}"),
    (Method::POST, "/room/{room_id}/unban/{user_id}"),
    (Method::GET, SOCKET),
];

/// The socket's path in the README; in the code it is that of the room.
const SOCKET: &str = "/ws/chat/{room_id}";

/// The façade.
pub fn facade() -> Facade {
    Facade { dialect: Dialect::Rei, paths: PATHS, routes: routes() }
}

fn routes() -> Router<Doors> {
    let mut routes = Router::new()
        .route("/", get(async || words::ok()))
        .route("/register", post(accounts::register))
        .route("/verify", post(accounts::verify))
        .route("/login", post(accounts::login))
        .route("/refresh", get(accounts::refresh))
        .route("/user", get(users::oneself))
        .route("/user/{user_id}", get(users::somebody))
        .route("/user/username", put(users::rename))
        .route("/user/password", put(users::change_password))
        .route("/public", get(rooms::public))
        .route("/joined", get(rooms::joined))
        .route("/room", post(rooms::create))
        .route("/room/{room_id}", get(room).put(rooms::update).delete(rooms::delete))
        .route("/room/{room_id}/join", post(members::join))
        .route("/room/{room_id}/leave", post(members::leave))
        .route("/room/{room_id}/kick/{user_id}", post(members::kick))
        .route("/room/{room_id}/ban/{user_id}", post(members::ban))
        .route("/room/{room_id}/unban/{user_id}", post(members::unban))
        .route(SOCKET, get(chat))
        .method_not_allowed_fallback(wrong_method);
    for (n, (_, path)) in PATHS.iter().enumerate() {
        let known = PATHS[..n].iter().any(|(_, other)| other == path);
        // With a slash the socket's path is another system's.
        if !known && *path != SOCKET {
            routes = routes.route(&format!("{path}/"), any(without_slash));
        }
    }
    routes.fallback(not_found)
}

/// A room's path is also its socket's.
async fn room(
    doors: State<Doors>,
    slug: Path<String>,
    peer: Peer,
    request: Request,
) -> Result<Response, error::Refused> {
    if is_upgrade(&request) {
        return Ok(socket::open(doors, slug, peer, request).await);
    }
    let (parts, _) = request.into_parts();
    rooms::one(doors, slug, &parts.headers).await
}

async fn chat(doors: State<Doors>, slug: Path<String>, peer: Peer, request: Request) -> Response {
    if is_upgrade(&request) {
        return socket::open(doors, slug, peer, request).await;
    }
    not_found().await
}

async fn not_found() -> Response {
    fastapi::detail(StatusCode::NOT_FOUND, "Not Found")
}

async fn wrong_method() -> Response {
    fastapi::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// Sends a client to the same path without the slash at its end, and with the prefix by which it
/// came.
async fn without_slash(
    State(doors): State<Doors>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = host.or_else(|| uri.authority().map(|authority| authority.as_str())) else {
        return not_found().await;
    };
    let secure = doors.app.settings().public_url.starts_with("https://");
    let scheme = if secure { "https" } else { "http" };
    let path = uri.path().trim_end_matches('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let there = format!("{scheme}://{host}{path}{query}");
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, there)]).into_response()
}
