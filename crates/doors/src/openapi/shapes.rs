//! What may stand in a field or parameter: formats, lengths and words, from the limits in force.
//!
//! A pattern says what is taken, blanks around it included, which are cut off. Lengths count what
//! people see as characters; a schema counts code points, which is the same but for texts whose
//! characters are made of several.

use parlor_domain::{Gone, Limits, Role, RoomKind};
use parlor_wire::Code;
use serde_json::{Map, Value, json};

/// What is cut off at a text's ends, inside a character class.
const BLANK: &str =
    r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// Control characters, inside a character class.
const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

/// Control characters without those that make lines.
const CONTROL_IN_LINES: &str = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f";

/// What nobody sees, inside a character class: a text of nothing else says nothing.
const INVISIBLE: &str = "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\
\u{e0000}-\u{e0fff}";

/// The largest number that 64 bits hold.
const MOST: i64 = i64::MAX;

/// Narrows every field that takes or holds less than its type does.
pub(crate) fn shape(schemas: &mut Value, limits: &Limits) {
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if name == "Event" {
            shape_event(schema);
        }
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (field, of) in fields.into_iter().flatten() {
            let asked = name.ends_with("Request").then(|| asked(name, field, limits)).flatten();
            if let Some(shape) = asked.or_else(|| told(name, field, of)) {
                narrow(of, &shape);
            }
        }
    }
    if let Some(schema) = schemas.get_mut("CreateRoomRequest") {
        shape_create_room(schema, limits);
    }
    if let Some(schema) = schemas.get_mut("SendRequest") {
        shape_send(schema);
    }
}

/// Narrows what may stand in a path, a query or a header.
pub(super) fn shape_parameter(path: &str, parameter: &mut Value, limits: &Limits) {
    let schema = &mut parameter["schema"];
    // What is not said is left out, and never `null`.
    if let Some(kind) = schema.pointer("/type/0").cloned() {
        schema["type"] = kind;
    }
    let shape = match (parameter["in"].as_str(), parameter["name"].as_str()) {
        (_, Some("emoji")) => emoji(limits),
        // Names, and ids as the libraries make them.
        (Some("path"), Some("version")) => json!({"pattern": "^[0-9]{1,18}$"}),
        (Some("path"), Some("session")) => json!({"format": "uuid"}),
        (Some("path"), _) if path.starts_with("/api/v1/e2ee/") => json!({"minLength": 1}),
        (Some("path"), _) | (_, Some("room_id")) => json!({"format": "uuid"}),
        (_, Some("limit")) => json!({"minimum": 1, "maximum": limits.page_max}),
        (_, Some("after" | "before" | "around" | "user_after")) => {
            json!({"minimum": 0, "maximum": MOST})
        }
        (_, Some("query")) => {
            json!({"pattern": r"^[^\u0000]*$", "maxLength": limits.name_chars_max})
        }
        // People are listed by their usernames, everything else by its number.
        (_, Some("cursor")) if !path.ends_with("/members") => {
            json!({"pattern": r"^\+?0*(?:[0-9]{1,18}|[1-8][0-9]{18})$"})
        }
        (_, Some("Idempotency-Key")) => json!({"pattern": r"^[!-~](?:[\t -~]{0,126}[!-~])?$"}),
        (_, Some("session")) => json!({
            "maxItems": limits.stream_sessions_max,
            "items": {"type": "string", "pattern": format!("^{UUID}(?::[0-9]+)?$")},
        }),
        _ => return,
    };
    narrow(&mut parameter["schema"], &shape);
}

/// Exactly one kind stands beside the fields of an event: there is no event without.
fn shape_event(schema: &mut Value) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        if let Some(kind) = part.pointer("/oneOf/0").cloned() {
            *part = kind;
            continue;
        }
        for (field, of) in part["properties"].as_object_mut().into_iter().flatten() {
            of.as_object_mut().and_then(|of| of.remove("default"));
            // What is absent is left out.
            if let Some(kind) = of.pointer("/type/0").cloned() {
                of["type"] = kind;
            }
            if let Some(shape) = told("Event", field, of) {
                narrow(of, &shape);
            }
        }
        part["required"] = json!(["at"]);
    }
}

/// A direct room has people instead of a name; every other kind has a name.
fn shape_create_room(schema: &mut Value, limits: &Limits) {
    let others = limits.direct_people_max.saturating_sub(1);
    let direct = json!({
        "title": "A direct room",
        "required": ["kind", "members"],
        "properties": {
            "kind": {"const": "direct"},
            "members": {"minItems": 1, "maxItems": others},
            "password": {"type": "null"},
            "retention_s": {"enum": [0, null]},
            "sessions_max": {"enum": [0, null]},
        },
    });
    let named = json!({
        "title": "A room with a name",
        "required": ["name"],
        "properties": {
            "kind": {"enum": ["public", "unlisted", "private", null]},
            "name": line(limits),
        },
    });
    schema["oneOf"] = json!([named, direct]);
}

