//! Finding what was said.

use axum::extract::State;
use parlor_app::messages::search::Hit;
use parlor_domain::search::Snippet;
use parlor_wire::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Doors;
use crate::auth::Signed;
use crate::openapi::TooMany;
use crate::query::{self, FindMessages, Query};
use crate::reply::{Answer, ok};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::default().routes(routes!(search))
}

/// Find messages in the sessions that one is in.
#[utoipa::path(
    get, path = "/search", tag = "messages",
    params(FindMessages),
    responses((status = 200, description = "Newest first", body = v1::SearchPage), TooMany)
)]
async fn search(
    State(doors): State<Doors>,
    Signed(actor): Signed,
    Query(asked): Query<FindMessages>,
) -> Answer<v1::SearchPage> {
    let limit = query::limit(asked.limit, doors.app.limits())?;
    let before = query::number_cursor(asked.cursor.as_deref())?;
    let found = doors.app.search(&actor, &asked.q, before, limit).await?;
    ok(v1::SearchPage {
        hits: found.hits.iter().map(hit).collect(),
        next_cursor: found.next.map(|no| no.to_string()),
    })
}

fn hit(hit: &Hit) -> v1::SearchHit {
    v1::SearchHit {
        message: Some((&hit.message).into()),
        room_id: hit.room.to_string(),
        snippet: Some(snippet(&hit.snippet)),
    }
}

/// A snippet with its matches counted as browsers count.
fn snippet(snippet: &Snippet) -> v1::Snippet {
    let (mut bytes, mut units) = (0, 0);
    // What matches ascends, so each stretch of the text is counted once.
    let mut units_at = |at: usize| {
        units += snippet.text[bytes..at].encode_utf16().count() as i64;
        bytes = at;
        units
    };
    let matches = snippet.matches.iter();
    let matches = matches
        .map(|range| v1::SnippetMatch { start: units_at(range.start), end: units_at(range.end) });
    v1::Snippet {
        matches: matches.collect(),
        text: snippet.text.clone(),
        more_before: snippet.more_before,
        more_after: snippet.more_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_in_utf_16() {
        let text = "🎉 é ab".to_owned();
        let (accented, last) = (text.find('é').unwrap(), text.find('a').unwrap());
        let matches = vec![accented..accented + 2, last..text.len()];
        let found = snippet(&Snippet { text, matches, more_before: false, more_after: true });
        let places: Vec<_> = found.matches.iter().map(|found| (found.start, found.end)).collect();
        assert_eq!(places, [(3, 4), (5, 7)]);
        assert!(found.more_after);
    }
}
