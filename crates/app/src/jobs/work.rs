//! Doing what is to be done later: jobs are claimed with a lease, done, and forgotten; what fails
//! is tried again, ever later, until it is given up.
//!
//! Each kind has workers of its own, so that those who wait for a slow one are not in the way of
//! others. A new kind is one line in `do_job`, besides its name in `parlor_store::jobs`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parlor_domain::Time;
use parlor_store::jobs::{Claimed, Kind, Lease};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::files::signed;
use crate::{App, Error};

/// How often it is looked for jobs that nobody here has heard of: another node's, and those that
/// are tried again.
const EVERY: Duration = Duration::from_secs(5);

/// How long a worker has what it has claimed, and how long it tries. What takes longer has failed,
/// long before somebody else takes it over.
const LEASE: Duration = Duration::from_mins(2);
const TRY: Duration = Duration::from_mins(1);

/// How long it is waited after the first failure; each time twice as long, and at most so long.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Characters of an error that are kept.
const ERROR_CHARS_MAX: usize = 500;

/// Rings for those who do jobs here, and for those who wait for them.
#[derive(Default)]
pub(crate) struct Bells([Bell; Kind::ALL.len()]);

#[derive(Default)]
struct Bell {
    asked: Notify,
    ended: Notify,
}

impl Bells {
    /// Somebody here has asked for a job: it is begun at once.
    pub(crate) fn ring(&self, kind: Kind) {
        self.0[kind as usize].asked.notify_one();
    }

    /// Rings when the next job of a kind has ended here, from now on.
    pub(crate) fn ended(&self, kind: Kind) -> Notified<'_> {
        self.0[kind as usize].ended.notified()
    }
}

/// Does jobs of a kind until stopped. What is not done then is anybody's at once.
pub async fn work(app: Arc<App>, kind: Kind, stop: CancellationToken) {
    let worker = Uuid::new_v4();
    let mut running = FuturesUnordered::new();
    while !stop.is_cancelled() {
        for job in app.claim(kind, worker, running.len()).await {
            let (app, stop) = (Arc::clone(&app), stop.clone());
            // A task of its own: one that panics has only lost its lease.
            running.push(app.tasks.clone().spawn(async move {
                stop.run_until_cancelled(app.do_claimed(kind, worker, job)).await;
            }));
        }
        tokio::select! {
            Some(_) = running.next() => app.bells.0[kind as usize].ended.notify_waiters(),
            () = app.bells.0[kind as usize].asked.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    while running.next().await.is_some() {}
    if let Err(error) = app.store.free_jobs(Some(worker)).await {
        tracing::warn!(%error, "failed to give back jobs; they are taken over later");
    }
}

impl App {
    /// Asks for a job, for whoever does not ask in the store together with what it is about.
    ///
    /// # Errors
    /// [`Error`] when the store fails.
    pub async fn ask_job(&self, kind: Kind, about: Uuid) -> Result<(), Error> {
        self.store.ask_job(kind, about, self.clock.now()).await?;
        self.bells.ring(kind);
        Ok(())
    }

    /// Does a job. Done twice it is the same as done once.
    async fn do_job(&self, kind: Kind, about: Uuid) -> Result<(), Error> {
        match kind {
            Kind::Thumbnail => self.draw_thumbnail(about).await,
            Kind::Preview => self.preview(about).await,
            Kind::Seal => self.seal_file(about).await,
        }
    }

    /// As many jobs as there are places for, of which `taken` are not free.
    async fn claim(&self, kind: Kind, worker: Uuid, taken: usize) -> Vec<Claimed> {
        let free = self.limits.job_tasks_max.max(1).saturating_sub(taken as u64);
        if free == 0 {
            return vec![];
        }
        let now = self.clock.now();
        let lease = Lease { worker, until: now + LEASE };
        let claimed = self.store.claim_jobs(kind, lease, free, now).await;
        claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, kind = kind.as_str(), "failed to look for jobs");
            vec![]
        })
    }

    async fn do_claimed(&self, kind: Kind, worker: Uuid, job: Claimed) {
        let done = if job.tries > signed(self.limits.job_tries_max) {
            // Nobody has noted how these ended: each time the whole process has.
            Err(Error::Internal("whoever tried it did not live to tell".to_owned()))
        } else {
            let slow = |_| Err(Error::Internal("it took too long".to_owned()));
            tokio::time::timeout(TRY, self.do_job(kind, job.about)).await.unwrap_or_else(slow)
        };
        let noted = match done {
            Ok(()) => self.store.finish_job(job, worker).await,
            Err(error) => self.put_off(kind, worker, job, &error).await,
        };
        if let Err(error) = noted {
            tracing::warn!(job = %job.id, %error, "failed to note how a job ended");
        }
    }

    async fn put_off(
        &self,
        kind: Kind,
        worker: Uuid,
        job: Claimed,
        error: &Error,
    ) -> Result<(), parlor_store::StoreError> {
        let again = again(job.tries, self.limits.job_tries_max, self.clock.now());
        tracing::warn!(job = %job.id, kind = kind.as_str(), tries = job.tries, %error,
            given_up = again.is_none(), "a job has failed");
        let text = error.to_string().chars().take(ERROR_CHARS_MAX).collect();
        self.store.fail_job(job, worker, text, again).await
    }
}

/// When a job is tried again that has failed so often; `None`: never.
fn again(tries: i64, tries_max: u64, now: Time) -> Option<Time> {
    if tries >= signed(tries_max) {
        return None;
    }
    let doubled = u32::try_from(tries.max(1) - 1).unwrap_or(u32::MAX);
    let pause = PAUSE.saturating_mul(2_u32.saturating_pow(doubled));
    Some(now + pause.min(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_tried_ever_later_and_then_no_more() {
        let after = |tries| again(tries, 12, Time(0)).map(|at| at.0 / 1_000_000);
        assert_eq!([after(1), after(2), after(3)], [Some(5), Some(10), Some(20)]);
        assert_eq!([after(10), after(11)], [Some(2_560), Some(3_600)]);
        assert_eq!(after(12), None);
        assert_eq!(again(1, 0, Time(0)), None);
    }

    #[test]
    fn every_kind_has_a_bell_of_its_own() {
        for (n, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, n, "{}", kind.as_str());
        }
    }
}
