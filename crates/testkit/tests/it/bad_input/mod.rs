//! What the careless and the malicious send: each row of the abuse catalogue, with the answer that
//! it must get. After every row the process lives, nothing has panicked, and a bystander has
//! noticed nothing.

mod auth;
mod origin;
mod protobuf;
mod rest;
mod slow;
mod smuggling;
mod socket;
mod socketio;
mod stream;

use parlor_testkit::TestServer;
use parlor_testkit::http::{Answer, Request, Wire};
use parlor_testkit::watch::Watch;

/// One row of a table of single requests.
pub(crate) struct Row {
    /// The row of the catalogue, and what is tried.
    pub(crate) id: String,
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// The statuses that are right.
    pub(crate) statuses: Vec<u16>,
    /// The code that is right; empty: any.
    pub(crate) code: &'static str,
}

/// A row whose request is written as it should be.
pub(crate) fn row(id: &str, request: &Request, statuses: &[u16], code: &'static str) -> Row {
    bytes_row(id, request.bytes(), statuses, code)
}

/// A row of bytes as they stand.
pub(crate) fn bytes_row(id: &str, bytes: Vec<u8>, statuses: &[u16], code: &'static str) -> Row {
    Row { id: id.to_owned(), bytes, statuses: statuses.to_vec(), code }
}

/// Tries every row and reports all that are answered otherwise.
pub(crate) async fn try_all(server: &TestServer, watch: &mut Watch, rows: &[Row]) {
    let mut faults = Vec::new();
    for row in rows {
        let mut wire = Wire::open(server.address()).await;
        match wire.exchange(&row.bytes).await {
            Ok(answer) => faults.extend(fault(row, &answer)),
            Err(error) => faults.push(format!("{}: no answer: {error}", row.id)),
        }
        watch.all_is_well(&row.id).await;
        server.assert_no_panic();
    }
    assert!(faults.is_empty(), "{} rows:\n{}", faults.len(), faults.join("\n"));
}

fn fault(row: &Row, answer: &Answer) -> Option<String> {
    let said = format!("{} {}", answer.status, answer.text().chars().take(200).collect::<String>());
    if !row.statuses.contains(&answer.status) {
        return Some(format!("{}: {:?} expected: {said}", row.id, row.statuses));
    }
    if !row.code.is_empty() && answer.code() != row.code {
        return Some(format!("{}: {} expected: {said}", row.id, row.code));
    }
    // What HTTP itself refuses has no body; everything else says what is wrong, and where to look.
    let error = &answer.json()["error"];
    let complete = error["code"].is_string() && error["message"].is_string();
    let told = answer.body.is_empty() || complete && error["request_id"].is_string();
    (answer.status >= 400 && !told)
        .then(|| format!("{}: not the shape of an error: {said}", row.id))
}
