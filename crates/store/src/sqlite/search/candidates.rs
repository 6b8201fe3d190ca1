//! What may match, newest first, from several sources at once.
//!
//! A query with words is answered by the index, by the sessions themselves for what is not in it
//! yet, and by what is kept sealed, which never comes into it. One without goes through the
//! sessions. Where authors are named, what they said is gone through beside it, and only what both
//! have is a candidate: each leaps to where the other is. Every source gives small ids, in
//! portions, so that a search reads little more than it shows.

use std::collections::{BinaryHeap, VecDeque};

use parlor_domain::search::{Phrase, Query};
use parlor_domain::{Time, UserId};
use rusqlite::{Connection, params};

use super::super::rows::{many, one};
use super::index;
use super::scope::Scope;
use crate::StoreError;
use crate::search::Asked;

/// Small ids of a source's first portion, and of every other one. To ask the index costs more than
/// what it gives: it opens every segment for every session.
const FIRST: i64 = 8;
const FIRST_OF_INDEX: i64 = 32;
const NEXT: i64 = 64;

/// Sessions whose words are looked for by one question to the index: it holds a page for each.
const TOGETHER: usize = 32;

/// Words that the index is asked for, of each session; the others are looked for in the texts.
const WORDS_MAX: usize = 4;

/// By how much the clock may have been set back between one message and the next.
const CLOCK_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// What may match, descending.
pub(super) struct Candidates {
    found: Union,
    /// What the authors said who are named.
    said: Option<Union>,
}

/// A small id that everything above was looked at, and whether it is a candidate itself.
pub(super) type Step = (i64, bool);

impl Candidates {
    pub(super) fn of(conn: &Connection, scope: &Scope, asked: &Asked) -> Result<Self, StoreError> {
        let query = &asked.query;
        let range = range(conn, query, asked.before)?;
        let said = scope.authors.as_ref().map(|authors| authored(scope.user_no, authors, range));
        let (found, said) = match (expression(query), said) {
            (Some(words), said) => (indexed(scope, &words, range, index::indexed_to(conn)?), said),
            (None, Some(said)) => (said, None),
            (None, None) => (in_sessions(scope, range), None),
        };
        // Mostly fewer have said something than have a word, and nothing is asked for nobody.
        let said = said.map(|sources| Union::of(conn, sources)).transpose()?;
        let silent = said.as_ref().is_some_and(|said| said.first().is_none());
        let found = Union::of(conn, if silent { vec![] } else { found })?;
        Ok(Self { found, said })
    }

    /// The next step.
    pub(super) fn next(&mut self, conn: &Connection) -> Result<Option<Step>, StoreError> {
        let Some(no) = self.found.first() else {
            return Ok(None);
        };
        let Some(said) = &mut self.said else {
            self.found.advance(conn)?;
            return Ok(Some((no, true)));
        };
        said.skip_to(conn, no)?;
        let Some(by) = said.first() else {
            return Ok(None);
        };
        if by == no {
            self.found.advance(conn)?;
        } else {
            self.found.skip_to(conn, by)?;
        }
        Ok(Some((no, by == no)))
    }
}

/// Several sources as one.
struct Union {
    sources: Vec<Source>,
    /// The next small id of each source.
    heads: BinaryHeap<(i64, usize)>,
}

impl Union {
    fn of(conn: &Connection, sources: Vec<Source>) -> Result<Self, StoreError> {
        let mut union = Self { sources, heads: BinaryHeap::new() };
        for source in 0..union.sources.len() {
            union.refill(conn, source)?;
        }
        Ok(union)
    }

    fn first(&self) -> Option<i64> {
        self.heads.peek().map(|(no, _)| *no)
    }

    /// Passes over the first.
    fn advance(&mut self, conn: &Connection) -> Result<(), StoreError> {
        self.heads.pop().map_or(Ok(()), |(_, source)| self.refill(conn, source))
    }

    /// Passes over everything above.
    fn skip_to(&mut self, conn: &Connection, highest: i64) -> Result<(), StoreError> {
        while let Some(&(no, source)) = self.heads.peek()
            && no > highest
        {
            self.heads.pop();
            self.sources[source].skip_to(highest);
            self.refill(conn, source)?;
        }
        Ok(())
    }

