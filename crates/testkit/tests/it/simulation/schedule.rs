//! One schedule: random steps of people, connections, the committer and the teller, all from one
//! seed; then everything is brought to rest and handed to the checker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parlor_app::sessions::SessionPatch;
use parlor_app::{Error, Posted};
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Event, MessageId, SessionId, UserId};
use parlor_hub::{Change, Key};
use parlor_store::{Batch, Log as _, Sessions as _};
use parlor_wire::v1;
use uuid::Uuid;

use super::Plant;
use super::client::{Client, Heads, Sent, log_name};
use super::dice::Dice;
use super::town::{DEVICES, Doing, PEOPLE, Place, Town, poll};
use crate::checker::{self, Answer, Entry, History, Violation};

/// Steps of one schedule, at least; and how many more there may be.
const STEPS: (u64, u64) = (40, 60);

/// Rounds after which a schedule that does not come to rest never will.
const ROUNDS_MAX: usize = 2_000;

/// Why a schedule fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Broken(#[from] Violation),
    #[error("something failed inside: {0}")]
    Inside(String),
    #[error("somebody who is in a session cannot hear it")]
    KeptOut,
    #[error("it never comes to rest")]
    Restless,
}

/// Something that was asked and is not answered yet.
struct Task {
    client: usize,
    doing: Doing<Result<Option<Said>, Error>>,
}

/// A send's answer.
struct Said {
    sent: Sent,
    posted: Posted,
}

pub(crate) struct Schedule<'t> {
    town: &'t mut Town,
    dice: Dice,
    place: Place,
    clients: Vec<Client>,
    tasks: Vec<Task>,
    /// Committed, and not told yet.
    untold: VecDeque<Batch>,
    telling: Option<Doing<()>>,
    /// Told last of all: somebody else's word that got lost on its way.
    late: Vec<Batch>,
    /// Whether batches come late, out of order or twice now and then, as from another node.
    rumour: bool,
    heads: Heads,
    /// The heads of the people's own logs at the beginning.
    bases: Heads,
    answers: Vec<Answer>,
    said: Vec<MessageId>,
    failure: Option<String>,
    trace: Option<Vec<String>>,
}

/// Plays the schedule of a seed; on failure says what went wrong.
pub(crate) fn play(
    town: &mut Town,
    seed: u64,
    plant: Plant<'_>,
    trace: bool,
) -> (Result<(), Failure>, Vec<String>) {
    let mut schedule = Schedule::new(town, seed, trace);
    plant(Some(seed));
    let played = schedule.play();
    plant(None);
    let result = played.and_then(|()| schedule.check());
    let result = result.map_err(|failure| match failure {
        // A failure inside is the cause of whatever the checker found.
        Failure::Broken(violation) => match schedule.failure.take() {
            Some(inside) => Failure::Inside(format!("{inside}, and {violation}")),
            None => Failure::Broken(violation),
        },
        other => other,
    });
    (result, schedule.trace.unwrap_or_default())
}

impl<'t> Schedule<'t> {
    fn new(town: &'t mut Town, seed: u64, trace: bool) -> Self {
        let place = town.place();
        let (mut heads, mut bases) = (Heads::new(), Heads::new());
        let store = Arc::clone(&town.store);
        for session in place.sessions {
            let store = Arc::clone(&store);
            let events = town.run(async move { store.events_between(session, 0, i64::MAX).await });
            let head = events.map_or(0, |events| events.len());
            heads.insert(session.to_string(), i64::try_from(head).unwrap_or(0));
        }
        for user in town.people() {
            let store = Arc::clone(&store);
            let page = town.run(async move { store.user_events_after(user, 0, 0).await });
            let head = page.map_or(0, |page| page.head);
            heads.insert(user.to_string(), head);
            bases.insert(user.to_string(), head);
        }
        let mut dice = Dice::new(seed);
        let rumour = dice.one_in(4);
        let clients = town.actors.iter().map(|actor| Client::new(*actor)).collect();
        Self {
            town,
            dice,
            place,
            clients,
            tasks: Vec::new(),
            untold: VecDeque::new(),
            telling: None,
            late: Vec::new(),
            rumour,
            heads,
            bases,
            answers: Vec::new(),
            said: Vec::new(),
            failure: None,
            trace: trace.then(Vec::new),
        }
    }

    fn play(&mut self) -> Result<(), Failure> {
        self.open()?;
        let steps = STEPS.0 + self.dice.below(STEPS.1);
        for _ in 0..steps {
            self.step();
        }
        self.rest()?;
        self.bring_everybody_back()?;
        self.rumour = false;
        self.untold.extend(self.late.drain(..));
        self.rest()?;
        self.bring_everybody_back()?;
        self.nobody_is_kept_out()
    }

