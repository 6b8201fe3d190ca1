//! Path 1/8: the socket. One loop: a frame in, ready frames out, a timer. A frame becomes a
//! command in `wire/src/command.rs` (2/8).

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use parlor_app::{Actor, App, Error};
use parlor_hub::{Cut, Ear, Frame, Key};
use parlor_wire::command::{self, Codec, Command};
use parlor_wire::frame::{self, Frame as Said};
use parlor_wire::{Code, v1};
use parlor_ws::{Incoming, Kind, Shared};

use crate::commands;
use crate::line::{Line, Ready};
use crate::listening::Listening;
use crate::manner::{End, Manner};
use crate::serve::Stream;

/// Bytes taken from the hub, and read from the socket, in one turn.
pub(crate) const TURN_BYTES: u64 = 256 * 1024;

/// Frames that say nothing, or that come too fast, before the connection is closed.
pub(crate) const STRIKES_MAX: u32 = 3;
pub(crate) const REFUSALS_MAX: u32 = 100;

/// What answers a command, when it is done.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Said> + Send>>;

/// What a socket does next.
enum Next {
    Line(Ready),
    // The task of every socket has room for this, so it is not as large as the largest answer.
    Answer(Box<Said>),
    Fill,
}

/// What a peer said: commands, and what could not be read.
#[derive(Default)]
struct Heard {
    commands: Vec<Command>,
    refused: Vec<String>,
}

/// One open socket.
pub(crate) struct Socket {
    pub(crate) app: Arc<App>,
    pub(crate) actor: Actor,
    pub(crate) listening: Listening,
    manner: Manner,
    line: Line,
    pub(crate) answers: FuturesOrdered<Answer>,
    strikes: u32,
    refusals: u32,
}

impl Socket {
    pub(crate) fn new(
        app: Arc<App>,
        actor: Actor,
        ear: Ear,
        manner: Manner,
        stream: Stream,
    ) -> Self {
        Self {
            line: Line::new(app.limits(), manner.deflate, stream),
            listening: Listening::new(Arc::clone(&app), actor, ear),
            app,
            actor,
            manner,
            answers: FuturesOrdered::new(),
            strikes: 0,
            refusals: 0,
        }
    }

    /// Serves the connection until it ends. `early` is what the peer sent with its handshake.
    pub(crate) async fn run(mut self: Box<Self>, early: Bytes) {
        // What happens seldom is boxed, here and below: the task is as large as its largest state.
        let end = match Box::pin(self.greet(early)).await {
            Ok(()) => self.converse().await,
            Err(end) => end,
        };
        self.line.end(end).await;
    }

    async fn greet(&mut self, early: Bytes) -> Result<(), End> {
        // A revocation between the proof and the hub would have cut nobody.
        self.check_login().await?;
        let key = Key::User(self.actor.user);
        let head = self.listening.subscribe(key, None).await;
        let head = head.map_err(|e| commands::failed(&e))?;
        self.say(&Said::Hello(v1::Hello {
            user_id: self.actor.user.to_string(),
            device_id: self.actor.device.to_string(),
            epoch: self.app.epoch().to_owned(),
            heartbeat_ms: self.app.limits().heartbeat_ms.cast_signed(),
            user_seq: head,
        }));
        let (mut heard, now) = (Heard::default(), self.app.now());
        let understand =
            understand(&mut heard, self.manner.codec, self.app.limits().json_depth_max);
        let end = self.line.feed(&mut early.to_vec(), now, understand);
        self.obey(heard, end).await
    }