    fn refill(&mut self, conn: &Connection, source: usize) -> Result<(), StoreError> {
        let next = self.sources[source].next(conn)?;
        self.heads.extend(next.map(|no| (no, source)));
        Ok(())
    }
}

/// Small ids above the first and below the second.
type Range = (i64, i64);

/// What a query's times leave, and its cursor. Messages are stored in the order of their times but
/// for a clock that was set back; the exact time is looked at with the message.
fn range(conn: &Connection, query: &Query, before: Option<i64>) -> Result<Range, StoreError> {
    let mut range = (0, before.unwrap_or(i64::MAX));
    if let Some(Time(after)) = query.after {
        range.0 = first_since(conn, after.saturating_sub(CLOCK_MICROS))? - 1;
    }
    if let Some(Time(before)) = query.before {
        range.1 = range.1.min(first_since(conn, before.saturating_add(CLOCK_MICROS))?);
    }
    Ok(range)
}

/// The small id of the first message since a time, found by halving.
fn first_since(conn: &Connection, time: i64) -> Result<i64, StoreError> {
    let sql = "select coalesce(max(no), 0) from messages";
    let last = one(conn, sql, [], |row| row.get::<_, i64>(0))?.unwrap_or(0);
    halve(1, last.saturating_add(1), |no| {
        let sql = "select sent_at >= ? from messages where no >= ? order by no limit 1";
        one(conn, sql, [time, no], |row| row.get(0))
    })
}

/// The first number from `low` on for which something holds, or `high`. What is not there holds.
fn halve(
    mut low: i64,
    mut high: i64,
    holds: impl Fn(i64) -> Result<Option<bool>, StoreError>,
) -> Result<i64, StoreError> {
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle)? {
            Some(false) => low = middle + 1,
            Some(true) | None => high = middle,
        }
    }
    Ok(low)
}

/// The index, and what is not in it.
fn indexed(scope: &Scope, words: &[Wanted<'_>], range: Range, to: i64) -> Vec<Source> {
    let (above, below) = range;
    let mut sources = Vec::new();
    if below > to + 1 {
        sources = in_sessions(scope, (above.max(to), below));
    }
    for sessions in scope.sessions.chunks(TOGETHER) {
        let each = sessions.iter().map(|(session_no, _)| of_session(*session_no, words));
        let expression = each.collect::<Vec<_>>().join(" OR ");
        sources.push(Source::new(Kind::Index(expression), (above, below.min(to + 1))));
    }
    // What is sealed is in no index: it is opened, and looked through.
    let reader_no = scope.user_no;
    sources.push(Source::new(Kind::Sealed { reader_no }, (above, below.min(to + 1))));
    sources
}

/// What authors said where the reader is.
fn authored(reader_no: i64, authors: &[(UserId, i64)], range: Range) -> Vec<Source> {
    let said =
        |&(_, author_no): &(UserId, i64)| Source::new(Kind::Author { author_no, reader_no }, range);
    authors.iter().map(said).collect()
}

fn in_sessions(scope: &Scope, range: Range) -> Vec<Source> {
    let source = |&(session_no, newest): &(i64, i64)| {
        Source::new(Kind::Session { session_no, newest, below: None }, range)
    };
    scope.sessions.iter().map(source).collect()
}

/// Words that follow each other, and whether the last may go on.
type Wanted<'a> = (&'a [String], bool);

/// The part of a query that the index is asked: the longest words, which are the rarest. All of it
/// is compared with the text in the end.
fn expression(query: &Query) -> Option<Vec<Wanted<'_>>> {
    let mut phrases: Vec<&Phrase> = query.wanted.iter().collect();
    let longest = |phrase: &&Phrase| phrase.words.iter().map(String::len).max();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(longest(phrase)));
    let (mut left, mut wanted) = (WORDS_MAX, Vec::new());
    for phrase in phrases {
        let taken = phrase.words.len().min(left);
        if taken > 0 {
            let whole = taken == phrase.words.len();
            wanted.push((&phrase.words[..taken], phrase.prefix && whole));
        }
        left -= taken;
    }
    (!wanted.is_empty()).then_some(wanted)
}

