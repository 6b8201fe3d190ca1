//! Forgetting what has decayed, and sessions that have ended, at their moment and without the
//! server.

use std::time::Duration;

use parlor_wire::time::rfc3339;

use crate::cache::{Change, Thing};
use crate::room::Ending;
use crate::{Client, Error, Session, Update};

/// How late a message may be forgotten.
const EVERY: Duration = Duration::from_secs(1);

/// Forgets what has decayed, until the client stops.
pub(crate) async fn keep_forgetting(client: &Client) {
    let mut clock = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = client.0.stopping.cancelled() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = forget(client) {
            tracing::warn!(%error, "what has decayed was not forgotten");
        }
    }
}

fn forget(client: &Client) -> Result<(), Error> {
    let now = rfc3339((client.0.clock)().as_microsecond());
    for (message_id, session_id) in client.0.cache.decay(&now)? {
        client.tell(Update::Decayed { message_id, session_id });
    }
    for session in client.0.cache.things::<Session>(Thing::Session)? {
        let over = matches!(&session.end, Some(Ending::At { at, .. }) if *at <= now);
        if over && !session.ended {
            end(client, &session.id)?;
            forget_session(client, &session.id)?;
            client.tell(Update::Rooms);
        }
    }
    Ok(())
}

/// A session has ended: what was still to be said there is given up.
pub(crate) fn end(client: &Client, session_id: &str) -> Result<(), Error> {
    crate::outbox::give_up(client, session_id)?;
    let known: Option<Session> = client.0.cache.thing(Thing::Session, session_id)?;
    let Some(session) = known else { return Ok(()) };
    let ended = Session { ended: true, end: None, ..session };
    client.0.cache.keep_thing(Thing::Session, session_id, &ended)
}

/// Forgets what was said in a session that has ended.
pub(crate) fn forget_session(client: &Client, session_id: &str) -> Result<(), Error> {
    let gone = client.0.cache.numbered(session_id, 0, i64::MAX)?;
    crate::apply::keep(client, None, &[Change::all_of(session_id)])?;
    for message_id in gone {
        client.tell(Update::Decayed { message_id, session_id: session_id.to_owned() });
    }
    Ok(())
}
