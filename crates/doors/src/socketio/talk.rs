//! The life of one connection, whatever carries it: one loop, as in `socket.rs`.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use parlor_app::{Actor, App, Error};
use parlor_hub::{Cut, Frame, Key};
use parlor_wire::command::FrameError;
use parlor_wire::frame::Frame as Said;
use parlor_wire::packet::{self, Auth, Packet};
use parlor_wire::v1;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::commands::Caller as _;
use crate::line::tick;
use crate::outgoing::SLICES;
use crate::socket::TURN_BYTES;

use super::line::{End, Line};
use super::member::Member;
use super::web::Web;
use super::{Ask, Guest, Place};

/// Tries to connect, before the connection is closed.
const TRIES_MAX: u32 = 3;

/// What a connection begins with.
pub(super) struct Seat {
    pub(super) app: Arc<App>,
    pub(super) stop: CancellationToken,
    pub(super) address: IpAddr,
    pub(super) sid: Uuid,
    /// Who the request of the handshake proved.
    pub(super) shown: Option<Actor>,
    /// The place of somebody who has not said who they are.
    pub(super) guest: Option<Guest>,
}

/// What happens next.
enum Next {
    Write,
    // The task of every connection has room for this, so it is not as large as the largest answer.
    Answer(Box<Said>),
    Read,
    Obey,
    Ask(Ask),
    Probe,
    Fill,
    Tick,
}

/// One connection.
pub(super) struct Talk {
    seat: Seat,
    line: Line,
    /// The requests of a connection that is polled, and where it is found by them.
    asks: Option<(Place, mpsc::Receiver<Ask>)>,
    /// A WebSocket that is being tried, and whether it was shown to work.
    probe: Option<(Box<Web>, bool)>,
    member: Option<Box<Member>>,
    timer: Pin<Box<Sleep>>,
    /// Timer ticks in all; since the client said anything; since it took anything; of the probe.
    ticks: u32,
    silent: u32,
    stalled: u32,
    probed: u32,
    tries: u32,
}

impl Talk {
    pub(super) fn new(seat: Seat, line: Line, asks: Option<(Place, mpsc::Receiver<Ask>)>) -> Self {
        Self {
            timer: Box::pin(tokio::time::sleep(tick(seat.app.limits()))),
            seat,
            line,
            asks,
            probe: None,
            member: None,
            ticks: 0,
            silent: 0,
            stalled: 0,
            probed: 0,
            tries: 0,
        }
    }

    /// Serves the connection until it ends. `early` is what came with a WebSocket's handshake.
    pub(super) async fn run(mut self: Box<Self>, early: Bytes) {
        let end = match Box::pin(self.begin(early)).await {
            Ok(()) => self.converse().await,
            Err(end) => end,
        };
        let Self { line, asks, member, .. } = *self;
        // They listen no more, while they are told why.
        drop(member);
        // Until then the polls of somebody who is told find the connection.
        let (_place, asks) = asks.unzip();
        Box::pin(line.end(end, asks)).await;
    }

    async fn begin(&mut self, early: Bytes) -> Result<(), End> {
        let (now_ms, depth) = self.now();
        let Line::Web(web) = &mut self.line else { return Ok(()) };
        let heard = web.parse(&mut early.to_vec(), now_ms, depth);
        self.hear_all(heard).await
    }

    async fn converse(&mut self) -> End {
        let stop = self.seat.stop.clone();
        loop {
            // The hub tells its own when the server goes down; guests nobody tells.
            let turned = if self.member.is_some() {
                self.turn().await
            } else {
                tokio::select! {
                    turned = self.turn() => turned,
                    () = stop.cancelled() => Err(End::with(1012, "restarting")),
                }
            };
            if let Err(end) = turned {
                return end;
            }
        }
    }

