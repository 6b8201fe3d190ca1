//! A bystander: somebody who chats while others misbehave, and notices when it harms them.

use parlor_wire::command::{Codec, Command};
use parlor_wire::frame::Frame;
use parlor_wire::v1;
use parlor_wire::v1::event::Kind;

use crate::socket::{Heard, Socket};
use crate::{Person, TestServer};

/// A bystander, with a socket that hears a room of their own.
pub struct Watch {
    person: Person,
    socket: Socket,
    session: String,
    count: u64,
}

impl Watch {
    /// Lets somebody stand by.
    ///
    /// # Panics
    /// When the server does not let them.
    pub async fn begin(server: &TestServer) -> Self {
        Self::of(server.person("bystander").await).await
    }

    /// Lets this person stand by.
    ///
    /// # Panics
    /// When the server does not let them.
    pub async fn of(person: Person) -> Self {
        let room = person.room("private", "Bench", &[]).await;
        let mut socket = Socket::open(&person, Codec::Json).await;
        let session = room.main_session_id;
        let heard = socket.subscribe(&session, None, &mut Vec::new()).await;
        heard.expect("a member may listen");
        Self { person, socket, session, count: 0 }
    }

    /// Says something, hears it, and hears nothing else.
    ///
    /// # Panics
    /// When anything is not as it should be after `what`.
    pub async fn all_is_well(&mut self, what: &str) {
        self.count += 1;
        let said = format!("all is well {}", self.count);
        let posted = self.person.say(&self.session, &said).await;
        assert!(posted.is_ok(), "after {what}: another person is refused: {posted:?}");
        let mut meanwhile = Vec::new();
        loop {
            let heard = self.socket.next().await;
            if content(&heard) == Some(&said) {
                break;
            }
            meanwhile.push(heard);
        }
        let ping = |r#ref| Command::Ping(v1::Ping { r#ref });
        let pinged = self.socket.ask(ping, &mut meanwhile).await;
        assert!(pinged.is_ok(), "after {what}: a bystander's socket fails: {pinged:?}");
        meanwhile.retain(|heard| !self.is_own_presence(heard));
        assert!(meanwhile.is_empty(), "after {what}: a bystander hears {meanwhile:?}");
    }

    /// That one is here oneself is no news.
    fn is_own_presence(&self, heard: &Heard) -> bool {
        matches!(heard, Heard::Frame(Frame::Presence(presence))
            if presence.online == [self.person.id.clone()] && presence.offline.is_empty())
    }
}

fn content(heard: &Heard) -> Option<&String> {
    match heard {
        Heard::Frame(Frame::Event(event)) => match &event.kind {
            Some(Kind::Posted(message)) => Some(&message.content),
            _ => None,
        },
        _ => None,
    }
}