    fn check(&mut self) -> Result<(), Failure> {
        let history = self.history();
        checker::check(&history)?;
        match self.failure.take() {
            Some(inside) => Err(Failure::Inside(inside)),
            None => Ok(()),
        }
    }

    /// Most people are there already, and have read some or all of it.
    fn open(&mut self) -> Result<(), Failure> {
        let keys = self.place.sessions.map(Key::Session);
        for client in 0..DEVICES {
            if self.dice.one_in(6) {
                continue;
            }
            self.clients[client].connect(&self.town.app);
            for key in keys {
                self.rest()?;
                if self.dice.one_in(3) {
                    self.clients[client].cursors.insert(log_name(key), 0);
                }
                self.clients[client].subscribe(key);
            }
        }
        self.rest()
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    /// One random step.
    fn step(&mut self) {
        let client = self.dice.index(DEVICES);
        match self.dice.below(100) {
            0..14 => self.say(client),
            14..17 => self.repeat(client),
            17..20 => self.reword(client),
            20..27 => self.change_people(),
            27..32 => self.connect_or_break(client),
            32..38 => self.subscribe(client),
            38..51 => self.commit(),
            51..67 => self.tell(),
            67..75 => self.go_on_with_a_task(),
            75..92 => self.serve(client),
            92..97 => drop(self.clients[client].receive(1 + self.dice.index(4))),
            _ => self.pass_time(),
        }
    }

    fn session(&mut self) -> SessionId {
        self.place.sessions[usize::from(self.dice.one_in(3))]
    }

    fn say(&mut self, client: usize) {
        let client_id = ClientId(Uuid::from_u128(self.dice.wide()));
        let session = self.session();
        let content = format!("message {}", self.dice.below(1_000));
        let sent = Sent { session, client_id, content };
        self.clients[client].sent.push(sent.clone());
        self.note(|| format!("client {client} says something in {session}"));
        self.send(client, sent);
    }

    /// Says something again that was said before, whether it was answered or not.
    fn repeat(&mut self, client: usize) {
        let count = self.clients[client].sent.len();
        if count > 0 {
            let sent = self.clients[client].sent[self.dice.index(count)].clone();
            self.note(|| format!("client {client} repeats {:?}", sent.client_id));
            self.send(client, sent);
        }
    }

    fn send(&mut self, client: usize, sent: Sent) {
        let (app, actor) = (Arc::clone(&self.town.app), self.clients[client].actor);
        self.begin(client, async move {
            let content = sent.content.clone();
            let cmd = SendMessage::plain(sent.client_id, sent.session, content);
            let posted = app.send(&actor, cmd).await?.done().await?;
            Ok(Some(Said { sent, posted }))
        });
    }

    fn reword(&mut self, client: usize) {
        if self.said.is_empty() {
            return;
        }
        let message = self.said[self.dice.index(self.said.len())];
        let (app, actor) = (Arc::clone(&self.town.app), self.clients[client].actor);
        let delete = self.dice.one_in(2);
        self.note(|| format!("client {client} rewords (deletes: {delete}) {message:?}"));
        self.begin(client, async move {
            if delete {
                app.delete(&actor, message).await?;
            } else {
                app.edit(&actor, message, "other words".to_owned().into()).await?;
            }
            Ok(None)
        });
    }

    /// Somebody comes, goes, or is brought or sent away.
    fn change_people(&mut self) {
        let (other, what) = (self.dice.index(PEOPLE), self.dice.below(14));
        // The owner may do all of it, the others some; coming and going is everybody's own.
        let by = if what < 4 || self.dice.one_in(4) { other } else { 0 };
        let (app, actor) = (Arc::clone(&self.town.app), self.clients[by].actor);
        let (place, user) = (self.place, self.clients[other].actor.user);
        self.note(|| format!("person {by} does change {what} to person {other}"));
        let aside = place.sessions[1];
        let renamed = SessionPatch { name: Some("renamed".to_owned()), ..SessionPatch::default() };
        self.begin(by, async move {
            match what {
                0 => app.leave(&actor, place.room).await?,
                1..4 => drop(app.join(&actor, place.room, None).await?),
                4..7 => app.kick(&actor, place.room, user).await?,
                7 => app.ban(&actor, place.room, user, String::new()).await?,
                8 => app.unban(&actor, place.room, user).await?,
                9 => drop(app.add_to_room(&actor, place.room, vec![user]).await?),
                10 | 11 => drop(app.add_to_session(&actor, aside, vec![user]).await?),
                12 => app.remove_from_session(&actor, aside, user).await?,
                _ => drop(app.change_session(&actor, aside, renamed).await?),
            }
            Ok(None)
        });
    }

    fn begin(
        &mut self,
        client: usize,
        doing: impl Future<Output = Result<Option<Said>, Error>> + 'static,
    ) {
        self.tasks.push(Task { client, doing: Box::pin(doing) });
        self.go_on(self.tasks.len() - 1);
    }

    /// One step of a task; true when it was its last.
    fn go_on(&mut self, task: usize) -> bool {
        let Some(done) = poll(&mut self.tasks[task].doing) else { return false };
        let client = self.tasks.remove(task).client;
        match done {
            Ok(Some(said)) => self.answered(client, &said),
            Ok(None) => {}
            // Being refused is no failure; that something inside failed is.
            Err(Error::Internal(text)) => self.failure = Some(text),
            Err(error @ Error::Unavailable) => self.failure = Some(error.to_string()),
            Err(_) => {}
        }
        true
    }

    fn answered(&mut self, client: usize, said: &Said) {
        let (sent, posted) = (&said.sent, &said.posted);
        self.said.push(posted.id);
        let session = sent.session.to_string();
        self.answers.push(Answer {
            sender: self.clients[client].actor.user.to_string(),
            client_id: sent.client_id.to_string(),
            id: posted.id.to_string(),
            number: posted.number,
            seq: posted.seq,
            head: self.heads.get(&session).copied(),
            session,
        });
    }

    fn go_on_with_a_task(&mut self) {
        if !self.tasks.is_empty() {
            let task = self.dice.index(self.tasks.len());
            self.go_on(task);
        }
    }

    fn connect_or_break(&mut self, client: usize) {
        if self.clients[client].connection.is_none() {
            self.note(|| format!("client {client} connects"));
            return self.clients[client].connect(&self.town.app);
        }
        if self.dice.one_in(2) {
            return;
        }
        self.note(|| format!("client {client} breaks off"));
        self.clients[client].disconnect();
        // With a socket, what it waits for is dropped; a request goes on.
        if self.dice.one_in(2) {
            self.tasks.retain(|task| task.client != client);
        }
    }

    fn subscribe(&mut self, client: usize) {
        let [main, aside] = self.place.sessions.map(Key::Session);
        let own = Key::User(self.clients[client].actor.user);
        let keys = [own, main, aside];
        // What one does not hear is more tempting, also for those who were sent away.
        let unheard = keys.into_iter().find(|key| !self.clients[client].hears(*key));
        let key = match self.dice.below(8) {
            0 => own,
            1..3 => main,
            3..5 => aside,
            _ => unheard.unwrap_or(main),
        };
        if !self.clients[client].hears(key) || self.dice.one_in(6) {
            self.note(|| format!("client {client} subscribes to {key:?}"));
            self.clients[client].subscribe(key);
        }
    }

    /// Commits some of what waits.
    fn commit(&mut self) {
        let most = 1 + self.dice.index(6);
        if let Some(batch) = self.town.manual.step(most) {
            self.committed(batch);
        }
    }

    fn committed(&mut self, batch: Batch) {
        for event in &batch.events {
            self.heads.insert(event.session.to_string(), event.seq);
        }
        for event in &batch.user_events {
            self.heads.insert(event.user.to_string(), event.seq);
        }
        self.note(|| format!("committed: {}", summary(&batch)));
        if !batch.is_empty() {
            self.untold.push_back(batch);
        }
    }

    /// Goes on telling a batch, or begins with the next.
    fn tell(&mut self) {
        if self.telling.is_none() {
            let other = self.rumour && self.untold.len() > 1 && self.dice.one_in(3);
            let Some(batch) = self.untold.remove(usize::from(other)) else { return };
            if self.rumour && self.dice.one_in(6) {
                return self.late.push(batch);
            }
            self.note(|| format!("tells: {}", summary(&batch)));
            if self.rumour && self.dice.one_in(4) {
                let place = self.dice.index(self.untold.len() + 1);
                self.untold.insert(place, batch.clone());
            }
            let app = Arc::clone(&self.town.app);
            self.telling = Some(Box::pin(async move { app.tell(batch).await }));
        }
        if self.telling.as_mut().is_some_and(|telling| poll(telling).is_some()) {
            self.telling = None;
        }
    }

    /// The server's side of a connection goes on, or takes what is ready.
    fn serve(&mut self, client: usize) {
        let bytes = [1, 200, u64::MAX][self.dice.index(3)];
        if self.clients[client].is_free() {
            self.clients[client].fill(bytes);
        }
        for _ in 0..1 + self.dice.below(4) {
            self.clients[client].go_on(&self.heads);
        }
    }

    fn pass_time(&mut self) {
        self.town.clock.advance(Duration::from_millis(self.dice.below(4_000)));
        let session = self.session();
        let user = self.clients[self.dice.index(PEOPLE)].actor.user;
        let hub = self.town.app.hub();
        match self.dice.below(4) {
            0 => hub.sweep(),
            1 => hub.typing(session, user, self.town.app.now()),
            2 => hub.presence(session, Change { user, online: true }),
            _ => hub.murmur(self.town.app.now()),
        }
    }

    /// Does everything that can be done, until nothing is left.
    fn rest(&mut self) -> Result<(), Failure> {
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            let mut task = 0;
            while task < self.tasks.len() {
                busy = true;
                task += usize::from(!self.go_on(task));
            }
            while let Some(batch) = self.town.manual.step(usize::MAX) {
                busy = true;
                self.committed(batch);
            }
            while self.telling.is_some() || !self.untold.is_empty() {
                busy = true;
                self.tell();
            }
            for client in 0..DEVICES {
                busy |= self.clients[client].go_on(&self.heads);
                self.clients[client].fill(u64::MAX);
                busy |=
                    !self.clients[client].is_free() && self.clients[client].connection.is_some();
                busy |= self.clients[client].receive(usize::MAX);
            }
            if !busy {
                return Ok(());
            }
        }
        Err(Failure::Restless)
    }

