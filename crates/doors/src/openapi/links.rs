//! Which answers lead to which requests: what was made or found can be asked for.

use serde_json::{Map, Value, json};

/// Something that an answer holds, and the paths that take it.
struct Way {
    /// The operation that answers, and its status.
    from: (&'static str, &'static str),
    /// The beginning of the paths that it leads to.
    to: &'static str,
    /// The names in such a path, and where in the answer their ids stand.
    names: &'static [(&'static str, &'static str)],
}

const WAYS: [Way; 8] = [
    way(("create_room", "201"), "/api/v1/rooms/{id}", &[("id", "$response.body#/id")]),
    way(
        ("create_room", "201"),
        "/api/v1/sessions/{id}",
        &[("id", "$response.body#/main_session_id")],
    ),
    way(("create_session", "201"), "/api/v1/sessions/{id}", &[("id", "$response.body#/id")]),
    way(("send", "201"), "/api/v1/messages/{id}", &[("id", "$response.body#/id")]),
    way(("register", "201"), "/api/v1/users/{id}", &[("id", "$response.body#/user/id")]),
    way(("add_to_room", "200"), "/api/v1/rooms/{id}", &ADDED),
    way(("add_to_session", "200"), "/api/v1/sessions/{id}", &ADDED),
    way(
        ("ban", "204"),
        "/api/v1/rooms/{id}/bans/{user}",
        &[("id", "$request.path.id"), ("user", "$request.path.user")],
    ),
];

/// Who was put into something can be sent out of it.
const ADDED: [(&str, &str); 2] = [("id", "$request.path.id"), ("user", "$request.body#/users/0")];

const fn way(
    from: (&'static str, &'static str),
    to: &'static str,
    names: &'static [(&'static str, &'static str)],
) -> Way {
    Way { from, to, names }
}

/// Writes the links into the answers.
pub(super) fn add(paths: &mut Value) {
    for way in &WAYS {
        let links = links(paths, way);
        let operations = paths.as_object_mut().into_iter().flat_map(Map::values_mut);
        let mut operations = operations.flat_map(super::values_mut);
        if let Some(from) = operations.find(|operation| operation["operationId"] == way.from.0) {
            let there = &mut from["responses"][way.from.1]["links"];
            for (name, link) in links {
                there[name] = link;
            }
        }
    }
}

/// A link to every operation whose path has exactly the names that are known.
fn links(paths: &Value, way: &Way) -> Vec<(String, Value)> {
    let mut links = Vec::new();
    for (path, methods) in paths.as_object().into_iter().flatten() {
        let names = path.matches('{').count();
        if !path.starts_with(way.to) || names != way.names.len() {
            continue;
        }
        let ids: Map<_, _> =
            way.names.iter().map(|(name, at)| ((*name).to_owned(), json!(at))).collect();
        for operation in methods.as_object().into_iter().flat_map(Map::values) {
            let name = operation["operationId"].as_str().unwrap_or_default();
            let link = json!({"operationId": name, "parameters": ids});
            links.push((name.to_owned(), link));
        }
    }
    links
}
