//! REST: each handler reads a request, calls one use case, and writes its result.

mod auth;
mod backups;
mod drafts;
mod e2ee;
mod files;
mod me;
mod messages;
mod pins;
mod previews;
mod reactions;
mod rooms;
mod search;
mod sessions;
mod threads;
mod uploads;
mod users;

use std::str::FromStr;

use parlor_domain::Denied;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::{Doors, events, media, upgrade};

/// Every route of the REST API, with its description.
pub(crate) fn routes() -> OpenApiRouter<Doors> {
    let api = OpenApiRouter::default()
        .merge(auth::routes())
        .merge(me::routes())
        .merge(users::routes())
        .merge(rooms::routes())
        .merge(sessions::routes())
        .merge(messages::routes())
        .merge(reactions::routes())
        .merge(pins::routes())
        .merge(previews::routes())
        .merge(threads::routes())
        .merge(drafts::routes())
        .merge(search::routes())
        .merge(files::routes())
        .merge(uploads::routes())
        .merge(e2ee::routes());
    OpenApiRouter::default()
        .nest("/api/v1", api)
        .routes(routes!(upgrade::upgrade))
        .routes(routes!(events::follow))
        .merge(media::routes())
}

/// The ids of a list in a body; what is no id names nobody.
fn ids<T: FromStr>(texts: &[String]) -> Result<Vec<T>, Denied> {
    let ids = texts.iter().map(|text| text.parse());
    ids.collect::<Result<_, _>>().map_err(|_| Denied::NotFound)
}
