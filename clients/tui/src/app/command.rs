//! Commands: what is typed after `:`.

use parlor_sdk::{Ending, Settings};

use super::{App, Mode};
use crate::effect::{Effect, Making};
use crate::input::Input;

/// How long what is said may live, as the words of a timer: the shortest is a few seconds.
const LIFE_MS_MIN: u64 = 5_000;
const LIFE_MS_MAX: u64 = 365 * 24 * 3_600_000;

impl App {
    pub(super) fn command(&mut self, line: &str) -> Vec<Effect> {
        let line = line.trim();
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match (name, rest) {
            ("", _) => Vec::new(),
            ("q" | "quit", _) => vec![Effect::Quit],
            ("b", letters) => match self.matching(letters).first() {
                Some(index) => self.show(*index),
                None => self.say(&format!("no session here is called {letters}")),
            },
            ("react", emoji) if !emoji.is_empty() => self.react(emoji),
            ("search", words) if !words.is_empty() => {
                vec![Effect::Find { words: words.to_owned(), session_id: None }]
            }
            ("unreads", "clear") => {
                self.ask("mark everything read?", vec![Effect::ReadAll]);
                Vec::new()
            }
            ("help", _) => {
                self.mode = Mode::Help(0);
                Vec::new()
            }
            ("recover", _) => {
                self.mode = Mode::Secret(Input::default());
                Vec::new()
            }
            ("settings", _) => vec![Effect::Settings],
            ("devices", _) => vec![Effect::Devices],
            ("recovery", _) => vec![Effect::MakeRecovery],
            ("sign-out", _) => {
                let text = "sign out, and forget messages, keys and what is unsent here?";
                self.ask(text, vec![Effect::SignOut]);
                Vec::new()
            }
            ("accept", _) => self.look_at_verification(),
            ("verify", whom) => self.verify(whom),
            ("code", code) => self.take_code(code),
            ("room" | "session" | "direct" | "invite", words) => self.make(name, words),
            ("upload" | "timer" | "decay" | "end" | "members" | "let-in" | "leave", words) => {
                self.here(name, words)
            }
            _ => {
                self.notice = Some(format!("there is no command {line}: F1 shows which there are"));
                Vec::new()
            }
        }
    }

    /// What is about the session that is shown.
    fn here(&mut self, name: &str, words: &str) -> Vec<Effect> {
        let Some(place) = self.place() else { return Vec::new() };
        let session_id = place.session_id.clone();
        match (name, words) {
            ("upload", "") => self.say(":upload PATH"),
            ("upload", path) => vec![Effect::Upload { session_id, path: path.to_owned() }],
            ("members", _) => vec![Effect::Members(session_id)],
            ("let-in", "") => self.say(":let-in PERSON"),
            ("let-in", whom) => {
                let whom = whom.trim_start_matches('@').to_owned();
                vec![Effect::LetIn { session_id, whom }]
            }
            ("leave", _) => {
                let (text, room) = (format!("leave {}?", place.room), place.room_id.clone());
                self.ask(text, vec![Effect::Leave(room)]);
                Vec::new()
            }
            ("timer", words) => self.timer(session_id, words),
            ("decay", words) => self.decay(session_id, words),
            ("end", words) => self.end(session_id, words),
            _ => Vec::new(),
        }
    }

    fn timer(&mut self, session_id: String, words: &str) -> Vec<Effect> {
        if words == "off" {
            self.timers.remove(&session_id);
            return self.say("what you write here stays");
        }
        match life_ms(words) {
            Some(life_ms) => {
                self.timers.insert(session_id, life_ms);
                self.say(&format!("what you write here decays after {words}"))
            }
            None => self.say(":timer 30s, 5m, 1h, 7d or off"),
        }
    }

    /// How long everybody's messages live in the session.
    fn decay(&mut self, session_id: String, words: &str) -> Vec<Effect> {
        let seconds = match words {
            "off" => Some(0),
            _ => seconds(words),
        };
        match seconds {
            Some(seconds) => vec![Effect::SetDecay { session_id, seconds }],
            None => self.say(":decay 30s, 5m, 1h, 7d or off, for everybody here"),
        }
    }

