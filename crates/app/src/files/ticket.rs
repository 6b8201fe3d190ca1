//! Tickets: how a browser fetches files from a path that looks at no cookie. A ticket is of a
//! login, for a short while, for whatever that login may have at the moment when it asks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use parlor_domain::{LoginId, Time};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{Actor, App, Error, Hidden, Secret};

/// Bytes of a login's id, of a time, and of the tag that only we can make.
const LOGIN: usize = 16;
const TIME: usize = 8;
const TAG: usize = 32;

/// Makes and reads tickets.
pub(crate) struct Tickets([u8; 32]);

impl Tickets {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(secret.derive("parlor v1 media ticket"))
    }

    fn make(&self, login: LoginId, expires: Time) -> Hidden {
        let mut ticket = [&login.0.as_bytes()[..], &expires.0.to_be_bytes()].concat();
        let tag = blake3::keyed_hash(&self.0, &ticket);
        ticket.extend_from_slice(tag.as_bytes());
        Hidden::new(BASE64.encode(ticket))
    }

    fn read(&self, text: &str, now: Time) -> Option<LoginId> {
        if text.len() > 4 * (LOGIN + TIME + TAG) {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (said, tag) = bytes.split_at_checked(LOGIN + TIME)?;
        let ours: bool = blake3::keyed_hash(&self.0, said).as_bytes()[..].ct_eq(tag).into();
        let (login, expires) = said.split_at_checked(LOGIN)?;
        let expires = Time(i64::from_be_bytes(expires.try_into().ok()?));
        (ours && now < expires).then_some(LoginId(Uuid::from_slice(login).ok()?))
    }
}

impl App {
    /// A ticket, and when it is over.
    ///
    /// # Errors
    /// [`parlor_domain::Denied::SlowDown`].
    pub fn media_ticket(&self, actor: &Actor) -> Result<(Hidden, Time), Error> {
        let now = self.admit(actor)?;
        let expires = now + Duration::from_secs(self.limits.media_ticket_s);
        Ok((self.tickets.make(actor.login, expires), expires))
    }

    /// The actor whose ticket it is, while their login lives.
    ///
    /// # Errors
    /// [`Error::Unauthorized`].
    pub async fn authenticate_ticket(&self, ticket: &str) -> Result<Actor, Error> {
        let now = self.clock.now();
        let login = self.tickets.read(ticket, now).ok_or(Error::Unauthorized)?;
        self.authenticate_login(login, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_its_while_and_cannot_be_made_up() {
        let tickets = Tickets::new(&Secret::new(vec![1; 32]).unwrap());
        let login = LoginId(Uuid::from_u128(7));
        let ticket = tickets.make(login, Time(1_000));
        assert_eq!(tickets.read(ticket.expose(), Time(999)), Some(login));
        assert_eq!(tickets.read(ticket.expose(), Time(1_000)), None);
        let others = Tickets::new(&Secret::new(vec![2; 32]).unwrap());
        assert_eq!(others.read(ticket.expose(), Time(0)), None);
        let bytes = BASE64.decode(ticket.expose()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(tickets.read(&BASE64.encode(forged), Time(0)), None, "bit {bit}");
        }
        for bad in ["", "x", "AAAA", &"A".repeat(10_000)] {
            assert_eq!(tickets.read(bad, Time(0)), None);
        }
    }
}
