//! The REST API, described as OpenAPI 3.1: from the handlers and the schema's types, so that it
//! cannot say anything else than what is done.

mod answers;
mod links;
mod shapes;

use parlor_wire::v1;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa::{IntoParams, ToSchema};

use crate::Doors;
use crate::reply::PROTOBUF;

pub(crate) use answers::{
    Conflict, Forbidden, Gone, NotFound, TooMany, Unacceptable, Unauthorized,
};
pub(crate) use shapes::shape;

/// The header of creating requests.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct KeyParam {
    /// The request's own id: repeating it makes nothing new. A UUID, or up to 128 characters.
    #[param(rename = "Idempotency-Key", required = false)]
    key: Option<String>,
}

const ABOUT: &str = "Rooms, the sessions in them, and what is said there. Every body is JSON, or \
protobuf of the same fields (`/parlor.proto`) by `Content-Type` and `Accept: \
application/x-protobuf`. Live events come over WebSocket and Server-Sent Events: see \
`/asyncapi.json`.";

/// Types with fields that are left out rather than `null`, and commands, which may leave out.
const SPARSE: [&str; 5] = ["Event", "Ok", "Error", "ErrorDetail", "Subscribe"];

/// Completes what the handlers say with what holds for all of them.
pub(crate) fn complete(handlers: &OpenApi, doors: &Doors) -> Value {
    // Serialising what utoipa has made does not fail.
    let mut api = serde_json::to_value(handlers).unwrap_or_default();
    api["info"] = json!({
        "title": "Parlor",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    });
    api["servers"] = json!([{"url": doors.app.settings().public_url}]);
    api["security"] = json!([{"bearer": []}, {"cookie": []}]);
    api["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": crate::cookie::name(doors)},
    });
    let schemas = &mut api["components"]["schemas"];
    add_schema::<v1::ErrorBody>(schemas);
    require_fields(schemas);
    shape(schemas, doors.app.limits());
    for (path, methods) in api["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            for parameter in parameters_mut(operation) {
                shapes::shape_parameter(path, parameter, doors.app.limits());
            }
            complete_operation(method, operation);
        }
    }
    links::add(&mut api["paths"]);
    api
}

/// Adds a type and all that it is made of.
pub(crate) fn add_schema<T: ToSchema>(schemas: &mut Value) {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        schemas[name] = serde_json::to_value(schema).unwrap_or_default();
    }
}

/// Fields that a request may leave out although they have no `null`.
const OPTIONAL: [(&str, &str); 5] = [
    ("CreateRoomRequest", "name"),
    ("SendRequest", "client_id"),
    ("SendRequest", "content"),
    ("ReadRequest", "number"),
    ("DraftRequest", "content"),
];

/// Lists that a request may not leave out: there is no sense in adding nobody.
const NEEDED: [(&str, &str); 1] = [("AddMembersRequest", "users")];

/// Says which fields must be there. In an answer all are, though `null` may stand in one; in a
/// request those that have no sensible absence. (That the types have defaults is protobuf's way.)
pub(crate) fn require_fields(schemas: &mut Value) {
    let Some(schemas) = schemas.as_object_mut() else {
        return;
    };
    for (name, schema) in schemas {
        let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            continue;
        };
        let request = name.ends_with("Request");
        let mut required = Vec::new();
        for (field, of) in fields {
            of.as_object_mut().and_then(|of| of.remove("default"));
            let may_lack = is_optional(of) && !NEEDED.contains(&(name, field));
            let may_lack = request && (may_lack || OPTIONAL.contains(&(name, field)));
            if !may_lack {
                required.push(Value::from(field.as_str()));
            }
        }
        if !required.is_empty() && !SPARSE.contains(&name.as_str()) {
            schema["required"] = required.into();
        }
    }
}

/// Whether a field may be `null`, or is a list, which may be empty.
fn is_optional(field: &Value) -> bool {
    let null = Value::from("null");
    let nullable = field["type"].as_array().is_some_and(|t| t.contains(&null));
    nullable || field.get("oneOf").is_some() || field["type"] == "array"
}

/// Any request may be refused, and any body may be protobuf.
fn complete_operation(method: &str, operation: &mut Value) {
    let json = "/content/application~1json";
    if let Some(body) = operation.get_mut("requestBody").filter(|b| b.pointer(json).is_some()) {
        let schema = &mut body["content"]["application/json"]["schema"];
        // A body that may be left out is left out: it is not `null` instead.
        if let Some(there) = schema.pointer("/oneOf/0").cloned() {
            *schema = there;
        }
        offer_protobuf(body);
    }
    answers::complete(method, operation);
    values_mut(&mut operation["responses"]).for_each(offer_protobuf);
}

fn parameters_mut(operation: &mut Value) -> impl Iterator<Item = &mut Value> {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    parameters.into_iter().flatten()
}

fn offer_protobuf(body: &mut Value) {
    let content = body.get_mut("content").and_then(Value::as_object_mut);
    if let Some(content) = content.filter(|kinds| kinds.contains_key("application/json")) {
        let bytes = json!({"schema": {"type": "string", "format": "binary"}});
        content.insert(PROTOBUF.to_owned(), bytes);
    }
}

fn values_mut(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    let object = value.as_object_mut();
    object.into_iter().flat_map(Map::values_mut)
}
