//! What an event or a page of the server changes here; sealed messages are opened on the way.
//!
//! Owns the reading of events. Refuses one that does not follow the last: the connection is then
//! begun anew, from the cursor.

use parlor_e2ee::{Arrived, OpenError, Sealed};
use serde_json::Value;

use crate::cache::{Change, Step, Thing};
use crate::message::Turned;
use crate::{Client, Error, Message, Session, Update, load};

/// What came of an event.
pub(crate) enum Applied {
    /// It was taken in.
    Taken,
    /// It was known.
    Known,
    /// There is a hole before it.
    Hole,
}

/// Takes in an event of a session.
pub(crate) async fn event(client: &Client, event: &Value) -> Result<Applied, Error> {
    let (Some(session_id), Some(seq)) = (event["session_id"].as_str(), event["seq"].as_i64())
    else {
        return Err(Error::malformed("an event without a place"));
    };
    let cache = &client.0.cache;
    match cache.cursor(session_id)? {
        None => return Ok(Applied::Known),
        Some(cursor) if seq <= cursor => return Ok(Applied::Known),
        Some(cursor) if seq > cursor + 1 => return Ok(Applied::Hole),
        Some(_) => {}
    }
    let (change, told) = understand(client, session_id, event).await?;
    let gone = match &change {
        Change::Decay { session_id, from, to } => cache.numbered(session_id, *from, *to)?,
        _ => Vec::new(),
    };
    keep(client, Some(&Step { session_id, seq }), std::slice::from_ref(&change))?;
    for message_id in gone {
        client.tell(Update::Decayed { message_id, session_id: session_id.to_owned() });
    }
    tell(client, &change, told)?;
    Ok(Applied::Taken)
}

/// What is told beside the change of a message.
enum Told {
    New,
    Changed,
    Update(Update),
    Nothing,
}

impl Told {
    fn news(is_news: bool, update: Update) -> Self {
        if is_news { Self::Update(update) } else { Self::Nothing }
    }
}

async fn understand(
    client: &Client,
    session_id: &str,
    event: &Value,
) -> Result<(Change, Told), Error> {
    let at = || event["at"].as_str().unwrap_or_default().to_owned();
    let text = |kind: &Value, name: &str| kind[name].as_str().unwrap_or_default().to_owned();
    let member = |kind: &Value| (session_id.to_owned(), text(kind, "user_id"));
    Ok(if let Some(message) = event.get("posted") {
        (take_here(client, session_id, message).await?, Told::New)
    } else if let Some(message) = event.get("edited") {
        (take_here(client, session_id, message).await?, Told::Changed)
    } else if let Some(deleted) = event.get("deleted") {
        let (id, session_id) = (text(deleted, "message_id"), session_id.to_owned());
        (Change::Erase { id, session_id, at: at() }, Told::Changed)
    } else if let Some(decayed) = event.get("decayed") {
        let number = |name: &str| decayed[name].as_i64().unwrap_or_default();
        let (from, to) = (number("from"), number("to"));
        let session_id = session_id.to_owned();
        (Change::Decay { session_id, from, to }, Told::Nothing)
    } else if event.get("reacted").is_some() && is_sealed(client, session_id).await? {
        // Reactions are sealed there: whoever says so in the clear is not the one who reacts.
        (Change::Nothing, Told::Nothing)
    } else if let Some(reacted) = event.get("reacted") {
        let on = reacted["on"].as_bool().unwrap_or_default();
        let (id, emoji) = (text(reacted, "message_id"), text(reacted, "emoji"));
        let (session_id, user_id) = member(reacted);
        (Change::React { id, session_id, emoji, user_id, on }, Told::Changed)
    } else if let Some(joined) = event.get("joined") {
        let (session_id, user_id) = member(joined);
        let is_news = load::members_changed(client, &session_id, &user_id);
        (Change::Nothing, Told::news(is_news, Update::Joined { session_id, user_id }))
    } else if let Some(left) = event.get("left") {
        let (session_id, user_id) = member(left);
        let is_news = load::members_changed(client, &session_id, &user_id);
        (Change::Nothing, Told::news(is_news, Update::Left { session_id, user_id }))
    } else if event.get("ended").is_some() {
        // Nothing that was said in it is left, and nothing more can be.
        crate::decay::end(client, session_id)?;
        load::reload_behind(client);
        (Change::all_of(session_id), Told::Nothing)
    } else if event.get("session_settings").or(event.get("room_settings")).is_some() {
        // What it says now is in the cache before it is told.
        load::reload_behind(client);
        (Change::Nothing, Told::Nothing)
    } else {
        // A kind of a newer server: it has its place in the order and nothing else.
        (Change::Nothing, Told::Nothing)
    })
}

