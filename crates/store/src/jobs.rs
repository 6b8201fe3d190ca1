//! Jobs: what is done later, by whichever node comes first.
//!
//! A job is named by its kind and by what it is about, and there once however often it is asked
//! for. Who claims it has it for a while, the lease; whoever is killed loses it with the lease, and
//! another does it again, so that to do it twice must be the same as to do it once. What is asked
//! for while it is being done is done once more afterwards: who does it may have looked too early.

use async_trait::async_trait;
use parlor_domain::Time;
use uuid::Uuid;

use crate::StoreError;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Draw the small picture of a file.
    Thumbnail,
    /// Look at what is behind the links of a message.
    Preview,
    /// Keep the bytes of a file sealed, which only messages carry that are, and the key of one that
    /// is with each message that carries it.
    Seal,
}

impl Kind {
    /// Every kind, in the order of their making.
    pub const ALL: [Self; 3] = [Self::Thumbnail, Self::Preview, Self::Seal];

    /// The name in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Preview => "preview",
            Self::Seal => "seal",
        }
    }
}

/// A job that somebody has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The job's id.
    pub id: Uuid,
    /// What it is about: the id of it.
    pub about: Uuid,
    /// How often it was tried, this time included.
    pub tries: i64,
    /// How often it was asked for until now.
    pub asked: i64,
}

/// Who works, and for how long they have what they claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who: one id for each of those who claim.
    pub worker: Uuid,
    /// Until when.
    pub until: Time,
}

/// A job, as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The id.
    pub id: Uuid,
    /// What is to be done, by its name.
    pub kind: String,
    /// What it is about.
    pub about: Uuid,
    /// When it was first asked for.
    pub created_at: Time,
    /// When it is tried next, or was to be tried last.
    pub due_at: Time,
    /// Until when somebody has it; in the past when nobody has.
    pub leased_until: Time,
    /// How often it was tried.
    pub tries: i64,
    /// What went wrong last.
    pub error: Option<String>,
    /// Whether it is tried no more.
    pub given_up: bool,
}

/// Works with jobs.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Asks for a job. One that is there already is done at once and as if for the first time, also
    /// when it had been given up; one that is being done is done once more.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ask_job(&self, kind: Kind, about: Uuid, now: Time) -> Result<(), StoreError>;

    /// Claims up to `limit` jobs of a kind that are due and that nobody has.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_jobs(
        &self,
        kind: Kind,
        lease: Lease,
        limit: u64,
        now: Time,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Forgets a job that is done, unless it was asked for again. Nothing happens when the worker
    /// has lost it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn finish_job(&self, job: Claimed, worker: Uuid) -> Result<(), StoreError>;

    /// Notes that a job has failed, and when it is tried again; `None`: never. Nothing happens when
    /// the worker has lost it meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn fail_job(
        &self,
        job: Claimed,
        worker: Uuid,
        error: String,
        again: Option<Time>,
    ) -> Result<(), StoreError>;

    /// Gives back what a worker has, who did not even try; `None`: what anybody has who must have
    /// been killed, since nobody works now.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn free_jobs(&self, worker: Option<Uuid>) -> Result<(), StoreError>;

    /// Forgets up to `limit` jobs that were given up and last due before `before`, and returns how
    /// many.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_jobs(&self, before: Time, limit: u64) -> Result<u64, StoreError>;
}

/// What an operator does with jobs, beside a server that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Try it at once, as if for the first time.
    Retry,
    /// Forget it.
    Cancel,
}
