//! Answers that serve two systems at once, where both know a path and nothing in the request tells
//! which of them is meant: Mrsambosk's and Rei's `/register` and `/login`, and the paths that are
//! told apart by what they hold.

use std::borrow::Cow;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::accounts::{Enroll, Login, SignedIn};
use parlor_app::{Error, Hidden};
use parlor_domain::Denied;
use parlor_doors::facade::fastapi::{self, Pydantic};
use parlor_doors::facade::{body, explain, login_cookie, query_pairs};
use parlor_doors::{Doors, Peer, Refusal};
use parlor_wire::Dialect;
use serde_json::json;

/// Whose `GET /messages` is meant: Chat Room API's clients show a token, or ask for a page.
pub(crate) fn of_messages(request: &Request) -> Dialect {
    let theirs = ["page", "per_page", "group_uuid", "sender_uuid"];
    let asks = query_pairs(request.uri()).any(|(name, _)| theirs.contains(&&*name));
    let shows = request.headers().contains_key(header::AUTHORIZATION);
    if asks || shows { Dialect::Groups } else { Dialect::Mrsambosk }
}

/// Whose `/user/{id}` is meant: Mrsambosk's ids are numbers.
pub(crate) fn of_user(path: &str) -> Dialect {
    let id = path.trim_start_matches("/user/");
    let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if number { Dialect::Mrsambosk } else { Dialect::Rei }
}

/// Makes an account.
pub(crate) async fn register(doors: &Doors, request: Request) -> Response {
    let address = Peer::of_request(&request, doors).address();
    let read = match read(doors, request, ["email", "username", "password"]).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let [email, name, password] = read;
    let password = Hidden::new(password);
    let asked = Enroll { name, unique: false, email, password, address };
    match doors.app.enroll(asked).await {
        Ok(_) => {
            let said = json!({"message": "User created successfully"});
            (StatusCode::CREATED, Json(said)).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// Signs in, for both at once: a number and a cookie for the one, tokens for the other.
pub(crate) async fn login(doors: &Doors, request: Request) -> Response {
    let address = Peer::of_request(&request, doors).address();
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    let [email, password] = match read(doors, request, ["email", "password"]).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let asked = Login {
        login: Hidden::new(email),
        password: Hidden::new(password),
        device_name: None,
        agent,
        address,
        dialect: Some(Dialect::Rei),
    };
    match doors.app.login(asked).await {
        Ok(proofs) => signed_in(doors, &proofs),
        // A password that is too long is as wrong as any other.
        Err(Error::Denied(Denied::Invalid { .. })) => refused(&Error::WrongPassword),
        Err(error) => refused(&error),
    }
}

fn signed_in(doors: &Doors, proofs: &SignedIn) -> Response {
    let cookie = proofs.cookie.as_ref();
    let headers = cookie.map_or_else(HeaderMap::new, |value| login_cookie(doors, value));
    let said = json!({
        "message": "ok",
        "user": proofs.user.no,
        "user_id": proofs.user.id.to_string(),
        "tokens": {
            "type": "Bearer",
            "access_token": proofs.access_token.expose(),
            "refresh_token": proofs.refresh_token.expose(),
        },
    });
    (headers, Json(said)).into_response()
}

async fn read<const N: usize>(
    doors: &Doors,
    request: Request,
    names: [&str; N],
) -> Result<[String; N], Response> {
    let bytes = body(doors, request).await.map_err(Refusal::into_response)?;
    let object = fastapi::object(Pydantic::Two, &bytes)?;
    fastapi::texts(Pydantic::Two, &object, names)
}

/// A refusal in the words of all: each system's clients look for its text under another name.
fn refused(error: &Error) -> Response {
    let (status, text): (_, Cow<'_, str>) = match error {
        Error::WrongPassword => (StatusCode::UNAUTHORIZED, "Incorrect email or password".into()),
        Error::Denied(Denied::Taken("mail address")) => {
            (StatusCode::CONFLICT, "Email already registered".into())
        }
        Error::Denied(
            Denied::Invalid { field: "email", .. } | Denied::TooLong { field: "email", .. },
        ) => (StatusCode::BAD_REQUEST, "Invalid email".into()),
        Error::Denied(Denied::Invalid { field: "password", reason: "too short" }) => {
            (StatusCode::BAD_REQUEST, "Password must be at least 8 characters".into())
        }
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, explain(error).0.into()),
        other => {
            let status = StatusCode::from_u16(other.code().status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            // What is wrong with a value is the client's fault in every system.
            let value = status == StatusCode::UNPROCESSABLE_ENTITY;
            let status = if value { StatusCode::BAD_REQUEST } else { status };
            (status, other.message().into())
        }
    };
    let said = json!({"message": text, "detail": text, "error": text});
    let mut response = (status, Json(said)).into_response();
    if let Some(ms) = error.retry_after_ms() {
        response.headers_mut().insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_looked_up_where_their_id_is_from() {
        assert_eq!(of_user("/user/12"), Dialect::Mrsambosk);
        assert_eq!(of_user("/user/0190f5c2-7a1e-7000-8000-000000000001"), Dialect::Rei);
        assert_eq!(of_user("/user/"), Dialect::Rei);
    }
}
