//! Coming in, staying in and going; who else is there.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use parlor_app::accounts::{Enroll, Login, NotRenewed};
use parlor_app::{Actor, App, Hidden};
use parlor_domain::{Limits, name};
use parlor_doors::{Doors, Peer};
use parlor_wire::Dialect;
use serde_json::{Value, json};

use crate::error::{Faults, Refused};
use crate::fields::Fields;
use crate::passwords;
use crate::people::Shown;
use crate::proof::{Known, Stranger, Visit, with_cookies, without_cookies};

/// Makes an account.
pub(crate) async fn register(
    State(doors): State<Doors>,
    _visit: Visit,
    peer: Peer,
    fields: Fields,
) -> Result<Response, Refused> {
    let (limits, mut faults) = (doors.app.limits(), Faults::default());
    let email = fields.needed("email", &mut faults);
    if !email.is_empty() && !is_address(&email, limits) {
        faults.add("email", "Enter a valid email address.");
    }
    // COMPAT(shh): its own web client sends no username.
    let unique = fields.has("username");
    let name = if unique {
        fields.needed("username", &mut faults)
    } else {
        derived_name(&fields, &email, limits)
    };
    let password = fields.needed("password", &mut faults);
    if !password.is_empty() {
        passwords::check(&password, limits, &mut faults);
    }
    faults.check()?;
    let (password, address) = (Hidden::new(password), peer.address());
    let asked = Enroll { name, unique, email: email.clone(), password, address };
    let user = doors.app.enroll(asked).await?.user;
    let email = name::email(&email, limits).unwrap_or(email);
    let shown = Shown { no: user.no, email, username: user.name };
    let said = json!({"user": shown.by_number(), "message": "Registration successful"});
    Ok((StatusCode::CREATED, Json(said)).into_response())
}

/// Django's idea of an address: its host has a dot, unless it is this very machine.
fn is_address(text: &str, limits: &Limits) -> bool {
    let host =
        |email: &str| email.rsplit('@').next().is_some_and(|h| h.contains('.') || h == "localhost");
    name::email(text, limits).is_ok_and(|email| host(&email))
}

/// What to call somebody who gives no username: by their names, or else by their address.
fn derived_name(fields: &Fields, email: &str, limits: &Limits) -> String {
    let names = ["first_name", "last_name"].map(|name| fields.text(name).unwrap_or_default());
    let max = limits.facade_name_chars_max;
    name::line_within("username", &names.join(" "), max)
        .unwrap_or_else(|_| email.split('@').next().unwrap_or_default().to_owned())
}

/// Signs in.
pub(crate) async fn login(
    State(doors): State<Doors>,
    visit: Visit,
    peer: Peer,
    fields: Fields,
) -> Result<Response, Refused> {
    visit.check_page(&doors)?;
    let mut faults = Faults::default();
    let login = match fields.text("username") {
        Some(username) if !fields.has("email") => handle(username, doors.app.limits()),
        _ => fields.needed("email", &mut faults),
    };
    let password = Hidden::new(fields.needed("password", &mut faults));
    faults.check()?;
    let asked = Login {
        login: Hidden::new(login),
        password,
        device_name: None,
        agent: visit.agent(),
        address: peer.address(),
        dialect: Some(Dialect::Shh),
    };
    let proofs = doors.app.login(asked).await?;
    let token = proofs.access_token.expose();
    let actor = doors.app.authenticate_bearer(token).await?;
    let user = Shown::myself(&doors.app, &actor).await?.by_number();
    let said = json!({"user": user, "message": "Login successful", "token": token});
    Ok(with_cookies(&doors, &proofs, Json(said).into_response()))
}

/// What a username was made into when its account was made; an address stays one.
fn handle(username: String, limits: &Limits) -> String {
    if username.contains('@') {
        return username;
    }
    name::handle_of(&username, 0, limits).shown
}

/// A new access token for the refresh token, which stays good.
pub(crate) async fn refresh(State(doors): State<Doors>, visit: Visit) -> Result<Response, Refused> {
    let (bad, unknown) = (StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED);
    let token = visit.refresh_token().ok_or(Refused::detail(bad, "No refresh token"))?;
    let renewed = doors.app.renew(Dialect::Shh, &Hidden::new(token)).await;
    let proofs = renewed.map_err(|refused| match refused {
        NotRenewed::OtherKind => Refused::detail(bad, "Invalid token type"),
        NotRenewed::Over => Refused::detail(unknown, "Refresh token expired"),
        NotRenewed::Unknown => Refused::detail(unknown, "Invalid refresh token"),
        NotRenewed::Failed(error) => error.into(),
    })?;
    let said = json!({"message": "Token refreshed successfully", "user_id": proofs.user.no});
    Ok(with_cookies(&doors, &proofs, Json(said).into_response()))
}

/// Signs out: the login of either token is over.
pub(crate) async fn logout(State(doors): State<Doors>, visit: Visit) -> Result<Response, Refused> {
    match visit.actor(&doors).await {
        Ok(actor) => doors.app.logout(&actor).await?,
        Err(Stranger::Failed(error)) => return Err(error.into()),
        Err(_) => {}
    }
    if let Some(token) = visit.refresh_token() {
        doors.app.logout_by(Dialect::Shh, &Hidden::new(token)).await?;
    }
    let said = Json(json!({"message": "Logged out"})).into_response();
    Ok(without_cookies(&doors, said))
}

/// Everybody else.
pub(crate) async fn users(
    State(doors): State<Doors>,
    Known(actor): Known,
) -> Result<Json<Value>, Refused> {
    let known: HashSet<_> = doors.app.acquaintances(&actor).await?.into_iter().collect();
    let others = everybody_else(&doors.app, &actor).await?;
    let said = others.iter().map(|person| {
        let known = known.contains(&person.user.id);
        let shown = Shown::of(&doors.app, person, known);
        // COMPAT(shh): first and last names are there, and always empty.
        json!({"email": shown.email, "first_name": "", "last_name": "", "id": shown.no})
    });
    Ok(Json(said.collect()))
}

async fn everybody_else(app: &App, actor: &Actor) -> Result<Vec<parlor_domain::Person>, Refused> {
    let mut people = app.everybody(actor).await?;
    people.retain(|person| person.user.id != actor.user);
    Ok(people)
}
