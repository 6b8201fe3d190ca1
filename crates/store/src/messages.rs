//! Messages: appended in group commits, read by number.

use async_trait::async_trait;
use parlor_domain::rewording::Rewording;
use parlor_domain::{
    ClientId, Denied, Draft, Extras, Message, MessageId, Revision, RoomId, SessionId, Time, UserId,
    View,
};
use tokio::sync::oneshot;

use crate::StoreError;

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// The message's id: the first one's, when it was sent before.
    pub id: MessageId,
    /// Its small id.
    pub no: i64,
    /// Its number in the session.
    pub number: i64,
    /// The event that posted it.
    pub seq: i64,
    /// When it was stored.
    pub sent_at: Time,
    /// When it decays; `None`: never.
    pub expires_at: Option<Time>,
    /// False when an earlier send with the same id had done it.
    pub fresh: bool,
}

impl Posted {
    /// The message as everybody is told of it.
    pub(crate) fn told(&self, draft: &Draft) -> Message {
        let extras = Extras::of(bits(draft)).map(|extras| {
            let (forwarded, files) = (draft.forwarded, draft.files.clone());
            Box::new(Extras { forwarded, files, ..*extras })
        });
        Message {
            id: self.id,
            no: self.no,
            number: self.number,
            seq: self.seq,
            session: draft.session,
            sender: draft.sender,
            client_id: draft.client_id,
            content: draft.content.clone(),
            reply_to: draft.reply_to,
            thread: draft.thread,
            file: draft.file.clone(),
            sent_at: self.sent_at,
            edited_at: None,
            deleted_at: None,
            expires_at: self.expires_at,
            extras,
        }
    }
}

/// What else there is of a message from the beginning.
pub(crate) fn bits(draft: &Draft) -> i64 {
    let forwarded = if draft.forwarded.is_some() { Extras::FORWARDED } else { 0 };
    let files = if draft.files.is_empty() { 0 } else { Extras::FILES };
    let encrypted = if draft.encrypted_for.is_some() { Extras::ENCRYPTED } else { 0 };
    let sealed = if draft.seal.is_some() { Extras::SEALED } else { 0 };
    forwarded | files | encrypted | sealed
}

/// The refusal of a draft that is in no thread.
pub(crate) fn no_thread() -> Denied {
    Denied::invalid("thread_id", "not a message of this session that can begin a thread")
}

/// Answered when the draft is durable, or refused.
pub type Appending = oneshot::Receiver<Result<Posted, StoreError>>;

/// Which page of a session's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The newest.
    Newest,
    /// Those before this number.
    Before(i64),
    /// Those after this number.
    After(i64),
    /// This number in the middle.
    Around(i64),
}

impl Page {
    /// The first and the last number that it may hold, and whether the last ones are wanted.
    pub(crate) fn range(self, limit: i64) -> (i64, i64, bool) {
        match self {
            Self::Newest => (1, i64::MAX, true),
            Self::Before(number) => (1, number.saturating_sub(1), true),
            Self::After(number) => (number.saturating_add(1), i64::MAX, false),
            Self::Around(number) => (number.saturating_sub(limit / 2).max(1), i64::MAX, false),
        }
    }
}

/// A page of messages, ascending by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are earlier ones.
    pub more_before: bool,
    /// Whether there are later ones.
    pub more_after: bool,
}

/// What a repeated send finds: the first one's result and the digest of what was asked then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The first result, marked as not fresh.
    pub posted: Posted,
    /// The keyed digest of the first request.
    pub digest: [u8; 16],
}

/// Decides about rewording, with the message, the reader's view and how often it was reworded.
pub type DecideEdit = Box<dyn FnOnce(&View, &Message, u64) -> Result<(), Denied> + Send>;

/// Decides about deleting, with the message and the reader's view.
pub type DecideDelete = Box<dyn FnOnce(&View, &Message) -> Result<(), Denied> + Send>;

/// Writes and reads messages.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Queues a draft for the next group commit and returns when it is queued, so that drafts
    /// appended one after the other are stored in that order. The answer comes when it is durable:
    /// [`StoreError::Stale`] when the session's access list is not the draft's any more,
    /// [`StoreError::KeyReused`] when its client id was used for another text,
    /// [`Denied::NotFound`] when `reply_to` is not in the session, [`Denied::Invalid`] when
    /// `thread` is not, or is in a thread itself.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn append(&self, draft: Draft) -> Result<Appending, StoreError>;

    /// What an earlier send with this id came to.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn receipt(
        &self,
        user: UserId,
        client_id: ClientId,
    ) -> Result<Option<Receipt>, StoreError>;

    /// Rewords a message that `user` can see; its earlier wording is kept.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they cannot see it.
    async fn edit(
        &self,
        user: UserId,
        message: MessageId,
        asked: Rewording,
        now: Time,
        decide: DecideEdit,
    ) -> Result<Message, StoreError>;

    /// Deletes a message that `user` can see: its text and earlier wordings are overwritten, its
    /// number stays.
    ///
    /// # Errors
    /// [`StoreError::Denied`] as decided; [`Denied::NotFound`] when they cannot see it.
    async fn delete(
        &self,
        user: UserId,
        message: MessageId,
        now: Time,
        decide: DecideDelete,
    ) -> Result<(), StoreError>;

    /// A message that `user` can see.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn message(
        &self,
        user: UserId,
        message: MessageId,
    ) -> Result<Option<Message>, StoreError>;

    /// A page of a session's messages; `None` when `user` may not see the session.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn page(
        &self,
        user: UserId,
        session: SessionId,
        page: Page,
        limit: u64,
    ) -> Result<Option<MessagePage>, StoreError>;

    /// The newest messages of open sessions that `user` is in, up to `messages` of each: of up to
    /// `sessions` in which something was said, the last one first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn newest(
        &self,
        user: UserId,
        sessions: u64,
        messages: u64,
    ) -> Result<Vec<(SessionId, MessagePage)>, StoreError>;

    /// Messages of `author` in sessions that `user` is in, of one room or of all, newest first,
    /// with `no` below `before` where given.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn messages_of(
        &self,
        user: UserId,
        author: UserId,
        room: Option<RoomId>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Message>, StoreError>;

    /// The earlier wordings of a message that `user` can see, oldest first; `None` when they
    /// cannot.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revisions(
        &self,
        user: UserId,
        message: MessageId,
    ) -> Result<Option<Vec<Revision>>, StoreError>;

    /// Forgets what requests from before `before` came to, up to `limit` of each kind, and returns
    /// how many: fewer than `limit` when none is left. Repeated after that, a request is a new one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_receipts(&self, before: Time, limit: u64) -> Result<u64, StoreError>;
}
