//! What may match, newest first, from several sources at once.
//!
//! A query with words is answered by the index, and by the sessions themselves for what is not in
//! it yet. One without goes through the sessions. Where authors are named, what they said is gone
//! through beside it, and only what both have is a candidate: each leaps to where the other is.
//! Every source gives small ids, in portions, so that a search reads little more than it shows.

use std::collections::{BinaryHeap, VecDeque};

use parlor_domain::search::{Phrase, Query};
use parlor_domain::{Time, UserId};
use tokio_postgres::Row;

use super::super::readers::{Bound, Db};
use super::super::rows::{many, one};
use super::index::{self, STRETCH};
use super::scope::{Place, Scope};
use crate::StoreError;
use crate::search::Asked;

/// Small ids of a source's first portion, of the next one, and of one at most: more and more, the
/// longer nothing is found.
const FIRST: i64 = 8;
const NEXT: i64 = 64;
const MOST: i64 = 512;

/// Small sessions whose words are looked for by one question to the index.
const TOGETHER: usize = 16;

/// Questions to the index that are asked at once.
const AT_ONCE: usize = 128;

/// Stretches of a large session that are looked at by one question, at most: more and more, the
/// longer nothing is found.
const WIDTH_MAX: i64 = 64;

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
    pub(super) async fn of(db: &Db, scope: &Scope, asked: &Asked) -> Result<Self, StoreError> {
        let query = &asked.query;
        let range = range(db, query, asked.before).await?;
        let said = scope.authors.as_ref().map(|authors| authored(scope.user_no, authors, range));
        let (found, said) = match (expression(query), said) {
            (Some(words), said) => {
                (indexed(scope, &words, range, index::indexed_to(db).await?), said)
            }
            (None, Some(said)) => (said, None),
            (None, None) => (in_sessions(scope, range), None),
        };
        // Mostly fewer have said something than have a word, and nothing is asked for nobody.
        let said = match said {
            Some(sources) => Some(Union::of(db, sources).await?),
            None => None,
        };
        let silent = said.as_ref().is_some_and(|said| said.first().is_none());
        let found = Union::of(db, if silent { vec![] } else { found }).await?;
        Ok(Self { found, said })
    }

    /// The next steps, up to so many; none when there are no more.
    pub(super) async fn take(&mut self, db: &Db, count: usize) -> Result<Vec<Step>, StoreError> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count
            && let Some(step) = self.next(db).await?
        {
            taken.push(step);
        }
        Ok(taken)
    }

    async fn next(&mut self, db: &Db) -> Result<Option<Step>, StoreError> {
        let Some(no) = self.found.first() else {
            return Ok(None);
        };
        let Some(said) = &mut self.said else {
            self.found.advance(db).await?;
            return Ok(Some((no, true)));
        };
        said.skip_to(db, no).await?;
        let Some(by) = said.first() else {
            return Ok(None);
        };
        if by == no {
            self.found.advance(db).await?;
        } else {
            self.found.skip_to(db, by).await?;
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
    async fn of(db: &Db, sources: Vec<Source>) -> Result<Self, StoreError> {
        let all = (0..sources.len()).collect();
        let mut union = Self { sources, heads: BinaryHeap::new() };
        union.refill(db, all).await?;
        Ok(union)
    }

    fn first(&self) -> Option<i64> {
        self.heads.peek().map(|(no, _)| *no)
    }

    /// Passes over the first.
    async fn advance(&mut self, db: &Db) -> Result<(), StoreError> {
        match self.heads.pop() {
            Some((_, source)) => self.refill(db, vec![source]).await,
            None => Ok(()),
        }
    }

    /// Passes over everything above.
    async fn skip_to(&mut self, db: &Db, highest: i64) -> Result<(), StoreError> {
        while self.first().is_some_and(|no| no > highest) {
            let mut skipped = Vec::new();
            while let Some(&(no, source)) = self.heads.peek()
                && no > highest
            {
                self.heads.pop();
                self.sources[source].skip_to(highest);
                skipped.push(source);
            }
            self.refill(db, skipped).await?;
        }
        Ok(())
    }

    /// Finds the next of sources of which there is none among the heads: the index is asked for all
    /// of them at once.
    async fn refill(&mut self, db: &Db, which: Vec<usize>) -> Result<(), StoreError> {
        let mut wanting = which.clone();
        loop {
            wanting.retain(|source| self.sources[*source].is_wanting());
            if wanting.is_empty() {
                break;
            }
            let is_index = |source: &&usize| matches!(self.sources[**source].kind, Kind::Index(_));
            let (of_index, others): (Vec<usize>, Vec<usize>) = wanting.iter().partition(is_index);
            for source in others {
                let portion = self.sources[source].read(db).await?;
                self.sources[source].take_in(portion);
            }
            for some in of_index.chunks(AT_ONCE) {
                for (source, portion) in some.iter().zip(self.ask(db, some).await?) {
                    self.sources[*source].take_in(portion);
                }
            }
        }
        for source in which {
            let next = self.sources[source].ready.pop_front();
            self.heads.extend(next.map(|no| (no, source)));
        }
        Ok(())
    }

    /// The next portion of each of these sources, by one question.
    async fn ask(&self, db: &Db, which: &[usize]) -> Result<Vec<Vec<i64>>, StoreError> {
        let (mut words, mut above, mut below, mut most) = (vec![], vec![], vec![], vec![]);
        for source in which.iter().map(|source| &self.sources[*source]) {
            if let Kind::Index(asked) = &source.kind {
                words.push(asked.expression());
                above.push(source.range.0);
                below.push(source.range.1);
                most.push(source.portion);
            }
        }
        // Materialised: the index is to be asked for the words, not gone through by id.
        let sql = "select q.nth, h.no from unnest($1::text[], $2::bigint[], $3::bigint[], \
                   $4::bigint[]) with ordinality q (words, above, below, most, nth) \
                   cross join lateral (with hits as materialized (select s.no from search s \
                   where s.words @@ q.words::tsquery) select no from hits \
                   where no > q.above and no < q.below order by no desc limit q.most) h \
                   order by q.nth, h.no desc";
        let read = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?));
        let mut portions = vec![vec![]; which.len()];
        for (nth, no) in many(db, sql, &[&words, &above, &below, &most], read).await? {
            let at = usize::try_from(nth - 1).ok().and_then(|at| portions.get_mut(at));
            at.into_iter().for_each(|portion: &mut Vec<i64>| portion.push(no));
        }
        Ok(portions)
    }
}

