//! The objects of Chat Room API: U, a user; G, a group; M, a message.

use std::collections::HashMap;
use std::sync::Arc;

use parlor_app::{App, Error};
use parlor_domain::{Card, Message, Person, Placed, RoomId, Time, UserId};
use parlor_doors::facade;
use parlor_wire::time::rfc3339;
use parlor_wire::v1;
use serde_json::{Value, json};

/// A moment: ISO 8601 with microseconds.
pub(crate) fn moment(time: Time) -> String {
    // COMPAT(groups): it writes UTC as an offset.
    rfc3339(time.0).replace('Z', "+00:00")
}

/// U.
pub(crate) fn user(person: &Person) -> Value {
    json!({
        "uuid": person.user.id.to_string(),
        "name": person.user.name,
        "created_date": moment(person.user.created_at),
        "updated_at": moment(person.changed_at),
    })
}

/// G. The session's small id is for whoever goes on by another system's paths.
pub(crate) fn group(card: &Card) -> Value {
    json!({
        "uuid": card.room.id.to_string(),
        "created_date": moment(card.room.created_at),
        "updated_at": moment(card.changed_at),
        "session_id": card.session_no,
    })
}

/// What M is made of.
pub(crate) struct Said<'a> {
    /// The small id.
    pub(crate) no: i64,
    /// The text.
    pub(crate) content: &'a str,
    /// Where a file that goes with it is.
    pub(crate) file: Option<&'a str>,
    /// The group.
    pub(crate) group: RoomId,
    /// Who said it.
    pub(crate) sender: String,
    /// What they are called.
    pub(crate) name: &'a str,
    /// When.
    pub(crate) sent_at: Time,
    /// When it was last reworded.
    pub(crate) edited_at: Option<Time>,
}

impl<'a> Said<'a> {
    /// Of a message that was read.
    pub(crate) fn of(message: &'a Message, group: RoomId, name: &'a str) -> Self {
        Self {
            no: message.no,
            content: facade::read(message),
            file: message.file.as_deref(),
            group,
            sender: message.sender.to_string(),
            name,
            sent_at: message.sent_at,
            edited_at: message.edited_at,
        }
    }

    /// Of a message that was told.
    pub(crate) fn told(message: &'a v1::Message, group: RoomId, name: &'a str) -> Self {
        Self {
            no: message.no,
            content: facade::told(message),
            file: message.file.as_deref(),
            group,
            sender: message.sender_id.clone(),
            name,
            sent_at: Time(message.sent_at),
            edited_at: message.edited_at.map(Time),
        }
    }

    /// M.
    pub(crate) fn object(&self) -> Value {
        json!({
            "id": self.no,
            "content": self.content,
            "file": self.file,
            "group_uuid": self.group.to_string(),
            "sender_uuid": self.sender,
            "sender_name": self.name,
            "created_date": moment(self.sent_at),
            "updated_at": moment(self.edited_at.unwrap_or(self.sent_at)),
            "is_deleted": false,
        })
    }
}

/// Messages, each as M without these keys.
pub(crate) async fn messages(
    app: &App,
    found: &[Placed],
    without: &[&str],
) -> Result<Vec<Value>, Error> {
    let people = app.several_people(found.iter().map(|placed| placed.message.sender)).await?;
    let said = found.iter().map(|placed| {
        let name = name_of(&people, placed.message.sender);
        less(Said::of(&placed.message, placed.room, name).object(), without)
    });
    Ok(said.collect())
}

/// An object without these keys.
pub(crate) fn less(mut object: Value, without: &[&str]) -> Value {
    if let Value::Object(fields) = &mut object {
        fields.retain(|name, _| !without.contains(&&**name));
    }
    object
}

fn name_of(people: &HashMap<UserId, Arc<Person>>, user: UserId) -> &str {
    people.get(&user).map_or("", |person| &person.user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_microseconds_and_an_offset() {
        assert_eq!(moment(Time(1_700_000_000_123_456)), "2023-11-14T22:13:20.123456+00:00");
    }
}