    /// Waits for one thing to happen, and does it.
    async fn turn(&mut self) -> Result<(), End> {
        self.judge()?;
        if self.line.wants() {
            self.fill().await?;
        }
        self.write()?;
        match poll_fn(|cx| self.poll_next(cx)).await {
            Next::Write => self.write(),
            Next::Answer(said) => self.answer(&said),
            Next::Read => self.read().await,
            Next::Obey => Box::pin(self.obey_posted()).await,
            Next::Ask(ask) => Box::pin(self.asked(ask)).await,
            Next::Probe => Box::pin(self.read_probe()).await,
            Next::Fill => Ok(()),
            Next::Tick => Box::pin(self.tick()).await,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let free = !self.is_full();
        match &mut self.line {
            Line::Web(web) => {
                // A broken stream is found out by reading from it, or writing to it.
                if !web.is_empty() && web.stream.poll_write_ready(cx).is_ready() {
                    return Poll::Ready(Next::Write);
                }
                if free && web.poll_read(cx).is_ready() {
                    return Poll::Ready(Next::Read);
                }
            }
            Line::Polls(polls) if free && polls.has_posted() => return Poll::Ready(Next::Obey),
            Line::Polls(_) => {}
        }
        if let Some(member) = &mut self.member {
            if let Poll::Ready(Some(said)) = member.answers.poll_next_unpin(cx) {
                return Poll::Ready(Next::Answer(Box::new(said)));
            }
            // Who takes nothing now is ended all the same.
            let (listening, takes) = (&member.listening, self.line.wants());
            let rung = if takes { listening.poll_rung(cx) } else { listening.ear.poll_cut(cx) };
            if rung.is_ready() {
                return Poll::Ready(Next::Fill);
            }
        }
        if let Some((_, asks)) = &mut self.asks
            && let Poll::Ready(Some(ask)) = asks.poll_recv(cx)
        {
            return Poll::Ready(Next::Ask(ask));
        }
        if let Some((web, _)) = &self.probe
            && web.poll_read(cx).is_ready()
        {
            return Poll::Ready(Next::Probe);
        }
        self.timer.as_mut().poll(cx).map(|()| Next::Tick)
    }

    /// Takes what is ready: first what is being caught up with, then what is new. Keys come before
    /// what they open.
    async fn fill(&mut self) -> Result<(), End> {
        let Some(member) = &mut self.member else { return Ok(()) };
        let (line, mut over, mut frames) = (&mut self.line, Vec::new(), Vec::new());
        while line.wants() && member.listening.is_behind() && !member.listening.is_rung() {
            let tell = |_: Key, frame: Arc<Frame>| line.push(frame.packet());
            let caught = Box::pin(member.listening.catch_up(tell)).await;
            over.extend(caught.map_err(|e| failed(&e))?);
        }
        let tell = |_: Key, frame: Arc<Frame>| frames.push(frame);
        over.extend(member.listening.gather(TURN_BYTES, tell).map_err(|_| lagged())?);
        if member.listening.is_rung() {
            let news = Box::pin(member.listening.key_news()).await.map_err(|e| failed(&e))?;
            news.into_iter().for_each(|news| member.tell(&Said::E2ee(news)));
            member.said.drain(..).for_each(|packet| line.push(&packet));
        }
        frames.iter().for_each(|frame| line.push(frame.packet()));
        for key in over {
            if let Key::Session(session) = key {
                member.lose(&session.to_string());
            }
        }
        self.pass_on();
        Ok(())
    }

    /// Ends the connection if it is to end.
    fn judge(&self) -> Result<(), End> {
        let Some(member) = &self.member else { return Ok(()) };
        match member.listening.ear.verdict() {
            Some(Cut::Revoked) => Err(revoked()),
            Some(Cut::Draining) => Err(drained(&member.actor)),
            None => Ok(()),
        }
    }

    fn write(&mut self) -> Result<(), End> {
        if self.line.write()? {
            self.stalled = 0;
        }
        Ok(())
    }

    /// Puts what was answered at once on its way.
    fn pass_on(&mut self) {
        let Some(member) = &mut self.member else { return };
        member.said.drain(..).for_each(|packet| self.line.push(&packet));
    }

    fn answer(&mut self, said: &Said) -> Result<(), End> {
        let answered = self.member.as_mut().map_or(Ok(()), |member| member.answer(said));
        self.pass_on();
        answered
    }

    /// Whether nothing more is taken for now: too many commands wait for their answer, or too many
    /// answers for a client that does not take them.
    fn is_full(&self) -> bool {
        let begun = self.member.as_ref().map_or(0, |member| member.answers.len());
        begun as u64 >= self.seat.app.limits().commands_in_flight_max || self.line.len() >= SLICES
    }

    fn now(&self) -> (u64, u64) {
        let now_ms = self.seat.app.now().millis().unsigned_abs();
        (now_ms, self.seat.app.limits().json_depth_max)
    }

    /// Reads what the client has sent over its WebSocket, up to a turn's worth.
    async fn read(&mut self) -> Result<(), End> {
        let mut total = 0;
        while total < TURN_BYTES && !self.is_full() {
            let (now_ms, depth) = self.now();
            let Line::Web(web) = &mut self.line else { return Ok(()) };
            let Some((bytes, heard)) = web.read(now_ms, depth)? else { return Ok(()) };
            total += bytes as u64;
            self.silent = 0;
            Box::pin(self.hear_all(heard)).await?;
        }
        Ok(())
    }

    /// Looks at what was posted.
    async fn obey_posted(&mut self) -> Result<(), End> {
        let depth = self.seat.app.limits().json_depth_max;
        while !self.is_full() {
            let Line::Polls(polls) = &mut self.line else { return Ok(()) };
            let Some(packet) = polls.next_posted() else { return Ok(()) };
            let packet = packet::parse(&packet, depth).map_err(|e| End::wrong(&e))?;
            self.hear(packet).await?;
        }
        Ok(())
    }

    /// What came before a goodbye or a violation still counts.
    async fn hear_all(&mut self, (packets, end): super::web::Heard) -> Result<(), End> {
        for packet in packets {
            self.hear(packet).await?;
        }
        end.map_or(Ok(()), Err)
    }

    async fn hear(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::Close => return Err(End::Gone),
            Packet::Disconnect => return Err(End::with(1000, "")),
            Packet::Ping { .. } => self.line.say("3"),
            Packet::Pong | Packet::Upgrade | Packet::Nothing => {}
            Packet::Connect(auth) => return Box::pin(self.connect(auth)).await,
            Packet::ConnectElsewhere(name) => {
                self.line.say(&packet::no_namespace(&name));
                return self.tried();
            }
            Packet::Event { ack, command } => {
                let Some(member) = &mut self.member else {
                    return Err(End::with(1008, "connect first"));
                };
                let obeyed = member.obey(ack, command).await;
                self.pass_on();
                return obeyed;
            }
        }
        Ok(())
    }

