//! What may match, newest first, from several sources at once.
//!
//! A query with words is answered by the sessions themselves for what is not in the index yet, and
//! then by the index, which knows who said them. One without words goes through what its authors
//! said, or else through the sessions. Every source gives small ids, in portions, so that a search
//! reads little more than it shows.

use std::collections::{BinaryHeap, VecDeque};

use parlor_domain::search::{Phrase, Query};
use parlor_domain::{Time, UserId};
use tokio_postgres::Row;

use super::super::readers::{Bound, Db};
use super::super::rows::{many, one};
use super::index::{self, Stretch};
use super::scope::Scope;
use crate::StoreError;
use crate::search::Asked;

/// Small ids of a source's first portion, of the next one, and of one at most: more and more, the
/// longer nothing is found. Of the index, at once more than a page shows: it gathers all anyway.
const FIRST: i64 = 8;
const FIRST_OF_INDEX: i64 = 64;
const MOST: i64 = 512;

/// Sessions whose words are looked for together. What the index finds, it compares with all words
/// that it was asked for.
const TOGETHER: usize = 8;

/// Sources that ask the index at once.
const AT_ONCE: usize = 128;

/// Short stretches that are looked at before the long ones, and by the first question; none for a
/// search in few sessions, which would mostly read what others hold.
const SHORT_ONES: i64 = 42;
const FIRST_SHORT: i64 = 2;
const SESSIONS_MIN: usize = 16;

/// Stretches that a source looks at by one question, at most: more and more, the longer nothing is
/// found.
const WIDTH_MAX: i64 = 32;

/// Words that the index is asked for, of each session; the others are looked for in the texts.
const WORDS_MAX: usize = 4;

/// Messages with the exact words of a question of which the index tells before they are compared
/// with a word that may go on: of such a word it gathers all that it has, however much that is.
const NARROW_MAX: i64 = 64;

/// By how much the clock may have been set back between one message and the next.
const CLOCK_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// What may match, descending: stages whose ranges follow each other, of which each is asked for
/// when nothing is left of the one before.
pub(super) struct Candidates {
    now: Union,
    stages: VecDeque<Vec<Source>>,
}

impl Candidates {
    pub(super) async fn of(db: &Db, scope: &Scope, asked: &Asked) -> Result<Self, StoreError> {
        let query = &asked.query;
        let range = range(db, query, asked.before).await?;
        let stages = match (expression(query), &scope.authors) {
            (Some(words), _) => {
                let (to, last) = index::reaches(db).await?;
                let mut stages = indexed(scope, &words, (range.0, range.1.min(to + 1)));
                if range.1 > to + 1 && last > to {
                    stages.push_front(in_sessions(db, scope, (range.0.max(to), range.1)).await?);
                }
                stages
            }
            (None, Some(authors)) => [authored(scope.user_no, authors, range)].into(),
            (None, None) => [in_sessions(db, scope, range).await?].into(),
        };
        let sessions = scope.sessions.clone();
        Ok(Self { now: Union { sessions, sources: vec![], heads: BinaryHeap::new() }, stages })
    }

    /// The next small ids, up to so many; none when there are no more.
    pub(super) async fn take(&mut self, db: &Db, count: usize) -> Result<Vec<i64>, StoreError> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count {
            if let Some(no) = self.now.next(db).await? {
                taken.push(no);
            } else if let Some(mut sources) = self.stages.pop_front() {
                // What many said lately, many said before.
                if self.now.sources.iter().any(Source::is_common) {
                    sources.iter_mut().for_each(Source::ask_whole);
                }
                self.now.begin(db, sources).await?;
            } else {
                break;
            }
        }
        Ok(taken)
    }
}

/// Several sources as one.
struct Union {
    /// Where the reader is.
    sessions: Vec<i64>,
    sources: Vec<Source>,
    /// The next small id of each source.
    heads: BinaryHeap<(i64, usize)>,
}