/// The question to the index about one session. Words hold nothing that means anything there.
fn of_session(session_no: i64, words: &[Wanted<'_>]) -> String {
    let each = words.iter().map(|(words, prefix)| {
        let phrase = index::stored(session_no, words.iter().map(String::as_str));
        let star = if *prefix { " *" } else { "" };
        format!("\"{phrase}\"{star}")
    });
    format!("({})", each.collect::<Vec<_>>().join(" AND "))
}

/// Where small ids come from.
enum Kind {
    /// A session, up to its newest number.
    Session {
        session_no: i64,
        newest: i64,
        /// The number from which on everything has been given.
        below: Option<i64>,
    },
    /// What somebody said where the reader is. Nothing else may come of it: where a search goes
    /// on would tell that there is something.
    Author { author_no: i64, reader_no: i64 },
    /// What is kept sealed where the reader is; nothing else may come of it, either.
    Sealed { reader_no: i64 },
    /// The index.
    Index(String),
}

/// Small ids of one kind, descending.
struct Source {
    kind: Kind,
    range: Range,
    ready: VecDeque<i64>,
    portion: i64,
}

impl Source {
    fn new(kind: Kind, range: Range) -> Self {
        let portion = if matches!(kind, Kind::Index(_)) { FIRST_OF_INDEX } else { FIRST };
        Self { kind, range, ready: VecDeque::new(), portion }
    }

    /// Passes over everything above.
    fn skip_to(&mut self, highest: i64) {
        while self.ready.front().is_some_and(|no| *no > highest) {
            self.ready.pop_front();
        }
        if self.ready.is_empty() {
            self.range.1 = self.range.1.min(highest.saturating_add(1));
        }
    }

    fn next(&mut self, conn: &Connection) -> Result<Option<i64>, StoreError> {
        if self.ready.is_empty() && self.portion > 0 && self.range.1 > self.range.0 {
            let portion = self.read(conn)?;
            let all = (portion.len() as i64) < self.portion;
            self.ready = portion.into_iter().filter(|&no| no > self.range.0).collect();
            self.range.1 = self.ready.back().copied().unwrap_or(self.range.0);
            self.portion = if all { 0 } else { NEXT };
        }
        Ok(self.ready.pop_front())
    }

    /// The next portion; fewer than were asked for when there are no more.
    fn read(&mut self, conn: &Connection) -> Result<Vec<i64>, StoreError> {
        let (above, below) = self.range;
        match &mut self.kind {
            Kind::Session { session_no, newest, below: number } => {
                let from = match *number {
                    Some(number) => number,
                    None => number_at(conn, *session_no, *newest, below)?,
                };
                let sql = "select no, number from messages where session_no = ? and number < ? \
                           order by number desc limit ?";
                let rows = many(conn, sql, [*session_no, from, self.portion], |row| {
                    Ok((row.get(0)?, row.get::<_, i64>(1)?))
                })?;
                *number = rows.last().map(|(_, number)| *number);
                Ok(rows.into_iter().map(|(no, _)| no).collect())
            }
            Kind::Author { author_no, reader_no } => {
                // The plus keeps to the index of what somebody said, which has the session in it.
                let sql = "select no from messages where sender_no = ? and no > ? and no < ? \
                           and +session_no in (select session_no from session_members \
                           where user_no = ?) order by no desc limit ?";
                let bound = [*author_no, above, below, *reader_no, self.portion];
                many(conn, sql, bound, |row| row.get(0))
            }
            Kind::Sealed { reader_no } => {
                let sql = "select no from messages where sealed is not null and no > ? and no < ? \
                           and +session_no in (select session_no from session_members \
                           where user_no = ?) order by no desc limit ?";
                let bound = [above, below, *reader_no, self.portion];
                many(conn, sql, bound, |row| row.get(0))
            }
            Kind::Index(expression) => {
                let sql = "select rowid from search where search match ? and rowid > ? \
                           and rowid < ? order by rowid desc limit ?";
                many(conn, sql, params![*expression, above, below, self.portion], |row| row.get(0))
            }
        }
    }
}

/// The first number of a session whose message has a small id of `below` or more.
fn number_at(
    conn: &Connection,
    session_no: i64,
    newest: i64,
    below: i64,
) -> Result<i64, StoreError> {
    if below == i64::MAX {
        return Ok(newest.saturating_add(1));
    }
    halve(1, newest.saturating_add(1), |number| {
        let sql = "select no >= ? from messages where session_no = ? and number >= ? \
                   order by number limit 1";
        one(conn, sql, [below, session_no, number], |row| row.get(0))
    })
}
