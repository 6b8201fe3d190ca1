//! Accounts and sign-ins. What it calls the user is the name that people see; nobody needs to have
//! one of their own.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::accounts::{Enroll, Login};
use parlor_app::{Error, Hidden};
use parlor_domain::Denied;
use parlor_doors::facade::fastapi::{self, Pydantic};
use parlor_doors::facade::{body, login_cookie};
use parlor_doors::{Doors, Peer};
use parlor_wire::Dialect;
use serde_json::json;

use crate::error::Failure;

/// Makes an account.
pub(crate) async fn register(
    State(doors): State<Doors>,
    request: Request,
) -> Result<Response, Failure> {
    let address = Peer::of_request(&request, &doors).address();
    let [email, username, password] =
        read(&doors, request, ["email", "username", "password"]).await?;
    let name = match username.trim() {
        // COMPAT(mrsambosk): it takes an empty name, and people must be called something.
        "" => email.split('@').next().unwrap_or_default().to_owned(),
        _ => username,
    };
    let asked = Enroll { name, unique: false, email, password: Hidden::new(password), address };
    doors.app.enroll(asked).await.map_err(unacceptable)?;
    let said = json!({"message": "User created successfully"});
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// Signs in: the number is what the client knows itself by, the cookie is what proves it.
pub(crate) async fn login(
    State(doors): State<Doors>,
    request: Request,
) -> Result<Response, Failure> {
    // A page elsewhere could otherwise sign people in as somebody who reads what they write.
    if !doors.allows_origin_of(request.headers()) {
        return Err(Denied::Forbidden("a page of another origin asks").into());
    }
    let address = Peer::of_request(&request, &doors).address();
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    let [email, password] = read(&doors, request, ["email", "password"]).await?;
    let asked = Login {
        login: Hidden::new(email),
        password: Hidden::new(password),
        device_name: None,
        agent,
        address,
        dialect: Some(Dialect::Mrsambosk),
    };
    let signed = doors.app.login(asked).await?;
    let cookie = signed.cookie.map(|value| login_cookie(&doors, &value));
    let said = json!({"message": "Login successful", "user": signed.user.no});
    Ok((cookie.unwrap_or_default(), Json(said)).into_response())
}

async fn read<const N: usize>(
    doors: &Doors,
    request: Request,
    names: [&str; N],
) -> Result<[String; N], Failure> {
    let bytes = body(doors, request).await?;
    let object = fastapi::object(Pydantic::One, &bytes)?;
    Ok(fastapi::texts(Pydantic::One, &object, names)?)
}

/// Its own word for whatever is wrong with a new account is 400.
fn unacceptable(error: Error) -> Failure {
    match &error {
        Error::Denied(Denied::Invalid { .. } | Denied::TooLong { .. } | Denied::Empty(_)) => {
            Failure::detail(StatusCode::BAD_REQUEST, &error.message())
        }
        _ => error.into(),
    }
}
