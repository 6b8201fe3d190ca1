//! What people hear, and what they must not.

use std::time::Duration;

use parlor_wire::frame::Frame;
use parlor_wire::v1::event::Kind;
use parlor_wire::v1::{self, Event};

use super::cast::Cast;
use super::ear::{Ear, Incident};
use super::script::Token;
use crate::Person;
use crate::person::fresh_id;

use Token::{Text as T, Word as W};

/// How long a login that was ended may live on at another node while Redis is there: a sign-out, in
/// `docs/operate/several-nodes.md`.
const ENDED_WITHIN: Duration = Duration::from_secs(5);

/// Between two looks whether it has ended.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Says whether an incident is the one that is waited for.
pub(super) type Wanted = Box<dyn Fn(&Incident) -> bool>;

impl Cast<'_> {
    /// Waits until somebody hears this. What else comes of the same log before is passed over.
    pub(super) async fn hears(&mut self, who: &str, what: &[Token<'_>]) {
        if let [W("nothing")] = what {
            return self.hears_nothing(who).await;
        }
        let wanted = self.wanted(what);
        let nodes = self.server.database_url().is_some();
        let actor = self.actor(who);
        if let [W("signed"), W("out")] = what
            && nodes
        {
            actor.ear.is_refused_soon(&actor.person).await;
        }
        actor.ear.wait(&actor.person, &*wanted, &format!("{who} hears {what:?}")).await;
    }

    /// Makes sure that everything up to now was heard, and this was not among it.
    pub(super) async fn does_not_hear(&mut self, who: &str, what: &[Token<'_>]) {
        let wanted = self.wanted(what);
        let actor = self.actor(who);
        actor.ear.fence(&actor.person).await;
        let heard = actor.ear.inbox.iter().find(|incident| wanted(incident));
        assert!(heard.is_none(), "{who} hears {heard:?}");
    }

    /// Makes sure that nothing was heard but what they did themselves.
    async fn hears_nothing(&mut self, who: &str) {
        let actor = self.actor(who);
        actor.ear.fence(&actor.person).await;
        let id = actor.person.id.clone();
        let others = actor.ear.inbox.iter().find(|incident| match incident {
            Incident::Event(event) => !is_by(event, &id),
            Incident::Murmur(_) => false,
            Incident::Cut(_) => true,
        });
        assert!(others.is_none(), "{who} hears {others:?}");
    }

    fn wanted(&self, what: &[Token<'_>]) -> Wanted {
        match what {
            [W(who), W("say"), T(content), W("in"), T(place)] => {
                let (who, place) = (self.person(who).id.clone(), self.place(place));
                let content = (*content).to_owned();
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place)
                        && matches!(kind, Kind::Posted(m)
                            if m.sender_id == who && m.content == content)
                })
            }
            [W(who), W("reply"), T(content), W("to"), T(to)] => {
                let (who, content) = (self.person(who).id.clone(), (*content).to_owned());
                let to = Some(self.message(to).id);
                event(move |_, kind| {
                    matches!(kind, Kind::Posted(m)
                        if m.sender_id == who && m.content == content && m.reply_to == to)
                })
            }
            [W(who), W("edit"), T(_), W("to"), T(to)] => {
                let (who, id) = (self.person(who).id.clone(), self.message(to).id);
                let to = (*to).to_owned();
                event(move |_, kind| {
                    matches!(kind, Kind::Edited(m)
                        if m.id == id && m.sender_id == who
                                && m.content == to && m.edited_at.is_some())
                })
            }
            [W(who), W("delete"), T(content)] => {
                let (who, said) = (self.person(who).id.clone(), self.message(content));
                event(move |_, kind| {
                    matches!(kind, Kind::Deleted(d)
                        if d.by == who && d.message_id == said.id && d.number == said.number)
                })
            }
            _ => self.wanted_of_people(what),
        }
    }

    /// Who comes and goes, and what they are.
    fn wanted_of_people(&self, what: &[Token<'_>]) -> Wanted {
        match what {
            [W(who), W("join"), T(place)] => {
                let (who, place) = (self.person(who).id.clone(), self.place(place));
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place)
                        && matches!(kind, Kind::Joined(j) if j.user_id == who)
                })
            }
            [W("being"), W("added"), W("to"), T(place)] => {
                let place = self.place(place);
                event(move |_, kind| {
                    matches!(kind, Kind::Added(a)
                        if a.session.as_ref().is_none_or(|s| s.id == place))
                })
            }
            [W("being"), W(reason), W("from"), T(place)] => {
                let (reason, place) = ((*reason).to_owned(), self.place(place));
                event(move |_, kind| {
                    matches!(kind, Kind::Removed(r)
                        if r.reason == reason && r.session_id == place)
                })
            }
            [W(who), W("being"), W(reason), W("from"), T(place)] => {
                self.wanted_left(who, reason, place)
            }
            [W(who), W("leave"), T(place)] => self.wanted_left(who, "left", place),
            [W(who), W("become"), W(role), W("of"), T(place)] => {
                let (who, place) = (self.person(who).id.clone(), self.place(place));
                let role = (*role).to_owned();
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place)
                        && matches!(kind, Kind::RoleChanged(c)
                            if c.user_id == who && c.role == role)
                })
            }
            _ => self.wanted_of_things(what),
        }
    }

    fn wanted_left(&self, who: &str, reason: &str, place: &str) -> Wanted {
        let (who, place) = (self.person(who).id.clone(), self.place(place));
        let reason = reason.to_owned();
        event(move |event, kind| {
            event.session_id.as_deref() == Some(&*place)
                && matches!(kind, Kind::Left(l) if l.user_id == who && l.reason == reason)
        })
    }

    /// What becomes of rooms, sessions, devices and oneself.
    fn wanted_of_things(&self, what: &[Token<'_>]) -> Wanted {
        match what {
            [T(from), W("become"), T(to)] => {
                let (place, to) = (self.place(from), (*to).to_owned());
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place)
                        && match kind {
                            Kind::RoomSettings(s) => s.name == to,
                            Kind::SessionSettings(s) => s.name == to,
                            _ => false,
                        }
                })
            }
            [T(place), W(state @ ("archived" | "reopened"))] => {
                let (place, archived) = (self.place(place), *state == "archived");
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place)
                        && matches!(kind, Kind::RoomSettings(s)
                            if s.archived_at.is_some() == archived)
                })
            }
            [T(place), W("end")] => {
                let place = self.place(place);
                event(move |event, kind| {
                    event.session_id.as_deref() == Some(&*place) && matches!(kind, Kind::Ended(_))
                })
            }
            [W("room"), T(room), W("made")] => {
                let room = self.room(room).id.clone();
                event(move |_, kind| matches!(kind, Kind::RoomCreated(r) if r.id == room))
            }
            [W("a"), W("new"), W("device")] => {
                event(|_, kind| matches!(kind, Kind::DeviceAdded(_)))
            }
            [W("a"), W("device"), W("gone")] => {
                event(|_, kind| matches!(kind, Kind::DeviceRemoved(_)))
            }
            [W("own"), W("name"), T(name)] => {
                let name = (*name).to_owned();
                event(move |_, kind| {
                    matches!(kind, Kind::Settings(me)
                        if me.user.as_ref().is_some_and(|user| user.name == name))
                })
            }
            [W("signed"), W("out")] => {
                Box::new(|incident| matches!(incident, Incident::Cut(why) if why == "signed out"))
            }
            _ => self.wanted_murmur(what),
        }
    }

    fn wanted_murmur(&self, what: &[Token<'_>]) -> Wanted {
        match what {
            [W(who), W("type"), W("in"), T(place)] => {
                let (who, place) = (self.person(who).id.clone(), self.place(place));
                murmur(move |frame| {
                    matches!(frame, Frame::Typing(t)
                        if t.session_id == place && t.user_ids.contains(&who))
                })
            }
            [W(who), W("read"), W("up"), W("to"), W(number), W("in"), T(place)] => {
                let (who, place) = (self.person(who).id.clone(), self.place(place));
                let number: i64 = number.parse().expect("messages are numbered");
                murmur(move |frame| {
                    matches!(frame, Frame::Read(r) if r.session_id == place
                        && r.marks.iter().any(|m| m.user_id == who && m.number == number))
                })
            }
            [W(who), W("come"), W("online")] => {
                let who = self.person(who).id.clone();
                murmur(move |frame| matches!(frame, Frame::Presence(p) if p.online.contains(&who)))
            }
            [W(who), W("go"), W("offline")] => {
                let who = self.person(who).id.clone();
                murmur(move |frame| matches!(frame, Frame::Presence(p) if p.offline.contains(&who)))
            }
            _ => self.wanted_of_deals(what),
        }
    }
}

