//! Reading rooms, sessions, members and pages from the server into the cache.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parlor_e2ee::Error as CryptoError;
use parlor_wire::time::rfc3339;
use parlor_wire::v1;
use serde_json::Value;

use crate::apply;
use crate::cache::Thing;
use crate::room::{Known, Member, Membership};
use crate::{Client, Error, Message, Room, Session, Update};

/// Messages of the first page of a session.
const FIRST_PAGE: usize = 50;

/// Where the user's own log was when everything was read.
pub(crate) struct Loaded {
    pub(crate) epoch: String,
    pub(crate) user_seq: i64,
}

/// The name under which the history's own name is kept.
const EPOCH: &str = "epoch";

/// Reads which rooms and sessions there are; those that are new are read from their newest page on.
pub(crate) async fn everything(client: &Client) -> Result<Loaded, Error> {
    let init: Value = client.call("GET", "/me/init", None).await?;
    let epoch = init["epoch"].as_str().unwrap_or_default().to_owned();
    let cache = &client.0.cache;
    let known: Option<String> = cache.note(EPOCH)?;
    if known.is_some_and(|known| known != epoch) {
        cache.forget_history()?;
    }
    cache.keep(EPOCH, &epoch)?;
    let rooms = list(&init["rooms"], Room::read)?;
    let sessions = list(&init["sessions"], Session::read)?;
    forget_others(client, &rooms, &sessions)?;
    for room in &rooms {
        cache.keep_thing(Thing::Room, &room.id, room)?;
    }
    follow(client, &sessions).await?;
    for session in &sessions {
        match cache.cursor(&session.id)? {
            Some(_) => cache.keep_thing(Thing::Session, &session.id, session)?,
            None => first_sight(client, session).await?,
        }
        if session.ended {
            crate::decay::forget_session(client, &session.id)?;
        }
    }
    Ok(Loaded { epoch, user_seq: init["user_seq"].as_i64().unwrap_or_default() })
}

/// Reads rooms and sessions again and has the socket listen to the new ones.
pub(crate) async fn reload(client: &Client) -> Result<(), Error> {
    everything(client).await?;
    crate::socket::listen_to_all(client).await?;
    client.tell(Update::Rooms);
    Ok(())
}

/// The same beside what goes on.
pub(crate) fn reload_behind(client: &Client) {
    client.in_turn(
        |client| &client.0.reloading,
        async |client| {
            if let Err(error) = reload(&client).await {
                tracing::debug!(%error, "rooms were not read anew");
            }
        },
    );
}

