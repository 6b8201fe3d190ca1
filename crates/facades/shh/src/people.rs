//! People as this system shows them.

use parlor_app::{Actor, App, Error};
use parlor_domain::{Person, Time};
use parlor_wire::time::rfc3339;
use serde_json::{Value, json};

/// Somebody, as others or they themselves see them.
pub(crate) struct Shown {
    pub(crate) no: i64,
    pub(crate) email: String,
    pub(crate) username: String,
}

impl Shown {
    /// Somebody else; `known` where they share a room with whoever looks.
    pub(crate) fn of(app: &App, person: &Person, known: bool) -> Self {
        let email = app.address_of(person, known);
        Self { no: person.user.no, email, username: person.user.name.clone() }
    }

    /// The actor, who sees their own address.
    pub(crate) async fn myself(app: &App, actor: &Actor) -> Result<Self, Error> {
        let profile = app.profile(actor).await?;
        let email = match profile.email {
            Some(email) => email,
            None => app.address_of(&*app.person(actor.user).await?, true),
        };
        Ok(Self { no: profile.user.no, email, username: profile.user.name })
    }

    /// As accounts show them.
    pub(crate) fn by_number(&self) -> Value {
        json!({"id": self.no, "email": self.email, "username": self.username})
    }

    /// As rooms show them. COMPAT(shh): there an id is a text.
    pub(crate) fn by_text(&self) -> Value {
        json!({"id": self.no.to_string(), "email": self.email, "username": self.username})
    }
}

/// A moment in this system's form.
pub(crate) fn iso(time: Time) -> String {
    rfc3339(time.0).replace('Z', "+00:00")
}