pub(super) fn event(wanted: impl Fn(&Event, &Kind) -> bool + 'static) -> Wanted {
    Box::new(move |incident| match incident {
        Incident::Event(event) => event.kind.as_ref().is_some_and(|kind| wanted(event, kind)),
        _ => false,
    })
}

pub(super) fn murmur(wanted: impl Fn(&Frame) -> bool + 'static) -> Wanted {
    Box::new(move |incident| matches!(incident, Incident::Murmur(frame) if wanted(frame)))
}

/// Whether somebody caused an event themselves, or it is about their own account.
fn is_by(event: &Event, id: &str) -> bool {
    match &event.kind {
        Some(Kind::Posted(m) | Kind::Edited(m)) => m.sender_id == id,
        Some(Kind::Deleted(d)) => d.by == id,
        Some(Kind::Reacted(r)) => r.user_id == id,
        Some(Kind::Pinned(p)) => p.by == id,
        Some(Kind::Joined(j)) => j.by.as_deref().unwrap_or(&j.user_id) == id,
        Some(Kind::Left(l)) => l.by.as_deref().unwrap_or(&l.user_id) == id,
        Some(Kind::RoleChanged(c)) => c.by == id,
        Some(Kind::SessionSettings(s)) => s.by == id,
        Some(Kind::RoomSettings(s)) => s.by == id,
        Some(Kind::Ended(e)) => e.by.as_deref() == Some(id),
        Some(Kind::Added(a)) => a.by.as_deref().is_none_or(|by| by == id),
        Some(Kind::Removed(r)) => r.reason == "left",
        _ => true,
    }
}

