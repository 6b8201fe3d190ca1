//! A log as the API has it, read to its end.

use std::net::SocketAddr;

use parlor_testkit::Person;
use parlor_wire::v1;

use crate::checker::Entry;
use crate::disconnects::line::ask;

/// Events on one page.
const PAGE: usize = 100;

/// Reads all of a log, as somebody may see it.
pub(crate) async fn read(at: SocketAddr, person: &Person, path: &str) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(0, |entry| entry.seq);
        let request = person.request("GET", &format!("{path}?after={after}&limit={PAGE}"));
        let answer = ask(at, &request).await.expect("nothing breaks any more");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let page: v1::EventPage = serde_json::from_slice(&answer.body).unwrap();
        log.extend(page.events.iter().filter_map(Entry::of));
        if log.last().is_none_or(|entry| entry.seq >= page.head) {
            return log;
        }
    }
}
