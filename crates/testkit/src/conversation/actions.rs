//! What people do. Each is one call of the API, through the conversation's door where the door has
//! a word for it, and by REST where not.

use parlor_wire::command::Command;
use parlor_wire::v1;

use super::cast::{Cast, Said};
use super::script::Token;
use crate::person::{PASSWORD, fresh_id};
use crate::{Refused, soon};

use Token::{Text as T, Word as W};

type Done = Result<bool, Refused>;

impl Cast<'_> {
    /// Does it; true when somebody may be in other sessions than before.
    pub(super) async fn acts(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        match rest {
            [W("make"), W(kind), W("room"), T(name), rest @ ..] => {
                self.make_room(who, kind, name, rest).await
            }
            [W("open" | "session" | "end" | "add" | "remove"), ..] => self.session(who, rest).await,
            [W("say" | "reply" | "edit" | "delete" | "repeat" | "forward"), T(_), ..] => {
                self.speak(who, rest).await.map(|()| false)
            }
            [W("react" | "unreact" | "pin" | "unpin" | "follow" | "unfollow" | "draft"), ..]
            | [W("read"), W("the"), ..] => self.deal(who, rest).await.map(|()| false),
            [W("read" | "type"), ..] => self.murmur(who, rest).await.map(|()| false),
            [W("take" | "set" | "hide" | "show"), ..] => self.profile(who, rest).await,
            [W("sign" | "change" | "go" | "come" | "forget"), ..] => self.login(who, rest).await,
            _ => self.keep_order(who, rest).await,
        }
    }

    async fn make_room(&mut self, who: &str, kind: &str, name: &str, rest: &[Token<'_>]) -> Done {
        let (password, people) = match rest {
            [W("with"), W("password"), T(password), rest @ ..] => (Some(*password), rest),
            [W("with"), people @ ..] => (None, people),
            people => (None, people),
        };
        let asked = v1::CreateRoomRequest {
            name: name.to_owned(),
            kind: Some(kind.to_owned()),
            password: password.map(str::to_owned),
            members: self.ids(people),
            ..v1::CreateRoomRequest::default()
        };
        let room = self.person(who).make_room(&asked).await?;
        self.rooms.insert(name.to_owned(), room);
        Ok(true)
    }

    async fn session(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        match rest {
            [W("open"), W("session"), T(name), W("in"), T(room), rest @ ..] => {
                let people = rest.strip_prefix(&[W("with")]).unwrap_or(rest);
                let asked = v1::CreateSessionRequest {
                    name: (*name).to_owned(),
                    members: self.ids(people),
                    ..v1::CreateSessionRequest::default()
                };
                let path = format!("/rooms/{}/sessions", self.room(room).id);
                let call = self.person(who).call("POST", &path, Some(&asked));
                let session: v1::Session = call.await?;
                self.sessions.insert((*name).to_owned(), session.id);
            }
            [W("end"), T(name)] => {
                let path = format!("/sessions/{}", self.place(name));
                self.person(who).done("DELETE", &path).await?;
            }
            [W("add"), people @ .., W("to"), T(name)] => {
                let asked = v1::AddMembersRequest { users: self.ids(people) };
                let path = match self.sessions.get(*name) {
                    Some(session) => format!("/sessions/{session}/members"),
                    None => format!("/rooms/{}/members", self.room(name).id),
                };
                if self.sessions.contains_key(*name) {
                    let call = self.person(who).call("POST", &path, Some(&asked));
                    let _: v1::Session = call.await?;
                } else {
                    let call = self.person(who).call("POST", &path, Some(&asked));
                    let _: v1::Room = call.await?;
                }
            }
            [W("remove"), W(whom), W("from"), T(name)] => {
                let path = format!("/sessions/{}/members/{}", self.place(name), self.id(whom));
                self.person(who).done("DELETE", &path).await?;
            }
            _ => panic!("nobody does {rest:?}"),
        }
        Ok(true)
    }

    fn id(&self, who: &str) -> String {
        self.person(who).id.clone()
    }

    /// What happens to a room and the people in it.
    async fn keep_order(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        let (method, path) = match rest {
            [W("join"), T(room), rest @ ..] => return self.join(who, room, rest).await,
            [W("leave"), T(name)] => match self.sessions.get(*name) {
                Some(session) => {
                    ("DELETE", format!("/sessions/{session}/members/{}", self.id(who)))
                }
                None => ("POST", format!("/rooms/{}/leave", self.room(name).id)),
            },
            [W("kick"), W(whom), W("from"), T(room)] => {
                ("DELETE", format!("/rooms/{}/members/{}", self.room(room).id, self.id(whom)))
            }
            [W("ban"), W(whom), W("from"), T(room)] => {
                ("PUT", format!("/rooms/{}/bans/{}", self.room(room).id, self.id(whom)))
            }
            [W("unban"), W(whom), W("from"), T(room)] => {
                ("DELETE", format!("/rooms/{}/bans/{}", self.room(room).id, self.id(whom)))
            }
            [W("delete"), W("room"), T(room)] => {
                ("DELETE", format!("/rooms/{}", self.room(room).id))
            }
            [W("make"), W(whom), W(role), W("of"), T(room)] => {
                return self.give_role(who, whom, role, room).await;
            }
            _ => return self.settings(who, rest).await,
        };
        self.person(who).done(method, &path).await?;
        Ok(true)
    }

    async fn join(&mut self, who: &str, room: &str, rest: &[Token<'_>]) -> Done {
        let password = match rest {
            [W("with"), W("password"), T(password)] => Some((*password).to_owned()),
            _ => None,
        };
        let path = format!("/rooms/{}/join", self.room(room).id);
        let asked = v1::JoinRoomRequest { password };
        let _: v1::Room = self.person(who).call("POST", &path, Some(&asked)).await?;
        Ok(true)
    }

    async fn give_role(&self, who: &str, whom: &str, role: &str, room: &str) -> Done {
        let path = format!("/rooms/{}/members/{}", self.room(room).id, self.id(whom));
        let asked = v1::PatchMemberRequest { role: role.to_owned() };
        let _: v1::Ping = self.person(who).call("PATCH", &path, Some(&asked)).await?;
        Ok(false)
    }

    async fn settings(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        let none = v1::PatchRoomRequest::default();
        let text = |text: &str| Some(text.to_owned());
        let (name, asked) = match rest {
            [W("rename"), T(name), W("to"), T(to)] if self.sessions.contains_key(*name) => {
                return self.rename_session(who, name, to).await;
            }
            [W("rename"), T(name), W("to"), T(to)] => {
                (name, v1::PatchRoomRequest { name: text(to), ..none })
            }
            [W("describe"), T(name), W("as"), T(to)] => {
                (name, v1::PatchRoomRequest { description: text(to), ..none })
            }
            [W("lock"), T(name), W("with"), T(password)] => {
                (name, v1::PatchRoomRequest { password: text(password), ..none })
            }
            [W("turn"), T(name), W(kind)] => {
                (name, v1::PatchRoomRequest { kind: text(kind), ..none })
            }
            [W("archive"), T(name)] => {
                (name, v1::PatchRoomRequest { archived: Some(true), ..none })
            }
            [W("reopen"), T(name)] => {
                (name, v1::PatchRoomRequest { archived: Some(false), ..none })
            }
            _ => panic!("nobody does {rest:?}"),
        };
        let path = format!("/rooms/{}", self.room(name).id);
        let room: v1::Room = self.person(who).call("PATCH", &path, Some(&asked)).await?;
        if let [W("rename"), .., T(to)] = rest {
            self.rooms.insert((*to).to_owned(), room);
        }
        Ok(false)
    }

    async fn rename_session(&mut self, who: &str, name: &str, to: &str) -> Done {
        let session = self.place(name);
        let path = format!("/sessions/{session}");
        let asked = v1::PatchSessionRequest {
            name: Some(to.to_owned()),
            ..v1::PatchSessionRequest::default()
        };
        let _: v1::Session = self.person(who).call("PATCH", &path, Some(&asked)).await?;
        self.sessions.insert(to.to_owned(), session);
        Ok(false)
    }

    async fn profile(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        let none = v1::PatchMeRequest::default();
        let text = |text: &str| Some(text.to_owned());
        let asked = match rest {
            [W("take"), W("the"), W("name"), T(name)] => {
                v1::PatchMeRequest { name: text(name), ..none }
            }
            [W("take"), W("the"), W("handle"), T(name)] => {
                v1::PatchMeRequest { username: text(name), ..none }
            }
            [W("set"), W("status"), T(status)] => {
                v1::PatchMeRequest { status: text(status), ..none }
            }
            [W("hide"), W("presence")] => {
                v1::PatchMeRequest { show_last_seen: Some(false), ..none }
            }
            [W("show"), W("presence")] => v1::PatchMeRequest { show_last_seen: Some(true), ..none },
            _ => panic!("nobody does {rest:?}"),
        };
        let _: v1::Me = self.person(who).call("PATCH", "/me", Some(&asked)).await?;
        Ok(false)
    }

    async fn login(&mut self, who: &str, rest: &[Token<'_>]) -> Done {
        match rest {
            [W("forget"), ..] => self.actor(who).ear.inbox.clear(),
            [W("go"), W("offline")] => self.actor(who).ear.hang_up().await,
            [W("come"), W("back")] => {
                let actor = self.actor(who);
                actor.ear.resume(&actor.person).await?;
            }
            [W("come"), W("back"), W("at"), W(seq), W("in"), T(place)] => {
                let session = self.place(place);
                let seq = seq.parse().expect("events are numbered");
                let actor = self.actor(who);
                actor.ear.resume_at(&actor.person, &session, seq).await?;
            }
            [W("sign"), W("in"), W("as"), W(name)] => self.add_device(who, name).await,
            [W("sign"), W("out")] => self.person(who).done("POST", "/auth/logout").await?,
            [W("sign"), W("out"), W("everywhere")] => {
                self.person(who).done("POST", "/auth/logout-all").await?;
            }
            [W("sign"), W("out"), W(device)] => {
                let path = format!("/me/devices/{}", self.person(device).device);
                self.person(who).done("DELETE", &path).await?;
            }
            [W("change"), W("the"), W("password"), W("to"), T(new)] => {
                let asked =
                    v1::ChangePasswordRequest { old: PASSWORD.to_owned(), new: (*new).to_owned() };
                let call = self.person(who).call("POST", "/me/password", Some(&asked));
                let _: v1::Ping = call.await?;
            }
            _ => panic!("nobody does {rest:?}"),
        }
        Ok(false)
    }

    async fn speak(&mut self, who: &str, rest: &[Token<'_>]) -> Result<(), Refused> {
        match rest {
            [W("say"), T(content), W("in"), T(place)] => {
                let session = self.place(place);
                self.say(who, content, fresh(session, None)).await
            }
            [W("reply"), T(content), W("to"), T(to)] => {
                let to = self.message(to);
                self.say(who, content, fresh(to.session, Some(to.id))).await
            }
            [W("say"), T(content), W("under"), T(root)] => {
                let root = self.message(root);
                let thread_id = Some(root.id);
                self.say(who, content, Said { thread_id, ..fresh(root.session, None) }).await
            }
            [W("forward"), T(content), W("to"), T(place)] => {
                let forward = Some(self.message(content).id);
                let said = fresh(self.place(place), None);
                let as_said = Said { forward, ..said };
                let first = self.said.get(*content).cloned();
                let done = self.say(who, content, as_said).await;
                // Whoever speaks of it means what was said first.
                self.said.extend(first.map(|first| ((*content).to_owned(), first)));
                done
            }
            [W("repeat"), T(content)] => {
                let first = self.message(content);
                self.say(who, content, first.clone()).await?;
                let again = self.message(content);
                assert_eq!((again.id, again.number), (first.id, first.number), "said twice");
                Ok(())
            }
            [W("say"), T(content), W("with"), W("the"), W("id"), W("of"), T(other)] => {
                let first = self.message(other);
                self.say(who, content, first).await
            }
            [W("edit"), T(content), W("to"), T(to)] => self.edit(who, content, to).await,
            [W("delete"), T(content)] => {
                let message_id = self.message(content).id;
                let path = format!("/messages/{message_id}");
                let command = |r#ref| Command::Delete(v1::Delete { r#ref, message_id });
                match self.ask(who, command).await {
                    Some(answer) => answer.map(drop),
                    None => self.person(who).done("DELETE", &path).await,
                }
            }
            _ => panic!("nobody does {rest:?}"),
        }
    }

    async fn say(&mut self, who: &str, content: &str, as_said: Said) -> Result<(), Refused> {
        let Said { session, client_id, reply_to, thread_id, forward, .. } = as_said.clone();
        // What is passed on has no words of its own, and is spoken of by those of the other.
        let words = if forward.is_some() { "" } else { content };
        let content_ = words.to_owned();
        let asked = v1::SendRequest {
            client_id: client_id.clone(),
            content: words.to_owned(),
            reply_to: reply_to.clone(),
            thread_id: thread_id.clone(),
            forward: forward.clone(),
            files: vec![],
            ..v1::SendRequest::default()
        };
        let path = format!("/sessions/{session}/messages");
        let command = |r#ref| {
            Command::Send(v1::Send {
                r#ref,
                session_id: session,
                client_id,
                content: content_,
                reply_to,
                thread_id,
                forward,
                files: vec![],
                ..v1::Send::default()
            })
        };
        let (id, number) = match self.ask(who, command).await {
            Some(ok) => {
                let ok = ok?;
                (ok.message_id.unwrap_or_default(), ok.number.unwrap_or_default())
            }
            None => {
                let call = self.person(who).call("POST", &path, Some(&asked));
                let message: v1::Message = call.await?;
                (message.id, message.number)
            }
        };
        self.said.insert(content.to_owned(), Said { id, number, ..as_said });
        Ok(())
    }

    async fn edit(&mut self, who: &str, content: &str, to: &str) -> Result<(), Refused> {
        let said = self.message(content);
        let (message_id, content) = (said.id.clone(), to.to_owned());
        let path = format!("/messages/{message_id}");
        let asked = v1::EditRequest { content: content.clone(), ..v1::EditRequest::default() };
        let command =
            |r#ref| Command::Edit(v1::Edit { r#ref, message_id, content, ..v1::Edit::default() });
        match self.ask(who, command).await {
            Some(answer) => answer.map(drop)?,
            None => {
                let call = self.person(who).call("PATCH", &path, Some(&asked));
                let _: v1::Message = call.await?;
            }
        }
        self.said.insert(to.to_owned(), said);
        Ok(())
    }

    async fn murmur(&mut self, who: &str, rest: &[Token<'_>]) -> Result<(), Refused> {
        match rest {
            [W("read"), W("up"), W("to"), W(number), W("in"), T(place)] => {
                let session_id = self.place(place);
                let number = number.parse().expect("messages are numbered");
                let path = format!("/sessions/{session_id}/read");
                let asked = v1::ReadRequest { number };
                let command = |r#ref| Command::Read(v1::Read { r#ref, session_id, number });
                match self.ask(who, command).await {
                    Some(answer) => answer.map(drop),
                    None => {
                        let call = self.person(who).call("PUT", &path, Some(&asked));
                        call.await.map(|_: v1::Ping| ())
                    }
                }
            }
            [W("type"), W("in"), T(place)] => {
                let session_id = self.place(place);
                let path = format!("/sessions/{session_id}/typing");
                let actor = self.actor(who);
                match actor.ear.socket() {
                    Some((socket, _)) => {
                        let typing = Command::Typing(v1::Typing { session_id });
                        socket.tell(typing).await.expect("the socket is open");
                        Ok(())
                    }
                    None => actor.person.done("POST", &path).await,
                }
            }
            _ => panic!("nobody does {rest:?}"),
        }
    }

    /// Asks by the person's socket, if they have one.
    async fn ask(
        &mut self,
        who: &str,
        command: impl FnOnce(i64) -> Command,
    ) -> Option<Result<v1::Ok, Refused>> {
        let actor = self.actor(who);
        let mut meanwhile = Vec::new();
        let (socket, _) = actor.ear.socket()?;
        let answer = soon("an answer", socket.ask(command, &mut meanwhile)).await;
        meanwhile.into_iter().for_each(|heard| actor.ear.hear(heard));
        Some(answer)
    }
}

fn fresh(session: String, reply_to: Option<String>) -> Said {
    Said {
        id: String::new(),
        session,
        client_id: fresh_id(),
        number: 0,
        reply_to,
        thread_id: None,
        forward: None,
    }
}