impl Ear {
    /// Asks until another node than the one that ended the login knows of it.
    async fn is_refused_soon(&mut self, person: &Person) {
        let mut pause = tokio::time::interval(BETWEEN_LOOKS);
        let refused = async {
            while self.is_polled() {
                pause.tick().await;
                self.more(person).await;
            }
        };
        let soon = tokio::time::timeout(ENDED_WITHIN, refused).await;
        assert!(soon.is_ok(), "{} is still served", person.username);
    }

    async fn wait(&mut self, person: &Person, wanted: &dyn Fn(&Incident) -> bool, what: &str) {
        let mut polled = false;
        loop {
            if let Some(at) = self.inbox.iter().position(wanted) {
                let found = self.inbox.remove(at);
                let Some(source) = log_of(&found) else { return };
                let mut n = 0;
                self.inbox.retain(|incident| {
                    n += 1;
                    n > at || log_of(incident).as_ref() != Some(&source)
                });
                return;
            }
            // What was stored before this is there already: asking again would not help.
            assert!(!polled, "not so: {what}. There is: {:#?}", self.inbox);
            assert!(!self.is_cut(), "cut off: {what}. There is: {:#?}", self.inbox);
            polled = self.is_polled();
            eprintln!("     waiting: {what}");
            self.more(person).await;
        }
    }

    /// Hears everything that there is up to now: a change of one's own, twice, which comes through
    /// the same door behind everything else; and then what another node has stored and not told
    /// yet.
    async fn fence(&mut self, person: &Person) {
        for _ in 0..2 {
            let status = fresh_id();
            let asked = v1::PatchMeRequest {
                status: Some(status.clone()),
                ..v1::PatchMeRequest::default()
            };
            let changed = person.call("PATCH", "/me", Some(&asked)).await;
            let _: v1::Me = changed.expect("anybody may change their status");
            let mark = event(move |_, kind| {
                matches!(kind, Kind::Settings(me)
                    if me.user.as_ref().is_some_and(|user| user.status == status))
            });
            loop {
                if let Some(at) = self.inbox.iter().position(&mark) {
                    self.inbox.remove(at);
                    break;
                }
                self.more(person).await;
            }
        }
        while !self.is_at_the_end(person).await {
            self.more(person).await;
        }
    }
}

/// The log that an incident is of: the order of one says nothing about another, nor about what is
/// in none.
fn log_of(incident: &Incident) -> Option<String> {
    match incident {
        Incident::Event(event) => Some(event.session_id.clone().unwrap_or_default()),
        Incident::Murmur(_) | Incident::Cut(_) => None,
    }
}
