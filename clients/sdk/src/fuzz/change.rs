//! How a frame becomes another one.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// Nodes of a frame that are looked at.
const NODES_MAX: usize = 400;

/// What an honest server says.
#[derive(Default)]
pub(super) struct Frames {
    /// Deltas of keys.
    pub(super) keys: Vec<Value>,
    /// Events of sealed messages.
    pub(super) sealed: Vec<Value>,
    /// Whatever else there is.
    pub(super) others: Vec<Value>,
}

impl Frames {
    /// One of them: mostly a message, since it is of those that a sender is shown.
    fn pick(&self, dice: &mut Dice) -> &Value {
        match dice.below(8) {
            0 => dice.pick(&self.keys),
            1 => dice.pick(&self.others),
            _ => dice.pick(&self.sealed),
        }
    }
}

/// Makes a frame of those that there are: of one of them, mostly. `ids` are what fields that name
/// something may be set to; `place` puts an event where it is looked at.
pub(super) fn frame(
    dice: &mut Dice,
    frames: &Frames,
    ids: &[String],
    place: impl Fn(&mut Value),
) -> String {
    if dice.one_in(40) {
        return noise(dice);
    }
    let mut frame = frames.pick(dice).clone();
    for _ in 0..=dice.below(3) {
        match dice.below(8) {
            0..=3 => rename(dice, &mut frame, ids),
            4 => swap(dice, &mut frame, frames),
            5 => touch(dice, &mut frame),
            6 => replace(dice, &mut frame),
            _ => remove(dice, &mut frame),
        }
    }
    if !dice.one_in(4) {
        place(&mut frame);
    }
    let text = frame.to_string();
    if dice.one_in(5) { bytes(dice, text) } else { text }
}

/// No frame at all.
fn noise(dice: &mut Dice) -> String {
    const LETTERS: &[u8] = br#"{}[]":,0123456789eE+-.\u nulltruefalse"#;
    (0..dice.below(200)).map(|_| char::from(*dice.pick(LETTERS))).collect()
}

/// A name in the place of another of its kind: somebody else, another session, another message.
fn rename(dice: &mut Dice, frame: &mut Value, ids: &[String]) {
    let fields = ["sender_id", "session_id", "user_id", "message_id", "id", "sender", "device_id"];
    let field = *dice.pick(&fields);
    let id = dice.pick(ids).clone();
    let mut places = Vec::new();
    each(frame, &mut |node| {
        places.push(node.get(field).is_some());
    });
    let named: Vec<usize> = (0..places.len()).filter(|at| places[*at]).collect();
    if !named.is_empty() {
        let at = *dice.pick(&named);
        nth(frame, at, &mut |node| node[field] = id.clone().into());
    }
}

/// A piece of another frame in the place of one of this.
fn swap(dice: &mut Dice, frame: &mut Value, frames: &Frames) {
    let other = frames.pick(dice);
    let fields = ["encrypted", "posted", "edited", "to_device", "content", "device_lists"];
    let field = *dice.pick(&fields);
    let mut found = None;
    each(&mut other.clone(), &mut |node| {
        found = found.take().or_else(|| node.get(field).cloned());
    });
    let Some(piece) = found else { return };
    let mut done = false;
    each(frame, &mut |node| {
        if !done && node.get(field).is_some() {
            node[field] = piece.clone();
            done = true;
        }
    });
}

/// A letter of a text, or a number, changed.
fn touch(dice: &mut Dice, frame: &mut Value) {
    let (at, roll) = (any(dice, frame), dice.next());
    nth(frame, at, &mut |node| match node {
        Value::String(text) if !text.is_empty() => {
            let place = roll as usize % text.chars().count();
            let letter = b"ABab01+/=@:!$ "[(roll >> 32) as usize % 14];
            let letters = text.chars().enumerate();
            *text = letters.map(|(n, old)| if n == place { letter.into() } else { old }).collect();
        }
        Value::Number(number) => {
            let old = number.as_i64().unwrap_or_default();
            *node = old.wrapping_add((roll % 7) as i64 - 3).into();
        }
        other => *other = json!(roll),
    });
}

/// Something else in the place of a piece.
fn replace(dice: &mut Dice, frame: &mut Value) {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let things = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x".repeat(5_000)),
        json!("\u{0}\u{202e}\u{fffd}"),
        json!({}),
        json!([]),
        deep,
    ];
    let (at, thing) = (any(dice, frame), dice.pick(&things).clone());
    nth(frame, at, &mut |node| *node = thing.clone());
}

fn remove(dice: &mut Dice, frame: &mut Value) {
    let (at, roll) = (any(dice, frame), dice.next() as usize);
    nth(frame, at, &mut |node| match node {
        Value::Object(fields) if !fields.is_empty() => {
            let name = fields.keys().nth(roll % fields.len()).cloned().unwrap_or_default();
            fields.remove(&name);
        }
        Value::Array(values) if !values.is_empty() => {
            values.remove(roll % values.len());
        }
        _ => {}
    });
}

/// Bytes that are changed, left out, doubled.
fn bytes(dice: &mut Dice, text: String) -> String {
    let mut bytes = text.into_bytes();
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.below(bytes.len());
        match dice.below(4) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => bytes.truncate(at),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A place in a frame.
fn any(dice: &mut Dice, frame: &mut Value) -> usize {
    let mut nodes = 0;
    each(frame, &mut |_| nodes += 1);
    dice.below(nodes)
}

/// Every node, from the outside to the inside.
fn each(value: &mut Value, see: &mut dyn FnMut(&mut Value)) {
    let mut left = NODES_MAX;
    walk(value, &mut left, see);
}

fn nth(value: &mut Value, at: usize, change: &mut dyn FnMut(&mut Value)) {
    let mut n = 0;
    each(value, &mut |node| {
        if n == at {
            change(node);
        }
        n += 1;
    });
}

fn walk(value: &mut Value, left: &mut usize, see: &mut dyn FnMut(&mut Value)) {
    if *left == 0 {
        return;
    }
    *left -= 1;
    see(value);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|inner| walk(inner, left, see)),
        Value::Object(fields) => {
            Map::values_mut(fields).for_each(|inner| walk(inner, left, see));
        }
        _ => {}
    }
}