    /// Everybody connects and hears all that they may, from where they were.
    fn bring_everybody_back(&mut self) -> Result<(), Failure> {
        let [main, aside] = self.place.sessions;
        // A connection that lags comes back, more than once if need be.
        for _ in 0..4 {
            for client in 0..DEVICES {
                if self.clients[client].connection.is_none() {
                    self.clients[client].connect(&self.town.app);
                    self.rest()?;
                }
                let user = self.clients[client].actor.user;
                for key in [Key::User(user), Key::Session(main), Key::Session(aside)] {
                    if !self.clients[client].hears(key) {
                        // Who is not a member is refused, or hears nothing new.
                        self.clients[client].subscribe(key);
                        self.rest()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn nobody_is_kept_out(&mut self) -> Result<(), Failure> {
        let [main, aside] = self.place.sessions;
        for client in 0..DEVICES {
            let user = self.clients[client].actor.user;
            for key in [Key::User(user), Key::Session(main), Key::Session(aside)] {
                if !self.clients[client].hears(key) && self.may_hear(user, key) {
                    return Err(Failure::KeptOut);
                }
            }
        }
        Ok(())
    }

    fn may_hear(&mut self, user: UserId, key: Key) -> bool {
        let Key::Session(session) = key else { return true };
        let store = Arc::clone(&self.town.store);
        let view = self.town.run(async move { store.session_as_seen_by(user, session).await });
        matches!(view, Ok(Some(_)))
    }

    /// What the database has in the end, and what everybody saw.
    fn history(&mut self) -> History {
        let mut history = History::default();
        for session in self.place.sessions {
            let store = Arc::clone(&self.town.store);
            let events = self.town.run(async move {
                let events = store.events_between(session, 0, i64::MAX).await;
                events.unwrap_or_default()
            });
            let entries = events.iter().filter_map(entry).collect();
            history.logs.insert(log_name(Key::Session(session)), entries);
        }
        for user in self.town.people() {
            let store = Arc::clone(&self.town.store);
            let after = self.bases.get(&user.to_string()).copied().unwrap_or(0);
            let page =
                self.town.run(async move { store.user_events_after(user, after, u64::MAX).await });
            let events = page.map(|page| page.events).unwrap_or_default();
            let entries = events.iter().filter_map(|event| Entry::of(&v1::Event::from(event)));
            history.logs.insert(log_name(Key::User(user)), entries.collect());
        }
        history.answers = std::mem::take(&mut self.answers);
        for client in &mut self.clients {
            history.hearings.append(&mut client.hearings);
        }
        history
    }
}

fn entry(event: &Event) -> Option<Entry> {
    Entry::of(&v1::Event::from(event))
}

fn summary(batch: &Batch) -> String {
    let of = |event: &Event| {
        let kind = entry(event).map(|entry| entry.what);
        format!("{} {} {kind:?}", event.session, event.seq)
    };
    let mut parts: Vec<String> = batch.events.iter().map(of).collect();
    parts.extend(batch.user_events.iter().map(|event| format!("{} {}", event.user, event.seq)));
    parts.join("; ")
}
