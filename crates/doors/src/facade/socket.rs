//! A façade's socket: the loop of `socket.rs`, speaking as another system does.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use parlor_app::{Actor, App, Error, Posted};
use parlor_domain::saying::SendMessage;
use parlor_domain::{ClientId, Denied, SessionId};
use parlor_hub::{Cut, Frame, Key, Who};
use parlor_wire::Dialect;
use parlor_ws::{Incoming, Offer, Shared, accept};
use uuid::Uuid;

use crate::line::{Line, Ready};
use crate::listening::Listening;
use crate::manner::End;
use crate::serve::{Stream, take_stream};
use crate::{Doors, Peer, Refusal};

/// Bytes taken from the hub, and read from the socket, in one turn.
const TURN_BYTES: u64 = 256 * 1024;

/// How long somebody is held up who says more than they may; then it is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the peer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A text.
    Text(String),
    /// Bytes, which no façade has a use for.
    Binary,
}

/// Why a connection ends from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The person is out of the room, or the room is gone.
    Out,
    /// The login is over.
    SignedOut,
    /// The server goes down.
    Draining,
    /// The connection takes too little of what is due to it.
    TooSlow,
    /// Something inside failed.
    Failed,
}

/// Makes the words of one connection into use cases, and events into its words.
pub trait Interpreter: Send + 'static {
    /// Whose words.
    const DIALECT: Dialect;

    /// Says what there is to say at first. The room is already listened to.
    fn greet(&mut self, talk: &mut Talk) -> impl Future<Output = Result<(), End>> + Send;

    /// Hears one message.
    fn hear(
        &mut self,
        heard: Heard,
        talk: &mut Talk,
    ) -> impl Future<Output = Result<(), End>> + Send;

    /// Whether the connection wants this event. Asked for each connection, so it is to be quick.
    fn wants(&self, _frame: &Frame) -> bool {
        true
    }

    /// An event in the façade's words, once for all its connections; `None`: it has none.
    fn translate(
        &self,
        frame: &Frame,
        app: &App,
    ) -> impl Future<Output = Result<Option<Shared>, Error>> + Send;

    /// How the connection ends.
    fn farewell(&self, why: Farewell) -> End;

    /// Is told that the connection is over, for whatever cause. It does not count any more: who has
    /// no other is not here now.
    fn parted(&mut self, _app: &App, _actor: &Actor) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// One connection, as its interpreter sees it.
pub struct Talk {
    /// The use cases.
    pub app: Arc<App>,
    /// Whose connection.
    pub actor: Actor,
    /// What it hears.
    pub listening: Listening,
    line: Line,
}

impl Talk {
    /// Says a text to this peer alone.
    pub fn say(&mut self, text: &str) {
        self.line.push(Shared::text(text.as_bytes()).bytes().clone());
    }

    /// Posts a message and waits until it is durable. Somebody who says too much at once is held
    /// up for a while, since these systems have no word for it.
    ///
    /// # Errors
    /// As [`App::send`].
    pub async fn post(&mut self, session: SessionId, content: String) -> Result<Posted, Error> {
        self.post_for(session, content, None).await
    }

    /// The same for a message that lives for so many seconds; `None`: as long as others there.
    ///
    /// # Errors
    /// As [`App::send`].
    pub async fn post_for(
        &mut self,
        session: SessionId,
        content: String,
        ttl_s: Option<i64>,
    ) -> Result<Posted, Error> {
        let client_id = ClientId(Uuid::new_v4());
        let asked = SendMessage { ttl_s, ..SendMessage::plain(client_id, session, content) };
        let mut waited = Duration::ZERO;
        loop {
            match self.app.send(&self.actor, asked.clone()).await {
                Ok(pending) => return pending.done().await,
                Err(refused) => hold_up(refused, &mut waited).await?,
            }
        }
    }

    /// Tells the façade's connections something that is not kept. It counts as a message does.
    ///
    /// # Errors
    /// As [`App::admit_murmur`].
    pub async fn murmur(
        &mut self,
        session: SessionId,
        dialect: Dialect,
        said: Shared,
    ) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        while let Err(refused) = self.app.admit_murmur(&self.actor, session).await {
            hold_up(refused, &mut waited).await?;
        }
        self.app.murmur(dialect, &said.payload());
        Ok(())
    }
}

