//! People by the names that other systems have for them, and the address that is theirs there.

use std::collections::HashMap;
use std::sync::Arc;

use parlor_domain::{Denied, Person, RoomId, Time, UserId};

use crate::{Actor, App, Error};

impl App {
    /// Somebody, as façades show them; a deleted account without a name.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn person(&self, user: UserId) -> Result<Arc<Person>, Error> {
        if let Some(person) = self.people.get(user) {
            return Ok(person);
        }
        let found = self.read_people(vec![user]).await?.pop();
        Ok(found.ok_or(Denied::NotFound)?)
    }

    /// Somebody, unless the account is deleted.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn living(&self, user: UserId) -> Result<Person, Error> {
        let person = self.person(user).await?;
        Ok(self.store.person_by_no(person.user.no).await?.ok_or(Denied::NotFound)?)
    }

    /// Rooms that the actor shares with somebody (all of one's own, for oneself), and since when
    /// that person is in each, in the order in which they came in.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn rooms_shared_with(
        &self,
        actor: &Actor,
        user: UserId,
    ) -> Result<Vec<(RoomId, Time)>, Error> {
        Ok(self.store.rooms_shared(actor.user, user).await?)
    }

    /// Several people, by their ids; who is unknown is missing.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn several_people(
        &self,
        users: impl IntoIterator<Item = UserId> + Send,
    ) -> Result<HashMap<UserId, Arc<Person>>, Error> {
        let (mut known, mut unknown) = (HashMap::new(), Vec::new());
        for user in users {
            match self.people.get(user) {
                Some(person) => _ = known.insert(user, person),
                None if unknown.contains(&user) => {}
                None => unknown.push(user),
            }
        }
        if !unknown.is_empty() {
            let read = self.read_people(unknown).await?;
            known.extend(read.into_iter().map(|person| (person.user.id, person)));
        }
        Ok(known)
    }

    async fn read_people(&self, users: Vec<UserId>) -> Result<Vec<Arc<Person>>, Error> {
        let before = self.people.before();
        let read: Vec<_> = self.store.people(users).await?.into_iter().map(Arc::new).collect();
        read.iter().for_each(|person| self.people.put(person, before));
        Ok(read)
    }

    /// The person with this small id.
    ///
    /// # Errors
    /// [`Denied::NotFound`].
    pub async fn person_by_no(&self, _actor: &Actor, no: i64) -> Result<Person, Error> {
        Ok(self.store.person_by_no(no).await?.ok_or(Denied::NotFound)?)
    }

    /// Everybody, in the order in which they came: no more than a façade answers whole.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn everybody(&self, _actor: &Actor) -> Result<Vec<Person>, Error> {
        Ok(self.store.everybody(self.limits.facade_rows_max).await?)
    }

    /// Who shares a room other than the lobby with the actor, whom they therefore know.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn acquaintances(&self, actor: &Actor) -> Result<Vec<UserId>, Error> {
        Ok(self.store.acquaintances(actor.user).await?)
    }

    /// Whether the actor shares a room other than the lobby with somebody, or is that somebody.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn knows(&self, actor: &Actor, user: UserId) -> Result<bool, Error> {
        Ok(actor.user == user || self.store.are_acquainted(actor.user, user).await?)
    }

    /// The mail address that others see of somebody: the real one where they are `known`, that is
    /// in a room other than the lobby, and they let it be seen; otherwise one that takes no mail
    /// and is always the same.
    pub fn address_of(&self, person: &Person, known: bool) -> String {
        match person.email.as_ref().filter(|_| known) {
            Some(email) => email.clone(),
            None => format!("{}@users.noreply.{}", person.user.username, self.host()),
        }
    }

    /// The host of the public URL.
    fn host(&self) -> &str {
        let url = &self.settings.public_url;
        let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let port = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        &authority[..port.unwrap_or(authority.len())]
    }
}
