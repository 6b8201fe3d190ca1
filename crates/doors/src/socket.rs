//! Path 1/8: the socket. One loop: a frame in, ready frames out, a timer. A frame becomes a
//! command in `wire/src/command.rs` (2/8).

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use parlor_app::{Actor, App, Error};
use parlor_hub::{Cut, Ear, Frame, Key};
use parlor_wire::command::{self, Codec, Command};
use parlor_wire::frame::{self, Frame as Said};
use parlor_wire::{Code, v1};
use parlor_ws::{Decoder, Incoming, Kind, PingBudget, Shared, close_answer};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::commands;
use crate::listening::Listening;
use crate::manner::{End, Manner, part};
use crate::outgoing::{Outgoing, SLICES};

/// Bytes taken from the hub, and read from the socket, in one turn.
pub(crate) const TURN_BYTES: u64 = 256 * 1024;

/// Bytes read at once, on the stack: an idle connection has no buffer.
pub(crate) const READ_BYTES: usize = 16 * 1024;

/// Frames that say nothing, or that come too fast, before the connection is closed.
pub(crate) const STRIKES_MAX: u32 = 3;
pub(crate) const REFUSALS_MAX: u32 = 100;

/// What answers a command, when it is done.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Said> + Send>>;

/// What a socket does next.
#[expect(clippy::large_enum_variant, reason = "there is one, for one turn")]
enum Next {
    Write,
    Answer(Said),
    Read,
    Fill,
    Tick,
}

/// Commands, and then perhaps the end.
type Heard = (Vec<Command>, Option<End>);

/// One open socket.
pub(crate) struct Socket {
    pub(crate) app: Arc<App>,
    pub(crate) actor: Actor,
    pub(crate) listening: Listening,
    manner: Manner,
    stream: TcpStream,
    decoder: Decoder,
    pings: PingBudget,
    out: Outgoing,
    pub(crate) answers: FuturesOrdered<Answer>,
    timer: Pin<Box<Sleep>>,
    /// Timer ticks since the peer said anything, and since it took anything that is due to it.
    silent: u32,
    stalled: u32,
    strikes: u32,
    refusals: u32,
}

