//! Does what lines of JSON tell it, one after the other, and answers each with a line: so that
//! another client, whatever it is written in, can be tried against this one.
//!
//! `{"say": {"session": "…", "text": "hello"}}` is answered by `{"ok": …}`, or by `{"error": "…"}`.

mod account;

use std::error::Error;
use std::io::Write as _;

use parlor_sdk::{Client, Draft, Message, Secrecy, Stage, Update, Verification};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

/// What it can be told.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    /// Say who it is, and how far its encryption has come.
    Who,
    /// Wait until it knows a session.
    Know { session: String },
    /// Say something, and wait until the server has it.
    Say { session: String, text: String },
    /// Add somebody to a session, and let them in by that.
    Add { session: String, user: String },
    /// Let somebody in who is in a session already.
    LetIn { session: String, user: String },
    /// Tell who is in a session, and whether each is let in.
    Readers { session: String },
    /// Wait for a message that says this, and tell what is known of who wrote it.
    Hear { session: String, text: String },
    /// Tell what stands in a session; `null` is what it cannot open.
    Read { session: String },
    /// Give other words to a message that says this.
    Reword { session: String, text: String, into: String },
    /// React to a message that says this.
    React { session: String, text: String, emoji: String },
    /// Wait until somebody reacted to a message that says this, and tell by what.
    Reacted { session: String, text: String },
    /// Send a file, which has this in it.
    SendFile { session: String, text: String, name: String, content: String },
    /// Tell what is in the first file of a message that says this.
    OpenFile { session: String, text: String },
    /// Compare emoji with a device, or with whoever asks; tell them as soon as they are there.
    Compare { user: String, device: Option<String> },
    /// Ask a device to verify by a code, or accept whoever asks until it is by one, and wait until
    /// both are willing.
    Meet { user: String, device: Option<String> },
    /// The same, unless they have met; then tell a code for the other side to take.
    ShowCode { user: String, device: Option<String> },
    /// The same, and take the code that the other side shows.
    TakeCode { user: String, device: Option<String>, code: String },
    /// They are the same, or the code worked: wait until the other side says so, too.
    Agree,
    /// Make a recovery key.
    MakeRecovery,
    /// Use a recovery key.
    Recover { key: String },
}

type Answer = Result<Value, Box<dyn Error>>;

struct Puppet {
    client: Client,
    /// Every update since the beginning: who asks to compare is in it, also when nobody waits yet.
    updates: Receiver<Update>,
    verifying: Option<Verification>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut puppet = Puppet::begin().await?;
    let mut lines = std::io::stdin().lines();
    // What the client does beside goes on while this thread waits for a line.
    while let Some(line) = tokio::task::block_in_place(|| lines.next()) {
        let answer = match serde_json::from_str(&line?) {
            Ok(command) => puppet.act(command).await,
            Err(error) => Err(error.into()),
        };
        let answer = match answer {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(std::io::stdout(), "{answer}")?;
    }
    puppet.client.stop().await;
    Ok(())
}

impl Puppet {
    async fn begin() -> Result<Self, Box<dyn Error>> {
        let client = account::client().await?;
        let updates = client.updates();
        match account::set_up_encryption(&client).await {
            // Another device has: this one waits to be confirmed.
            Ok(()) | Err(parlor_sdk::Error::Encryption(parlor_e2ee::Error::AlreadySetUp)) => {}
            Err(error) => return Err(error.into()),
        }
        client.start();
        Ok(Self { client, updates, verifying: None })
    }

    async fn act(&mut self, command: Command) -> Answer {
        let client = self.client.clone();
        match command {
            Command::Who => self.who().await,
            Command::Know { session } => {
                self.until(|| client.session(&session).info().ok()).await.map(|_| Value::Null)
            }
            Command::Say { session, text } => {
                Ok(client.session(session).say(text)?.delivered().await?.into())
            }
            Command::Add { session, user } => {
                client.session(session).add_members(&[user]).await?;
                Ok(Value::Null)
            }
            Command::LetIn { session, user } => {
                client.encryption()?.let_in(&session, &user).await?;
                Ok(Value::Null)
            }
            Command::Readers { session } => self.readers(&session).await,
            Command::Hear { session, text } => {
                Ok(serde_json::to_value(self.message(&session, &text).await?.secrecy)?)
            }
            Command::Read { session } => {
                let page = client.session(session).page_before(None, 100).await?;
                let said = |message: &Message| (!message.is_locked()).then(|| message.body.clone());
                Ok(page.messages.iter().map(said).collect())
            }
            Command::Reword { session, text, into } => {
                let id = self.message(&session, &text).await?.id;
                client.session(session).edit(&id, &into).await?;
                Ok(Value::Null)
            }
            Command::React { session, text, emoji } => {
                let id = self.message(&session, &text).await?.id;
                client.session(session).react(&id, &emoji, true).await?;
                Ok(Value::Null)
            }
            Command::Reacted { session, text } => self.reacted(&session, &text).await,
            Command::SendFile { session, text, name, content } => {
                let session = client.session(session);
                let file = session.upload(&name, "text/plain", content.into_bytes()).await?;
                let draft = Draft::text(text).with_file(file);
                Ok(session.send(draft)?.delivered().await?.into())
            }
            Command::OpenFile { session, text } => {
                let message = self.message(&session, &text).await?;
                let file = message.files.first().ok_or("it has no file")?;
                let bytes = client.session(session).download(file).await?;
                Ok(json!({ "name": file.name, "content": String::from_utf8(bytes)? }))
            }
            Command::Compare { user, device } => self.compare(&user, device).await,
            Command::Meet { user, device } => self.meet(&user, device).await.map(|_| Value::Null),
            Command::ShowCode { user, device } => {
                Ok(self.meet(&user, device).await?.show_code().await?.into())
            }
            Command::TakeCode { user, device, code } => self.take(&user, device, &code).await,
            Command::Agree => self.agree().await,
            Command::MakeRecovery => {
                Ok(client.encryption()?.set_up_recovery().await?.text().into())
            }
            Command::Recover { key } => {
                client.encryption()?.recover(&key).await?;
                Ok(Value::Null)
            }
        }
    }

