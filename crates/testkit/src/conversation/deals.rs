//! What people do with what was said, and what they hear and see of it.

use parlor_wire::frame::Frame;
use parlor_wire::v1;
use parlor_wire::v1::event::Kind;

use super::cast::Cast;
use super::hearing::{Wanted, event, murmur};
use super::script::Token;
use crate::Refused;

use Token::{Text as T, Word as W};

impl Cast<'_> {
    /// Does something with a message; all of this is done by REST.
    pub(super) async fn deal(&mut self, who: &str, rest: &[Token<'_>]) -> Result<(), Refused> {
        let (method, path) = match rest {
            [W("react"), T(emoji), W("to"), T(content)] => ("PUT", self.reaction(emoji, content)),
            [W("unreact"), T(emoji), W("to"), T(content)] => {
                ("DELETE", self.reaction(emoji, content))
            }
            [W(verb @ ("pin" | "unpin")), T(content)] => {
                let method = if *verb == "pin" { "PUT" } else { "DELETE" };
                (method, format!("/messages/{}/pin", self.message(content).id))
            }
            [W(verb @ ("follow" | "unfollow")), W("the"), W("thread"), W("of"), T(content)] => {
                let method = if *verb == "follow" { "PUT" } else { "DELETE" };
                (method, format!("/messages/{}/thread/follow", self.message(content).id))
            }
            [W("read"), W("the"), W("thread"), W("of"), T(content)] => {
                let path = format!("/messages/{}/thread/read", self.message(content).id);
                let asked = v1::ReadRequest { number: i64::MAX };
                let call = self.person(who).call("PUT", &path, Some(&asked));
                return call.await.map(|_: v1::Ping| ());
            }
            [W("draft"), T(content), W("in"), T(place)] => {
                let path = format!("/sessions/{}/draft", self.place(place));
                let content = (*content).to_owned();
                let asked = v1::DraftRequest { content, ..v1::DraftRequest::default() };
                let call = self.person(who).call("PUT", &path, Some(&asked));
                return call.await.map(|_: v1::Ping| ());
            }
            _ => panic!("nobody does {rest:?}"),
        };
        self.person(who).done(method, &path).await
    }

    fn reaction(&self, emoji: &str, content: &str) -> String {
        format!("/messages/{}/reactions/{}", self.message(content).id, encoded(emoji))
    }

    /// What is heard of it.
    pub(super) fn wanted_of_deals(&self, what: &[Token<'_>]) -> Wanted {
        match what {
            [W(who), W(verb @ ("react" | "unreact")), T(emoji), W("to"), T(content)] => {
                let (who, id) = (self.person(who).id.clone(), self.message(content).id);
                let (emoji, on) = ((*emoji).to_owned(), *verb == "react");
                event(move |_, kind| {
                    matches!(kind, Kind::Reacted(r) if r.user_id == who && r.message_id == id
                        && r.emoji == emoji && r.on == on)
                })
            }
            [W(who), W("say"), T(content), W("under"), T(root)] => {
                let (who, root) = (self.person(who).id.clone(), self.message(root).id);
                let content = (*content).to_owned();
                event(move |_, kind| {
                    matches!(kind, Kind::Posted(m) if m.sender_id == who && m.content == content
                        && m.thread_id.as_ref() == Some(&root))
                })
            }
            [W(who), W("forward"), T(content), W("of"), W(whose)] => {
                let who = self.person(who).id.clone();
                let (whose, content) = (self.person(whose).id.clone(), (*content).to_owned());
                event(move |_, kind| {
                    matches!(kind, Kind::Posted(m) if m.sender_id == who && m.content == content
                        && m.forwarded.as_ref().is_some_and(|f| f.sender_id == whose))
                })
            }
            [W(who), W(verb @ ("pin" | "unpin")), T(content)] => {
                let (who, id) = (self.person(who).id.clone(), self.message(content).id);
                let on = *verb == "pin";
                event(move |_, kind| {
                    matches!(kind, Kind::Pinned(p)
                        if p.by == who && p.message_id == id && p.on == on)
                })
            }
            [W("own"), W("draft"), T(content)] => {
                let content = (*content).to_owned();
                murmur(move |frame| matches!(frame, Frame::Draft(d) if d.content == content))
            }
            [W("own"), W("reading"), W("of"), T(root)] => {
                let root = self.message(root).id;
                murmur(move |frame| matches!(frame, Frame::ThreadRead(r) if r.message_id == root))
            }
            _ => panic!("nobody hears {what:?}"),
        }
    }

    /// Looks at threads, pins and drafts; false when the line is nothing of these.
    pub(super) async fn looks(&self, who: &str, rest: &[Token<'_>]) -> Result<bool, Refused> {
        match rest {
            [W("read"), W("under"), T(root), W(":"), texts @ ..] => {
                let path = format!("/messages/{}/thread?limit=100", self.message(root).id);
                let page: v1::MessagePage = self.person(who).get(&path).await?;
                let read: Vec<_> = page.messages.iter().map(|m| T(&m.content)).collect();
                assert_eq!(read, *texts, "what {who} reads under {root:?}");
            }
            [W("see"), W("pins"), W("of"), T(place), W(":"), texts @ ..] => {
                let path = format!("/sessions/{}/pins", self.place(place));
                let page: v1::MessagePage = self.person(who).get(&path).await?;
                let pinned: Vec<_> = page.messages.iter().map(|m| T(&m.content)).collect();
                assert_eq!(pinned, *texts, "what is pinned in {place}");
                assert!(page.messages.iter().all(|m| m.pinned_at.is_some()), "they say so");
            }
            [W("see"), W("drafts"), W(":"), texts @ ..] => {
                let list: v1::DraftList = self.person(who).get("/me/drafts").await?;
                let drafts: Vec<_> = list.drafts.iter().map(|d| T(&d.content)).collect();
                assert_eq!(drafts, *texts, "what {who} has begun to write");
                let init: v1::Init = self.person(who).get("/me/init").await?;
                assert_eq!(init.drafts, list.drafts, "they come with the first screen");
            }
            [W("see"), W("threads"), W(":"), texts @ ..] => {
                let list: v1::ThreadList = self.person(who).get("/me/threads").await?;
                let roots = list.threads.iter().filter_map(|t| t.message.as_ref());
                let roots: Vec<_> = roots.map(|m| T(&m.content)).collect();
                assert_eq!(roots, *texts, "the threads that {who} follows");
            }
            [W("has"), W(count), W("unread"), W("under"), T(root)] => {
                let path = format!("/messages/{}", self.message(root).id);
                let message: v1::Message = self.person(who).get(&path).await?;
                let thread = message.thread.expect("it has begun a thread");
                assert_eq!(thread.unread.to_string(), *count, "{thread:?}");
            }
            [W("has"), W(count), W("unread"), W("in"), W("threads"), W("of"), T(place)] => {
                let path = format!("/sessions/{}", self.place(place));
                let session: v1::Session = self.person(who).get(&path).await?;
                assert_eq!(session.thread_unread.to_string(), *count, "{session:?}");
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Looks at how people react to a message: each emoji with how many, the reader's own starred.
    pub(super) async fn sees_reactions(
        &self,
        who: &str,
        content: &str,
        expected: &[Token<'_>],
    ) -> Result<(), Refused> {
        let path = format!("/messages/{}", self.message(content).id);
        let message: v1::Message = self.person(who).get(&path).await?;
        let shown = |r: &v1::Reaction| {
            assert_eq!(r.user_ids.len() as i64, r.count, "few people are all named: {r:?}");
            format!("{} {}{}", r.emoji, r.count, if r.mine { "*" } else { "" })
        };
        let seen: Vec<_> = message.reactions.iter().map(shown).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|token| match token {
                T(text) | W(text) => (*text).to_owned(),
            })
            .collect();
        assert_eq!(seen, expected, "how people react to {content:?}");
        Ok(())
    }
}

/// A text as a part of a path.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
