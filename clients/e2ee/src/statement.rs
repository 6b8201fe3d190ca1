//! Statements: what a member signs to say that they let somebody into a session.
//!
//! Owns the text that is signed, and the question whether it holds. Refuses in silence whatever is
//! not exactly that: the server hands statements on, and may hand on anything.

use std::collections::BTreeMap;

use matrix_sdk_crypto::vodozemac::{Ed25519PublicKey, Ed25519Signature};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the text says that it is, so that nothing else that was signed is taken for one.
const TYPE: &str = "parlor.let_in";

/// The version of the text.
const VERSION: u32 = 1;

/// The last state of a list of members: every client can count as far as that.
const STATE_MAX: i64 = (1 << 53) - 1;

/// That somebody is let in, as it is written in the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    r#type: String,
    v: u32,
    session_id: String,
    /// Who is let in.
    pub(crate) user_id: String,
    /// Who says so.
    pub(crate) by: String,
    /// Of the list of members that the signer saw.
    pub(crate) membership_version: i64,
    /// The public key of the identity of whoever is let in, if the signer could see one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
}

impl Statement {
    /// Says that somebody is let into a session.
    pub(crate) fn new(
        session_id: &str,
        (user_id, by): (&str, &str),
        membership_version: i64,
        identity: Option<String>,
    ) -> Self {
        Self {
            r#type: TYPE.to_owned(),
            v: VERSION,
            session_id: session_id.to_owned(),
            user_id: user_id.to_owned(),
            by: by.to_owned(),
            membership_version,
            identity,
        }
    }
}

/// A text and who signed it, as the server keeps it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Signed {
    text: String,
    signatures: BTreeMap<String, String>,
}

/// What the reader knows of somebody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// The key of their identity.
    pub(crate) master: Option<Ed25519PublicKey>,
    /// Those of their devices that they have signed.
    pub(crate) devices: BTreeMap<String, Ed25519PublicKey>,
    /// Their identity is another one than was known, and nobody has looked yet.
    pub(crate) changed: bool,
}

impl Signed {
    /// What it says of this session, whether that holds or not.
    pub(crate) fn read(&self, session_id: &str) -> Option<Statement> {
        let statement: Statement = serde_json::from_str(&self.text).ok()?;
        let is_one = statement.r#type == TYPE
            && statement.v == VERSION
            && (0..=STATE_MAX).contains(&statement.membership_version);
        (is_one && statement.session_id == session_id).then_some(statement)
    }

    /// Whether whoever is said to have signed this has, and means the same person by it as the
    /// reader.
    pub(crate) fn holds(&self, statement: &Statement, by: &Keys, user: &Keys) -> bool {
        let means = user.master.map(|key| key.to_base64());
        if by.changed || (statement.identity.is_some() && statement.identity != means) {
            return false;
        }
        let master = by.master.map(|key| (key.to_base64(), key));
        let devices = by.devices.iter().map(|(id, key)| (id.clone(), *key));
        master.into_iter().chain(devices).any(|(id, key)| self.is_signed_by(&id, &key))
    }

    fn is_signed_by(&self, id: &str, key: &Ed25519PublicKey) -> bool {
        let signature = self.signatures.get(&format!("ed25519:{id}"));
        let signature = signature.and_then(|text| Ed25519Signature::from_base64(text).ok());
        // The text is taken as it came: no two clients have to write it alike.
        signature.is_some_and(|signature| key.verify(self.text.as_bytes(), &signature).is_ok())
    }
}

/// A page of statements, in the server's order.
pub(crate) struct Page {
    /// What may be one, and what it says.
    pub(crate) statements: Vec<(Signed, Statement)>,
    /// The number of the last, readable or not.
    pub(crate) last: Option<i64>,
    /// Whether there are more after it.
    pub(crate) more: bool,
}

