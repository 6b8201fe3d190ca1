//! The one verification that goes on: what of it goes by itself, and what people have to say.
//!
//! Owns its steps. Refuses a second one while one is looked at, and to say for anybody that the
//! emoji are the same, or that a code worked.

use parlor_sdk::{Client, Error, Stage, Verification};

use crate::effect::{Answer, News};

/// The verification, if one goes on.
#[derive(Default)]
pub(crate) struct Verifier {
    flow: Option<Verification>,
    /// Whether this side is willing: it asked, or has accepted.
    willing: bool,
    /// What was told last.
    told: Option<Stage>,
}

impl Verifier {
    /// This side has asked.
    pub(crate) fn asks(&mut self, flow: Verification) {
        *self = Self { flow: Some(flow), willing: true, told: None };
    }

    /// Somebody asks.
    pub(crate) fn asked(
        &mut self,
        client: &Client,
        user_id: &str,
        name: &str,
    ) -> Result<Vec<News>, Error> {
        if self.flow.as_ref().is_some_and(|flow| !is_over(&flow.stage())) {
            return Ok(Vec::new());
        }
        let flow = client.encryption()?.verification(user_id, name)?;
        *self = Self { flow: Some(flow), willing: false, told: None };
        Ok(self.news())
    }

    /// Does what goes by itself; whether something is to be sent then.
    pub(crate) async fn go_on(&mut self) -> Result<(Vec<News>, bool), Error> {
        let due = self.step().await?;
        Ok((self.news(), due))
    }

    async fn step(&self) -> Result<bool, Error> {
        let Some(flow) = &self.flow else { return Ok(false) };
        match flow.stage() {
            // The other side begins the comparison to which this one has agreed.
            Stage::Asked if self.willing => {
                flow.accept()?;
                Ok(true)
            }
            // Where it can only be a code there is nothing to choose. Without one to show, the
            // other side's can still be taken.
            Stage::Ready if flow.is_by_code() => {
                drop(flow.show_code().await);
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// What somebody said.
    pub(crate) async fn answer(&mut self, answer: Answer) -> Result<Vec<News>, Error> {
        let Some(flow) = &self.flow else { return Ok(Vec::new()) };
        match answer {
            Answer::Accept => {
                flow.accept()?;
                self.willing = true;
            }
            Answer::Compare => flow.begin().await?,
            Answer::Show => drop(flow.show_code().await?),
            Answer::Take(code) => flow.take_code(&code).await?,
            Answer::Same => flow.confirm().await?,
            Answer::Differ => flow.mismatch()?,
            Answer::Cancel => {
                flow.cancel()?;
                self.flow = None;
            }
        }
        self.step().await?;
        Ok(self.news())
    }

    /// Calls it off, so that the same device is asked anew: whose, and which. Once emoji were begun
    /// there is no code any more.
    pub(crate) fn leave(&mut self) -> Result<Option<(String, String)>, Error> {
        let Some(flow) = self.flow.take() else { return Ok(None) };
        let device_id = flow.device_id();
        flow.cancel()?;
        Ok(device_id.map(|device_id| (flow.user_id().to_owned(), device_id)))
    }

    /// How far it is, when that was not told yet.
    fn news(&mut self) -> Vec<News> {
        let Some(flow) = &self.flow else { return Vec::new() };
        let stage = flow.stage();
        if self.told.as_ref() == Some(&stage) {
            return Vec::new();
        }
        let user_id = flow.user_id().to_owned();
        self.told = Some(stage.clone());
        if is_over(&stage) {
            self.flow = None;
        }
        vec![News::Verifying { user_id, stage }]
    }
}

/// Asks a device of somebody's, or of one's own, that is not verified; nothing when there is none.
pub(crate) async fn ask(
    client: &Client,
    whom: Option<String>,
) -> Result<Option<Verification>, Error> {
    let user_id = whom.unwrap_or_else(|| client.user_id());
    let encryption = client.encryption()?;
    let mut devices = encryption.devices(&user_id).await?;
    devices.retain(|device| device.device_id != client.device_id());
    // A signed device of somebody answers for the person; of one's own, the others sign.
    devices.sort_by_key(|device| !device.signed);
    let Some(device) = devices.first() else { return Ok(None) };
    encryption.ask_to_verify(&user_id, &device.device_id).await.map(Some)
}

fn is_over(stage: &Stage) -> bool {
    matches!(stage, Stage::Done | Stage::Cancelled { .. })
}
