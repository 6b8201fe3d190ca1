//! What the server says of its own API, and whether its answers keep to it.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::http::{Answer, Request};

/// The served OpenAPI description.
#[derive(Clone)]
pub struct Contract(Arc<Value>);

/// What stands beside the methods of a path is something else.
const METHODS: [&str; 7] = ["get", "put", "post", "patch", "delete", "head", "options"];

impl Contract {
    /// Asks a server for it.
    ///
    /// # Panics
    /// When it has none.
    pub async fn fetch(server: SocketAddr) -> Self {
        let answer = Request::new("GET", "/openapi.json").send(server).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let described = answer.json();
        assert!(described["paths"].is_object(), "/openapi.json describes no paths");
        Self(Arc::new(described))
    }

    /// Every route: its method in capitals, and its path with names in braces.
    pub fn routes(&self) -> Vec<(String, String)> {
        let mut routes = Vec::new();
        let paths = self.0["paths"].as_object().into_iter().flatten();
        for (path, methods) in paths {
            for (method, _) in methods.as_object().into_iter().flatten() {
                let known = METHODS.contains(&method.as_str());
                if known {
                    routes.push((method.to_uppercase(), path.clone()));
                }
            }
        }
        routes
    }

    /// The description itself.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// Checks an answer: its status is described, its headers are there, a JSON object has every
    /// key that it must and no other, and what is one of some words or an id is one.
    ///
    /// # Panics
    /// When the answer is not as described.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        let Some(route) = self.route(method, path) else { return };
        let status = answer.status.to_string();
        let family = format!("{}XX", &status[..1]);
        let responses = &route["responses"];
        let described = [&*status, &*family, "default"].into_iter().map(|key| &responses[key]);
        let described = described.into_iter().find(|response| !response.is_null());
        let Some(described) = described.map(|response| self.resolved(response)) else {
            panic!("{method} {path}: status {status} is not described: {}", answer.text());
        };
        for (name, header) in described["headers"].as_object().into_iter().flatten() {
            let there = answer.header(&name.to_lowercase()).is_some();
            assert!(there || header["required"] != true, "{method} {path}: {status} lacks {name}");
        }
        let schema = &described["content"]["application/json"]["schema"];
        let json = answer.header("content-type").is_some_and(|kind| kind.contains("json"));
        if json && !schema.is_null() {
            let at = format!("{method} {path}: {status}");
            self.check_value(&at, schema, &answer.json());
        }
    }

    fn route(&self, method: &str, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap_or_default();
        let parts: Vec<_> = path.split('/').collect();
        let paths = self.0["paths"].as_object()?;
        let fits = |pattern: &str| {
            let pattern: Vec<_> = pattern.split('/').collect();
            let named = |(p, part): (&&str, &&str)| p.starts_with('{') || p == part;
            pattern.len() == parts.len() && pattern.iter().zip(&parts).all(named)
        };
        let exact = paths.get(path);
        let found = exact.or_else(|| paths.iter().find(|(p, _)| fits(p)).map(|(_, route)| route));
        let route = &found?[method.to_lowercase()];
        (!route.is_null()).then_some(route)
    }

    fn resolved<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        while let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            value = self.0.pointer(pointer).unwrap_or(&Value::Null);
        }
        value
    }

    fn check_value(&self, at: &str, schema: &Value, value: &Value) {
        let schema = self.resolved(schema);
        let words = schema["enum"].as_array();
        assert!(words.is_none_or(|words| words.contains(value)), "{at}: {value} is no word");
        if let (Some(text), "uuid") = (value.as_str(), schema["format"].as_str().unwrap_or("")) {
            assert!(text.parse::<uuid::Uuid>().is_ok(), "{at}: {value} is no id");
        }
        if let Some(items) = value.as_array() {
            for item in items.iter().take(3) {
                self.check_value(at, &schema["items"], item);
            }
        }
        let Some(object) = value.as_object() else { return };
        for key in schema["required"].as_array().into_iter().flatten() {
            let key = key.as_str().unwrap_or_default();
            assert!(object.contains_key(key), "{at}: `{key}` is missing: {value}");
        }
        let properties = &schema["properties"];
        for (key, value) in object {
            let described = &properties[key];
            assert!(
                !properties.is_object() || !described.is_null(),
                "{at}: `{key}` is not described: {value}"
            );
            self.check_value(&format!("{at}.{key}"), described, value);
        }
    }
}
