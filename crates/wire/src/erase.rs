//! Taking out of what is told what is not to be told any more.

use crate::v1;
use crate::v1::event::Kind;

impl v1::Message {
    /// Leaves what is left of a message that is deleted, or has decayed, at this moment: its place
    /// and its number, and the thread that it began.
    pub fn erase(&mut self, at: i64) {
        let Self { id, no, number, seq, session_id, sender_id, client_id, .. } = self;
        let ids = [id, session_id, sender_id, client_id].map(std::mem::take);
        let [id, session_id, sender_id, client_id] = ids;
        *self = Self {
            id,
            no: *no,
            number: *number,
            seq: *seq,
            session_id,
            sender_id,
            client_id,
            reply_to: self.reply_to.take(),
            sent_at: self.sent_at,
            edited_at: self.edited_at,
            deleted_at: Some(at),
            expires_at: self.expires_at,
            thread_id: self.thread_id.take(),
            thread: self.thread.take(),
            ..Self::default()
        };
    }
}

impl v1::Event {
    /// The number of the message that it tells something of.
    pub fn is_about(&self) -> Option<i64> {
        match self.kind.as_ref()? {
            Kind::Posted(message) | Kind::Edited(message) => Some(message.number),
            Kind::Reacted(reacted) => Some(reacted.number),
            Kind::Previewed(previewed) => Some(previewed.number),
            _ => None,
        }
    }

    /// The first and the last number of the messages of which nothing is left with it.
    pub fn erases(&self) -> Option<(i64, i64)> {
        match self.kind.as_ref()? {
            Kind::Deleted(deleted) => Some((deleted.number, deleted.number)),
            Kind::Decayed(decayed) => Some((decayed.from, decayed.to)),
            Kind::Ended(_) => Some((0, i64::MAX)),
            _ => None,
        }
    }

    /// Takes out what it tells of its message, which is gone since this moment.
    pub fn erase(&mut self, at: i64) {
        match &mut self.kind {
            Some(Kind::Posted(message) | Kind::Edited(message)) => message.erase(at),
            Some(Kind::Reacted(reacted)) => reacted.emoji.clear(),
            Some(Kind::Previewed(previewed)) => previewed.previews.clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_message_is_its_place() {
        let text = |text: &str| text.to_owned();
        let mut message = v1::Message {
            id: text("m"),
            number: 4,
            seq: 9,
            sender_id: text("ana"),
            content: text("a secret"),
            file: Some(text("a path")),
            expires_at: Some(7),
            sent_at: 5,
            pinned_at: Some(6),
            reactions: vec![v1::Reaction { emoji: text("heart"), ..v1::Reaction::default() }],
            ..v1::Message::default()
        };
        message.erase(8);
        let left = v1::Message {
            id: text("m"),
            number: 4,
            seq: 9,
            sender_id: text("ana"),
            expires_at: Some(7),
            sent_at: 5,
            deleted_at: Some(8),
            ..v1::Message::default()
        };
        assert_eq!(message, left);
    }
}
