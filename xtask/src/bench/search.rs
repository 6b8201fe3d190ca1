//! Searching a million messages as somebody who is in a hundred of two hundred rooms: words that
//! many and few messages have, beginnings, phrases, people and places: as fast as the server can,
//! and then at half of that rate by people who do not wait for each other. Every hit is checked: it
//! is in a session of who asked, and has what was asked for.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};
use serde_json::Value;

use super::acks::Chain;
use super::crowd::{Crowd, Seat};
use super::figures::{self, Figures, quantile};
use super::rest::Rest;
use super::system::System;

const MESSAGES: u64 = 1_000_000;
const PEOPLE: usize = 200;
const ROOMS: usize = 200;
const MEMBERS: usize = 100;
/// Sends outstanding while the log is filled.
const OUTSTANDING: usize = 1_000;
/// Searches of a run: with three runs 102,000 that are answered as fast as the server can.
const SEARCHES: usize = 34_000;
/// Connections that search one after the other, without a pause.
const SEARCHERS: usize = 4;
/// Searches that come at half of that rate, and connections enough that none waits for another.
const AT_HALF: usize = 6_000;
const AT_HALF_SEARCHERS: usize = 16;
/// Hits of a page, as the web client asks for them.
const PAGE: usize = 20;
/// Words that people use, the first of them most often.
const VOCABULARY: u64 = 20_000;
const WORDS: u64 = 8;
const PATIENCE: Duration = Duration::from_secs(900);

/// One run.
pub(super) fn run(system: System, figures: &mut Figures) -> anyhow::Result<()> {
    let name = system.kind.name();
    let rooms = system.rooms(PEOPLE, ROOMS, MEMBERS)?;
    let chain = fill(&system, &rooms)?;
    system.calm_down_within(PATIENCE)?;
    let people = people(&rooms);
    let (start, cpu) = (Instant::now(), system.cpu_seconds()?);
    let mut took = search(system.address, &people, &Pace::flat_out())?;
    let (searches, seconds) = (took.len() as f64, start.elapsed().as_secs_f64());
    let cpu = system.cpu_seconds()? - cpu;
    let mut add = |what, unit, value| figures.add("search", name, what, unit, value);
    add("searches per second", "/s", searches / seconds);
    add(figures::P50, "ms", quantile(&mut took, 0.5) / 1e3);
    add(figures::P99, "ms", quantile(&mut took, 0.99) / 1e3);
    add("CPU per search", "ms", cpu / searches * 1e3);
    let mut took = search(system.address, &people, &Pace::at(searches / seconds / 2.0))?;
    add("p50 at half of that rate", "ms", quantile(&mut took, 0.5) / 1e3);
    add(figures::P99_HALF, "ms", quantile(&mut took, 0.99) / 1e3);
    system.finish(&chain.ledger)
}

/// In every room one person speaks, all at the same rate.
fn fill(system: &System, rooms: &[Vec<Seat>]) -> anyhow::Result<Chain> {
    let seats: Vec<_> = rooms.iter().map(|seats| seats[0].clone()).collect();
    let mut crowd = Crowd::gather(system, seats, Chain::of(MESSAGES, text), PATIENCE)?;
    for n in 0..OUTSTANDING {
        crowd.speak(n % ROOMS, |chain, voice| chain.next(voice));
    }
    crowd.until("the log to be filled", PATIENCE, |people| people.part.over())?;
    crowd.swarm.leave();
    Ok(crowd.people.part)
}

/// Somebody who searches.
struct Person {
    token: String,
    /// The sessions that they are in.
    sessions: HashSet<String>,
}

fn people(rooms: &[Vec<Seat>]) -> Vec<Person> {
    let mut sessions = HashMap::<_, HashSet<_>>::new();
    for seat in rooms.iter().flatten() {
        sessions.entry(&seat.token).or_default().insert(seat.session.clone());
    }
    let person = |(token, sessions): (&String, _)| Person { token: token.clone(), sessions };
    sessions.into_iter().map(person).collect()
}

/// How many searches, over how many connections, and when.
struct Pace {
    searches: usize,
    searchers: usize,
    /// From the beginning of one to that of the next; none: from the answer to the one before on
    /// the same connection.
    every: Option<Duration>,
}

impl Pace {
    fn flat_out() -> Self {
        Self { searches: SEARCHES, searchers: SEARCHERS, every: None }
    }

    /// People who do not wait for each other, so many a second.
    fn at(per_second: f64) -> Self {
        let every = Some(Duration::from_secs_f64(1.0 / per_second));
        Self { searches: AT_HALF, searchers: AT_HALF_SEARCHERS, every }
    }
}

/// How many microseconds each search took, from when it was due.
fn search(server: SocketAddr, people: &[Person], pace: &Pace) -> anyhow::Result<Vec<u32>> {
    let (mut all, start) = (Vec::new(), Instant::now());
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let searcher = |first: usize| move || search_often(server, people, pace, (first, start));
        let threads: Vec<_> =
            (0..pace.searchers).map(|first| scope.spawn(searcher(first))).collect();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a searcher died"))??);
        }
        Ok(())
    })?;
    Ok(all)
}

