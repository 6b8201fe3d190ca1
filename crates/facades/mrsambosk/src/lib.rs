//! The API of Mrsambosk: a chat of one room, which is the lobby here.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case. Where its own server believed whatever number a client gave, this one goes by the
//! cookie that signing in sets; the number is only a name for whom the cookie proves.

mod accounts;
mod error;
mod messages;
mod people;
mod socket;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{delete, get, post};
use parlor_doors::Doors;
use parlor_doors::facade::{Facade, fastapi};
use parlor_wire::Dialect;

const PATHS: &[(Method, &str)] = &[
    (Method::POST, "/register"),
    (Method::POST, "/login"),
    (Method::GET, "/messages"),
    (Method::DELETE, "/message/{id}"),
    (Method::GET, "/get_all_users"),
    (Method::GET, "/get_all_users/"),
    (Method::GET, "/user/{id}"),
    (Method::GET, "/ws/{id}"),
];

/// The façade.
pub fn facade() -> Facade {
    let routes = Router::new()
        .route("/register", post(accounts::register))
        .route("/login", post(accounts::login))
        .route("/messages", get(messages::all))
        .route("/message/{id}", delete(messages::remove))
        .route("/get_all_users", get(people::everybody))
        .route("/get_all_users/", get(people::everybody))
        .route("/user/{id}", get(people::one))
        .route("/ws/{id}", get(socket::open))
        .fallback(unknown)
        .method_not_allowed_fallback(fastapi::wrong_method);
    Facade { dialect: Dialect::Mrsambosk, paths: PATHS, routes }
}

async fn unknown(State(doors): State<Doors>, request: Request) -> Response {
    fastapi::unknown(&doors, &request, PATHS)
}
