//! Effects, carried out: what the cache can say at once, and what the server has to be asked for,
//! which is done beside the screen so that keys are never waited for.

use std::path::Path;

use parlor_sdk::{Client, Draft, Error, Member, Message, Session, Settings};

use crate::app::{Go, Panel, Place, Row};
use crate::effect::{Effect, Making, News, Saying};
use crate::shield;

/// Messages that are shown when a session is opened, and loaded with each step back.
const PAGE: usize = 100;

/// Messages of a search.
const FOUND_MAX: usize = 100;

/// Bytes of a file that is sent: it is in memory meanwhile.
const FILE_BYTES_MAX: u64 = 100 * 1024 * 1024;

/// The names under which the program keeps things of its own.
const NAMES: &str = "names";
const DRAFTS: &str = "drafts";

/// What came of an effect, or the effect itself when the server has to be asked.
pub(crate) enum Carried {
    /// This came of it.
    Done(Vec<News>),
    /// It takes a while: [`carry`].
    Later(Effect),
}

/// Carries out what needs no server.
pub(crate) fn at_once(client: &Client, effect: Effect) -> Result<Carried, Error> {
    Ok(Carried::Done(match effect {
        Effect::Send(saying) => {
            send(client, saying)?;
            vec![waiting(client)?]
        }
        Effect::Typing(session_id) => {
            client.session(session_id).typing();
            Vec::new()
        }
        Effect::Find { words, session_id } => vec![find(client, &words, session_id.as_deref())?],
        Effect::Earlier { session_id, before } => {
            let messages = client.session(&session_id).timeline(before, PAGE)?;
            // Where the kept timeline ends, the server goes on.
            if messages.iter().all(|message| message.thread_id.is_some()) {
                return Ok(Carried::Later(Effect::Earlier { session_id, before }));
            }
            vec![News::More { session_id, messages, behind: false }]
        }
        Effect::Later { session_id, after } => {
            let page = client.session(&session_id).timeline(Some(after + 1 + rows(PAGE)), PAGE)?;
            let messages: Vec<_> = page.into_iter().filter(|kept| kept.number > after).collect();
            let behind = is_behind(client, &session_id, messages.last())?;
            vec![News::More { session_id, messages, behind }]
        }
        Effect::Around { session_id, number } => vec![around(client, session_id, number)?],
        Effect::Outbox => vec![outbox(client)?, waiting(client)?],
        Effect::Retry(client_id) => {
            client.retry(&client_id)?;
            Vec::new()
        }
        Effect::Withdraw(client_id) => {
            client.withdraw(&client_id)?;
            Vec::new()
        }
        Effect::Drafts(drafts) => {
            client.keep(DRAFTS, &drafts)?;
            Vec::new()
        }
        later => return Ok(Carried::Later(later)),
    }))
}

/// Asks the server.
pub(crate) async fn carry(client: &Client, effect: Effect) -> Result<Vec<News>, Error> {
    Ok(match effect {
        Effect::Open(session_id) => opened(client, session_id).await?,
        Effect::Look(session_id) => {
            let shield = shield::look(client, &session_id).await?;
            vec![News::Shield(session_id, shield)]
        }
        Effect::Edit { session_id, message_id, body } => {
            client.session(session_id).edit(&message_id, &body).await?;
            Vec::new()
        }
        Effect::Delete { session_id, message_id } => {
            client.session(session_id).delete(&message_id).await?;
            Vec::new()
        }
        Effect::React { session_id, message_id, emoji, on } => {
            client.session(session_id).react(&message_id, &emoji, on).await?;
            Vec::new()
        }
        Effect::Read { session_id, number } => {
            client.session(session_id).read(number).await?;
            Vec::new()
        }
        Effect::Earlier { session_id, before } => {
            let page = client.session(&session_id).page_before(before, PAGE).await?;
            vec![News::More { session_id, messages: page.messages, behind: false }]
        }
        Effect::Thread { session_id, message_id } => {
            let page = client.session(&session_id).thread(&message_id, PAGE).await?;
            vec![News::More { session_id, messages: page.messages, behind: false }]
        }
        Effect::Upload { session_id, path } => upload(client, session_id, &path).await?,
        Effect::Members(session_id) => members(client, &session_id).await?,
        Effect::LetIn { session_id, whom } => let_in(client, session_id, &whom).await?,
        Effect::Devices => vec![devices(client).await?],
        Effect::Make(making) => make(client, making).await?,
        Effect::SetDecay { session_id, seconds } => {
            client.session(session_id).set_message_ttl_s(seconds).await?;
            Vec::new()
        }
        Effect::SetEnd { session_id, end } => {
            client.session(session_id).set_end(end.as_ref()).await?;
            Vec::new()
        }
        Effect::Leave(room_id) => {
            client.leave_room(&room_id).await?;
            Vec::new()
        }
        Effect::Trust(user_id) => {
            client.encryption()?.accept_identity(&user_id).await?;
            vec![News::Notice("their new identity is taken, unverified".to_owned())]
        }
        Effect::MakeRecovery => make_recovery(client).await?,
        Effect::Recover(key) => recover(client, &key).await?,
        Effect::Settings => vec![settings(client).await?],
        _ => Vec::new(),
    })
}