/// Holds somebody up who was refused for saying too much at once; any other refusal stands, and so
/// does this one when they have waited for long.
async fn hold_up(refused: Error, waited: &mut Duration) -> Result<(), Error> {
    let Error::Denied(Denied::SlowDown { retry_after_ms }) = refused else {
        return Err(refused);
    };
    let pause = Duration::from_millis(retry_after_ms);
    *waited += pause;
    if *waited > PATIENCE {
        return Err(refused);
    }
    tokio::time::sleep(pause).await;
    Ok(())
}

/// Whether a request asks for a WebSocket.
pub fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get(axum::http::header::UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a socket in which `interpreter` talks for `actor`, who hears `keys`.
pub fn upgrade<I: Interpreter>(
    doors: &Doors,
    peer: Peer,
    request: Request,
    actor: Actor,
    keys: Vec<Key>,
    interpreter: I,
) -> Response {
    let who =
        Who { user: actor.user, login: actor.login, device: actor.device, address: peer.address() };
    let ear = match doors.app.hub().connect(who) {
        Ok(ear) => ear,
        Err(_) => return turn_away(doors, request, End::with(1013, "too many connections")),
    };
    let app = Arc::clone(&doors.app);
    switch(doors, request, async move |stream, early| {
        let talk = Talk {
            line: Line::new(app.limits(), false, stream),
            listening: Listening::new(Arc::clone(&app), actor, ear),
            actor,
            app,
        };
        Box::new(Conversation { talk, interpreter, keys }).run(early).await;
    })
}

/// Accepts a socket, since browsers cannot see why one was refused, and closes it.
pub fn turn_away(doors: &Doors, request: Request, end: End) -> Response {
    let limits = *doors.app.limits();
    switch(doors, request, async move |stream, _| {
        Line::new(&limits, false, stream).end(end).await;
    })
}

/// Answers the handshake, and has the open stream served.
fn switch<F>(
    doors: &Doors,
    mut request: Request,
    serve: impl FnOnce(Stream, Bytes) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    let offer = Offer { protocols: &[], deflate: false };
    let accepted = accept(request.method(), request.version(), request.headers(), &offer);
    let accepted = match accepted {
        Ok(accepted) => accepted,
        Err(refused) => return refused.response::<Body>(),
    };
    let Some(upgraded) = request.extensions_mut().remove::<OnUpgrade>() else {
        let refusal = Refusal::internal("the connection cannot be upgraded");
        return axum::response::IntoResponse::into_response(refusal);
    };
    let tasks = doors.tasks.clone();
    doors.tasks.spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let Ok((stream, early)) = take_stream(upgraded) else { return };
        // A fresh task: this one's state is large, and the connection lives long.
        tasks.spawn(async move { serve(stream, early).await });
    });
    accepted.response()
}

struct Conversation<I> {
    talk: Talk,
    interpreter: I,
    keys: Vec<Key>,
}

enum Next {
    Line(Ready),
    Fill,
}

impl<I: Interpreter> Conversation<I> {
    async fn run(mut self: Box<Self>, early: Bytes) {
        let end = match Box::pin(self.greet(early)).await {
            Ok(()) => self.converse().await,
            Err(end) => end,
        };
        let Self { talk, mut interpreter, .. } = *self;
        let Talk { app, actor, listening, mut line } = talk;
        drop(listening);
        Box::pin(interpreter.parted(&app, &actor)).await;
        line.end(end).await;
    }

