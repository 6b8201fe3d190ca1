//! The one verification that goes on: what of it goes by itself, and what people have to say.
//!
//! Owns its steps. Refuses a second one while one is looked at, and to say for anybody that the
//! emoji are the same.

use parlor_sdk::{Client, Error, Stage, Verification};

use crate::effect::{Answer, News};

/// The verification, if one goes on.
#[derive(Default)]
pub(crate) struct Verifier {
    flow: Option<Verification>,
    /// Whether this side is willing: it asked, or has accepted.
    willing: bool,
    /// Whether this side asked, and so begins the comparison.
    asked: bool,
    /// What was told last.
    told: Option<Stage>,
}

impl Verifier {
    /// This side has asked.
    pub(crate) fn asks(&mut self, flow: Verification) {
        *self = Self { flow: Some(flow), willing: true, asked: true, told: None };
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
        *self = Self { flow: Some(flow), willing: false, asked: false, told: None };
        Ok(self.news())
    }

    /// Does what goes by itself; whether something is to be sent then.
    pub(crate) async fn go_on(&mut self) -> Result<(Vec<News>, bool), Error> {
        let Some(flow) = &self.flow else { return Ok((Vec::new(), false)) };
        let due = match flow.stage() {
            Stage::Ready if self.asked => {
                flow.begin().await?;
                true
            }
            // The other side begins the comparison to which this one has agreed.
            Stage::Asked if self.willing => {
                flow.accept()?;
                true
            }
            _ => false,
        };
        Ok((self.news(), due))
    }

    /// What somebody said.
    pub(crate) async fn answer(&mut self, answer: Answer) -> Result<Vec<News>, Error> {
        let Some(flow) = &self.flow else { return Ok(Vec::new()) };
        match answer {
            Answer::Accept => {
                flow.accept()?;
                self.willing = true;
            }
            Answer::Same => flow.confirm().await?,
            Answer::Differ => flow.mismatch()?,
            Answer::Cancel => {
                flow.cancel()?;
                self.flow = None;
            }
        }
        Ok(self.news())
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
