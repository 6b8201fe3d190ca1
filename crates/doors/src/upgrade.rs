//! The way from an HTTP request to an open socket: handshake, origin, identity, limits.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use hyper::upgrade::OnUpgrade;
use parlor_hub::Who;
use parlor_wire::Code;
use parlor_wire::command::Codec;
use parlor_ws::{Offer, accept};

use crate::manner::{Manner, part};
use crate::openapi::{Forbidden, TooMany};
use crate::outgoing::Outgoing;
use crate::serve::{Stream, take_stream};
use crate::socket::Socket;
use crate::{Doors, Peer, Refusal, auth};

/// The subprotocols that we speak, the default first.
const PROTOCOLS: [&str; 2] = ["parlor.v1.json", "parlor.v1.proto"];

/// Open a socket that carries all of a device's sessions.
#[utoipa::path(
    get, path = "/api/v1/socket", tag = "events",
    security((), ("bearer" = []), ("cookie" = [])),
    responses(
        (status = 101, description = "Frames as in /asyncapi.json"),
        (status = 426, description = "Not a WebSocket handshake"),
        Forbidden, TooMany
    )
)]
pub(crate) async fn upgrade(
    State(doors): State<Doors>,
    peer: Peer,
    mut request: Request,
) -> Result<Response, Refusal> {
    if !doors.allows_origin_of(request.headers()) {
        return Err(Refusal::new(Code::Forbidden, "a page of another origin asks"));
    }
    let offer = Offer { protocols: &PROTOCOLS, deflate: doors.config.deflate };
    let accepted = accept(request.method(), request.version(), request.headers(), &offer);
    let accepted = match accepted {
        Ok(accepted) => accepted,
        Err(refused) => return Ok(refused.response::<Body>()),
    };
    let actor = auth::authenticate(&doors, request.headers()).await;
    let Some(upgraded) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Err(Refusal::internal("the connection cannot be upgraded"));
    };
    let manner = Manner {
        codec: if accepted.protocol == Some(PROTOCOLS[1]) { Codec::Proto } else { Codec::Json },
        deflate: accepted.deflate,
    };
    let guest = match actor {
        Ok(actor) => {
            let who = Who {
                user: actor.user,
                login: actor.login,
                device: actor.device,
                address: peer.address(),
            };
            let ear = doors.app.hub().connect(who).map_err(Refusal::too_many)?;
            Some((actor, ear))
        }
        // A browser cannot see why an upgrade was refused: let in and told.
        Err(_) => None,
    };
    let tracker = doors.tasks.clone();
    tracker.spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Ok((stream, early)) = take_stream(upgraded) else { return };
        // A fresh task: this one's state is large, and the connection lives long.
        match guest {
            Some((actor, ear)) => {
                let socket = Socket::new(Arc::clone(&doors.app), actor, ear, manner, stream);
                doors.tasks.spawn(Box::new(socket).run(early));
            }
            None => turn_away(stream).await,
        }
    });
    Ok(accepted.response())
}

async fn turn_away(mut stream: Stream) {
    let mut goodbye = Outgoing::default();
    goodbye.push(parlor_ws::close(4001, "sign in first"));
    part(&mut stream, &mut goodbye).await;
}
