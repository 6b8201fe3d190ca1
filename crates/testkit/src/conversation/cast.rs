//! Who takes part in a conversation, and what they have made so far: names of the script to ids.

use std::collections::BTreeMap;

use parlor_wire::command::Codec;
use parlor_wire::v1;

use super::Door;
use super::ear::Ear;
use super::script::{Line, Token};
use crate::{Person, Refused, TestServer, person};

use Token::{Text as T, Word as W};

/// Somebody on the stage.
pub(super) struct Actor {
    pub(super) person: Person,
    pub(super) ear: Ear,
}

/// What was said: enough to speak of it again.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) id: String,
    pub(super) session: String,
    pub(super) client_id: String,
    pub(super) number: i64,
    pub(super) reply_to: Option<String>,
    pub(super) thread_id: Option<String>,
    pub(super) forward: Option<String>,
}

/// A conversation in progress.
pub(super) struct Cast<'a> {
    pub(super) server: &'a TestServer,
    pub(super) door: Door,
    actors: BTreeMap<String, Actor>,
    pub(super) rooms: BTreeMap<String, v1::Room>,
    pub(super) sessions: BTreeMap<String, String>,
    pub(super) said: BTreeMap<String, Said>,
}

impl<'a> Cast<'a> {
    pub(super) fn new(server: &'a TestServer, door: Door) -> Self {
        Self {
            server,
            door,
            actors: BTreeMap::new(),
            rooms: BTreeMap::new(),
            sessions: BTreeMap::new(),
            said: BTreeMap::new(),
        }
    }

    /// Does what a line says.
    pub(super) async fn perform(&mut self, line: &Line) {
        let tokens = line.tokens();
        match &tokens[..] {
            [W("door" | "doors" | "limit" | "limits"), ..] => {}
            [W("people"), ..] => self.enter(&line.text).await,
            [W(who), W("cannot"), rest @ .., W(":"), W(code)] => {
                let done = self.act(who, rest).await;
                let refused = done.expect_err("it was to be refused");
                assert_eq!(refused.code, *code, "{who} is refused otherwise");
            }
            [W(who), W("does"), W("not"), W("hear"), rest @ ..] => {
                self.does_not_hear(who, rest).await;
            }
            [W(who), W("does"), W("not"), W("find"), T(room)] => {
                assert!(!self.finds(who, room).await, "{who} finds {room}");
            }
            [W(who), W("hear"), rest @ ..] => self.hears(who, rest).await,
            [W(who), rest @ ..] => {
                if let Err(refused) = self.act(who, rest).await {
                    panic!("line {}: {who} is refused: {refused:?}", line.number);
                }
            }
            _ => panic!("line {} says nothing: {}", line.number, line.text),
        }
    }

    /// Acts, or checks; whoever is in another session afterwards hears it from then on.
    async fn act(&mut self, who: &str, rest: &[Token<'_>]) -> Result<(), Refused> {
        if self.checks(who, rest).await? {
            return Ok(());
        }
        let moved = self.acts(who, rest).await?;
        if moved {
            for actor in self.actors.values_mut() {
                actor.ear.follow(&actor.person).await;
            }
        }
        Ok(())
    }

    async fn enter(&mut self, line: &str) {
        let mut people = Vec::new();
        for name in line.split_whitespace().skip(1) {
            people.push((name, self.server.person(name).await));
        }
        // They listen when everybody is there: it begins with silence.
        for (name, person) in people {
            self.add(name, person).await;
        }
    }

    pub(super) async fn add(&mut self, name: &str, mut person: Person) {
        if self.door == Door::RestProtobuf {
            person.speak(Codec::Proto);
        }
        let mut ear = Ear::new(self.door);
        ear.open(&person).await;
        self.actors.insert(name.to_owned(), Actor { person, ear });
    }

    /// Another sign-in of somebody.
    pub(super) async fn add_device(&mut self, of: &str, name: &str) {
        let username = self.person(of).username.clone();
        let contract = self.server.contract().await;
        let address = self.server.address();
        let person = Person::sign_in(address, &username, person::PASSWORD, Some(contract)).await;
        self.add(name, person).await;
    }

    pub(super) async fn go_home(self) {
        for actor in self.actors.into_values() {
            actor.ear.close().await;
        }
    }

    pub(super) fn actor(&mut self, who: &str) -> &mut Actor {
        let actor = self.actors.get_mut(who);
        actor.unwrap_or_else(|| panic!("nobody is called {who}"))
    }

    pub(super) fn person(&self, who: &str) -> &Person {
        let actor = self.actors.get(who).unwrap_or_else(|| panic!("nobody is called {who}"));
        &actor.person
    }

    pub(super) fn ids(&self, people: &[Token<'_>]) -> Vec<String> {
        let id = |token: &Token<'_>| match token {
            W(who) => self.person(who).id.clone(),
            T(text) => panic!("{text:?} is nobody"),
        };
        people.iter().map(id).collect()
    }

    pub(super) fn room(&self, name: &str) -> &v1::Room {
        self.rooms.get(name).unwrap_or_else(|| panic!("no room is called {name}"))
    }

    /// A session of this name, or the main session of the room of this name.
    pub(super) fn place(&self, name: &str) -> String {
        match self.sessions.get(name) {
            Some(session) => session.clone(),
            None => self.room(name).main_session_id.clone(),
        }
    }

    pub(super) fn message(&self, content: &str) -> Said {
        let said = self.said.get(content).cloned();
        said.unwrap_or_else(|| panic!("nobody said {content:?}"))
    }
}
