//! The ids in a path. What is no id names nothing, so it is not found.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use parlor_domain::Denied;

use crate::{Doors, Refusal};

/// The one id in a path.
pub(crate) struct Id<T>(pub(crate) T);

/// The two ids in a path, in order.
pub(crate) struct Ids<A, B>(pub(crate) A, pub(crate) B);

impl<T: FromStr> FromRequestParts<Doors> for Id<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        let params = params(parts, doors).await?;
        Ok(Self(nth(&params, 0)?))
    }
}

impl<A: FromStr, B: FromStr> FromRequestParts<Doors> for Ids<A, B> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, doors: &Doors) -> Result<Self, Refusal> {
        let params = params(parts, doors).await?;
        Ok(Self(nth(&params, 0)?, nth(&params, 1)?))
    }
}

async fn params(parts: &mut Parts, doors: &Doors) -> Result<RawPathParams, Refusal> {
    let params = RawPathParams::from_request_parts(parts, doors).await;
    params.map_err(|_| Denied::NotFound.into())
}

fn nth<T: FromStr>(params: &RawPathParams, n: usize) -> Result<T, Denied> {
    let (_, text) = params.iter().nth(n).ok_or(Denied::NotFound)?;
    text.parse().map_err(|_| Denied::NotFound)
}
