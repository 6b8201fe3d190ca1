//! People and rooms for a run, made over REST as anybody would make them.
//! Relies on the server hashing passwords cheaply while its limits are off.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::crowd::Seat;
use super::rest::Rest;

const THREADS: usize = 8;
/// People that one request may add.
const ADDED_MOST: usize = 90;
/// Everybody's.
pub(super) const PASSWORD: &str = "a long enough passphrase 1";

/// Somebody who is signed in.
#[derive(Clone)]
struct Person {
    id: String,
    token: String,
}

/// Rooms with so many members each, out of so many people; one seat a member.
pub(super) fn rooms(
    server: SocketAddr,
    people: usize,
    rooms: usize,
    members: usize,
) -> anyhow::Result<Vec<Vec<Seat>>> {
    let people = in_parallel(server, people, register)?;
    in_parallel(server, rooms, |rest, index| {
        let of_room = (0..members).map(|member| &people[(index * members + member) % people.len()]);
        make_room(rest, index, &of_room.cloned().collect::<Vec<_>>())
    })
}

/// Lets what is said in rooms from now on live for so many seconds.
pub(super) fn let_decay(server: SocketAddr, rooms: &[Vec<Seat>], ttl_s: u64) -> anyhow::Result<()> {
    let mut rest = Rest::connect(server)?;
    for owner in rooms.iter().filter_map(|seats| seats.first()) {
        let path = format!("/api/v1/sessions/{}", owner.session);
        rest.say("PATCH", &path, &owner.token, &json!({ "message_ttl_s": ttl_s }))?;
    }
    Ok(())
}

fn register(rest: &mut Rest, index: usize) -> anyhow::Result<Person> {
    let login = sign_up(rest, index)?;
    Ok(Person { id: text(&login["user"]["id"])?, token: text(&login["access_token"])? })
}

/// Makes an account and signs in; the answer of the login.
pub(super) fn sign_up(rest: &mut Rest, index: usize) -> anyhow::Result<Value> {
    let username = format!("person{index:05}");
    let account = json!({ "username": username, "password": PASSWORD });
    rest.post("/api/v1/auth/register", "", &account)?;
    let login = json!({ "login": username, "password": PASSWORD });
    rest.post("/api/v1/auth/login", "", &login)
}

fn make_room(rest: &mut Rest, index: usize, members: &[Person]) -> anyhow::Result<Vec<Seat>> {
    let (owner, others) = members.split_first().context("a room without an owner")?;
    let others: Vec<_> = others.iter().map(|person| &person.id).collect();
    let (first, later) = others.split_at(others.len().min(ADDED_MOST));
    let room = json!({ "name": format!("room {index}"), "kind": "private", "members": first });
    let room = rest.post("/api/v1/rooms", &owner.token, &room)?;
    let room = if room["room"].is_object() { &room["room"] } else { &room };
    let path = format!("/api/v1/rooms/{}/members", text(&room["id"])?);
    for some in later.chunks(ADDED_MOST) {
        rest.post(&path, &owner.token, &json!({ "users": some }))?;
    }
    let session = text(&room["main_session_id"])?;
    let seat = |person: &Person| Seat {
        token: person.token.clone(),
        session: session.clone(),
        after: None,
    };
    Ok(members.iter().map(seat).collect())
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().with_context(|| format!("{value} where a text should be"))?.to_owned())
}

/// Does `verb` for 0, 1, 2 … on a few connections; the results in order.
pub(super) fn in_parallel<T: Send>(
    server: SocketAddr,
    count: usize,
    verb: impl Fn(&mut Rest, usize) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let worker = |first: usize| -> anyhow::Result<Vec<(usize, T)>> {
        let mut rest = Rest::connect(server)?;
        let mine = (first..count).step_by(THREADS);
        mine.map(|index| Ok((index, verb(&mut rest, index)?))).collect()
    };
    let mut all = Vec::with_capacity(count);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let threads: Vec<_> =
            (0..THREADS).map(|first| scope.spawn(move || worker(first))).collect();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a thread of the set-up died"))??);
        }
        Ok(())
    })?;
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, made)| made).collect())
}
