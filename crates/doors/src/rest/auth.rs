//! Coming in and going.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use parlor_app::Hidden;
use parlor_app::accounts::{Login, Register, SignedIn};
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Signed;
use crate::body::Body;
use crate::openapi::{Conflict, Unauthorized};
use crate::reply::{Answer, Done, Reply, created};
use crate::{Doors, Peer, Refusal, cookie};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default()
        .routes(routes!(register))
        .routes(routes!(verify))
        .routes(routes!(resend))
        .routes(routes!(forgot))
        .routes(routes!(reset))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(logout_all))
}

/// Make an account.
#[utoipa::path(
    post, path = "/auth/register", tag = "auth", security(()),
    request_body = v1::RegisterRequest,
    responses((status = 201, description = "The account", body = v1::Registered), Conflict)
)]
async fn register(
    State(doors): State<Doors>,
    peer: Peer,
    Body(asked): Body<v1::RegisterRequest>,
) -> Answer<v1::Registered> {
    let asked = Register {
        username: asked.username,
        email: asked.email,
        password: Hidden::new(asked.password),
        name: asked.name,
        address: peer.address(),
    };
    let made = doors.app.register(asked).await?;
    let answer = v1::Registered {
        user: Some(doors.user(&made.user)),
        verification_required: made.verification_required,
    };
    created(true, answer)
}

/// Prove a mail address by the code that was sent to it.
#[utoipa::path(
    post, path = "/auth/verify", tag = "auth", security(()),
    request_body = v1::VerifyRequest,
    responses((status = 204, description = "The address is proved"))
)]
async fn verify(
    State(doors): State<Doors>,
    peer: Peer,
    Body(asked): Body<v1::VerifyRequest>,
) -> Done {
    let code = Hidden::new(asked.code);
    doors.app.verify(&asked.email, &code, peer.address()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a new code. The answer does not tell whether there is an account.
#[utoipa::path(
    post, path = "/auth/resend", tag = "auth", security(()),
    request_body = v1::EmailRequest,
    responses((status = 204, description = "A code is mailed if it can be used"))
)]
async fn resend(
    State(doors): State<Doors>,
    peer: Peer,
    Body(asked): Body<v1::EmailRequest>,
) -> Done {
    doors.app.resend(&asked.email, peer.address())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for a code that allows a new password. The answer does not tell whether there is an account.
#[utoipa::path(
    post, path = "/auth/forgot", tag = "auth", security(()),
    request_body = v1::EmailRequest,
    responses((status = 204, description = "A code is mailed if it can be used"))
)]
async fn forgot(
    State(doors): State<Doors>,
    peer: Peer,
    Body(asked): Body<v1::EmailRequest>,
) -> Done {
    doors.app.forgot(&asked.email, peer.address())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set a new password by a mailed code. Every login of the account ends.
#[utoipa::path(
    post, path = "/auth/reset", tag = "auth", security(()),
    request_body = v1::ResetPasswordRequest,
    responses((status = 204, description = "The password is set"))
)]
async fn reset(
    State(doors): State<Doors>,
    peer: Peer,
    Body(asked): Body<v1::ResetPasswordRequest>,
) -> Done {
    let (code, password) = (Hidden::new(asked.code), Hidden::new(asked.password));
    doors.app.reset_password(&asked.email, &code, &password, peer.address()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign in, by username or mail address. Browsers also get a cookie.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", security(()),
    request_body = v1::LoginRequest,
    responses(
        (status = 200, description = "The proofs of the login", body = v1::LoginResult),
        Unauthorized
    )
)]
async fn login(
    State(doors): State<Doors>,
    peer: Peer,
    headers: HeaderMap,
    Body(asked): Body<v1::LoginRequest>,
) -> Result<Response, Refusal> {
    let agent = headers.get(header::USER_AGENT);
    let asked = Login {
        login: Hidden::new(asked.login),
        password: Hidden::new(asked.password),
        device_name: asked.device_name,
        agent: agent.and_then(|a| a.to_str().ok()).map(str::to_owned),
        address: peer.address(),
        dialect: None,
    };
    Ok(signed_in(&doors, doors.app.login(asked).await?))
}

/// Exchange a refresh token for the next proofs. A token works once; a second use ends the login.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "auth", security(()),
    request_body = v1::RefreshRequest,
    responses((status = 200, description = "The next proofs", body = v1::LoginResult), Unauthorized)
)]
async fn refresh(
    State(doors): State<Doors>,
    Body(asked): Body<v1::RefreshRequest>,
) -> Result<Response, Refusal> {
    let token = Hidden::new(asked.refresh_token);
    Ok(signed_in(&doors, doors.app.refresh(&token).await?))
}

/// Sign out.
#[utoipa::path(
    post, path = "/auth/logout", tag = "auth",
    responses((status = 204, description = "Signed out"))
)]
async fn logout(State(doors): State<Doors>, Signed(actor): Signed) -> Result<Response, Refusal> {
    doors.app.logout(&actor).await?;
    Ok((StatusCode::NO_CONTENT, cookie::clear(&doors)).into_response())
}

/// Sign out everywhere.
#[utoipa::path(
    post, path = "/auth/logout-all", tag = "auth",
    responses((status = 204, description = "Every device is signed out"))
)]
async fn logout_all(
    State(doors): State<Doors>,
    Signed(actor): Signed,
) -> Result<Response, Refusal> {
    doors.app.logout_all(&actor).await?;
    Ok((StatusCode::NO_CONTENT, cookie::clear(&doors)).into_response())
}

fn signed_in(doors: &Doors, proofs: SignedIn) -> Response {
    let cookie = proofs.cookie.as_ref();
    let headers = cookie.map_or_else(HeaderMap::new, |value| cookie::set(doors, value));
    let result = v1::LoginResult {
        access_token: proofs.access_token.expose().to_owned(),
        expires_in: proofs.expires_in,
        refresh_token: proofs.refresh_token.expose().to_owned(),
        device_id: proofs.device.to_string(),
        user: Some(doors.user(&proofs.user)),
    };
    (headers, Reply(StatusCode::OK, result)).into_response()
}
