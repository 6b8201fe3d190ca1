//! Somebody who listens on a line that breaks, and resumes where it broke.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use parlor_testkit::{Fault, FaultProxy, Person};
use parlor_wire::command::Codec;
use parlor_wire::frame::Frame;
use tokio::sync::watch;

use super::Heads;
use super::heard::Heard;
use super::line::{Line, Stream};
use crate::checker::Hearing;
use crate::simulation::dice::Dice;

/// What a listener comes in by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Json,
    Proto,
    Stream,
}

pub(super) struct Listener {
    pub(super) person: Person,
    pub(super) kind: Kind,
    pub(super) door: SocketAddr,
    /// The listener's own log, and the sessions.
    pub(super) logs: Vec<String>,
    pub(super) dice: Dice,
    /// Counts what broke, of all listeners.
    pub(super) broken: watch::Sender<u64>,
    /// When so much broke, nothing more does.
    pub(super) most: u64,
    /// Where every log ends.
    pub(super) goal: watch::Receiver<Option<Heads>>,
}

/// Sends a proxy after the server, wherever that goes.
pub(super) async fn follow(proxy: &FaultProxy, mut doors: watch::Receiver<SocketAddr>) {
    while doors.changed().await.is_ok() {
        proxy.retarget(Some(*doors.borrow_and_update()));
    }
    std::future::pending().await
}

impl Listener {
    /// Listens until everything was heard; returns what was heard on every line.
    pub(super) async fn run(
        mut self,
        proxy: FaultProxy,
        doors: watch::Receiver<SocketAddr>,
    ) -> Vec<Hearing> {
        let mut heard = Heard::default();
        let listening = async {
            while self.listen(&proxy, &mut heard).await.is_none() {
                heard.cut();
                self.broken.send_modify(|count| *count += 1);
            }
        };
        tokio::select! {
            () = listening => {}
            () = follow(&proxy, doors) => {}
        }
        heard.hearings
    }

    /// Listens on one line; `None` when it broke.
    async fn listen(&mut self, proxy: &FaultProxy, heard: &mut Heard) -> Option<()> {
        match self.kind {
            Kind::Json => self.on_socket(Codec::Json, proxy, heard).await,
            Kind::Proto => self.on_socket(Codec::Proto, proxy, heard).await,
            Kind::Stream => self.on_stream(proxy, heard).await,
        }
    }

    async fn on_socket(
        &mut self,
        codec: Codec,
        proxy: &FaultProxy,
        heard: &mut Heard,
    ) -> Option<()> {
        let mut line = Line::open(self.door, &self.person.token, codec).await?;
        let mut asked = HashMap::new();
        for log in &self.logs {
            let after = heard.cursors.get(log).copied();
            let session = if *log == self.person.id { "" } else { log };
            asked.insert(line.subscribe(session, after).await?, (log.clone(), after));
        }
        let mut patience = self.patience();
        let mut goal = self.goal.clone();
        while !self.is_done(heard) {
            let frame = tokio::select! {
                frame = line.next() => frame?,
                Ok(()) = goal.changed() => continue,
            };
            match frame {
                Frame::Ok(ok) => {
                    let (log, after) = asked.remove(&ok.r#ref).expect("an answer to something");
                    heard.begin(&self.person.id, &log, after.or(ok.seq)?);
                }
                Frame::Event(event) => heard.hear(&self.person.id, &event),
                Frame::Error(error) => panic!("a subscription is refused: {error:?}"),
                _ => {}
            }
            self.strike_at(&mut patience, proxy);
        }
        Some(())
    }

    async fn on_stream(&mut self, proxy: &FaultProxy, heard: &mut Heard) -> Option<()> {
        let after = |log: &String| heard.cursors.get(log).copied().unwrap_or(0);
        let sessions = self.logs[1..].iter().map(|log| format!("session={log}:{}", after(log)));
        let mut query: Vec<String> = sessions.collect();
        if heard.last_id.is_some() {
            // The cursor alone says where to go on.
            query = self.logs[1..].iter().map(|log| format!("session={log}")).collect();
        } else {
            query.push(format!("user_after={}", after(&self.logs[0])));
        }
        let last_id = heard.last_id.clone();
        let query = query.join("&");
        let mut stream = Stream::open(self.door, &self.person, &query, last_id.as_deref()).await?;
        for log in &self.logs {
            let after = heard.cursors.get(log).copied().unwrap_or(0);
            heard.begin(&self.person.id, log, after);
        }
        let mut patience = self.patience();
        let mut goal = self.goal.clone();
        while !self.is_done(heard) {
            let event = tokio::select! {
                event = stream.next() => event?,
                Ok(()) = goal.changed() => continue,
            };
            heard.hear(&self.person.id, &event);
            heard.last_id.clone_from(&stream.last_id);
            self.strike_at(&mut patience, proxy);
        }
        Some(())
    }

    /// How many things are heard before something breaks.
    fn patience(&mut self) -> u64 {
        self.dice.below(25)
    }

    fn strike_at(&mut self, patience: &mut u64, proxy: &FaultProxy) {
        if *patience == 0 && *self.broken.borrow() < self.most {
            proxy.strike(match self.dice.below(8) {
                0..3 => Fault::Reset,
                3..6 => Fault::CutAfter(1 + self.dice.index(600)),
                6 => Fault::HalfOpen,
                _ => Fault::Stall(Duration::from_millis(100 + self.dice.below(2_500))),
            });
        }
        *patience = patience.saturating_sub(1);
    }

    fn is_done(&self, heard: &Heard) -> bool {
        let goal = self.goal.borrow();
        goal.as_ref().is_some_and(|heads| heard.is_at(heads, &self.logs))
    }
}