impl Socket {
    pub(crate) fn new(
        app: Arc<App>,
        actor: Actor,
        ear: Ear,
        manner: Manner,
        stream: TcpStream,
    ) -> Self {
        let limits = app.limits();
        let sizes = parlor_ws::Limits {
            message_bytes_max: usize::try_from(limits.socket_message_bytes_max)
                .unwrap_or(usize::MAX),
            fragments_max: u32::try_from(limits.socket_fragments_max).unwrap_or(u32::MAX),
        };
        let pings = u32::try_from(limits.socket_pings_per_s_max).unwrap_or(u32::MAX);
        Self {
            timer: Box::pin(tokio::time::sleep(tick(&app))),
            listening: Listening::new(Arc::clone(&app), actor, ear),
            app,
            actor,
            manner,
            stream,
            decoder: Decoder::new(sizes, manner.deflate),
            pings: PingBudget::new(pings),
            out: Outgoing::default(),
            answers: FuturesOrdered::new(),
            silent: 0,
            stalled: 0,
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
        if let End::Goodbye(bytes) = end {
            self.out.push(bytes);
            part(&mut self.stream, &mut self.out).await;
        }
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
        let said = self.parse(&mut early.to_vec());
        self.obey(said).await
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
        if self.out.is_empty() {
            self.fill().await?;
        }
        // Mostly the peer takes it at once, and nothing has to be waited for.
        self.write()?;
        match poll_fn(|cx| self.poll_next(cx)).await? {
            Next::Write => self.write(),
            Next::Answer(said) => self.answer(&said),
            Next::Read => self.read().await,
            Next::Fill => Ok(()),
            Next::Tick => Box::pin(self.tick()).await,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Next>> {
        let full = !self.out.is_empty();
        if full && let Poll::Ready(ready) = self.stream.poll_write_ready(cx) {
            return Poll::Ready(ready.map(|()| Next::Write));
        }
        if let Poll::Ready(Some(said)) = self.answers.poll_next_unpin(cx) {
            return Poll::Ready(Ok(Next::Answer(said)));
        }
        if !self.is_full()
            && let Poll::Ready(ready) = self.stream.poll_read_ready(cx)
        {
            return Poll::Ready(ready.map(|()| Next::Read));
        }
        if !full && self.listening.poll_rung(cx).is_ready() {
            return Poll::Ready(Ok(Next::Fill));
        }
        self.timer.as_mut().poll(cx).map(|()| Ok(Next::Tick))
    }

    /// Takes what is ready: first what is being caught up with, then what is new.
    async fn fill(&mut self) -> Result<(), End> {
        match self.listening.ear.verdict() {
            Some(Cut::Revoked) => return Err(End::with(4010, "signed out")),
            Some(Cut::Draining) => return Err(self.drained()),
            None => {}
        }
        let (manner, out) = (self.manner, &mut self.out);
        while out.is_empty() && self.listening.is_behind() {
            let tell = |_: Key, frame: Arc<Frame>| out.push(manner.bytes(&frame));
            Box::pin(self.listening.catch_up(tell)).await.map_err(|e| commands::failed(&e))?;
        }
        let tell = |_: Key, frame: Arc<Frame>| out.push(manner.bytes(&frame));
        let gathered = self.listening.gather(TURN_BYTES, tell);
        gathered.map(|_| ()).map_err(|_| End::with(4008, "too slow: resume"))
    }

    fn drained(&mut self) -> End {
        // Spread over ten seconds, so that not everybody comes back at once.
        let after_ms = (self.actor.login.0.as_u128() % 10_000) as i64;
        self.say(&Said::Reconnect(v1::Reconnect { after_ms }));
        End::with(1012, "restarting")
    }

    fn write(&mut self) -> Result<(), End> {
        if self.out.write(&self.stream)? {
            self.stalled = 0;
        }
        Ok(())
    }

    /// Reads what the peer has sent, up to a turn's worth.
    async fn read(&mut self) -> Result<(), End> {
        let mut total = 0;
        loop {
            let Some((bytes, said)) = self.read_once()? else { return Ok(()) };
            total += bytes as u64;
            Box::pin(self.obey(said)).await?;
            if total >= TURN_BYTES || self.is_full() {
                return Ok(());
            }
        }
    }

    /// Whether nothing more is read for now: too many commands wait for their answer, or too many
    /// answers for a peer that does not take them.
    fn is_full(&self) -> bool {
        self.answers.len() as u64 >= self.app.limits().commands_in_flight_max
            || self.out.len() >= SLICES
    }

    /// Runs what was said. What came before a goodbye or a violation still counts.
    async fn obey(&mut self, (commands, end): Heard) -> Result<(), End> {
        for command in commands {
            commands::run(self, command).await?;
        }
        end.map_or(Ok(()), Err)
    }

    /// One read: the bytes taken and what is in them; `None` when nothing is there.
    fn read_once(&mut self) -> Result<Option<(usize, Heard)>, End> {
        let mut buffer = [0; READ_BYTES];
        match self.stream.try_read(&mut buffer) {
            Ok(0) => Err(End::Gone),
            Ok(n) => Ok(Some((n, self.parse(&mut buffer[..n])))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes frames apart.
    fn parse(&mut self, bytes: &mut [u8]) -> Heard {
        self.silent = 0;
        let now_ms = self.app.now().millis().unsigned_abs();
        let (codec, depth) = (self.manner.codec, self.app.limits().json_depth_max);
        let (mut commands, mut refused, mut end) = (Vec::new(), Vec::new(), None);
        let (pings, out) = (&mut self.pings, &mut self.out);
        let fed = self.decoder.feed(bytes, |incoming| {
            let said = match (incoming, codec) {
                (Incoming::Text(text), Codec::Json) => text.as_bytes(),
                (Incoming::Binary(bytes), Codec::Proto) => bytes,
                (Incoming::Text(_) | Incoming::Binary(_), _) => {
                    end = Some(End::with(1003, "the other kind of frame was agreed on"));
                    return ControlFlow::Break(());
                }
                (Incoming::Close(close), _) => {
                    end = Some(End::Goodbye(close_answer(close)));
                    return ControlFlow::Break(());
                }
                (Incoming::Ping(_) | Incoming::Pong, _) => {
                    if let Err(violation) = pings.spend(now_ms) {
                        end = Some(End::Goodbye(violation.close_frame()));
                        return ControlFlow::Break(());
                    }
                    if let Incoming::Ping(payload) = incoming {
                        out.push(parlor_ws::pong(payload));
                    }
                    return ControlFlow::Continue(());
                }
            };
            match command::parse(codec, said, depth) {
                Ok(command) => commands.push(command),
                Err(error) => refused.push(error.to_string()),
            }
            ControlFlow::Continue(())
        });
        let fed = fed.map_err(|violation| End::Goodbye(violation.close_frame()));
        (commands, self.strike(refused).err().or(end).or(fed.err()))
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
        self.out.push(shared.bytes().clone());
    }

    /// A beat of the timer: pings the silent, leaves the dead and the stalled.
    async fn tick(&mut self) -> Result<(), End> {
        let limits = self.app.limits();
        let tick = tick(&self.app);
        self.silent += 1;
        self.stalled = if self.out.is_empty() { 0 } else { self.stalled + 1 };
        let beats = |ms: u64| u32::try_from(ms / tick.as_millis().max(1) as u64).unwrap_or(1);
        if self.silent >= beats(limits.idle_ms_max).max(2) {
            return Err(End::Gone);
        }
        if self.stalled > beats(limits.stall_ms_max) {
            return Err(End::with(4008, "too slow: resume"));
        }
        if self.silent.is_multiple_of(beats(limits.heartbeat_ms).max(1)) {
            self.out.push(parlor_ws::ping(b""));
        }
        self.timer = Box::pin(tokio::time::sleep(tick));
        // The backstop: whatever else may have been missed, a login that is over ends here.
        self.check_login().await
    }

    async fn check_login(&mut self) -> Result<(), End> {
        match self.app.still_signed_in(&self.actor).await {
            Err(Error::Unauthorized) => Err(End::with(4010, "signed out")),
            _ => Ok(()),
        }
    }
}

/// The time between two beats: half of the shorter of the two patiences.
pub(crate) fn tick(app: &App) -> Duration {
    let limits = app.limits();
    Duration::from_millis((limits.stall_ms_max.min(limits.heartbeat_ms) / 2).max(1))
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
        assert!(bytes <= 1792, "{bytes} bytes, of which {} are state", size_of::<Socket>());
    }
}
