//! What members of encrypted sessions sign about whom they let in. Who believes it is up to the
//! members' devices: here it is a text that is kept in order.

use parlor_domain::{Denied, SessionId};
use serde_json::{Map, Value, json};

use super::{Object, malformed, object, text};
use crate::{Actor, App, Error};

/// Bytes of a statement as JSON, and how many signatures are a lot of one person's.
const BYTES_MAX: usize = 2048;
const SIGNATURES_MAX: usize = 4;

/// The field in which they come and go.
const FIELD: &str = "statements";

impl App {
    /// Adds statements to those of an encrypted session that the actor is in.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when they are not in it, [`Denied::Invalid`] when it is not encrypted,
    /// [`Denied::Malformed`] when one has no `text` and `signatures`, or is too long, or there are
    /// too many.
    pub async fn add_statements(
        &self,
        actor: &Actor,
        session: SessionId,
        body: &Object,
    ) -> Result<(), Error> {
        self.admit(actor)?;
        let encryption = self.fresh_view(actor.user, session).await?.encryption;
        encryption.ok_or(Denied::invalid("session", "the session is not encrypted"))?;
        let asked = body.get(FIELD).and_then(Value::as_array).ok_or(malformed(FIELD))?;
        if asked.len() as u64 > self.limits.members_added_max {
            return Err(malformed("too many statements").into());
        }
        let statements = asked.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let most = self.limits.statements_max;
        Ok(self.store.add_statements(actor.user, session, statements, most).await?)
    }

    /// The statements of an encrypted session after the one with the number `after`: `statements`,
    /// each with its `number`, and whether there are `more`.
    ///
    /// # Errors
    /// [`Denied::NotFound`] when the actor is not in it.
    pub async fn statements(
        &self,
        actor: &Actor,
        session: SessionId,
        after: i64,
    ) -> Result<Value, Error> {
        let page = self.limits.to_device_page_max;
        let found = self.store.statements(actor.user, session, after, page + 1).await?;
        let mut found = found.ok_or(Denied::NotFound)?;
        let more = found.len() as u64 > page;
        found.truncate(usize::try_from(page).unwrap_or(usize::MAX));
        let mut told = Vec::with_capacity(found.len());
        for kept in found {
            let mut statement: Map<String, Value> = serde_json::from_str(&kept.statement)
                .map_err(|error| Error::Internal(error.to_string()))?;
            statement.insert("number".to_owned(), kept.number.into());
            told.push(Value::Object(statement));
        }
        Ok(json!({ "statements": told, "more": more }))
    }
}

/// A statement as it is kept: what was signed, and by which keys, and nothing else.
fn read(value: &Value) -> Result<String, Denied> {
    let statement = object(value, "a statement is an object")?;
    let signatures = object(statement.get("signatures").unwrap_or(&Value::Null), "signatures")?;
    if signatures.len() > SIGNATURES_MAX || !signatures.values().all(Value::is_string) {
        return Err(malformed("a statement has up to four signatures, which are texts"));
    }
    let kept = json!({ "text": text(statement, "text")?, "signatures": signatures }).to_string();
    if kept.len() > BYTES_MAX { Err(malformed("a statement is too long")) } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_kept_as_it_was_signed_and_nothing_else_is() {
        let given = json!({ "text": "{ \"v\":1 }", "signatures": { "ed25519:A": "x" }, "more": 1 });
        let kept: Value = serde_json::from_str(&read(&given).unwrap()).unwrap();
        assert_eq!(kept, json!({ "text": "{ \"v\":1 }", "signatures": { "ed25519:A": "x" } }));
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let five = json!({ "a": "", "b": "", "c": "", "d": "", "e": "" });
        for bad in [
            json!(1),
            json!({}),
            json!({ "text": "x" }),
            json!({ "text": 1, "signatures": {} }),
            json!({ "text": "x", "signatures": { "a": 1 } }),
            json!({ "text": "x", "signatures": five }),
            json!({ "text": "x".repeat(BYTES_MAX), "signatures": {} }),
        ] {
            assert!(matches!(read(&bad), Err(Denied::Malformed(_))), "{bad}");
        }
    }
}