/// What there is to go to, as it is kept.
pub(crate) fn places(client: &Client) -> Result<Vec<Place>, Error> {
    let own = client.user_id();
    let rooms: std::collections::HashMap<String, String> =
        client.rooms()?.into_iter().map(|room| (room.id.clone(), room_name(&room, &own))).collect();
    let mut places: Vec<_> =
        client.sessions()?.into_iter().map(|session| place(session, &rooms)).collect();
    places.sort_by(|one, other| {
        let key = |place: &Place| {
            (place.room.to_lowercase(), place.room_id.clone(), place.session.clone())
        };
        key(one).cmp(&key(other))
    });
    Ok(places)
}

fn place(session: Session, rooms: &std::collections::HashMap<String, String>) -> Place {
    Place {
        room: rooms.get(&session.room_id).cloned().unwrap_or_default(),
        room_id: session.room_id,
        session: (!session.main).then_some(session.name),
        unread: session.unread,
        mentions: session.mentions,
        head: session.head_number,
        read: session.read_number,
        encrypted: session.encryption.is_some(),
        ended: session.ended,
        message_ttl_s: session.message_ttl_s,
        end: session.end,
        session_id: session.id,
    }
}

/// A direct room has no name: it is called by its other people.
fn room_name(room: &parlor_sdk::Room, own: &str) -> String {
    if room.kind != "direct" {
        return room.name.clone();
    }
    let others = room.people.iter().filter(|person| person.user_id != own);
    let names: Vec<&str> = others.map(|person| &*person.name).collect();
    if names.is_empty() { "notes to oneself".to_owned() } else { names.join(", ") }
}

/// What is kept from the last time: names of people, and drafts.
pub(crate) fn kept(
    client: &Client,
) -> Result<(Vec<Member>, std::collections::BTreeMap<String, String>), Error> {
    let names = client.kept(NAMES)?.unwrap_or_default();
    Ok((names, client.kept(DRAFTS)?.unwrap_or_default()))
}

/// Keeps what people are called, for the next time.
pub(crate) fn keep_names(
    client: &Client,
    names: &std::collections::HashMap<String, String>,
) -> Result<(), Error> {
    let member = |(id, name): (&String, &String)| Member {
        user_id: id.clone(),
        username: String::new(),
        name: name.clone(),
        role: String::new(),
    };
    client.keep(NAMES, &names.iter().map(member).collect::<Vec<_>>())
}

/// The newest of a session that is kept.
pub(crate) fn newest(client: &Client, session_id: String) -> Result<News, Error> {
    let messages = client.session(&session_id).timeline(None, PAGE)?;
    Ok(News::Shown { session_id, messages, behind: false })
}

/// How many messages wait to be sent.
pub(crate) fn waiting(client: &Client) -> Result<News, Error> {
    Ok(News::Waiting(client.unsent()?.len()))
}

async fn opened(client: &Client, session_id: String) -> Result<Vec<News>, Error> {
    let members = client.session(&session_id).members().await?;
    let shield = shield::look(client, &session_id).await?;
    Ok(vec![News::Names(members), News::Shield(session_id, shield)])
}

fn send(client: &Client, saying: Saying) -> Result<(), Error> {
    let mut draft = Draft::text(saying.body);
    if let Some(message_id) = saying.reply_to {
        draft = draft.answering(message_id);
    }
    if let Some(message_id) = saying.thread_id {
        draft = draft.in_thread(message_id);
    }
    if let Some(life_ms) = saying.life_ms {
        draft = draft.expiring_in_ms(life_ms);
    }
    // It is written down; what becomes of it is told as an update.
    client.session(saying.session_id).send(draft).map(drop)
}

fn find(client: &Client, words: &str, session_id: Option<&str>) -> Result<News, Error> {
    let rooms = places(client)?;
    let found = client.search(words, FOUND_MAX)?;
    let here = |message: &Message| session_id.is_none_or(|id| id == message.session_id);
    let row = |message: Message| {
        let place = rooms.iter().find(|place| place.session_id == message.session_id);
        let place = place.map(Place::name).unwrap_or_default();
        let day = message.sent_at.get(..10).unwrap_or_default();
        let text = format!("{day} {place}: {}", message.body.replace('\n', " "));
        let (session_id, number) = (message.session_id, message.number);
        Row::new(text, Go::Message { session_id, number, message_id: message.id })
    };
    let rows = found.into_iter().filter(here).map(row).collect();
    Ok(News::Panel(Panel::new(format!("found: {words}"), rows, "nothing of what is kept here")))
}

