//! What Rei's clients send, read in its own order, and what is said of values that are not in
//! order.

use axum::extract::Request;
use parlor_doors::Doors;
use parlor_doors::facade::body;
use parlor_doors::facade::fastapi::{self, Fault, Pydantic};
use serde_json::{Map, Value, json};

use crate::error::Refused;

pub(crate) const EMAIL: &str = "Invalid email";
pub(crate) const PASSWORD: &str = "Password must be between 8 and 32 characters";
pub(crate) const USERNAME: &str = "Username must be between 3 and 32 characters";
pub(crate) const USERNAME_CHARS: &str = "Username must be alphanumeric";
pub(crate) const NAME: &str = "Name cannot be empty";
pub(crate) const WRONG_PASSWORD: &str = "Invalid password";
// COMPAT(rei): the text says 16, and 32 is what it allows.
const ROOM_ID: &str = "Room ID must be between 3 and 16 characters";
const ROOM_ID_CHARS: &str = "Room ID must be alphanumeric";

/// A body, which is one JSON object.
pub(crate) struct Form(Map<String, Value>);

impl Form {
    /// Reads it.
    pub(crate) async fn read(doors: &Doors, request: Request) -> Result<Self, Refused> {
        let bytes = body(doors, request).await?;
        Ok(Self(fastapi::object(Pydantic::Two, &bytes)?))
    }

    /// Texts that must be there.
    pub(crate) fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], Refused> {
        Ok(fastapi::texts(Pydantic::Two, &self.0, names)?)
    }

    /// A text that may be absent or null.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<String>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => {
                let place = vec![json!("body"), json!(name)];
                Err(Refused::faulty(Fault::NotText(place, other.clone())))
            }
        }
    }
}

/// Checks a mail address: one label, a dot, and whatever follows.
pub(crate) fn email(text: &str) -> Result<(), Refused> {
    let local = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    let label = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let good = text.split_once('@').is_some_and(|(mailbox, host)| {
        let (first, rest) = host.split_once('.').unwrap_or_default();
        let full = |part: &str, of: &dyn Fn(char) -> bool| !part.is_empty() && part.chars().all(of);
        full(mailbox, &local) && full(first, &label) && full(rest, &|c| label(c) || c == '.')
    });
    if good { Ok(()) } else { Err(Refused::bad(EMAIL)) }
}

/// Checks a new password.
pub(crate) fn password(text: &str) -> Result<(), Refused> {
    let good = (8..=32).contains(&text.chars().count());
    if good { Ok(()) } else { Err(Refused::bad(PASSWORD)) }
}

/// Checks what somebody wants to be called.
pub(crate) fn username(text: &str) -> Result<(), Refused> {
    if !(3..=32).contains(&text.chars().count()) {
        return Err(Refused::bad(USERNAME));
    }
    let good = text.chars().all(char::is_alphanumeric);
    if good { Ok(()) } else { Err(Refused::bad(USERNAME_CHARS)) }
}

/// Checks a room's id: what is wrong with it is said before anything else is.
pub(crate) fn room_id(text: &str) -> Result<(), Refused> {
    match parlor_domain::name::slug(text) {
        Ok(()) => Ok(()),
        Err(parlor_domain::Denied::Invalid { .. }) => {
            let fits = (3..=32).contains(&text.chars().count());
            Err(Refused::bad(if fits { ROOM_ID_CHARS } else { ROOM_ID }))
        }
        Err(denied) => Err(Refused::App(denied.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_mailbox_a_label_and_a_dot() {
        for good in ["a@b.c", "user.name+tag@my-host.example.org", "A_1@b.c-d"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "@b.c", "a@b", "a@.c", "a@b.", "a b@c.d", "a@b_c.d", "a@b@c.d", "ä@b.c"]
        {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