    async fn connect(&mut self, auth: Result<Auth, FrameError>) -> Result<(), End> {
        if self.member.is_some() {
            return Err(End::with(1008, "connected already"));
        }
        let Seat { app, address, shown, .. } = &self.seat;
        match Member::enter(app, *address, *shown, auth).await {
            Ok(member) => {
                self.seat.guest = None;
                self.member = Some(Box::new(member));
                self.line.say(&packet::connected(&self.seat.sid.simple().to_string()));
                self.pass_on();
                Ok(())
            }
            Err(error) => {
                self.line.say(&packet::refused(&error));
                self.tried()
            }
        }
    }

    /// Counts a try that failed.
    fn tried(&mut self) -> Result<(), End> {
        self.tries += 1;
        if self.tries >= TRIES_MAX {
            return Err(End::with(4001, "sign in first"));
        }
        Ok(())
    }

    /// Takes what a request asks for.
    async fn asked(&mut self, ask: Ask) -> Result<(), End> {
        self.silent = 0;
        let Line::Polls(polls) = &mut self.line else { return Ok(()) };
        match ask {
            Ask::Poll(poll) => {
                polls.wait(poll)?;
                if matches!(self.probe, Some((_, true))) {
                    polls.release();
                }
            }
            Ask::Post(body, taken) => polls.take(&body, taken)?,
            Ask::Upgrade(mut web, early) => {
                let (now_ms, depth) = self.now();
                let heard = web.parse(&mut early.to_vec(), now_ms, depth);
                self.probe = Some((web, false));
                self.probed = 0;
                return self.hear_probe(heard).await;
            }
        }
        Ok(())
    }

