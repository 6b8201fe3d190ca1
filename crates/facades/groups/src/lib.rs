//! The API of Chat Room API.
//!
//! Owns its words, its answers and its errors. Refuses to decide anything: every answer comes of a
//! use case. A group is a room, and a group's messages are those of the room's main session.

mod accounts;
mod error;
mod groups;
mod messages;
mod objects;
mod people;
mod request;
mod slash;
mod stream;
mod visitor;

use axum::Json;
use axum::Router;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, delete, get, post, put};
use parlor_doors::Doors;
use parlor_doors::facade::Facade;
use parlor_wire::Dialect;
use serde_json::json;

use crate::error::{Answer, Refused};
use crate::visitor::Visitor;

/// What is answered here, for the choice of a façade.
const PATHS: &[(Method, &str)] = &[
    (Method::POST, "/auth/register"),
    (Method::POST, "/auth/login"),
    (Method::GET, "/auth/me"),
    (Method::GET, "/users"),
    (Method::GET, "/users/"),
    (Method::PUT, "/users/me"),
    (Method::DELETE, "/users/me"),
    (Method::GET, "/users/{uuid}"),
    (Method::GET, "/users/{uuid}/messages"),
    (Method::GET, "/users/{uuid}/groups"),
    (Method::POST, "/groups"),
    (Method::GET, "/groups"),
    (Method::POST, "/groups/"),
    (Method::GET, "/groups/"),
    (Method::GET, "/groups/{uuid}"),
    (Method::DELETE, "/groups/{uuid}"),
    (Method::POST, "/groups/{uuid}/join"),
    (Method::POST, "/groups/{uuid}/leave"),
    (Method::GET, "/groups/{uuid}/participants"),
    (Method::GET, "/groups/{uuid}/messages"),
    (Method::POST, "/messages"),
    (Method::GET, "/messages"),
    (Method::POST, "/messages/"),
    (Method::GET, "/messages/"),
    (Method::GET, "/messages/search"),
    (Method::GET, "/messages/{id}"),
    (Method::PUT, "/messages/{id}"),
    (Method::DELETE, "/messages/{id}"),
    (Method::GET, "/stream/group"),
    (Method::GET, "/stream/all"),
    (Method::GET, "/stream/health"),
];

/// The façade.
pub fn facade() -> Facade {
    Facade { dialect: Dialect::Groups, paths: PATHS, routes: routes() }
}

fn routes() -> Router<Doors> {
    let collections = [
        ("/users", get(people::everybody)),
        ("/groups", get(groups::list).post(groups::create)),
        ("/messages", get(messages::page).post(messages::post)),
    ];
    let items = [
        ("/auth/register", post(accounts::register)),
        ("/auth/login", post(accounts::login)),
        ("/auth/me", get(accounts::me)),
        ("/users/me", put(accounts::rename).delete(accounts::delete)),
        ("/users/{uuid}", get(people::one)),
        ("/users/{uuid}/messages", get(people::messages)),
        ("/users/{uuid}/groups", get(people::groups)),
        ("/groups/{uuid}", get(groups::one).delete(groups::delete)),
        ("/groups/{uuid}/join", post(groups::join)),
        ("/groups/{uuid}/leave", post(groups::leave)),
        ("/groups/{uuid}/participants", get(groups::participants)),
        ("/groups/{uuid}/messages", get(groups::messages)),
        ("/messages/search", get(messages::search)),
        ("/messages/{id}", one_message()),
        ("/stream/group", get(stream::group)),
        ("/stream/all", get(stream::all)),
        ("/stream/health", get(stream::health)),
    ];
    let mut routes = Router::new().route("/", get(root));
    for (path, methods) in collections {
        // COMPAT(groups): the documents have them without the slash, the code has them with it.
        routes = routes.route(path, methods.clone()).route(&format!("{path}/"), methods);
    }
    for (path, methods) in items {
        routes = routes.route(path, methods).route(&format!("{path}/"), any(slash::away));
    }
    routes.method_not_allowed_fallback(wrong_method).fallback(not_found)
}

fn one_message() -> MethodRouter<Doors> {
    delete(messages::delete).get(messages::one).put(messages::edit)
}

async fn root(_: Visitor) -> Response {
    let said = json!({
        "message": "Chat Room API",
        "version": "1.0.0",
        "endpoints": {
            "auth": "/auth", "users": "/users", "groups": "/groups", "messages": "/messages",
            "stream": "/stream",
        },
    });
    Json(said).into_response()
}

async fn not_found(method: Method, _: Visitor) -> Answer {
    if method == Method::OPTIONS { Ok(preflight()) } else { Err(Refused::NoPath) }
}

async fn wrong_method(method: Method, _: Visitor) -> Answer {
    if method == Method::OPTIONS {
        return Ok(preflight());
    }
    Err(Refused::Plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
}

/// A browser asks before it sends. Pages of every origin may come: nothing here takes a cookie.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-chat-dialect"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