    async fn who(&self) -> Answer {
        let standing = self.client.encryption()?.standing().await?;
        Ok(json!({
            "user": self.client.user_id(),
            "device": self.client.device_id(),
            "signed": standing.device_signed,
            "can_sign": standing.can_sign,
            "backup": standing.backup,
        }))
    }

    async fn readers(&self, session: &str) -> Answer {
        let members = self.client.session(session).members().await?;
        let unvouched = self.client.encryption()?.unvouched(session).await?;
        let reader = |id: &String| json!({ "user": id, "let_in": !unvouched.contains(id) });
        Ok(members.iter().map(|member| reader(&member.user_id)).collect())
    }

    /// Looks again whenever something happened.
    async fn until<T>(&self, mut found: impl FnMut() -> Option<T>) -> Result<T, Box<dyn Error>> {
        let mut updates = self.client.updates();
        loop {
            if let Some(found) = found() {
                return Ok(found);
            }
            updates.recv().await?;
        }
    }

    async fn message(&self, session: &str, text: &str) -> Result<Message, Box<dyn Error>> {
        let session = self.client.session(session);
        self.until(|| {
            let kept = session.timeline(None, 100).unwrap_or_default();
            kept.into_iter().find(|message| {
                message.body == text && matches!(message.secrecy, Secrecy::Opened { .. })
            })
        })
        .await
    }

    async fn reacted(&self, session: &str, text: &str) -> Answer {
        let id = self.message(session, text).await?.id;
        let emoji = self
            .until(|| self.client.message(&id).ok()?.reactions.first().map(|one| one.emoji.clone()))
            .await?;
        Ok(emoji.into())
    }

    async fn compare(&mut self, user: &str, device: Option<String>) -> Answer {
        let mine = device.is_some();
        let client = self.client.clone();
        let encryption = client.encryption()?;
        let verification = match device {
            Some(device) => {
                encryption.devices(user).await?;
                encryption.ask_to_verify(user, &device).await?
            }
            None => encryption.verification(user, &self.asked_by(user).await?)?,
        };
        let emoji = self.emoji(&verification, mine).await?;
        self.verifying = Some(verification);
        Ok(emoji)
    }

    /// Goes on with the verification that was met in, or else begins one, until both are willing.
    async fn meet(
        &mut self,
        user: &str,
        device: Option<String>,
    ) -> Result<Verification, Box<dyn Error>> {
        let met = self.verifying.as_ref().filter(|met| met.user_id() == user);
        let over = |stage| matches!(stage, Stage::Done | Stage::Cancelled { .. });
        if let Some(met) = met.filter(|met| !over(met.stage())) {
            return Ok(met.clone());
        }
        let client = self.client.clone();
        let encryption = client.encryption()?;
        let verification = match device {
            Some(device) => {
                encryption.devices(user).await?;
                let asking = encryption.ask_to_verify_by_code(user, &device).await?;
                self.until(|| (asking.stage() != Stage::Waiting).then_some(())).await?;
                asking
            }
            None => loop {
                let name = self.asked_by(user).await?;
                // One that is over already was called off.
                let Ok(answering) = encryption.verification(user, &name) else { continue };
                answering.accept()?;
                encryption.flush().await?;
                // A browser goes over from emoji to a code by asking anew.
                if answering.is_by_code() {
                    break answering;
                }
            },
        };
        self.verifying = Some(verification.clone());
        Ok(verification)
    }

    async fn take(&mut self, user: &str, device: Option<String>, code: &str) -> Answer {
        self.meet(user, device).await?.take_code(code).await?;
        self.client.encryption()?.flush().await?;
        Ok(Value::Null)
    }

    async fn asked_by(&mut self, user: &str) -> Result<String, Box<dyn Error>> {
        loop {
            if let Update::Verification { user_id, name } = self.updates.recv().await?
                && user_id == user
            {
                return Ok(name);
            }
        }
    }

    /// Takes every step that needs nobody to look.
    async fn emoji(&self, verification: &Verification, mine: bool) -> Answer {
        let mut updates = self.client.updates();
        loop {
            match verification.stage() {
                Stage::Asked => verification.accept()?,
                Stage::Ready if mine => verification.begin().await?,
                Stage::Compare(emoji) => {
                    return Ok(emoji.iter().map(|(symbol, _)| Value::from(*symbol)).collect());
                }
                Stage::Cancelled { reason, .. } => return Err(reason.into()),
                _ => {}
            }
            self.client.encryption()?.flush().await?;
            updates.recv().await?;
        }
    }

    async fn agree(&mut self) -> Answer {
        let verification = self.verifying.take().ok_or("there is nothing to compare")?;
        let encryption = self.client.encryption()?;
        // Whoever shows a code agrees when it was taken, and whoever took it has said all.
        self.until(|| (!matches!(verification.stage(), Stage::Showing(_))).then_some(())).await?;
        if verification.stage() != Stage::Matched {
            verification.confirm().await?;
        }
        encryption.flush().await?;
        self.until(|| match verification.stage() {
            Stage::Done => Some(Ok(Value::Null)),
            Stage::Cancelled { reason, .. } => Some(Err(reason.into())),
            _ => None,
        })
        .await?
    }
}
