//! The socket: every text is a message, an empty one says that something has changed.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use parlor_app::{Actor, App, Error};
use parlor_domain::{Denied, SessionId, Time, UserId};
use parlor_doors::facade::{
    End, Farewell, Heard, Interpreter, Talk, by_login_cookie, explain, fastapi, is_upgrade,
    turn_away, upgrade,
};
use parlor_doors::{Doors, Peer};
use parlor_hub::{Frame, Key};
use parlor_wire::v1::{event, server_frame};
use parlor_wire::{Dialect, v1};
use parlor_ws::Shared;
use serde_json::json;

/// Nobody is signed in, or not as the person that the path names.
const NOT_THEM: u16 = 4000;
/// Out of the lobby.
const OUT: u16 = 4003;
/// Takes too little, or says too much.
const PACE: u16 = 4008;

/// Opens the socket of the person whose number the path has.
pub(crate) async fn open(
    State(doors): State<Doors>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    if !is_upgrade(&request) {
        return fastapi::detail(StatusCode::NOT_FOUND, "Not Found");
    }
    let Some(no) = fastapi::integer(&id) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let (actor, lobby) = match who(&doors, request.headers(), no).await {
        Ok(known) => known,
        Err(end) => return turn_away(&doors, request, end),
    };
    let peer = Peer::of_request(&request, &doors);
    let keys = vec![Key::Session(lobby), Key::Dialect(Dialect::Mrsambosk)];
    upgrade(&doors, peer, request, actor, keys, Lobby { session: lobby, spoke: false })
}

/// Whom the cookie proves, if it is the one that is named, and the lobby's session.
async fn who(doors: &Doors, headers: &HeaderMap, no: i64) -> Result<(Actor, SessionId), End> {
    let actor = match by_login_cookie(doors, headers).await {
        Ok(actor) if actor.user_no == no => actor,
        Ok(_) | Err(Error::Unauthorized | Error::Denied(_)) => return Err(End::with(NOT_THEM, "")),
        Err(error) => return Err(ended(&error)),
    };
    let lobby = doors.app.lobby(&actor).await.map_err(|error| ended(&error))?;
    Ok((actor, lobby.main_session))
}

struct Lobby {
    session: SessionId,
    /// Whether anything was said: only then others hear of the parting.
    spoke: bool,
}

impl Interpreter for Lobby {
    const DIALECT: Dialect = Dialect::Mrsambosk;

    async fn greet(&mut self, _: &mut Talk) -> Result<(), End> {
        Ok(())
    }

    async fn hear(&mut self, heard: Heard, talk: &mut Talk) -> Result<(), End> {
        let Heard::Text(text) = heard else {
            // COMPAT(mrsambosk): bytes break its socket without a goodbye.
            return Err(End::Gone);
        };
        let said = match talk.post(self.session, text.clone()).await {
            // What says nothing is told and not kept.
            Err(Error::Denied(Denied::Empty(_))) => {
                let told = line(talk.app.now(), talk.actor.user_no, &text);
                talk.murmur(self.session, Dialect::Mrsambosk, told).await
            }
            posted => posted.map(drop),
        };
        said.map_err(|error| ended(&error))?;
        self.spoke = true;
        Ok(())
    }

    async fn translate(&self, frame: &Frame, app: &App) -> Result<Option<Shared>, Error> {
        let Some(server_frame::Frame::Event(event)) = frame.content() else {
            return Ok(None);
        };
        let Some((by, text)) = told(event) else {
            return Ok(None);
        };
        let by = match by {
            Some(by) => app.person(by).await?.user.no,
            None => NOBODY,
        };
        Ok(Some(line(Time(event.at), by, text)))
    }

    fn farewell(&self, why: Farewell) -> End {
        match why {
            Farewell::Out => End::with(OUT, "not in the lobby"),
            Farewell::SignedOut => End::with(NOT_THEM, ""),
            Farewell::Draining => End::with(1012, "the server goes down"),
            Farewell::TooSlow => End::with(PACE, "too slow"),
            Farewell::Failed => End::with(1011, "something failed inside"),
        }
    }

    async fn parted(&mut self, app: &App, actor: &Actor) {
        if self.spoke {
            let told = json!({
                "time": hour(app.now(), &TimeZone::system()),
                "clientId": actor.user_no,
                "message": "Offline",
                "type_offline": true,
            });
            app.murmur(Dialect::Mrsambosk, told.to_string().as_bytes());
        }
    }
}

/// Who is said to have let a message decay.
const NOBODY: i64 = 0;

/// Who did it, and what is told of it. That something else has changed is told by an empty text,
/// at which clients ask for everything again.
fn told(event: &v1::Event) -> Option<(Option<UserId>, &str)> {
    let (by, text) = match event.kind.as_ref()? {
        event::Kind::Posted(message) => (&message.sender_id, &*message.content),
        event::Kind::Edited(message) => (&message.sender_id, ""),
        event::Kind::Deleted(deleted) => (&deleted.by, ""),
        event::Kind::Decayed(_) => return Some((None, "")),
        _ => return None,
    };
    Some((Some(by.parse().ok()?), text))
}

fn line(at: Time, no: i64, text: &str) -> Shared {
    let hour = hour(at, &TimeZone::system());
    let told = json!({"time": hour, "clientId": no, "message": text});
    Shared::text(told.to_string().as_bytes())
}

/// The time on the wall where the server stands.
fn hour(at: Time, zone: &TimeZone) -> String {
    let at = Timestamp::from_microsecond(at.0).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// How a connection ends on which something cannot be done.
fn ended(error: &Error) -> End {
    let (message, _) = explain(error);
    match error {
        Error::Denied(Denied::NotFound) => End::with(OUT, "not in the lobby"),
        Error::Denied(Denied::TooLong { .. }) => End::with(1009, &message),
        Error::Denied(Denied::SlowDown { .. }) => End::with(PACE, "too fast"),
        Error::Denied(_) => End::with(1008, &message),
        Error::Unauthorized => End::with(NOT_THEM, ""),
        Error::Busy | Error::Unavailable => End::with(1013, "try again"),
        _ => End::with(1011, "something failed inside"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn the_time_is_that_of_the_place() {
        let at = Time(1_715_788_380_000_000);
        assert_eq!(hour(at, &TimeZone::UTC), "15:53");
        assert_eq!(hour(at, &TimeZone::fixed(Offset::constant(-9))), "06:53");
    }
}