    async fn converse(&mut self) -> End {
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Waits for one thing to happen, and does it.
    async fn turn(&mut self) -> Result<(), End> {
        if self.line.is_empty() {
            self.fill().await?;
        }
        // Mostly the peer takes it at once, and nothing has to be waited for.
        self.line.write()?;
        match poll_fn(|cx| self.poll_next(cx)).await? {
            Next::Line(Ready::Write) => self.line.write(),
            Next::Answer(said) => self.answer(&said),
            Next::Line(Ready::Read) => self.read().await,
            Next::Fill => Ok(()),
            Next::Line(Ready::Tick) => {
                self.line.beat(self.app.limits())?;
                // The backstop: whatever else was missed, a login that is over ends here.
                Box::pin(self.check_login()).await
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Next>> {
        if let Poll::Ready(ready) = self.line.poll_write(cx) {
            return Poll::Ready(ready.map(Next::Line));
        }
        if let Poll::Ready(Some(said)) = self.answers.poll_next_unpin(cx) {
            return Poll::Ready(Ok(Next::Answer(Box::new(said))));
        }
        if !self.is_full()
            && let Poll::Ready(ready) = self.line.poll_read(cx)
        {
            return Poll::Ready(ready.map(Next::Line));
        }
        if self.line.is_empty() && self.listening.poll_rung(cx).is_ready() {
            return Poll::Ready(Ok(Next::Fill));
        }
        self.line.poll_tick(cx).map_ok(Next::Line)
    }

    /// Takes what is ready: first what is being caught up with, then what is new.
    async fn fill(&mut self) -> Result<(), End> {
        match self.listening.ear.verdict() {
            Some(Cut::Revoked) => return Err(End::with(4010, "signed out")),
            Some(Cut::Draining) => return Err(self.drained()),
            None => {}
        }
        if self.listening.is_rung() {
            return Box::pin(self.fill_with_keys()).await;
        }
        let (manner, line) = (self.manner, &mut self.line);
        while line.is_empty() && self.listening.is_behind() {
            let tell = |_: Key, frame: Arc<Frame>| line.push(manner.bytes(&frame));
            Box::pin(self.listening.catch_up(tell)).await.map_err(|e| commands::failed(&e))?;
        }
        if self.listening.hears_of_keys() {
            return Box::pin(self.fill_with_keys()).await;
        }
        let tell = |_: Key, frame: Arc<Frame>| line.push(manner.bytes(&frame));
        let gathered = self.listening.gather(TURN_BYTES, tell);
        gathered.map(|_| ()).map_err(|_| lagged())
    }

    /// The same for a device that reads what is encrypted: keys come before what they open.
    async fn fill_with_keys(&mut self) -> Result<(), End> {
        let (manner, mut frames) = (self.manner, Vec::new());
        let tell = |_: Key, frame: Arc<Frame>| frames.push(manner.bytes(&frame));
        self.listening.gather(TURN_BYTES, tell).map_err(|_| lagged())?;
        if self.listening.is_rung() {
            let news = self.listening.key_news().await.map_err(|e| commands::failed(&e))?;
            news.into_iter().for_each(|news| self.say(&Said::E2ee(news)));
        }
        frames.into_iter().for_each(|frame| self.line.push(frame));
        Ok(())
    }

    fn drained(&mut self) -> End {
        // Spread over ten seconds, so that not everybody comes back at once.
        let after_ms = (self.actor.login.0.as_u128() % 10_000) as i64;
        self.say(&Said::Reconnect(v1::Reconnect { after_ms }));
        End::with(1012, "restarting")
    }

    /// Reads what the peer has sent, up to a turn's worth.
    async fn read(&mut self) -> Result<(), End> {
        let mut total = 0;
        while total < TURN_BYTES && !self.is_full() {
            let (mut heard, now) = (Heard::default(), self.app.now());
            let depth = self.app.limits().json_depth_max;
            let understand = understand(&mut heard, self.manner.codec, depth);
            let Some((bytes, end)) = self.line.read_once(now, understand)? else { break };
            total += bytes as u64;
            Box::pin(self.obey(heard, end)).await?;
        }
        Ok(())
    }

    /// Whether nothing more is read for now: too many commands wait for their answer, or too many
    /// answers for a peer that does not take them.
    fn is_full(&self) -> bool {
        self.answers.len() as u64 >= self.app.limits().commands_in_flight_max || self.line.is_full()
    }

    /// Runs what was said. What came before a goodbye or a violation still counts.
    async fn obey(&mut self, heard: Heard, end: Option<End>) -> Result<(), End> {
        let end = self.strike(heard.refused).err().or(end);
        for command in heard.commands {
            commands::run(self, command).await?;
        }
        end.map_or(Ok(()), Err)
    }

    /// Answers frames that say nothing; three of them are enough.
    fn strike(&mut self, refused: Vec<String>) -> Result<(), End> {
        for message in refused {
            let code = Code::BadRequest.as_str().to_owned();
            self.say(&Said::Error(v1::Error { code, message, ..v1::Error::default() }));
            self.strikes += 1;
            if self.strikes >= STRIKES_MAX {
                return Err(End::with(1008, "too many frames that cannot be read"));
            }
        }
        Ok(())
    }

    /// Passes an answer on, and counts those that say "too fast".
    pub(crate) fn answer(&mut self, said: &Said) -> Result<(), End> {
        self.say(said);
        match said {
            Said::Error(error) if error.code == Code::RateLimited.as_str() => self.refusals += 1,
            _ => self.refusals = 0,
        }
        if self.refusals >= REFUSALS_MAX {
            return Err(End::with(4008, "too fast"));
        }
        Ok(())
    }

    /// Says something to this peer alone.
    pub(crate) fn say(&mut self, said: &Said) {
        let kind = match self.manner.codec {
            Codec::Json => Kind::Text,
            Codec::Proto => Kind::Binary,
        };
        let codec = self.manner.codec;
        let shared = Shared::build(kind, 128, |to| frame::encode(codec, said, to));
        self.line.push(shared.bytes().clone());
    }

    async fn check_login(&mut self) -> Result<(), End> {
        match self.app.still_signed_in(&self.actor).await {
            Err(Error::Unauthorized) => Err(End::with(4010, "signed out")),
            _ => Ok(()),
        }
    }
}

/// The connection has fallen too far behind.
fn lagged() -> End {
    End::with(4008, "too slow: resume")
}

/// Reads messages into commands.
fn understand(
    heard: &mut Heard,
    codec: Codec,
    depth_max: u64,
) -> impl FnMut(Incoming<'_>) -> ControlFlow<End> {
    move |incoming| {
        let said = match (incoming, codec) {
            (Incoming::Text(text), Codec::Json) => text.as_bytes(),
            (Incoming::Binary(bytes), Codec::Proto) => bytes,
            _ => {
                let end = End::with(1003, "the other kind of frame was agreed on");
                return ControlFlow::Break(end);
            }
        };
        match command::parse(codec, said, depth_max) {
            Ok(command) => heard.commands.push(command),
            Err(error) => heard.refused.push(error.to_string()),
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of<F>(_: impl FnOnce(Box<Socket>, Bytes) -> F) -> usize {
        size_of::<F>() + size_of::<Socket>()
    }

    #[test]
    fn the_task_of_an_open_socket_is_small() {
        let bytes = bytes_of(Socket::run);
        assert!(bytes <= 1024, "{bytes} bytes, of which {} are state", size_of::<Socket>());
    }
}
