//! Fetching from sites on loopback, through a network of our own that says where everything is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod bodies;
mod places;
mod site;
mod tls;
mod town;

use parlor_domain::Limits;
use parlor_egress::{Egress, EgressError, Fetched, Rules, Want};

use site::Site;
use town::Town;

/// A page, of which the beginning is enough.
const PAGE: Want = Want { types: &["text/html"], bytes_max: 4_096, beginning: true };

/// A picture, which is whole or nothing.
const PICTURE: Want = Want { types: &["image/png"], bytes_max: 4_096, beginning: false };

/// An address of the open Internet, as far as this town is concerned.
const OPEN: &str = "93.184.216.34";

/// A town where `example.org` is a site, at port 80.
async fn town(site: &Site) -> Town {
    let town = Town::new();
    town.name("example.org", &[&[OPEN]]);
    town.house(&format!("{OPEN}:80"), site.address());
    town
}

/// What one gets in a town by the usual rules.
async fn get(town: &Town, url: &str, want: &Want) -> Result<Fetched, EgressError> {
    within(town, &Limits::default(), url, want).await
}

async fn within(
    town: &Town,
    limits: &Limits,
    url: &str,
    want: &Want,
) -> Result<Fetched, EgressError> {
    Egress::new(town.net(), Rules::default(), limits).get(url, want).await
}