    /// Reads from the WebSocket that is tried. When it fails, polling goes on.
    async fn read_probe(&mut self) -> Result<(), End> {
        let (now_ms, depth) = self.now();
        let Some((web, _)) = &mut self.probe else { return Ok(()) };
        match web.read(now_ms, depth) {
            Ok(Some((_, heard))) => self.hear_probe(heard).await,
            Ok(None) => Ok(()),
            Err(_) => {
                self.probe = None;
                Ok(())
            }
        }
    }

    /// What comes right behind the change is said already on the line that goes on.
    async fn hear_probe(&mut self, (packets, end): super::web::Heard) -> Result<(), End> {
        let mut packets = packets.into_iter();
        for packet in packets.by_ref() {
            match (packet, &mut self.probe) {
                (Packet::Ping { probe: true }, Some((web, works))) => {
                    web.say("3probe");
                    *works = true;
                    if web.out.write(&mut web.stream).is_err() {
                        self.probe = None;
                    }
                    if let Line::Polls(polls) = &mut self.line {
                        polls.release();
                    }
                }
                (Packet::Upgrade, Some((_, true))) => {
                    self.switch();
                    return self.hear_all((packets.collect(), end)).await;
                }
                _ => self.probe = None,
            }
        }
        if end.is_some() {
            self.probe = None;
        }
        Ok(())
    }

    /// Goes on over the WebSocket that was tried.
    fn switch(&mut self) {
        let Some((mut web, _)) = self.probe.take() else { return };
        if let Line::Polls(polls) = &mut self.line {
            web.queue(polls.frames());
            polls.release();
            // Who waits is told nothing more here; a poll that is gone already is as good.
            let _ = self.line.write();
        }
        self.line = Line::Web(web);
        self.asks = None;
    }

    /// A beat of the timer: pings, and leaves the dead, the stalled and those who say nothing.
    async fn tick(&mut self) -> Result<(), End> {
        let limits = *self.seat.app.limits();
        let tick = tick(self.seat.app.limits());
        let beats = |ms: u64| u32::try_from(ms / tick.as_millis().max(1) as u64).unwrap_or(1);
        self.ticks = self.ticks.wrapping_add(1);
        self.silent += 1;
        self.stalled = if self.line.len() == 0 { 0 } else { self.stalled + 1 };
        self.probed += 1;
        if self.silent >= beats(limits.idle_ms_max).max(2) {
            return Err(End::Gone);
        }
        if self.stalled > beats(limits.stall_ms_max) {
            return Err(lagged());
        }
        if self.member.is_none() && self.ticks > beats(limits.header_ms_max) {
            return Err(End::with(4001, "sign in first"));
        }
        if self.probed > beats(limits.header_ms_max) {
            self.probe = None;
        }
        if self.ticks.is_multiple_of(beats(limits.heartbeat_ms).max(1)) {
            self.line.say("2");
        }
        self.timer = Box::pin(tokio::time::sleep(tick));
        // The backstop: whatever else may have been missed, a login that is over ends here.
        let Some(member) = &self.member else { return Ok(()) };
        match self.seat.app.still_signed_in(&member.actor).await {
            Err(Error::Unauthorized) => Err(revoked()),
            _ => Ok(()),
        }
    }
}

/// `41` has a stock client stay away: it must sign in first.
fn revoked() -> End {
    let told = vec![packet::notice("revoked", &json!({})), "41".to_owned()];
    End::Told(told, parlor_ws::close(4010, "signed out"))
}

fn lagged() -> End {
    End::Told(
        vec![packet::notice("lagged", &json!({}))],
        parlor_ws::close(4008, "too slow: resume"),
    )
}

fn drained(actor: &Actor) -> End {
    // Spread over ten seconds, so that not everybody comes back at once.
    let after_ms = (actor.login.0.as_u128() % 10_000) as i64;
    let mut told = Vec::new();
    packet::event_of(&Said::Reconnect(v1::Reconnect { after_ms }), &mut told);
    let told = String::from_utf8(told).into_iter().collect();
    End::Told(told, parlor_ws::close(1012, "restarting"))
}

fn failed(error: &Error) -> End {
    crate::error::explain(error);
    End::with(1011, "failed inside: resume")
}
