//! Any order of publishing, listening, gathering and sweeping, against a model that is a list.

use std::collections::HashMap;
use std::sync::Arc;

use parlor_domain::Event;
use parlor_hub::{Ear, Hub, Key};
use proptest::prelude::*;

use crate::said::{hub_of, key, left, run, session, user, who};

const SESSIONS: u128 = 2;
const EARS: usize = 3;
const KEPT: i64 = 5;

#[derive(Debug, Clone)]
enum Step {
    /// So many events at once.
    Publish {
        session: u128,
        events: i64,
    },
    /// A user is sent away.
    Leave {
        session: u128,
        ear: usize,
    },
    /// An ear listens from so many events ago.
    Listen {
        session: u128,
        ear: usize,
        back: i64,
    },
    Ignore {
        session: u128,
        ear: usize,
    },
    /// An ear takes about so many bytes.
    Gather {
        ear: usize,
        bytes: u64,
    },
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let (session, ear) = (0..SESSIONS, 0..EARS);
    prop_oneof![
        4 => (session.clone(), 1..4_i64)
            .prop_map(|(session, events)| Step::Publish { session, events }),
        1 => (session.clone(), ear.clone()).prop_map(|(session, ear)| Step::Leave { session, ear }),
        2 => (session.clone(), ear.clone(), 0..4_i64)
            .prop_map(|(session, ear, back)| Step::Listen { session, ear, back }),
        1 => (session, ear.clone()).prop_map(|(session, ear)| Step::Ignore { session, ear }),
        4 => (ear, prop_oneof![Just(1_u64), Just(200), Just(u64::MAX)])
            .prop_map(|(ear, bytes)| Step::Gather { ear, bytes }),
        1 => Just(Step::Sweep),
    ]
}

/// What a session's log is, and whom each event takes out.
#[derive(Default)]
struct Log {
    takes_out: Vec<Option<usize>>,
}

impl Log {
    fn head(&self) -> i64 {
        i64::try_from(self.takes_out.len()).unwrap()
    }
}

struct World {
    hub: Arc<Hub>,
    ears: Vec<Ear>,
    logs: HashMap<u128, Log>,
    /// The place that each ear hears next.
    next: HashMap<(usize, u128), i64>,
    /// The newest event at the last sweep, and the one before.
    swept: HashMap<u128, (i64, i64)>,
}

impl World {
    fn new() -> Self {
        let hub = hub_of(KEPT.unsigned_abs());
        let number = |ear: usize| u128::try_from(ear).unwrap() + 1;
        let ears = (0..EARS).map(|ear| hub.connect(who(number(ear), number(ear))).unwrap());
        Self {
            ears: ears.collect(),
            hub,
            logs: HashMap::new(),
            next: HashMap::new(),
            swept: HashMap::new(),
        }
    }

    fn append(&mut self, n: u128, out: &[Option<usize>]) {
        let log = self.logs.entry(n).or_default();
        let first = log.head() + 1;
        log.takes_out.extend_from_slice(out);
        let mut events: Vec<Event> = run(session(n), first..=log.head());
        for (event, out) in events.iter_mut().zip(out) {
            if let Some(ear) = out {
                *event = left(session(n), event.seq, user(u128::try_from(*ear).unwrap() + 1));
            }
        }
        self.hub.publish(session(n), events).unwrap();
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Publish { session, events } => {
                self.append(session, &vec![None; usize::try_from(events).unwrap()]);
            }
            Step::Leave { session, ear } => self.append(session, &[Some(ear)]),
            Step::Listen { session, ear, back } => {
                let next = (self.logs.entry(session).or_default().head() + 1 - back).max(1);
                self.ears[ear].listen(key(session));
                // As the doors do: what the hub does not keep is read from the store.
                let kept = self.ears[ear].tail_if_kept(key(session), next).is_some();
                let next = if kept { next } else { self.logs[&session].head() + 1 };
                self.ears[ear].live_from(key(session), next);
                self.next.insert((ear, session), next);
            }
            Step::Ignore { session, ear } => {
                self.ears[ear].ignore(key(session));
                self.next.remove(&(ear, session));
            }
            Step::Gather { ear, bytes } => self.gather(ear, bytes),
            Step::Sweep => {
                self.hub.sweep();
                for (n, log) in &self.logs {
                    let swept = self.swept.entry(*n).or_default();
                    *swept = (log.head(), swept.0);
                }
            }
        }
    }

    fn gather(&mut self, ear: usize, bytes: u64) {
        let mut told = Vec::new();
        let result = self.ears[ear].gather(bytes, |key, frame| told.push((key, frame.seq())));
        for (from, seq) in &told {
            let n = (0..SESSIONS).find(|n| key(*n) == *from).unwrap();
            let next = self.next.get_mut(&(ear, n)).expect("listens to it");
            assert_eq!(seq, next, "ear {ear} heard event {seq} of {n} in place of {next}");
            *next += 1;
            if self.logs[&n].takes_out[usize::try_from(*seq).unwrap() - 1] == Some(ear) {
                self.next.remove(&(ear, n));
            }
        }
        let Ok(gathered) = result else {
            return self.lag(ear);
        };
        if !gathered.more {
            for ((_, n), next) in self.next.iter().filter(|((e, _), _)| *e == ear) {
                assert_eq!(*next, self.logs[n].head() + 1, "ear {ear} did not hear all of {n}");
            }
        }
        let over: Vec<Key> = (0..SESSIONS).map(key).filter(|k| gathered.over.contains(k)).collect();
        assert!(over.iter().all(|key| !self.ears[ear].hears(*key)));
    }

    /// An ear that says that it lags wants something that need not be kept any more.
    fn lag(&mut self, ear: usize) {
        let out = |(n, next): (u128, i64)| {
            let forgotten = self.swept.get(&n).map_or(0, |(_, before)| *before);
            next <= (self.logs[&n].head() - KEPT).max(forgotten)
        };
        let mine = self.next.iter().filter(|((e, _), _)| *e == ear);
        assert!(mine.map(|((_, n), next)| (*n, *next)).any(out), "ear {ear} lags without a cause");
        let number = u128::try_from(ear).unwrap() + 1;
        self.ears[ear] = self.hub.connect(who(number, number)).unwrap();
        self.next.retain(|(e, _), _| *e != ear);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_ear_hears_what_the_model_says(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        for ear in 0..EARS {
            world.gather(ear, u64::MAX);
        }
    }
}