/// A message has words, or carries files, or passes on what another has.
fn shape_send(schema: &mut Value) {
    let content = schema["properties"]["content"].take();
    schema["properties"]["content"] = json!({"type": "string"});
    let empty = json!({"type": "string", "maxLength": 0});
    let own = json!({
        "title": "Words of one's own",
        "required": ["content"],
        "properties": {"content": content, "forward": {"type": "null"}},
    });
    let files = json!({
        "title": "Files alone",
        "required": ["files"],
        "properties": {
            "content": empty, "files": {"minItems": 1}, "forward": {"type": "null"},
        },
    });
    let forward = json!({
        "title": "What another message has",
        "required": ["forward"],
        "properties": {
            "forward": {"type": "string", "format": "uuid"},
            "content": empty, "files": {"maxItems": 0},
        },
    });
    schema["oneOf"] = json!([own, files, forward]);
}

/// What a request takes in a field.
fn asked(name: &str, field: &str, limits: &Limits) -> Option<Value> {
    let people = |least: u64| {
        let most = limits.members_added_max;
        json!({"items": {"type": "string", "format": "uuid"}, "minItems": least, "maxItems": most})
    };
    let shape = match (name, field) {
        ("CreateRoomRequest", "name") => return None,
        ("CreateRoomRequest", "members") => people(0),
        ("CreateSessionRequest", "members") => people(0),
        ("AddMembersRequest", "users") => people(1),
        ("RegisterRequest" | "PatchMeRequest", "username") => username(limits),
        ("RegisterRequest", "email") => email(limits, true),
        (_, "email") => email(limits, false),
        ("RegisterRequest" | "ResetPasswordRequest", "password")
        | ("ChangePasswordRequest", "new") => password(limits.password_chars_min, limits),
        ("CreateRoomRequest", "password") => password(1, limits),
        (_, "password" | "old") => password(0, limits),
        ("LoginRequest", "device_name") => {
            json!({"pattern": format!("^(?:[{BLANK}]*|{})$", line_inside()),
                "maxLength": limits.name_chars_max})
        }
        (_, "name") => line(limits),
        (_, "status" | "reason") => text(CONTROL, limits.status_chars_max),
        (_, "description") => text(CONTROL_IN_LINES, limits.description_chars_max),
        ("PatchRoomRequest", "kind") => words(&kinds()[..3]),
        ("DraftRequest", "content") => text_so_far(limits),
        ("SendRequest", "forward") => json!({"format": "uuid"}),
        (_, "content") => content(limits),
        ("SendRequest", "files") => json!({
            "items": {"type": "string", "format": "uuid"},
            "maxItems": limits.files_per_message_max,
        }),
        ("SendRequest", "client_id") => json!({"pattern": format!("^(?:{UUID})?$")}),
        (_, "number") => json!({"minimum": 0, "maximum": MOST}),
        (_, "message_ttl_s") => time_to_live(0, limits),
        (_, "ttl_s" | "silence_s" | "read_only_s") => time_to_live(1, limits),
        (_, "retention_s") => json!({"anyOf": [
            {"const": 0},
            {"minimum": limits.retention_s_min, "maximum": limits.retention_s_max},
        ]}),
        (_, "sessions_max") => json!({"minimum": 0, "maximum": limits.sessions_per_room_max}),
        _ => return None,
    };
    Some(shape)
}

/// For how many seconds messages live; in settings 0 is for ever.
fn time_to_live(least: u64, limits: &Limits) -> Value {
    json!({"minimum": least, "maximum": limits.message_ttl_s_max})
}

/// One emoji. Its length is counted in bytes; nothing of ASCII alone is one.
fn emoji(limits: &Limits) -> Value {
    json!({
        "pattern": r"[^\u0000-\u007f]",
        "maxLength": limits.reaction_bytes_max,
        "examples": ["\u{1f44d}"],
    })
}

/// A UUID with its hyphens.
const UUID: &str = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";

