//! What people can see when they look.

use std::collections::BTreeSet;

use parlor_wire::v1;

use super::cast::Cast;
use super::script::Token;
use crate::Refused;

use Token::{Text as T, Word as W};

type Checked = Result<bool, Refused>;

impl Cast<'_> {
    /// Looks; false when the line is nothing to be looked at.
    pub(super) async fn checks(&mut self, who: &str, rest: &[Token<'_>]) -> Checked {
        match rest {
            [W("see"), T(name)] => self.sees(who, name).await?,
            [W("see"), W("session"), T(name)] => {
                let path = format!("/sessions/{}", self.place(name));
                let _: v1::Session = self.person(who).get(&path).await?;
            }
            [W("see"), W(whom), W("is"), W(role), W("of"), T(room)] => {
                self.sees_role(who, whom, role, room).await?;
            }
            [W("see"), W(whom), W("named"), T(name)] => {
                let path = format!("/users/{}", self.person(whom).id);
                let user: v1::User = self.person(who).get(&path).await?;
                assert_eq!(user.name, *name);
            }
            [W("see"), W(count), W("devices")] => {
                let list: v1::DeviceList = self.person(who).get("/me/devices").await?;
                assert_eq!(list.devices.len().to_string(), *count);
            }
            [W("see"), people @ .., W("in"), T(place)] => {
                self.sees_members(who, people, place).await?
            }
            [W("find"), T(room)] => assert!(self.finds(who, room).await, "{who} finds no {room}"),
            [W("find"), T(room), W("to"), W("be"), T(other)] => {
                assert_eq!(self.room(room).id, self.room(other).id, "two rooms of one set");
            }
            [W("has"), W(count), W("unread"), W("in"), T(place)] => {
                let session = self.session_of(who, place).await?;
                assert_eq!(session.unread.to_string(), *count, "{session:?}");
            }
            [W("has"), W(count), W("mentions"), W("in"), T(place)] => {
                let session = self.session_of(who, place).await?;
                assert_eq!(session.mentions.to_string(), *count, "{session:?}");
            }
            [W("read"), W("in"), T(place), W(":"), texts @ ..] => {
                self.reads(who, place, texts).await?;
            }
            [W("see"), W("reactions"), W("to"), T(content), W(":"), expected @ ..] => {
                self.sees_reactions(who, content, expected).await?;
            }
            [W("page"), T(place), rest @ ..] => {
                let mut halves = rest.splitn(2, |token| *token == W(":"));
                let (asked, expected) = (halves.next(), halves.next());
                self.pages(who, place, asked.unwrap_or_default(), expected.unwrap_or_default())
                    .await?;
            }
            [W("recall"), T(content), W(":"), texts @ ..] => {
                self.recalls(who, content, texts).await?
            }
            _ => return self.looks(who, rest).await,
        }
        Ok(true)
    }

    /// Looks at a room or session, by REST.
    async fn sees(&self, who: &str, name: &str) -> Result<(), Refused> {
        match self.sessions.get(name) {
            Some(session) => {
                let path = format!("/sessions/{session}");
                self.person(who).get::<v1::Session>(&path).await.map(drop)
            }
            None => {
                let path = format!("/rooms/{}", self.room(name).id);
                self.person(who).get::<v1::Room>(&path).await.map(drop)
            }
        }
    }

    async fn sees_role(
        &self,
        who: &str,
        whom: &str,
        role: &str,
        room: &str,
    ) -> Result<(), Refused> {
        let path = format!("/rooms/{}/members", self.room(room).id);
        let list: v1::MemberList = self.person(who).get(&path).await?;
        let id = &self.person(whom).id;
        let is_them = |member: &&v1::Member| member.user.as_ref().is_some_and(|u| u.id == *id);
        let found = list.members.iter().find(is_them);
        assert_eq!(found.map(|member| &*member.role), Some(role), "{whom} in {room}");
        Ok(())
    }

    async fn sees_members(
        &self,
        who: &str,
        people: &[Token<'_>],
        place: &str,
    ) -> Result<(), Refused> {
        let path = match self.sessions.get(place) {
            Some(session) => format!("/sessions/{session}/members"),
            None => format!("/rooms/{}/members", self.room(place).id),
        };
        let list: v1::MemberList = self.person(who).get(&path).await?;
        let names = list.members.into_iter().filter_map(|member| member.user);
        let names: BTreeSet<_> = names.map(|user| user.id).collect();
        let expected: BTreeSet<_> = self.ids(people).into_iter().collect();
        assert_eq!(names, expected, "the people in {place}");
        Ok(())
    }

    /// Whether somebody finds a room among those that anybody may join.
    pub(super) async fn finds(&self, who: &str, room: &str) -> bool {
        let list: v1::RoomList =
            self.person(who).get("/rooms/public?limit=100").await.expect("anybody may look");
        list.rooms.iter().any(|found| found.id == self.room(room).id)
    }

    async fn session_of(&self, who: &str, place: &str) -> Result<v1::Session, Refused> {
        let path = format!("/sessions/{}", self.place(place));
        self.person(who).get(&path).await
    }

    async fn reads(&self, who: &str, place: &str, texts: &[Token<'_>]) -> Result<(), Refused> {
        let path = format!("/sessions/{}/messages?limit=100", self.place(place));
        let page: v1::MessagePage = self.person(who).get(&path).await?;
        let read: Vec<_> = page.messages.iter().map(|message| T(&message.content)).collect();
        assert_eq!(read, texts, "what {who} reads in {place}");
        let numbers: Vec<_> = page.messages.iter().map(|message| message.number).collect();
        let holes = numbers.windows(2).any(|pair| pair[1] != pair[0] + 1);
        assert!(!holes, "numbers have no holes: {numbers:?}");
        Ok(())
    }

    async fn pages(
        &self,
        who: &str,
        place: &str,
        asked: &[Token<'_>],
        expected: &[Token<'_>],
    ) -> Result<(), Refused> {
        let word = |token: &Token<'_>| match token {
            W(word) => (*word).to_owned(),
            T(text) => panic!("{text:?} is no word"),
        };
        let pairs = asked.chunks(2).map(|pair| pair.iter().map(word).collect::<Vec<_>>().join("="));
        let query = pairs.collect::<Vec<_>>().join("&");
        let path = format!("/sessions/{}/messages?{query}", self.place(place));
        let page: v1::MessagePage = self.person(who).get(&path).await?;
        let mut got: Vec<_> = page.messages.iter().map(|m| m.number.to_string()).collect();
        for (more, word) in [(page.has_more_before, "earlier"), (page.has_more_after, "later")] {
            if more {
                got.extend(["and".to_owned(), word.to_owned()]);
            }
        }
        let expected: Vec<_> = expected.iter().map(word).collect();
        assert_eq!(got, expected, "the page of {place} for {query}");
        Ok(())
    }

    async fn recalls(&self, who: &str, content: &str, texts: &[Token<'_>]) -> Result<(), Refused> {
        let path = format!("/messages/{}/revisions", self.message(content).id);
        let list: v1::RevisionList = self.person(who).get(&path).await?;
        let earlier: Vec<_> = list.revisions.iter().map(|r| T(&r.content)).collect();
        assert_eq!(earlier, texts, "the earlier wordings of {content:?}");
        Ok(())
    }
}
