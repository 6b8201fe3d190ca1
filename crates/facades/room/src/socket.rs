//! The socket of one session: every text is a message, both ways.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use parlor_app::{Actor, App, Error};
use parlor_domain::{Denied, SessionId};
use parlor_doors::facade::{
    End, Farewell, Heard, Interpreter, Talk, explain, fastapi, is_upgrade, query_value, turn_away,
    upgrade,
};
use parlor_doors::{Doors, Peer};
use parlor_hub::{Frame, Key};
use parlor_wire::Dialect;
use parlor_wire::v1::{event, server_frame};
use parlor_ws::Shared;

use crate::who::who;

/// Nobody is signed in, or they may not. (4000, 4001 and 4002 mean other things to the clients of
/// a sister system.)
const FORBIDDEN: u16 = 1008;
/// Takes too little, or says too much.
const PACE: u16 = 4008;

/// Opens a socket in the session whose number the path has.
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
    let (actor, session) = match admit(&doors, request.headers(), request.uri(), no).await {
        Ok(admitted) => admitted,
        Err(end) => return turn_away(&doors, request, end),
    };
    let peer = Peer::of_request(&request, &doors);
    upgrade(&doors, peer, request, actor, vec![Key::Session(session)], Line { session })
}

async fn admit(
    doors: &Doors,
    headers: &HeaderMap,
    uri: &Uri,
    no: i64,
) -> Result<(Actor, SessionId), End> {
    let actor = who(doors, headers, uri).await.map_err(|error| ended(&error))?;
    let named = query_value(uri, "user_id");
    if named.is_some_and(|named| fastapi::integer(&named) != Some(actor.user_no)) {
        return Err(End::with(FORBIDDEN, "user_id is another's"));
    }
    let session = doors.app.session_by_no(&actor, no).await;
    Ok((actor, session.map_err(|error| ended(&error))?))
}

struct Line {
    session: SessionId,
}

impl Interpreter for Line {
    const DIALECT: Dialect = Dialect::Room;

    async fn greet(&mut self, _: &mut Talk) -> Result<(), End> {
        Ok(())
    }

    async fn hear(&mut self, heard: Heard, talk: &mut Talk) -> Result<(), End> {
        let Heard::Text(text) = heard else {
            return Err(End::with(1003, "texts only"));
        };
        match talk.post(self.session, text).await {
            // What says nothing is passed over.
            Ok(_) | Err(Error::Denied(Denied::Empty(_))) => Ok(()),
            Err(error) => Err(ended(&error)),
        }
    }

    async fn translate(&self, frame: &Frame, _: &App) -> Result<Option<Shared>, Error> {
        let Some(server_frame::Frame::Event(event)) = frame.content() else {
            return Ok(None);
        };
        let Some(event::Kind::Posted(message)) = &event.kind else {
            return Ok(None);
        };
        Ok(Some(Shared::text(message.content.as_bytes())))
    }

    fn farewell(&self, why: Farewell) -> End {
        match why {
            Farewell::Out => End::with(FORBIDDEN, "not a member"),
            Farewell::SignedOut => End::with(FORBIDDEN, "not authenticated"),
            Farewell::Draining => End::with(1012, "the server goes down"),
            Farewell::TooSlow => End::with(PACE, "too slow"),
            Farewell::Failed => End::with(1011, "something failed inside"),
        }
    }
}

/// How a connection ends on which something cannot be done.
fn ended(error: &Error) -> End {
    let (message, _) = explain(error);
    match error {
        Error::Unauthorized => End::with(FORBIDDEN, "not authenticated"),
        Error::Denied(Denied::NotFound) => End::with(FORBIDDEN, "not a member"),
        Error::Denied(Denied::TooLong { .. }) => End::with(1009, &message),
        Error::Denied(Denied::SlowDown { .. }) => End::with(PACE, "too fast"),
        Error::Denied(_) => End::with(FORBIDDEN, &message),
        Error::Busy | Error::Unavailable => End::with(1013, "try again"),
        _ => End::with(1011, "something failed inside"),
    }
}