fn list<T>(values: &Value, read: impl Fn(&Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    values.as_array().into_iter().flatten().map(read).collect()
}

fn forget_others(client: &Client, rooms: &[Room], sessions: &[Session]) -> Result<(), Error> {
    let cache = &client.0.cache;
    let rooms: BTreeSet<&str> = rooms.iter().map(|room| &*room.id).collect();
    for room in cache.things::<Room>(Thing::Room)? {
        if !rooms.contains(&*room.id) {
            cache.forget_thing(Thing::Room, &room.id)?;
        }
    }
    let sessions: BTreeSet<&str> = sessions.iter().map(|session| &*session.id).collect();
    for session in cache.things::<Session>(Thing::Session)? {
        if !sessions.contains(&*session.id) {
            crate::outbox::give_up(client, &session.id)?;
            cache.forget_thing(Thing::Session, &session.id)?;
        }
    }
    Ok(())
}

/// Follows the devices of everybody who is in an encrypted session, before anything of theirs is
/// opened, and begins the roll of a session that is new.
async fn follow(client: &Client, sessions: &[Session]) -> Result<(), Error> {
    let Some(machine) = &client.0.machine else { return Ok(()) };
    for session in sessions {
        if let Some(settings) = &session.encryption {
            match machine.remember(&session.id, settings).await {
                // It is refused when something is to be said there; other sessions go on.
                Err(error @ (CryptoError::Downgrade | CryptoError::Malformed(_))) => {
                    tracing::warn!(%error, session_id = session.id, "nothing is said there");
                }
                remembered => remembered?,
            }
            let members = members(client, &session.id, false).await?.to_members();
            machine.see(&session.id, &members).await?;
            machine.follow(&members.user_ids).await?;
        }
    }
    Ok(machine.flush(client).await?)
}

/// A session is there once its newest messages are: whoever finds it can go by that.
async fn first_sight(client: &Client, session: &Session) -> Result<(), Error> {
    if session.encryption.is_some() {
        // When oneself came says why what is older stays locked; it opens nothing.
        let _ = members(client, &session.id, false).await;
    }
    let path = format!("/sessions/{}/messages?limit={FIRST_PAGE}", session.id);
    let page: Value = client.call("GET", &path, None).await?;
    let (changes, _) = apply::page(client, &page).await?;
    client.0.cache.keep_thing(Thing::Session, &session.id, session)?;
    // What came in between is heard a second time and changes nothing.
    let step = crate::cache::Step { session_id: &session.id, seq: session.head_seq };
    apply::keep(client, Some(&step), &changes)
}

/// Who is in a session, as it is known, or as the server says now.
pub(crate) async fn members(
    client: &Client,
    session_id: &str,
    anew: bool,
) -> Result<Arc<Membership>, Error> {
    if !anew && let Some(known) = known_members(client, session_id) {
        return Ok(known);
    }
    // The version is read before the members: one that changed in between is then refused as stale.
    let said: Value = client.call("GET", &format!("/sessions/{session_id}"), None).await?;
    let version = Session::read(&said)?.membership_version.unwrap_or_default();
    let (mut members, mut cursor, mut joined_at) = (Vec::new(), None::<String>, None);
    let own = client.user_id();
    loop {
        let after = cursor.map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        let path = format!("/sessions/{session_id}/members{after}");
        let said: v1::MemberList = client.call("GET", &path, None).await?;
        for member in said.members {
            if member.user.as_ref().is_some_and(|user| user.id == own) {
                joined_at = Some(rfc3339(member.joined_at));
            }
            members.push(Member::of(member));
        }
        cursor = said.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let membership = Arc::new(Membership { members, version, joined_at });
    keep_members(client, session_id, &membership);
    Ok(membership)
}

/// Whether something was said before oneself came to where it was said, as far as that is known.
pub(crate) fn is_from_before(client: &Client, session_id: &str, sent_at: &str) -> bool {
    let known = client.0.members.lock();
    let joined_at = known.get(session_id).and_then(|known| known.membership.joined_at.as_deref());
    joined_at.is_some_and(|joined_at| sent_at < joined_at)
}

fn known_members(client: &Client, session_id: &str) -> Option<Arc<Membership>> {
    let known = client.0.members.lock();
    let known = known.get(session_id).filter(|known| !known.stale)?;
    Some(Arc::clone(&known.membership))
}

/// Whoever came into the list, or is gone from it, is told before anything is sealed for it, also
/// when the server sent no event of it.
fn keep_members(client: &Client, session_id: &str, membership: &Arc<Membership>) {
    let (came, went) = match client.0.members.lock().entry(session_id.to_owned()) {
        Entry::Occupied(mut known) => known.get_mut().read(Arc::clone(membership)),
        Entry::Vacant(nobody) => {
            nobody.insert(Known::first(Arc::clone(membership)));
            return;
        }
    };
    for user_id in came {
        client.tell(Update::Joined { session_id: session_id.to_owned(), user_id });
    }
    for user_id in went {
        client.tell(Update::Left { session_id: session_id.to_owned(), user_id });
    }
}

/// An event says that somebody came or went; whether that is news.
pub(crate) fn members_changed(client: &Client, session_id: &str, user_id: &str) -> bool {
    let mut known = client.0.members.lock();
    known.get_mut(session_id).is_none_or(|known| known.hear(user_id))
}

/// A message, as it is kept or as the server has it.
pub(crate) async fn message(client: &Client, message_id: &str) -> Result<Message, Error> {
    if let Some(kept) = client.0.cache.message(message_id)? {
        return Ok(kept);
    }
    let said: Value = client.call("GET", &format!("/messages/{message_id}"), None).await?;
    let change = apply::take(client, &said).await?;
    apply::keep(client, None, std::slice::from_ref(&change))?;
    client.0.cache.message(message_id)?.ok_or(Error::NotFound)
}

/// One page of messages, from the server, which goes into the cache, too.
pub(crate) async fn page(client: &Client, path: &str) -> Result<(Vec<Message>, bool, bool), Error> {
    let page: Value = client.call("GET", path, None).await?;
    let (changes, ids) = apply::page(client, &page).await?;
    apply::keep(client, None, &changes)?;
    let mut messages = Vec::with_capacity(ids.len());
    for id in ids {
        messages.extend(client.0.cache.message(&id)?);
    }
    let more = |name: &str| page[name].as_bool().unwrap_or_default();
    Ok((messages, more("has_more_before"), more("has_more_after")))
}