impl Union {
    /// Gives what these sources have, from now on.
    async fn begin(&mut self, db: &Db, sources: Vec<Source>) -> Result<(), StoreError> {
        self.sources = sources;
        self.refill(db, (0..self.sources.len()).collect()).await
    }

    /// The next small id.
    async fn next(&mut self, db: &Db) -> Result<Option<i64>, StoreError> {
        let Some((no, source)) = self.heads.pop() else {
            return Ok(None);
        };
        self.refill(db, vec![source]).await?;
        Ok(Some(no))
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
                    match portion {
                        Some(portion) => self.sources[*source].take_in(portion),
                        None => self.sources[*source].ask_whole(),
                    }
                }
            }
        }
        for source in which {
            let next = self.sources[source].ready.pop_front();
            self.heads.extend(next.map(|no| (no, source)));
        }
        Ok(())
    }

    /// The next portion of each of these sources, by one question; `None` for one of which so much
    /// has the exact words that all words are to be asked for.
    async fn ask(&self, db: &Db, which: &[usize]) -> Result<Vec<Option<Vec<i64>>>, StoreError> {
        let mut asked = Question::default();
        for (asker, source) in (0_i64..).zip(which.iter().map(|source| &self.sources[*source])) {
            asked.add(asker, source);
        }
        // Materialised: the index is to be asked for the words, not gone through by id.
        let sql = "with asked as materialized (select nth, narrow::tsquery, words::tsquery, above, \
                   below, most from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], \
                   $5::bigint[], $6::bigint[]) q (nth, narrow, words, above, below, most)) \
                   select q.nth, h.no from asked q cross join lateral (\
                   with hits as materialized (select s.no, \
                   case when q.narrow is not null then s.words end as words from search s \
                   where s.words @@ coalesce(q.narrow, q.words) and s.session_no = any($7) \
                   limit case when q.narrow is not null then $8::bigint end) \
                   (select no from hits where no > q.above and no < q.below \
                   and (q.narrow is null or words @@ q.words) order by no desc limit q.most) \
                   union all select null from hits where q.narrow is not null \
                   having count(*) >= $8) h order by q.nth, h.no desc nulls first";
        let Question { nth, narrow, words, above, below, most } = &asked;
        let bound: Bound<'_> =
            &[nth, narrow, words, above, below, most, &self.sessions, &NARROW_MAX];
        let read = |row: &Row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, Option<i64>>(1)?));
        let mut portions = vec![Some(vec![]); which.len()];
        for (asker, no) in many(db, sql, bound, read).await? {
            let asker = usize::try_from(asker).unwrap_or_default();
            let most = which.get(asker).map_or(0, |source| self.sources[*source].portion);
            let Some(portion) = portions.get_mut(asker) else { continue };
            match (no, &mut *portion) {
                (None, _) => *portion = None,
                // Each of its stretches gives as many.
                (Some(no), Some(nos)) if (nos.len() as i64) < most => nos.push(no),
                _ => {}
            }
        }
        Ok(portions)
    }
}

/// What the index is asked at once, a row for each of some stretches.
#[derive(Default)]
struct Question {
    /// For which source.
    nth: Vec<i64>,
    /// The exact words, where few messages are expected to have them; those are compared with all.
    narrow: Vec<Option<String>>,
    words: Vec<String>,
    above: Vec<i64>,
    below: Vec<i64>,
    most: Vec<i64>,
}