fn around(client: &Client, session_id: String, number: i64) -> Result<News, Error> {
    let messages = client.session(&session_id).timeline(Some(number + rows(PAGE / 2)), PAGE)?;
    let behind = is_behind(client, &session_id, messages.last())?;
    Ok(News::Shown { session_id, messages, behind })
}

/// Whether something later is kept than this.
fn is_behind(client: &Client, session_id: &str, last: Option<&Message>) -> Result<bool, Error> {
    let newest = client.session(session_id).timeline(None, 1)?;
    Ok(match (last, newest.last()) {
        (Some(last), Some(newest)) => last.number < newest.number,
        _ => false,
    })
}

fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn outbox(client: &Client) -> Result<News, Error> {
    let row = |(id, body, why): (String, String, Option<String>)| {
        let why = why.map_or_else(|| "waits".to_owned(), |why| format!("refused: {why}"));
        Row::new(format!("{} ({why})", body.replace('\n', " ")), Go::Unsent(id))
    };
    let rows = client.unsent()?.into_iter().map(row).collect();
    let title = "not sent yet: Enter tries again, x withdraws";
    Ok(News::Panel(Panel::new(title, rows, "everything is sent")))
}

async fn upload(client: &Client, session_id: String, path: &str) -> Result<Vec<News>, Error> {
    let path = match path.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => Path::new(path).to_owned(),
    };
    let size = tokio::fs::metadata(&path).await?.len();
    if size > FILE_BYTES_MAX {
        let most = FILE_BYTES_MAX / 1024 / 1024;
        return Ok(vec![News::Notice(format!("a file of more than {most} MiB: not from here"))]);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = tokio::fs::read(&path).await?;
    let session = client.session(session_id);
    let file = session.upload(&name, "application/octet-stream", bytes).await?;
    drop(session.send(Draft::default().with_file(file))?);
    Ok(vec![News::Notice(format!("{name} is on its way")), waiting(client)?])
}

async fn members(client: &Client, session_id: &str) -> Result<Vec<News>, Error> {
    let members = client.session(session_id).members().await?;
    let own = client.user_id();
    let encryption = client.encryption().ok();
    let ids: Vec<String> = members.iter().map(|member| member.user_id.clone()).collect();
    let changed = match &encryption {
        Some(encryption) => encryption.changed_identities(&ids).await?,
        None => Vec::new(),
    };
    let unvouched = match &encryption {
        Some(encryption) if client.session(session_id).info()?.encryption.is_some() => {
            encryption.unvouched(session_id).await?
        }
        _ => Vec::new(),
    };
    let mut rows = Vec::new();
    for member in &members {
        let id = &member.user_id;
        let (word, go) = match &encryption {
            _ if *id == own => ("you", Go::Nowhere),
            Some(_) if changed.contains(id) => ("NEW IDENTITY", Go::Trust(id.clone())),
            Some(_) if unvouched.contains(id) => {
                let (session_id, whom) = (session_id.to_owned(), member.username.clone());
                ("NOT LET IN", Go::LetIn { session_id, whom })
            }
            Some(known) if known.is_verified(id).await? => ("verified", Go::Person(id.clone())),
            Some(_) => ("not verified", Go::Verify(Some(id.clone()))),
            None => ("", Go::Person(id.clone())),
        };
        let text = format!("{} (@{}) {} {word}", member.name, member.username, member.role);
        rows.push(Row::new(text.trim_end(), go));
    }
    let panel = Panel::new("who is here", rows, "nobody");
    Ok(vec![News::Names(members), News::Panel(panel)])
}

/// Lets in whoever goes by this handle or, if it is one person, by this name, of those whom nobody
/// has let in: whom the server puts there may be called like somebody else.
async fn let_in(client: &Client, session_id: String, whom: &str) -> Result<Vec<News>, Error> {
    let (session, encryption) = (client.session(&session_id), client.encryption()?);
    let mut people = session.members().await?;
    let unvouched = encryption.unvouched(&session_id).await?;
    people.retain(|person| unvouched.contains(&person.user_id));
    let by_handle = people.iter().filter(|person| person.username == whom);
    let by_name = people.iter().filter(|person| person.name.eq_ignore_ascii_case(whom));
    let found: Vec<_> = by_handle.chain(by_name).collect();
    let id = match found[..] {
        [one, ..] if one.username == whom => &one.user_id,
        [one] => &one.user_id,
        [] => return told(format!("nobody called {whom} has to be let in here")),
        _ => return told(format!("several are called {whom}: name one by the handle")),
    };
    encryption.let_in(&session_id, id).await?;
    let shield = shield::look(client, &session_id).await?;
    let notice = format!("{whom} is let in, and reads what is said from now on");
    Ok(vec![News::Shield(session_id, shield), News::Notice(notice)])
}