/// Small ids above the first and below the second.
type Range = (i64, i64);

/// What a query's times leave, and its cursor. Messages are stored in the order of their times but
/// for clocks that differ or were set back; the exact time is looked at with the message.
async fn range(db: &Db, query: &Query, before: Option<i64>) -> Result<Range, StoreError> {
    let mut range = (0, before.unwrap_or(i64::MAX));
    if let Some(Time(after)) = query.after {
        range.0 = first_since(db, after.saturating_sub(CLOCK_MICROS)).await? - 1;
    }
    if let Some(Time(before)) = query.before {
        range.1 = range.1.min(first_since(db, before.saturating_add(CLOCK_MICROS)).await?);
    }
    Ok(range)
}

/// The small id of the first message since a time, found by halving.
async fn first_since(db: &Db, time: i64) -> Result<i64, StoreError> {
    let sql = "select coalesce(max(no), 0) from messages";
    let last: i64 = one(db, sql, &[], |row| Ok(row.try_get(0)?)).await?.unwrap_or(0);
    let sql = "select sent_at >= $2 from messages where no >= $1 order by no limit 1";
    halve(db, (1, last.saturating_add(1)), sql, &[&time]).await
}

/// The first number of a session whose message has a small id of `below` or more.
async fn number_at(db: &Db, place: &Place, below: i64) -> Result<i64, StoreError> {
    let sql = "select no >= $2 from messages where session_no = $3 and number >= $1 \
               order by number limit 1";
    halve(db, (1, place.newest.saturating_add(1)), sql, &[&below, &place.session_no]).await
}