/// What any field of this name holds.
fn told(name: &str, field: &str, of: &Value) -> Option<Value> {
    let shape = match field {
        "request_id" => json!({"pattern": "^[0-9a-f]{32}$"}),
        "code" if name == "ErrorDetail" => {
            words(&Code::ALL.iter().map(|c| c.as_str()).collect::<Vec<_>>())
        }
        "kind" => words(&kinds()),
        "role" | "my_role" => {
            words(&[Role::Owner, Role::Moderator, Role::Member].map(Role::as_str))
        }
        "reason" if name == "Left" => {
            words(&GONE[..4].iter().map(|g| g.as_str()).collect::<Vec<_>>())
        }
        "reason" if name == "Removed" => {
            words(&GONE.iter().map(|g| g.as_str()).collect::<Vec<_>>())
        }
        "id" | "by" | "created_by" | "banned_by" | "reply_to" => json!({"format": "uuid"}),
        _ if field.ends_with("_id") => json!({"format": "uuid"}),
        // A client counts its references as it likes.
        "ref" => return None,
        _ if of["format"] == "int64" => json!({"minimum": 0, "maximum": MOST}),
        _ => return None,
    };
    Some(shape)
}

/// Why somebody is gone; the first four, from a session's log.
const GONE: [Gone; 6] =
    [Gone::Left, Gone::Removed, Gone::Kicked, Gone::Banned, Gone::Ended, Gone::Deleted];

fn kinds() -> [&'static str; 4] {
    [RoomKind::Public, RoomKind::Unlisted, RoomKind::Private, RoomKind::Direct]
        .map(RoomKind::as_str)
}

fn words(words: &[&str]) -> Value {
    json!({"enum": words})
}

fn username(limits: &Limits) -> Value {
    let inner = limits.username_chars_max.saturating_sub(2);
    let letter = r"\p{L}\p{Nd}_";
    let whole = format!("[{letter}](?:[{letter}.-]{{0,{inner}}}[{letter}])?");
    let about = "Letters, digits, `.`, `_` and `-`, beginning and ending with a letter, a digit or \
        `_`; read in compatibility form (NFKC), so that what only looks like one may be none.";
    json!({
        "description": about,
        "pattern": format!("^[{BLANK}]*{whole}[{BLANK}]*$"),
        "examples": ["ana"],
    })
}

/// One line that says something.
fn line(limits: &Limits) -> Value {
    json!({
        "pattern": format!("^{}$", line_inside()),
        "maxLength": limits.name_chars_max,
        "examples": ["Garden"],
    })
}

fn line_inside() -> String {
    let any = format!("[^{CONTROL}]*");
    format!("[{BLANK}]*{any}[^{CONTROL}{BLANK}{INVISIBLE}]{any}[{BLANK}]*")
}

/// Text that may be empty.
fn text(without: &str, most: u64) -> Value {
    json!({
        "pattern": format!("^[{BLANK}]*[^{without}]*[{BLANK}]*$"),
        "maxLength": most,
        "examples": ["What grows where"],
    })
}

/// What is said in a message. Its length is counted in bytes, of which a character has one to four.
fn content(limits: &Limits) -> Value {
    let any = "[^\\u0000]*";
    let seen = format!("[^{CONTROL}{BLANK}{INVISIBLE}]");
    json!({
        "pattern": format!("^{any}{seen}{any}$"),
        "maxLength": limits.message_bytes_max,
        "examples": ["Hello, *world*!"],
    })
}

/// What is not said yet, and may be blank.
fn text_so_far(limits: &Limits) -> Value {
    json!({
        "pattern": "^[^\\u0000]*$",
        "maxLength": limits.message_bytes_max,
        "examples": ["Hello, *wor"],
    })
}

fn password(least: u64, limits: &Limits) -> Value {
    json!({
        "minLength": least,
        "maxLength": limits.password_bytes_max,
        "examples": ["correct horse battery"],
    })
}

fn email(limits: &Limits, may_be_blank: bool) -> Value {
    let letter = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
    let label = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
    let address = format!(r"{letter}(?:\.?{letter}){{0,63}}@{label}(?:\.{label})*");
    let address = if may_be_blank { format!("(?:{address})?") } else { address };
    json!({
        "pattern": format!("^[{BLANK}]*{address}[{BLANK}]*$"),
        "maxLength": limits.email_bytes_max,
        "examples": ["ana@example.org"],
    })
}

/// Adds to a schema what it lacked. Where there may be nothing, `null` is one of the words.
fn narrow(of: &mut Value, shape: &Value) {
    let nullable = of["type"].as_array().is_some_and(|kinds| kinds.contains(&"null".into()));
    let Some(of) = of.as_object_mut() else { return };
    for (key, value) in shape.as_object().unwrap_or(&Map::new()) {
        let mut value = value.clone();
        if let (true, "enum", Some(words)) = (nullable, key.as_str(), value.as_array_mut()) {
            words.push(Value::Null);
        }
        of.insert(key.clone(), value);
    }
}