fn tell(client: &Client, change: &Change, told: Told) -> Result<(), Error> {
    let (id, new) = match (change, told) {
        (_, Told::Update(update)) => {
            client.tell(update);
            return Ok(());
        }
        (_, Told::Nothing) | (Change::Nothing | Change::Decay { .. }, _) => return Ok(()),
        (Change::Put(message, _), Told::New) => (&message.id, true),
        (Change::Put(message, _), Told::Changed) => (&message.id, false),
        (Change::Relate { relation, .. }, _) => (&relation.target, false),
        (Change::Erase { id, .. } | Change::React { id, .. }, _) => (id, false),
    };
    if let Some(message) = client.0.cache.message(id)? {
        let message = Box::new(message);
        client.tell(if new { Update::Posted(message) } else { Update::Changed(message) });
    }
    Ok(())
}

/// The changes of a page, and the messages that are in it.
pub(crate) async fn page(
    client: &Client,
    page: &Value,
) -> Result<(Vec<Change>, Vec<String>), Error> {
    let (mut changes, mut ids) = (Vec::new(), Vec::new());
    for message in page["messages"].as_array().into_iter().flatten() {
        let change = take(client, message).await?;
        if let Change::Put(message, _) = &change {
            ids.push(message.id.clone());
        }
        changes.push(change);
    }
    Ok((changes, ids))
}

/// The same as [`take`] for a message that is told of in this session; one that says that it is of
/// another is passed over.
async fn take_here(client: &Client, session_id: &str, said: &Value) -> Result<Change, Error> {
    match said["session_id"] == session_id {
        true => take(client, said).await,
        false => Ok(Change::Nothing),
    }
}

/// Reads a message object, and opens it if it is sealed.
pub(crate) async fn take(client: &Client, said: &Value) -> Result<Change, Error> {
    let (mut message, sealed) = Message::read(said)?;
    let Some(sealed) = sealed else {
        if is_sealed(client, &message.session_id).await? {
            message.refuse_the_clear();
        }
        return Ok(Change::Put(Box::new(message), None));
    };
    Ok(open(client, message, sealed).await)
}

/// Keeps what was taken in. What is locked is tried again once it is kept: its key may have come
/// meanwhile, or whoever wrote it only not have been looked up yet.
pub(crate) fn keep(
    client: &Client,
    step: Option<&Step<'_>>,
    changes: &[Change],
) -> Result<(), Error> {
    client.0.cache.apply(step, changes)?;
    let may_open =
        |change: &Change| matches!(change, Change::Put(message, _) if message.may_open_later());
    if changes.iter().any(may_open) {
        crate::encryption::settle_behind(client);
    }
    Ok(())
}

/// Whether everything in a session is sealed: then what comes in the clear is somebody else's.
async fn is_sealed(client: &Client, session_id: &str) -> Result<bool, Error> {
    if let Some(machine) = &client.0.machine {
        return Ok(machine.is_encrypted(session_id).await?);
    }
    let session: Option<Session> = client.0.cache.thing(Thing::Session, session_id)?;
    Ok(session.is_some_and(|session| session.encryption.is_some()))
}

async fn open(client: &Client, mut message: Message, sealed: Sealed) -> Change {
    let opened = match &client.0.machine {
        None => Err(OpenError::MissingKey),
        Some(machine) => {
            let arrived = Arrived {
                session_id: &message.session_id,
                message_id: &message.id,
                sender_id: &message.sender_id,
                sealed: &sealed,
            };
            machine.open_message(arrived).await
        }
    };
    match opened.map(|opened| message.unlock(opened)) {
        Ok(Turned::Message) => Change::Put(Box::new(message), None),
        Ok(Turned::Relation(relation)) => {
            Change::Relate { id: message.id, session_id: message.session_id, relation }
        }
        Err(error) => {
            let before = load::is_from_before(client, &message.session_id, &message.sent_at);
            message.keep_locked(&error, before);
            Change::Put(Box::new(message), Some(sealed))
        }
    }
}

/// Tries again to open what is locked, in one session or everywhere; tells of what opens, and of
/// what is locked for another reason now.
pub(crate) async fn open_locked(client: &Client, session_id: Option<&str>) -> Result<(), Error> {
    for (message, sealed) in client.0.cache.locked(session_id)? {
        let before = message.secrecy.clone();
        let change = open(client, message, sealed).await;
        let same = matches!(&change, Change::Put(message, _) if message.secrecy == before);
        client.0.cache.apply(None, std::slice::from_ref(&change))?;
        if !same {
            tell(client, &change, Told::Changed)?;
        }
    }
    Ok(())
}