/// The first number from `low` on of which a query, whose first parameter it is, says so, or
/// `high`. What is not there holds.
async fn halve(
    db: &Db,
    (mut low, mut high): (i64, i64),
    sql: &str,
    more: Bound<'_>,
) -> Result<i64, StoreError> {
    while low < high {
        let middle = low + (high - low) / 2;
        let mut bound: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![&middle];
        bound.extend(more);
        match one(db, sql, &bound, |row| Ok(row.try_get::<_, bool>(0)?)).await? {
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
    let words: Vec<(Vec<String>, bool)> =
        words.iter().map(|(words, prefix)| (words.to_vec(), *prefix)).collect();
    let range = (above, below.min(to + 1));
    let source = |sessions: Vec<i64>, top: i64| {
        let asked = Indexed { sessions, words: words.clone(), from: top, to: top, width: 1 };
        Source::new(Kind::Index(asked), range)
    };
    let is_small = |place: &&Place| place.newest < STRETCH;
    let (small, large): (Vec<&Place>, Vec<&Place>) = scope.sessions.iter().partition(is_small);
    for places in small.chunks(TOGETHER) {
        sources.push(source(places.iter().map(|place| place.session_no).collect(), 0));
    }
    for place in large {
        sources.push(source(vec![place.session_no], place.newest / STRETCH));
    }
    sources
}

/// What authors said where the reader is.
fn authored(reader_no: i64, authors: &[(UserId, i64)], range: Range) -> Vec<Source> {
    let said =
        |&(_, author_no): &(UserId, i64)| Source::new(Kind::Author { author_no, reader_no }, range);
    authors.iter().map(said).collect()
}

/// The sessions that hold something in the range: the newest message of each is known.
fn in_sessions(scope: &Scope, range: Range) -> Vec<Source> {
    let holds = |place: &&Place| place.newest_no > range.0;
    let source = |place: &Place| {
        let (ready, below) = match place.newest_no < range.1 {
            true => (Some(place.newest_no), Some(place.newest)),
            false => (None, None),
        };
        let mut source = Source::new(Kind::Session { place: *place, below }, range);
        source.ready.extend(ready);
        source
    };
    scope.sessions.iter().filter(holds).map(source).collect()
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

/// A question to the index about stretches of sessions, of which there are several only where each
/// has but one stretch.
struct Indexed {
    sessions: Vec<i64>,
    words: Vec<(Vec<String>, bool)>,
    /// The stretches, the older one first, and how many the next question is about.
    from: i64,
    to: i64,
    width: i64,
}

impl Indexed {
    fn expression(&self) -> String {
        let stretches = || self.from..=self.to;
        let places = self.sessions.iter().flat_map(|no| stretches().map(move |at| (*no, at)));
        places.map(|place| self.of_stretch(place)).collect::<Vec<_>>().join(" | ")
    }

    /// Words hold nothing that means anything there: no quotation mark, no backslash.
    fn of_stretch(&self, (session_no, stretch): (i64, i64)) -> String {
        let mut each = Vec::with_capacity(WORDS_MAX);
        for (words, prefix) in &self.words {
            for (nth, word) in (1..).zip(words) {
                let star = if *prefix && nth == words.len() { ":*" } else { "" };
                each.push(format!("'{}'{star}", index::stored(session_no, stretch, word)));
            }
        }
        format!("({})", each.join(" & "))
    }

    /// Goes on to older stretches; false when there are none.
    fn go_on(&mut self) -> bool {
        if self.from == 0 {
            return false;
        }
        self.width = (self.width * 4).min(WIDTH_MAX);
        (self.from, self.to) = ((self.from - self.width).max(0), self.from - 1);
        true
    }
}

/// Where small ids come from.
enum Kind {
    /// A session.
    Session {
        place: Place,
        /// The number from which on everything has been given.
        below: Option<i64>,
    },
    /// What somebody said where the reader is. Nothing else may come of it: where a search goes
    /// on would tell that there is something.
    Author { author_no: i64, reader_no: i64 },
    /// The index.
    Index(Indexed),
}

/// Small ids of one kind, descending.
struct Source {
    kind: Kind,
    range: Range,
    ready: VecDeque<i64>,
    /// How many are read next; 0: there are no more.
    portion: i64,
}

impl Source {
    fn new(kind: Kind, range: Range) -> Self {
        Self { kind, range, ready: VecDeque::new(), portion: FIRST }
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

    /// Whether something has to be read before the next is known.
    fn is_wanting(&self) -> bool {
        self.ready.is_empty() && self.portion > 0 && self.range.1 > self.range.0 + 1
    }

    /// Takes in the portion that was read.
    fn take_in(&mut self, portion: Vec<i64>) {
        let all = (portion.len() as i64) < self.portion;
        let last = portion.last().copied();
        self.ready = portion.into_iter().filter(|&no| no > self.range.0).collect();
        self.range.1 = last.unwrap_or(self.range.1);
        self.portion = if all && !self.go_on() { 0 } else { (self.portion * 4).clamp(NEXT, MOST) };
    }

    /// Whether there may be more although all that was asked for is there.
    fn go_on(&mut self) -> bool {
        match &mut self.kind {
            Kind::Index(asked) => asked.go_on(),
            _ => false,
        }
    }

    /// The next portion; fewer than were asked for when there are no more.
    async fn read(&mut self, db: &Db) -> Result<Vec<i64>, StoreError> {
        let (above, below) = self.range;
        match &mut self.kind {
            Kind::Session { place, below: number } => {
                let from = match *number {
                    Some(number) => number,
                    None => number_at(db, place, below).await?,
                };
                let sql = "select no, number from messages where session_no = $1 and number < $2 \
                           order by number desc limit $3";
                let bound: Bound<'_> = &[&place.session_no, &from, &self.portion];
                let rows: Vec<(i64, i64)> =
                    many(db, sql, bound, |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
                *number = rows.last().map(|(_, number)| *number).or(Some(0));
                Ok(rows.into_iter().map(|(no, _)| no).collect())
            }
            Kind::Author { author_no, reader_no } => {
                let sql = "select no from messages where sender_no = $1 and no > $2 and no < $3 \
                           and session_no in (select session_no from session_members \
                           where user_no = $4) order by no desc limit $5";
                let bound: Bound<'_> = &[author_no, &above, &below, reader_no, &self.portion];
                many(db, sql, bound, |row| Ok(row.try_get(0)?)).await
            }
            // The index is asked for several at once.
            Kind::Index(_) => Ok(vec![]),
        }
    }
}
