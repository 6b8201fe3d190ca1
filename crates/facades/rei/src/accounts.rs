//! Accounts and their proofs.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::accounts::{Enroll, Login, NotRenewed};
use parlor_app::{Actor, CodeOutcome, Error, Hidden};
use parlor_doors::facade::bearer;
use parlor_doors::{Doors, Peer};
use parlor_wire::Dialect;
use serde_json::json;

use crate::error::Refused;
use crate::form::{self, Form};
use crate::words;

/// What a token is called that is not good.
const ACCESS: &str = "Access token";
const REFRESH: &str = "Refresh token";

/// Somebody whose token is good. Cookies prove nobody here.
pub(crate) struct Caller(pub(crate) Actor);

impl FromRequestParts<Doors> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refused> {
        caller(doors, &parts.headers).await.map(Self)
    }
}

/// Whom the token of these headers proves.
pub(crate) async fn caller(doors: &Doors, headers: &HeaderMap) -> Result<Actor, Refused> {
    // COMPAT(rei): without a token the original answers 422, which no client takes for a reason to
    // sign in again.
    let token = bearer(headers).ok_or(Refused::token(ACCESS))?;
    Ok(doors.app.authenticate_bearer(token).await?)
}

/// `POST /register`
pub(crate) async fn register(
    State(doors): State<Doors>,
    peer: Peer,
    request: Request,
) -> Result<Response, Refused> {
    let asked = Form::read(&doors, request).await?;
    let [email, password, name] = asked.texts(["email", "password", "username"])?;
    form::email(&email)?;
    form::password(&password)?;
    form::username(&name)?;
    let (password, address) = (Hidden::new(password), peer.address());
    doors.app.enroll(Enroll { name, unique: false, email, password, address }).await?;
    Ok((StatusCode::CREATED, words::ok()).into_response())
}

/// `POST /verify`
pub(crate) async fn verify(
    State(doors): State<Doors>,
    peer: Peer,
    request: Request,
) -> Result<Response, Refused> {
    let [email, code] = Form::read(&doors, request).await?.texts(["email", "code"])?;
    form::email(&email)?;
    match doors.app.try_verify(&email, &Hidden::new(code), peer.address()).await? {
        CodeOutcome::Right(_) => Ok(words::ok()),
        CodeOutcome::Wrong => Err(Refused::bad("Invalid verification code")),
        CodeOutcome::Over => Err(Refused::bad("Verification code expired")),
        CodeOutcome::Missing => Err(Refused::missing("Verification not found")),
    }
}

/// `POST /login`: an address without an account, one that was not proved and a wrong password are
/// one answer.
pub(crate) async fn login(
    State(doors): State<Doors>,
    peer: Peer,
    request: Request,
) -> Result<Response, Refused> {
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned);
    let [email, password] = Form::read(&doors, request).await?.texts(["email", "password"])?;
    form::email(&email)?;
    let asked = Login {
        login: Hidden::new(email),
        password: Hidden::new(password),
        device_name: None,
        agent,
        address: peer.address(),
        dialect: Some(Dialect::Rei),
    };
    let proofs = doors.app.login(asked).await.map_err(|error| match error {
        // One that is too long is as wrong as any other.
        Error::Denied(parlor_domain::Denied::Invalid { .. }) => Error::WrongPassword,
        other => other,
    })?;
    Ok(words::with(json!({
        "tokens": {
            "type": "Bearer",
            "access_token": proofs.access_token.expose(),
            "refresh_token": proofs.refresh_token.expose(),
        },
        "user_id": proofs.user.id.to_string(),
    })))
}

/// `GET /refresh`: the refresh token stays the same.
pub(crate) async fn refresh(
    State(doors): State<Doors>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let token = Hidden::new(bearer(&headers).ok_or(Refused::token(REFRESH))?);
    match doors.app.renew(Dialect::Rei, &token).await {
        Ok(proofs) => {
            let token = proofs.access_token.expose();
            Ok(words::with(json!({"tokens": {"type": "Bearer", "access_token": token}})))
        }
        Err(NotRenewed::Failed(Error::Unauthorized))
        | Err(NotRenewed::OtherKind | NotRenewed::Over | NotRenewed::Unknown) => {
            Err(Refused::token(REFRESH))
        }
        Err(NotRenewed::Failed(error)) => Err(error.into()),
    }
}
