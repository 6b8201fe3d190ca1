//! What people do with what was said, and what they hear and see of it.

use parlor_wire::v1;
use parlor_wire::v1::event::Kind;

use super::cast::Cast;
use super::hearing::{Wanted, event};
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
            _ => panic!("nobody hears {what:?}"),
        }
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