fn told(text: String) -> Result<Vec<News>, Error> {
    Ok(vec![News::Notice(text)])
}

async fn devices(client: &Client) -> Result<News, Error> {
    let encryption = client.encryption()?;
    let (own, this) = (client.user_id(), client.device_id());
    let row = |device: parlor_sdk::DeviceInfo| {
        let here = if device.device_id == this { ", this one" } else { "" };
        let signed = if device.signed { "verified" } else { "NOT verified" };
        let name = device.name.unwrap_or_else(|| "a device".to_owned());
        let text = format!("{name}: {signed}{here}; key {}", device.fingerprint);
        let other = !device.signed && here.is_empty();
        Row::new(text, if other { Go::Verify(None) } else { Go::Nowhere })
    };
    let rows = encryption.devices(&own).await?.into_iter().map(row).collect();
    Ok(News::Panel(Panel::new("your devices", rows, "none has keys")))
}

async fn make(client: &Client, making: Making) -> Result<Vec<News>, Error> {
    let session_id = match making {
        Making::Room { name, people, encryption } => {
            let people = ids(client, &people).await?;
            client.create_room(&name, "private", &people, encryption).await?.main_session_id
        }
        Making::Direct(id) => direct(client, id).await?,
        Making::DirectTo(handle) => {
            let mut people = ids(client, &[handle]).await?;
            direct(client, people.remove(0)).await?
        }
        Making::Session { beside, name, people, encryption } => {
            let room_id = client.session(beside).info()?.room_id;
            let people = ids(client, &people).await?;
            client.create_session(&room_id, &name, &people, encryption).await?.id
        }
        Making::Invite { beside, people } => {
            let people = ids(client, &people).await?;
            client.session(&beside).add_members(&people).await?;
            return opened(client, beside).await;
        }
    };
    Ok(vec![News::Places(places(client)?), News::GoTo(session_id)])
}

/// A direct room: only its two people read it, where that can be.
async fn direct(client: &Client, id: String) -> Result<String, Error> {
    let encryption = client.encryption().is_ok().then(Settings::default);
    Ok(client.create_room("", "direct", &[id], encryption).await?.main_session_id)
}

/// The ids of people who are named by their handles.
async fn ids(client: &Client, handles: &[String]) -> Result<Vec<String>, Error> {
    let mut ids = Vec::with_capacity(handles.len());
    for handle in handles {
        let query: String =
            handle.chars().filter(|sign| sign.is_alphanumeric() || "_.-".contains(*sign)).collect();
        let found = client.request("GET", &format!("/users?query={query}"), None).await?;
        let mut people = found["users"].as_array().into_iter().flatten();
        let person = people.find(|person| person["username"] == handle.as_str());
        let id = person.and_then(|person| person["id"].as_str());
        ids.push(id.ok_or(Error::NotFound)?.to_owned());
    }
    Ok(ids)
}

async fn make_recovery(client: &Client) -> Result<Vec<News>, Error> {
    let key = client.encryption()?.set_up_recovery().await?;
    let lines = [
        "Write this down and keep it where only you find it.".to_owned(),
        "It is shown once, and opens your messages on a new device:".to_owned(),
        String::new(),
        key.text(),
    ];
    let rows = lines.into_iter().map(Row::told).collect();
    Ok(vec![News::Panel(Panel::new("your recovery key", rows, ""))])
}

async fn recover(client: &Client, key: &str) -> Result<Vec<News>, Error> {
    let encryption = client.encryption()?;
    encryption.recover(key).await?;
    let standing = encryption.standing().await?;
    Ok(vec![News::Standing(standing), News::Notice("this device is restored".to_owned())])
}

async fn settings(client: &Client) -> Result<News, Error> {
    let mut rows = vec![
        Row::told(format!("signed in as {}", client.username())),
        Row::told(format!("device {}", client.device_id())),
    ];
    match client.encryption() {
        Ok(encryption) => {
            let standing = encryption.standing().await?;
            rows.push(Row::told(format!("its key {}", encryption.fingerprint())));
            let signed = if standing.device_signed { "verified" } else { "NOT verified" };
            rows.push(Row::told(format!("this device is {signed}")));
            let backup = if standing.backup { "go into your backup" } else { "are in no backup" };
            rows.push(Row::told(format!("keys {backup}")));
        }
        Err(_) => rows.push(Row::told("no encryption here: encrypted sessions stay closed")),
    }
    for (text, command) in
        [("your devices", "devices"), ("make a recovery key", "recovery"), ("sign out", "sign-out")]
    {
        rows.push(Row::new(format!("> {text}"), Go::Command(command)));
    }
    Ok(News::Panel(Panel::new("settings", rows, "")))
}