    async fn greet(&mut self, early: Bytes) -> Result<(), End> {
        // A revocation between the proof and the hub would have cut nobody.
        self.check_login().await?;
        for key in std::mem::take(&mut self.keys) {
            match self.talk.listening.subscribe(key, None).await {
                Ok(_) => {}
                Err(Error::Denied(Denied::NotFound)) => {
                    return Err(self.interpreter.farewell(Farewell::Out));
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        self.interpreter.greet(&mut self.talk).await?;
        let mut heard = Vec::new();
        let now = self.talk.app.now();
        let end = self.talk.line.feed(&mut early.to_vec(), now, collect(&mut heard));
        self.obey(heard, end).await
    }

    async fn converse(&mut self) -> End {
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    async fn turn(&mut self) -> Result<(), End> {
        if self.talk.line.is_empty() {
            self.fill().await?;
        }
        self.talk.line.write()?;
        match poll_fn(|cx| self.poll_next(cx)).await? {
            Next::Line(Ready::Write) => self.talk.line.write(),
            Next::Line(Ready::Read) => self.read().await,
            Next::Fill => Ok(()),
            Next::Line(Ready::Tick) => {
                self.talk.line.beat(self.talk.app.limits())?;
                Box::pin(self.check_login()).await
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Next>> {
        let line = &mut self.talk.line;
        if let Poll::Ready(ready) = line.poll_write(cx) {
            return Poll::Ready(ready.map(Next::Line));
        }
        if !line.is_full()
            && let Poll::Ready(ready) = line.poll_read(cx)
        {
            return Poll::Ready(ready.map(Next::Line));
        }
        if line.is_empty() && self.talk.listening.poll_rung(cx).is_ready() {
            return Poll::Ready(Ok(Next::Fill));
        }
        line.poll_tick(cx).map_ok(Next::Line)
    }

    /// Takes what is ready, in the façade's words.
    async fn fill(&mut self) -> Result<(), End> {
        match self.talk.listening.ear.verdict() {
            Some(Cut::Revoked) => return Err(self.interpreter.farewell(Farewell::SignedOut)),
            Some(Cut::Draining) => return Err(self.interpreter.farewell(Farewell::Draining)),
            None => {}
        }
        let mut told = Vec::new();
        let tell = |_: Key, frame: Arc<Frame>| told.push(frame);
        let Ok(over) = self.talk.listening.gather(TURN_BYTES, tell) else {
            return Err(self.interpreter.farewell(Farewell::TooSlow));
        };
        for frame in &told {
            self.tell(frame).await?;
        }
        if !over.is_empty() || told.iter().any(|frame| frame.ends()) {
            return Err(self.interpreter.farewell(Farewell::Out));
        }
        Ok(())
    }

    async fn tell(&mut self, frame: &Frame) -> Result<(), End> {
        if !self.interpreter.wants(frame) {
            return Ok(());
        }
        let said = match frame.in_dialect(I::DIALECT) {
            Some(said) => said,
            None => {
                let said = Box::pin(self.interpreter.translate(frame, &self.talk.app)).await;
                frame.say_in(I::DIALECT, said.map_err(|e| self.failed(&e))?)
            }
        };
        if let Some(said) = said {
            self.talk.line.push(said.bytes().clone());
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<(), End> {
        let mut total = 0;
        while total < TURN_BYTES && !self.talk.line.is_full() {
            let (mut heard, now) = (Vec::new(), self.talk.app.now());
            let read = self.talk.line.read_once(now, collect(&mut heard))?;
            let Some((bytes, end)) = read else { break };
            total += bytes as u64;
            Box::pin(self.obey(heard, end)).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, heard: Vec<Heard>, end: Option<End>) -> Result<(), End> {
        for said in heard {
            self.interpreter.hear(said, &mut self.talk).await?;
            self.drain().await?;
        }
        end.map_or(Ok(()), Err)
    }

    /// Waits until the peer has taken most of what was answered: a question is short and its
    /// answer may be a whole history, so that who asks and does not read would fill the memory.
    async fn drain(&mut self) -> Result<(), End> {
        let limits = *self.talk.app.limits();
        let patience = Duration::from_millis(limits.stall_ms_max);
        while self.talk.line.bytes() > limits.backlog_bytes_max {
            self.talk.line.write()?;
            let line = &self.talk.line;
            let taken = tokio::time::timeout(patience, poll_fn(|cx| line.poll_drained(cx)));
            match taken.await {
                Ok(taken) => taken?,
                Err(_) => return Err(self.interpreter.farewell(Farewell::TooSlow)),
            }
        }
        Ok(())
    }

    fn failed(&self, error: &Error) -> End {
        crate::error::explain(error);
        self.interpreter.farewell(Farewell::Failed)
    }

    async fn check_login(&mut self) -> Result<(), End> {
        match self.talk.app.still_signed_in(&self.talk.actor).await {
            Err(Error::Unauthorized) => Err(self.interpreter.farewell(Farewell::SignedOut)),
            _ => Ok(()),
        }
    }
}

fn collect(heard: &mut Vec<Heard>) -> impl FnMut(Incoming<'_>) -> ControlFlow<End> {
    move |incoming| {
        heard.push(match incoming {
            Incoming::Text(text) => Heard::Text(text.to_owned()),
            _ => Heard::Binary,
        });
        ControlFlow::Continue(())
    }
}