    /// When the session ends by itself. What is asked for takes everything with it one day, so that
    /// it is asked again.
    fn end(&mut self, session_id: String, words: &str) -> Vec<Effect> {
        if words == "off" {
            return vec![Effect::SetEnd { session_id, end: None }];
        }
        let (silence, span) = match words.strip_prefix("silence ") {
            Some(span) => (true, span.trim()),
            None => (false, words),
        };
        let Some(seconds) = seconds(span) else {
            return self.say(":end 5m, 1h or 7d from now, :end silence 1h, or :end off");
        };
        let (end, when) = if silence {
            (Ending::Silence(seconds), format!("after {span} of silence"))
        } else {
            let at = self.now + jiff::SignedDuration::from_secs(seconds);
            (Ending::At { at: at.to_string(), read_only_s: None }, format!("in {span}"))
        };
        let text = format!("end this session {when}, with everything that was said in it?");
        self.ask(&text, vec![Effect::SetEnd { session_id, end: Some(end) }]);
        Vec::new()
    }

    fn make(&mut self, what: &str, words: &str) -> Vec<Effect> {
        let (encryption, words) = encryption(words);
        let mut words =
            words.split_whitespace().map(|word| word.trim_start_matches('@').to_owned());
        let beside = self.session_id();
        let making = match (what, words.next(), beside) {
            ("room", Some(name), _) => Making::Room { name, people: words.collect(), encryption },
            ("direct", Some(person), _) => Making::DirectTo(person),
            ("session", Some(name), Some(beside)) => {
                Making::Session { beside, name, people: words.collect(), encryption }
            }
            ("invite", Some(first), Some(beside)) => {
                Making::Invite { beside, people: std::iter::once(first).chain(words).collect() }
            }
            _ => {
                return self.say(
                    ":room [-e|-v] NAME PEOPLE…, :direct PERSON, :session [-e|-v] NAME PEOPLE…, \
                     :invite PEOPLE…; -e encrypts, -v for people only whom the writer verified",
                );
            }
        };
        vec![Effect::Make(making)]
    }

    fn verify(&mut self, whom: &str) -> Vec<Effect> {
        let whom = whom.trim_start_matches('@');
        if whom.is_empty() {
            return vec![Effect::Verify(None)];
        }
        let known = self.names.iter().find(|(_, name)| name.eq_ignore_ascii_case(whom));
        match known.map(|(id, _)| id.clone()) {
            Some(id) => vec![Effect::Verify(Some(id))],
            None => self.say(&format!("nobody called {whom} is known here")),
        }
    }

    fn say(&mut self, text: &str) -> Vec<Effect> {
        self.notice = Some(text.to_owned());
        Vec::new()
    }
}

/// How what is made is encrypted, by the letter that the words begin with, and the other words.
fn encryption(words: &str) -> (Option<Settings>, &str) {
    let verified = Settings { verified_only: true, ..Settings::default() };
    for (letter, settings) in [("-e ", Settings::default()), ("-v ", verified)] {
        if let Some(rest) = words.strip_prefix(letter) {
            return (Some(settings), rest.trim());
        }
    }
    (None, words)
}

/// A time such as `30s`, `5m`, `1h` or `7d`.
fn life_ms(words: &str) -> Option<u64> {
    let unit = match words.chars().last()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 24 * 3_600_000,
        _ => return None,
    };
    let count: u64 = words[..words.len() - 1].parse().ok()?;
    let life_ms = count.checked_mul(unit)?;
    (LIFE_MS_MIN..=LIFE_MS_MAX).contains(&life_ms).then_some(life_ms)
}

/// The same in seconds.
fn seconds(words: &str) -> Option<i64> {
    i64::try_from(life_ms(words)? / 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::life_ms;

    #[test]
    fn a_time_is_a_number_and_a_unit_within_bounds() {
        assert_eq!(life_ms("30s"), Some(30_000));
        assert_eq!(life_ms("1h"), Some(3_600_000));
        assert_eq!(life_ms("7d"), Some(7 * 24 * 3_600_000));
        for wrong in ["", "h", "1", "-1h", "1s", "400d", "1ü", "99999999999999999999d"] {
            assert_eq!(life_ms(wrong), None, "{wrong}");
        }
    }
}