impl Page {
    /// Reads the answer for a session.
    pub(crate) fn read(answer: &Value, session_id: &str) -> Self {
        let said = || answer["statements"].as_array().into_iter().flatten();
        let signed = said().filter_map(|one| Signed::deserialize(one).ok());
        Self {
            statements: signed
                .filter_map(|signed| signed.read(session_id).map(|said| (signed, said)))
                .collect(),
            last: said().filter_map(|one| one["number"].as_i64()).max(),
            more: answer["more"].as_bool().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use matrix_sdk_crypto::vodozemac::Ed25519SecretKey;
    use serde_json::json;

    use super::*;

    const SESSION: &str = "the-session";

    /// Somebody with an identity and a device that it has signed.
    struct Person {
        master: Ed25519SecretKey,
        device: Ed25519SecretKey,
    }

    impl Person {
        fn new() -> Self {
            Self { master: Ed25519SecretKey::new(), device: Ed25519SecretKey::new() }
        }

        fn keys(&self) -> Keys {
            let devices = [("PHONE".to_owned(), self.device.public_key())].into();
            Keys { master: Some(self.master.public_key()), devices, changed: false }
        }

        fn identity(&self) -> String {
            self.master.public_key().to_base64()
        }

        fn sign(&self, text: String) -> Signed {
            let signatures = [(self.identity(), &self.master), ("PHONE".into(), &self.device)];
            let signatures = signatures
                .into_iter()
                .map(|(id, key)| (format!("ed25519:{id}"), key.sign(text.as_bytes()).to_base64()));
            Signed { signatures: signatures.collect(), text }
        }
    }

    fn text(statement: &Statement) -> String {
        serde_json::to_string(statement).unwrap()
    }

    fn about(bo: &Person) -> Statement {
        Statement::new(SESSION, ("bo", "ana"), 17, Some(bo.identity()))
    }

    #[test]
    fn it_is_written_as_every_client_writes_it() {
        let statement = Statement::new("s", ("bo", "ana"), 17, None);
        let written = concat!(
            r#"{"type":"parlor.let_in","v":1,"session_id":"s","user_id":"bo","by":"ana","#,
            r#""membership_version":17}"#
        );
        assert_eq!(text(&statement), written);
    }

    #[test]
    fn it_holds_by_the_identity_or_by_a_device_that_its_owner_has_signed() {
        let (ana, bo) = (Person::new(), Person::new());
        let signed = ana.sign(text(&about(&bo)));
        let statement = signed.read(SESSION).unwrap();
        assert!(signed.holds(&statement, &ana.keys(), &bo.keys()));
        for key in [format!("ed25519:{}", ana.identity()), "ed25519:PHONE".to_owned()] {
            let mut one = signed.clone();
            one.signatures.retain(|id, _| *id == key);
            assert!(one.holds(&statement, &ana.keys(), &bo.keys()), "{key}");
        }
    }

    #[test]
    fn by_a_device_that_its_owner_has_not_signed_it_does_not_hold() {
        let (ana, bo) = (Person::new(), Person::new());
        let mut signed = ana.sign(text(&about(&bo)));
        signed.signatures.retain(|id, _| id == "ed25519:PHONE");
        let statement = signed.read(SESSION).unwrap();
        let unsigned = Keys { devices: BTreeMap::new(), ..ana.keys() };
        assert!(!signed.holds(&statement, &unsigned, &bo.keys()));
        assert!(!signed.holds(&statement, &Keys::default(), &bo.keys()), "nor of a stranger");
    }

    #[test]
    fn in_another_name_or_touched_it_does_not_hold() {
        let (ana, bo, eve) = (Person::new(), Person::new(), Person::new());
        let by_eve = eve.sign(text(&about(&bo)));
        let statement = by_eve.read(SESSION).unwrap();
        assert!(!by_eve.holds(&statement, &ana.keys(), &bo.keys()));
        let mut touched = ana.sign(text(&about(&bo)));
        touched.text = touched.text.replace("17", "18");
        let statement = touched.read(SESSION).unwrap();
        assert!(!touched.holds(&statement, &ana.keys(), &bo.keys()));
    }

    #[test]
    fn about_somebody_with_another_identity_it_does_not_hold() {
        let (ana, bo, ghost) = (Person::new(), Person::new(), Person::new());
        let signed = ana.sign(text(&about(&bo)));
        let statement = signed.read(SESSION).unwrap();
        assert!(!signed.holds(&statement, &ana.keys(), &ghost.keys()));
        assert!(!signed.holds(&statement, &ana.keys(), &Keys::default()), "or with none");
        let unnamed = ana.sign(text(&Statement { identity: None, ..about(&bo) }));
        let statement = unnamed.read(SESSION).unwrap();
        assert!(unnamed.holds(&statement, &ana.keys(), &Keys::default()), "nobody was named");
    }

    #[test]
    fn of_somebody_whose_identity_changed_it_does_not_hold_until_somebody_has_looked() {
        let (ana, bo) = (Person::new(), Person::new());
        let signed = ana.sign(text(&about(&bo)));
        let statement = signed.read(SESSION).unwrap();
        let changed = Keys { changed: true, ..ana.keys() };
        assert!(!signed.holds(&statement, &changed, &bo.keys()));
    }

    #[test]
    fn what_is_no_statement_of_this_session_is_passed_over() {
        let (ana, bo) = (Person::new(), Person::new());
        let right = text(&about(&bo));
        let wrong = [
            String::new(),
            "[]".to_owned(),
            right.replace("parlor.let_in", "parlor.let_out"),
            right.replace("\"v\":1", "\"v\":2"),
            right.replace(SESSION, "another-session"),
            right.replace("\"by\":\"ana\",", ""),
            right.replace("17", "\"17\""),
            right.replace("17", "1.5"),
            right.replace("17", "-1"),
            right.replace("17", "9007199254740992"),
        ];
        for text in wrong {
            assert!(ana.sign(text.clone()).read(SESSION).is_none(), "{text}");
        }
        let ana = ana.sign(right);
        let malformed = [
            json!(null),
            json!({"number": 1}),
            json!({"number": 2, "text": 7, "signatures": {}}),
            json!({"number": 3, "text": ana.text, "signatures": ["x"]}),
            json!({"number": 4, "text": ana.text, "signatures": {"ed25519:PHONE": 7}}),
            json!({"number": "5", "text": "", "signatures": {}}),
        ];
        let page = Page::read(&json!({"statements": malformed, "more": "yes"}), SESSION);
        assert!(page.statements.is_empty() && !page.more);
        assert_eq!(page.last, Some(4), "they are not asked for again");
        assert_eq!(Page::read(&json!(["x"]), SESSION).last, None);
        let odd =
            json!({"number": 1, "text": ana.text, "signatures": {"x": "", "ed25519:PHONE": "?"}});
        let page = Page::read(&json!({"statements": [odd]}), SESSION);
        let (signed, statement) = &page.statements[0];
        assert!(!signed.holds(statement, &bo.keys(), &bo.keys()));
    }
}
