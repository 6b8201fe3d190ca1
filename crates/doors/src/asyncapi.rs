//! The live doors, described as AsyncAPI 3.0, from the very types that are sent.

use parlor_wire::v1;
use serde_json::{Value, json};

use crate::Doors;
use crate::openapi::{add_schema, require_fields, shape};

const ABOUT: &str = "What happens, as it happens. Every door carries the same events: a session's \
log (`seq`) and one's own log (`user_seq`), each counted without holes, so that whoever was away \
says what they saw last and hears the rest.";

const SOCKET: &str = "One socket carries all sessions of a device. Subprotocols: \
`parlor.v1.json` (text frames, the default) and `parlor.v1.proto` (binary frames). Close codes: \
4001 bad or expired token, 4003 forbidden, 4008 too slow or too fast (resume is safe), 4009 \
resume impossible (load afresh), 4010 signed out, 1012 restarting.";

const STREAM: &str = "Server-Sent Events: `data:` is a ServerFrame, `id:` a cursor over \
everything that the stream names, which `Last-Event-ID` resumes.";

const SOCKET_IO: &str = "Socket.IO 4, by polling or WebSocket: commands are events of the client \
named by their type, with the command as their one argument and acknowledged by `ok` or `error`; \
frames are events of the server named by theirs. Connect with `auth: {token, user_after, epoch, \
resume: [{session_id, after}]}`. Three events are no frames: `revoked {session_id}`, out of that \
session; `revoked {}`, signed out; `lagged {}`, resume.";

/// The description.
pub(crate) fn description(doors: &Doors) -> Value {
    let mut schemas = json!({});
    add_schema::<v1::ClientFrame>(&mut schemas);
    add_schema::<v1::ServerFrame>(&mut schemas);
    require_fields(&mut schemas);
    shape(&mut schemas, doors.app.limits());
    let url = &doors.app.settings().public_url;
    let (scheme, host) = url.split_once("://").unwrap_or(("http", url));
    let protocol = if scheme == "https" { "wss" } else { "ws" };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parlor, live",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "socket": {"host": host, "protocol": protocol},
            "stream": {"host": host, "protocol": scheme},
            "socketio": {"host": host, "protocol": protocol},
        },
        "channels": channels(),
        "operations": operations(),
        "components": {
            "schemas": schemas,
            "messages": {
                "ClientFrame": message("ClientFrame", "Command", "What a client says."),
                "ServerFrame": message("ServerFrame", "Frame", "What the server says."),
            },
        },
    })
}

fn channels() -> Value {
    let component = |name: &str| json!({"$ref": format!("#/components/messages/{name}")});
    json!({
        "socket": {
            "address": "/api/v1/socket",
            "description": SOCKET,
            "servers": [{"$ref": "#/servers/socket"}],
            "messages": {
                "ClientFrame": component("ClientFrame"),
                "ServerFrame": component("ServerFrame"),
            },
            "bindings": {"ws": {"method": "GET"}},
        },
        "socketio": {
            "address": "/socket.io/",
            "description": SOCKET_IO,
            "servers": [{"$ref": "#/servers/socketio"}],
            "messages": {
                "ClientFrame": component("ClientFrame"),
                "ServerFrame": component("ServerFrame"),
            },
            "bindings": {"ws": {"method": "GET"}},
        },
        "stream": {
            "address": "/api/v1/events",
            "description": STREAM,
            "servers": [{"$ref": "#/servers/stream"}],
            "messages": {"ServerFrame": component("ServerFrame")},
            "bindings": {"http": {}},
        },
    })
}

/// Seen from the server, as AsyncAPI has it: it receives what clients say.
fn operations() -> Value {
    let operation = |action: &str, channel: &str, message: &str| {
        json!({
            "action": action,
            "channel": {"$ref": format!("#/channels/{channel}")},
            "messages": [{"$ref": format!("#/channels/{channel}/messages/{message}")}],
        })
    };
    json!({
        "hearCommand": operation("receive", "socket", "ClientFrame"),
        "tellOnSocket": operation("send", "socket", "ServerFrame"),
        "hearEvent": operation("receive", "socketio", "ClientFrame"),
        "tellByEvent": operation("send", "socketio", "ServerFrame"),
        "tellOnStream": operation("send", "stream", "ServerFrame"),
    })
}

/// In JSON a frame is what it holds, with a `type`.
fn message(name: &str, payload: &str, summary: &str) -> Value {
    json!({
        "name": name,
        "summary": summary,
        "payload": {"$ref": format!("#/components/schemas/{payload}")},
    })
}
