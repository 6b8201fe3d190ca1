//! Somebody who has connected: what they hear, and the answers that are due to them.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::stream::FuturesOrdered;
use parlor_app::{Actor, App, Error};
use parlor_domain::{Denied, SessionId};
use parlor_hub::{Key, TooMany, Who};
use parlor_wire::command::{Command, FrameError};
use parlor_wire::frame::Frame as Said;
use parlor_wire::packet::{self, Auth, Resume, UNACKNOWLEDGED};
use parlor_wire::{Code, v1};
use parlor_ws::{Kind, Shared};

use crate::commands::{self, Caller, Parts};
use crate::listening::Listening;
use crate::socket::{Answer, REFUSALS_MAX, STRIKES_MAX};

use super::line::End;

/// Somebody who has connected.
pub(super) struct Member {
    app: Arc<App>,
    pub(super) actor: Actor,
    pub(super) listening: Listening,
    pub(super) answers: FuturesOrdered<Answer>,
    /// What was answered at once and is not on its way yet.
    pub(super) said: Vec<Shared>,
    strikes: u32,
    refusals: u32,
}

impl Member {
    /// Lets somebody in, and has them hear what they ask for.
    pub(super) async fn enter(
        app: &Arc<App>,
        address: IpAddr,
        shown: Option<Actor>,
        auth: Result<Auth, FrameError>,
    ) -> Result<Self, v1::Error> {
        let bad = |why: FrameError| v1::Error {
            code: Code::BadRequest.as_str().to_owned(),
            message: why.to_string(),
            ..v1::Error::default()
        };
        let auth = auth.map_err(bad)?;
        let actor = prove(app, auth.token.as_deref(), shown).await.map_err(|e| explained(&e))?;
        let Actor { user, login, device, .. } = actor;
        let ear = app.hub().connect(Who { user, login, device, address });
        let ear = ear.map_err(|which| too_many(&which))?;
        let mut member = Self {
            app: Arc::clone(app),
            actor,
            listening: Listening::new(Arc::clone(app), actor, ear),
            answers: FuturesOrdered::new(),
            said: Vec::new(),
            strikes: 0,
            refusals: 0,
        };
        member.begin(auth).await.map_err(|error| explained(&error))?;
        Ok(member)
    }

    /// Greets, and takes up the logs where they were left.
    async fn begin(&mut self, auth: Auth) -> Result<(), Error> {
        // A revocation between the proof and the hub would have cut nobody.
        self.app.still_signed_in(&self.actor).await?;
        if auth.epoch.is_some_and(|epoch| epoch != self.app.epoch()) {
            return Err(Error::ResyncRequired);
        }
        let head = self.listening.subscribe(Key::User(self.actor.user), auth.user_after).await?;
        self.tell(&Said::Hello(v1::Hello {
            user_id: self.actor.user.to_string(),
            device_id: self.actor.device.to_string(),
            epoch: self.app.epoch().to_owned(),
            heartbeat_ms: self.app.limits().heartbeat_ms.cast_signed(),
            user_seq: head,
        }));
        for resume in auth.resume {
            match self.resume(&resume).await {
                Ok(()) => {}
                Err(Error::Denied(Denied::NotFound)) => self.lose(&resume.session_id),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn resume(&mut self, resume: &Resume) -> Result<(), Error> {
        let session: SessionId = resume.session_id.parse().map_err(|_| Denied::NotFound)?;
        self.listening.subscribe(Key::Session(session), resume.after).await.map(drop)
    }

    /// Says that nothing comes of a session any more.
    pub(super) fn lose(&mut self, session: &str) {
        let notice = packet::notice("revoked", &serde_json::json!({"session_id": session}));
        self.said.push(Shared::text(notice.as_bytes()));
    }

    /// Runs a command, or says why it is none.
    pub(super) async fn obey(
        &mut self,
        ack: Option<i64>,
        command: Result<Command, FrameError>,
    ) -> Result<(), End> {
        let command = match command {
            Ok(command) => command,
            Err(error) => return self.strike(ack, &error),
        };
        let silent = parlor_wire::reference::of(&command).is_none();
        commands::run(self, command).await?;
        if let Some(ack) = ack.filter(|_| silent) {
            // On the other doors nobody waits for this answer; here somebody may.
            let ok = Said::Ok(v1::Ok { r#ref: ack, ..v1::Ok::default() });
            self.answers.push_back(Box::pin(std::future::ready(ok)));
        }
        Ok(())
    }

    /// Answers what says nothing; three of them are enough.
    fn strike(&mut self, ack: Option<i64>, error: &FrameError) -> Result<(), End> {
        let code = Code::BadRequest.as_str().to_owned();
        let message = error.to_string();
        self.answer(&Said::Error(v1::Error { r#ref: ack, code, message, ..v1::Error::default() }))?;
        self.strikes += 1;
        if self.strikes >= STRIKES_MAX {
            return Err(End::with(1008, "too many events that cannot be read"));
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, said: &Said) {
        self.said.push(Shared::build(Kind::Text, 256, |to| packet::event_of(said, to)));
    }

    fn acknowledge(&mut self, ack: i64, said: &Said) {
        self.said.push(Shared::build(Kind::Text, 128, |to| packet::ack_of(ack, said, to)));
    }
}

impl Caller for Member {
    type End = End;

    fn parts(&mut self) -> Parts<'_> {
        let Self { app, actor, listening, answers, .. } = self;
        Parts { app, actor: *actor, listening, answers }
    }

    fn answer(&mut self, said: &Said) -> Result<(), End> {
        match said {
            Said::Ok(ok) if ok.r#ref == UNACKNOWLEDGED => {}
            Said::Ok(ok) => self.acknowledge(ok.r#ref, said),
            Said::Error(error) => match error.r#ref.filter(|ack| *ack != UNACKNOWLEDGED) {
                Some(ack) => self.acknowledge(ack, said),
                None => self.tell(&Said::Error(v1::Error { r#ref: None, ..error.clone() })),
            },
            other => self.tell(other),
        }
        match said {
            Said::Error(error) if error.code == Code::RateLimited.as_str() => self.refusals += 1,
            _ => self.refusals = 0,
        }
        if self.refusals >= REFUSALS_MAX {
            return Err(End::with(4008, "too fast"));
        }
        Ok(())
    }

    /// The client knows from the answer that it must load afresh; the connection stays.
    fn resync(&mut self, said: &Said) -> Result<(), End> {
        self.answer(said)
    }
}

/// Who somebody is: by the token that they show now, or by what their handshake showed.
async fn prove(app: &App, token: Option<&str>, shown: Option<Actor>) -> Result<Actor, Error> {
    match token {
        // A token that is not good is not made up for by a cookie.
        Some(token) => app.authenticate_bearer(token).await,
        None => shown.ok_or(Error::Unauthorized),
    }
}

fn explained(error: &Error) -> v1::Error {
    match commands::refusal(UNACKNOWLEDGED, error) {
        Said::Error(error) => v1::Error { r#ref: None, ..error },
        _ => v1::Error::default(),
    }
}

fn too_many(which: &TooMany) -> v1::Error {
    v1::Error {
        code: Code::RateLimited.as_str().to_owned(),
        message: which.to_string(),
        retry_after_ms: Some(10_000),
        ..v1::Error::default()
    }
}