impl Question {
    fn add(&mut self, nth: i64, source: &Source) {
        let Kind::Index(asked) = &source.kind else { return };
        let newest = (source.range.1 - 1) / asked.stretch.len();
        let stretches: Vec<_> = (asked.from..=asked.to.min(newest)).collect();
        for some in stretches.chunks(asked.stretches_together()) {
            self.nth.push(nth);
            self.narrow.push(asked.narrow.then(|| asked.expression(some, true)));
            self.words.push(asked.expression(some, false));
            self.above.push(source.range.0);
            self.below.push(source.range.1);
            self.most.push(source.portion);
        }
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

/// The index: its newest short stretches, and then the long ones. With each what is kept sealed of
/// the same time, which is in no index: it is opened, and looked through.
fn indexed(
    scope: &Scope,
    words: &[Wanted<'_>],
    (above, mut below): Range,
) -> VecDeque<Vec<Source>> {
    let mut stages = VecDeque::new();
    let asked = Indexed {
        sessions: vec![],
        words: words.iter().map(|(words, prefix)| (words.to_vec(), *prefix)).collect(),
        authors: scope.authors.iter().flatten().map(|(_, no)| *no).collect(),
        stretch: Stretch::Short,
        from: 0,
        to: 0,
        width: 1,
        narrow: false,
    };
    let asked = Indexed { narrow: asked.may_be_narrow(), ..asked };
    let source = |asked: Indexed, range| {
        let kind = Kind::Index(asked);
        Source { portion: FIRST_OF_INDEX, ..Source::new(kind, range) }
    };
    let sealed = |range| Source::new(Kind::Sealed { reader_no: scope.user_no }, range);
    if scope.sessions.len() >= SESSIONS_MIN {
        let to = (below - 1) / Stretch::Short.len();
        let last = (to + 1 - SHORT_ONES).max(above / Stretch::Short.len());
        let (from, since) = ((to + 1 - FIRST_SHORT).max(last), last * Stretch::Short.len());
        let short = Indexed { from, to, width: FIRST_SHORT, ..asked.clone() };
        let range = (above.max(since - 1), below);
        stages.push_back(vec![source(short, range), sealed(range)]);
        below = since;
    }
    let nth = (below - 1) / Stretch::Long.len();
    let long = scope.sessions.chunks(TOGETHER).map(|sessions| {
        let (stretch, from, to, sessions) = (Stretch::Long, nth, nth, sessions.to_vec());
        source(Indexed { sessions, stretch, from, to, ..asked.clone() }, (above, below))
    });
    stages.push_back(long.chain([sealed((above, below))]).collect());
    stages
}

/// What authors said where the reader is.
fn authored(reader_no: i64, authors: &[(UserId, i64)], range: Range) -> Vec<Source> {
    let said =
        |&(_, author_no): &(UserId, i64)| Source::new(Kind::Author { author_no, reader_no }, range);
    authors.iter().map(said).collect()
}

/// A session whose messages are gone through.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Its small id.
    session_no: i64,
    /// The number of its newest message, and that message's small id.
    newest: i64,
    newest_no: i64,
}

/// The sessions that hold something in the range: the newest message of each is known.
async fn in_sessions(db: &Db, scope: &Scope, range: Range) -> Result<Vec<Source>, StoreError> {
    let sql = "select h.session_no, h.number, m.no from heads h join messages m \
               on m.session_no = h.session_no and m.number = h.number \
               where h.session_no = any($1) and m.no > $2";
    let place = |row: &Row| {
        let (session_no, newest) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Place { session_no, newest, newest_no: row.try_get(2)? })
    };
    let places = many(db, sql, &[&scope.sessions, &range.0], place).await?;
    let source = |place: Place| {
        let (ready, below) = match place.newest_no < range.1 {
            true => (Some(place.newest_no), Some(place.newest)),
            false => (None, None),
        };
        let mut source = Source::new(Kind::Session { place, below }, range);
        source.ready.extend(ready);
        source
    };
    Ok(places.into_iter().map(source).collect())
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

/// A question to the index.
#[derive(Clone)]
struct Indexed {
    /// About which sessions: all, of short stretches.
    sessions: Vec<i64>,
    words: Vec<(Vec<String>, bool)>,
    /// By whom: anybody if there are none.
    authors: Vec<i64>,
    /// About which stretches, the oldest first, and how many there were in the question before.
    stretch: Stretch,
    from: i64,
    to: i64,
    width: i64,
    /// Whether it is asked for the exact words first.
    narrow: bool,
}

impl Indexed {
    /// Whether nothing but one word is asked for.
    fn is_one_word(&self) -> bool {
        let words: usize = self.words.iter().map(|(words, _)| words.len()).sum();
        words == 1 && self.authors.is_empty()
    }

    /// Whether there is a word that may go on, and anything beside it.
    fn may_be_narrow(&self) -> bool {
        self.words.iter().any(|(_, prefix)| *prefix) && !self.is_one_word()
    }

    /// Stretches that are asked for together: of long ones, each has the words of several sessions.
    fn stretches_together(&self) -> usize {
        if self.sessions.is_empty() { TOGETHER } else { 1 }
    }

    /// What is asked of some stretches: all words, or the exact ones.
    fn expression(&self, stretches: &[i64], exact: bool) -> String {
        let everywhere = [0];
        let sessions = if self.sessions.is_empty() { &everywhere[..] } else { &self.sessions };
        let places = stretches.iter().flat_map(|nth| sessions.iter().map(|no| (*no, *nth)));
        let each = places.map(|(session_no, nth)| self.of_session(session_no, nth, exact));
        each.collect::<Vec<_>>().join(" | ")
    }

    /// Words hold nothing that means anything there: no quotation mark, no backslash.
    fn of_session(&self, session_no: i64, nth: i64, exact: bool) -> String {
        let mut each = Vec::with_capacity(WORDS_MAX);
        for (words, prefix) in &self.words {
            for (at, word) in (1..).zip(words) {
                let goes_on = *prefix && at == words.len();
                if goes_on && exact {
                    continue;
                }
                let star = if goes_on { ":*" } else { "" };
                each.push(format!("'{}'{star}", self.stretch.word(session_no, nth, word)));
            }
        }
        if !self.authors.is_empty() {
            let by = |no: &i64| format!("'{}'", self.stretch.author(session_no, nth, *no));
            each.push(format!("({})", self.authors.iter().map(by).collect::<Vec<_>>().join(" | ")));
        }
        format!("({})", each.join(" & "))
    }

    /// Goes on to older stretches that hold something of the range; false when there are none.
    fn go_on(&mut self, (above, below): Range) -> bool {
        let below = below.min(self.from * self.stretch.len());
        if below <= above + 1 {
            return false;
        }
        self.width = (self.width * 4).min(WIDTH_MAX);
        self.to = (below - 1) / self.stretch.len();
        self.from = (self.to + 1 - self.width).max(0);
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
    /// What is kept sealed where the reader is, which is in no index; nothing else may come of it,
    /// either.
    Sealed { reader_no: i64 },
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
        self.portion = if all && !self.go_on() { 0 } else { (self.portion * 4).min(MOST) };
    }

    /// Whether there may be more although all that was asked for is there.
    fn go_on(&mut self) -> bool {
        match &mut self.kind {
            Kind::Index(asked) => asked.go_on(self.range),
            _ => false,
        }
    }

    /// Whether many messages have the exact words. Of an author's it is not known: they are in
    /// few sessions.
    fn is_common(&self) -> bool {
        match &self.kind {
            Kind::Index(asked) => {
                asked.may_be_narrow() && !asked.narrow && asked.authors.is_empty()
            }
            _ => false,
        }
    }

    /// Asks for all words from now on.
    fn ask_whole(&mut self) {
        if let Kind::Index(asked) = &mut self.kind {
            asked.narrow = false;
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
            Kind::Sealed { reader_no } => {
                let sql = "select no from messages where sealed is not null and no > $1 \
                           and no < $2 and session_no in (select session_no from session_members \
                           where user_no = $3) order by no desc limit $4";
                let bound: Bound<'_> = &[&above, &below, reader_no, &self.portion];
                many(db, sql, bound, |row| Ok(row.try_get(0)?)).await
            }
            // The index is asked for several at once.
            Kind::Index(_) => Ok(vec![]),
        }
    }
}