/// The searches of one connection: each `searchers`-th of all.
fn search_often(
    server: SocketAddr,
    people: &[Person],
    pace: &Pace,
    (first, start): (usize, Instant),
) -> anyhow::Result<Vec<u32>> {
    let mut rest = Rest::connect(server)?;
    let (mut random, mut took, mut found) = (Random(first as u64 + 1), Vec::new(), 0);
    for (n, nth) in (first..pace.searches).step_by(pace.searchers).enumerate() {
        let person = &people[random.below(people.len() as u64) as usize];
        let asked = Asked::draw(n + first, &mut random);
        let path = format!("/api/v1/search?limit={PAGE}&q={}", escaped(&asked.query));
        let due = pace.every.map(|every| start + every.mul_f64(nth as f64));
        if let Some(due) = due {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let due = due.unwrap_or_else(Instant::now);
        let (status, page) = rest.get(&path, &person.token)?;
        took.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        ensure!(status == 200, "{}: {status} {}", asked.query, String::from_utf8_lossy(page));
        found += check(&serde_json::from_slice(page)?, person, &asked)?;
    }
    ensure!(found > took.len(), "only {found} messages were found by {} searches", took.len());
    Ok(took)
}

/// How many messages were found, each of which must be one that was asked for.
fn check(page: &Value, person: &Person, asked: &Asked) -> anyhow::Result<usize> {
    let hits = page["hits"].as_array().map_or(&[][..], Vec::as_slice);
    for hit in hits {
        let message = &hit["message"];
        let session = message["session_id"].as_str().unwrap_or_default();
        ensure!(person.sessions.contains(session), "{}: a hit in {session}", asked.query);
        let content = message["content"].as_str().unwrap_or_default();
        let words: Vec<_> = content.split(' ').collect();
        let has = |word: &String| words.iter().any(|it| it.starts_with(word.as_str()));
        ensure!(asked.words.iter().all(has), "{}: {content}", asked.query);
    }
    Ok(hits.len())
}

/// A search.
struct Asked {
    query: String,
    /// What every hit has a word that begins with.
    words: Vec<String>,
}

impl Asked {
    fn draw(n: usize, random: &mut Random) -> Self {
        let (one, two) = (random.word(), random.word());
        let rare = spell(random.below(VOCABULARY));
        let someone = random.below(PEOPLE as u64);
        let room = random.below(ROOMS as u64);
        let beginning: String = two.chars().take(3).collect();
        let (query, words) = match n % 8 {
            0 => (one.clone(), vec![one]),
            1 => (rare.clone(), vec![rare]),
            2 => (format!("{one} {two}"), vec![one, two]),
            3 => (format!("{beginning}*"), vec![beginning]),
            4 => (format!("\"{one} {two}\""), vec![one, two]),
            5 => (format!("from:person{someone:05} {one}"), vec![one]),
            6 => (format!("in:\"room {room}\" {one}"), vec![one]),
            _ => (format!("{one} {rare} -{two}"), vec![one, rare]),
        };
        Self { query, words }
    }
}

/// What is said by a write.
fn text(write: u64) -> String {
    let mut random = Random(write.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let words: Vec<_> = (0..WORDS).map(|_| random.word()).collect();
    words.join(" ")
}

/// A word of the vocabulary, in syllables.
fn spell(mut n: u64) -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let mut word = String::new();
    loop {
        let syllable = n % 70;
        word.push(char::from(CONSONANTS[(syllable / 5) as usize]));
        word.push(char::from(VOWELS[(syllable % 5) as usize]));
        n /= 70;
        if n == 0 && word.len() > 2 {
            return word;
        }
    }
}

/// The same choices in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A word as people use them: a tenth of the vocabulary is in about half of what is said.
    fn word(&mut self) -> String {
        let share = self.below(1 << 30) as f64 / f64::from(1 << 30);
        spell((share.powi(3) * VOCABULARY as f64) as u64)
    }
}

/// A query string's value.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_words_are_spelled_alike() {
        let words: HashSet<_> = (0..VOCABULARY).map(spell).collect();
        assert_eq!(words.len() as u64, VOCABULARY);
    }

    #[test]
    fn a_hit_where_one_is_not_or_without_the_word_is_noticed() {
        let person = Person { token: String::new(), sessions: HashSet::from(["a".to_owned()]) };
        let asked = Asked { query: "ba".to_owned(), words: vec!["ba".to_owned()] };
        let hits = |session, content| {
            let message = serde_json::json!({"session_id": session, "content": content});
            serde_json::json!({"hits": [{"message": message}]})
        };
        assert_eq!(check(&hits("a", "du bada"), &person, &asked).unwrap(), 1);
        assert!(check(&hits("b", "du bada"), &person, &asked).is_err());
        assert!(check(&hits("a", "du daba"), &person, &asked).is_err());
    }
}
