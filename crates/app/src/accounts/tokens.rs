//! The three proofs of a login: a short-lived access token (a JWT), a refresh token that works
//! once, and a cookie.
//!
//! Pure: bytes and moments in, verdicts out. Whether the login is still alive is asked elsewhere.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use parlor_domain::{LoginId, Time, UserId};
use parlor_store::logins::Login;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{Error, Hidden, Secret};

const AUDIENCE: &str = "parlor";
const ACCESS: &str = "access";
const REFRESH: &str = "refresh";

/// Bytes of a token that are looked at.
const TOKEN_BYTES_MAX: usize = 4096;

/// Bytes of a façade's refresh token: 171 characters.
const LASTING_BYTES: usize = 128;

/// Why a signed token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// Not made by us, or not whole.
    Unknown,
    /// Made for something else.
    OtherKind,
    /// Its time is over, or not yet come.
    Over,
}

/// Makes and checks tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    header: String,
    issuer: String,
    ttl: Duration,
    refresh_key: [u8; 32],
    lasting_key: [u8; 32],
}

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    sub: Uuid,
    login: Uuid,
    device: Uuid,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    iss: String,
    aud: String,
    /// The user's small id: some systems' clients look for it. It proves nothing.
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

/// A secret that was made, and what is stored of it.
pub(crate) struct Minted {
    /// For its owner.
    pub(crate) token: Hidden,
    /// For the store.
    pub(crate) hash: [u8; 32],
}

/// A secret that somebody showed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    /// The login that it names.
    pub(crate) login: LoginId,
    /// To be compared with what is stored.
    pub(crate) hash: [u8; 32],
}

impl Tokens {
    pub(crate) fn new(secret: &Secret, issuer: String, ttl: Duration) -> Self {
        let key = secret.derive("parlor v1 access token");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[AUDIENCE]);
        // Moments are compared below, with our own clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let encoding = EncodingKey::from_secret(&key);
        Self {
            header: our_header(&encoding),
            encoding,
            decoding: DecodingKey::from_secret(&key),
            validation,
            issuer,
            ttl,
            refresh_key: secret.derive("parlor v1 refresh token"),
            lasting_key: secret.derive("parlor v1 lasting refresh token"),
        }
    }

    /// Makes an access token.
    pub(crate) fn access(&self, login: &Login, now: Time) -> Result<Hidden, Error> {
        self.signed(login, ACCESS, self.ttl, now)
    }

    /// Makes a refresh token that is a JWT and not used up.
    pub(crate) fn signed_refresh(
        &self,
        login: &Login,
        ttl: Duration,
        now: Time,
    ) -> Result<Hidden, Error> {
        self.signed(login, REFRESH, ttl, now)
    }

    fn signed(&self, login: &Login, kind: &str, ttl: Duration, now: Time) -> Result<Hidden, Error> {
        let iat = now.0.div_euclid(1_000_000);
        let claims = Claims {
            sub: login.user.0,
            login: login.id.0,
            device: login.device.0,
            iat,
            exp: iat.saturating_add(seconds(ttl)),
            nbf: None,
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            id: login.user_no,
            kind: kind.into(),
        };
        jsonwebtoken::encode(&Header::default(), &claims, &self.encoding)
            .map(Hidden::new)
            .map_err(|e| Error::Internal(format!("sign a token: {e}")))
    }

    /// The user and login that a good access token names. Only a token whose header is byte for
    /// byte ours is read at all: another algorithm, a key id or a key's address (`jku`, `jwk`,
    /// `x5u`) has no reader to fool.
    pub(crate) fn read_access(
        &self,
        token: &str,
        now: Time,
    ) -> Result<(UserId, LoginId), BadToken> {
        self.read_signed(token, ACCESS, self.ttl, now)
    }

    /// The login that a good refresh token names which is a JWT.
    pub(crate) fn read_signed_refresh(
        &self,
        token: &str,
        ttl: Duration,
        now: Time,
    ) -> Result<LoginId, BadToken> {
        self.read_signed(token, REFRESH, ttl, now).map(|(_, login)| login)
    }

    fn read_signed(
        &self,
        token: &str,
        kind: &str,
        ttl: Duration,
        now: Time,
    ) -> Result<(UserId, LoginId), BadToken> {
        let claims = self.decode(token).ok_or(BadToken::Unknown)?;
        if claims.kind != kind {
            return Err(BadToken::OtherKind);
        }
        if !in_time(&claims, ttl, now) {
            return Err(BadToken::Over);
        }
        Ok((UserId(claims.sub), LoginId(claims.login)))
    }

    fn decode(&self, token: &str) -> Option<Claims> {
        let (header, _) = token.split_once('.')?;
        if token.len() > TOKEN_BYTES_MAX || header != self.header {
            return None;
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation);
        Some(read.ok()?.claims)
    }

    /// Makes a refresh token of a façade: like ours, but longer, and not used up.
    pub(crate) fn lasting(&self, login: LoginId) -> Result<Minted, Error> {
        let mut bytes = [0; LASTING_BYTES];
        let (body, _) = bytes.split_at_mut(LASTING_BYTES - 32);
        body[..16].copy_from_slice(login.0.as_bytes());
        random(&mut body[16..])?;
        let tag = blake3::keyed_hash(&self.lasting_key, body);
        bytes[LASTING_BYTES - 32..].copy_from_slice(tag.as_bytes());
        Ok(minted(&bytes))
    }

    /// Reads a refresh token of a façade; `None` when we never made it.
    pub(crate) fn read_lasting(&self, token: &str) -> Option<Presented> {
        let bytes: [u8; LASTING_BYTES] = decoded(token)?;
        let (body, tag) = bytes.split_at(LASTING_BYTES - 32);
        let ours: bool =
            blake3::keyed_hash(&self.lasting_key, body).as_bytes()[..].ct_eq(tag).into();
        ours.then(|| presented(&bytes))?
    }

    /// Makes a refresh token: the login, random bytes, and a tag that only we can make, so that
    /// a guess never counts as the reuse of a real token.
    pub(crate) fn refresh(&self, login: LoginId) -> Result<Minted, Error> {
        let mut bytes = [0; 64];
        bytes[..16].copy_from_slice(login.0.as_bytes());
        random(&mut bytes[16..32])?;
        let tag = blake3::keyed_hash(&self.refresh_key, &bytes[..32]);
        bytes[32..].copy_from_slice(tag.as_bytes());
        Ok(minted(&bytes))
    }

    /// Reads a refresh token; `None` when we never made it.
    pub(crate) fn read_refresh(&self, token: &str) -> Option<Presented> {
        let bytes: [u8; 64] = decoded(token)?;
        let tag = blake3::keyed_hash(&self.refresh_key, &bytes[..32]);
        let ours: bool = tag.as_bytes()[..].ct_eq(&bytes[32..]).into();
        ours.then(|| presented(&bytes))?
    }

    /// Makes a cookie's value: the login and 32 random bytes.
    pub(crate) fn cookie(&self, login: LoginId) -> Result<Minted, Error> {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(login.0.as_bytes());
        random(&mut bytes[16..])?;
        Ok(minted(&bytes))
    }

    /// Reads a cookie's value.
    pub(crate) fn read_cookie(&self, value: &str) -> Option<Presented> {
        presented(&decoded::<48>(value)?)
    }
}

/// Whether two stored hashes are the same, in constant time.
pub(crate) fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// The first part of every token of ours. (Were it to fail, it would be empty, and none be good.)
fn our_header(key: &EncodingKey) -> String {
    let token = jsonwebtoken::encode(&Header::default(), &(), key).unwrap_or_default();
    token.split('.').next().unwrap_or_default().to_owned()
}

/// A token that lives longer than we would make one was not made by us as we are now.
fn in_time(claims: &Claims, ttl: Duration, now: Time) -> bool {
    let now = now.0.div_euclid(1_000_000);
    let last = now.saturating_add(seconds(ttl)).saturating_add(60);
    now < claims.exp && claims.exp <= last && claims.nbf.is_none_or(|nbf| nbf <= now)
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|e| Error::Internal(format!("get random bytes: {e}")))
}

fn minted(bytes: &[u8]) -> Minted {
    Minted { token: Hidden::new(BASE64.encode(bytes)), hash: *blake3::hash(bytes).as_bytes() }
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    BASE64.decode(text).ok()?.try_into().ok()
}

fn presented(bytes: &[u8]) -> Option<Presented> {
    Some(Presented {
        login: LoginId(Uuid::from_slice(bytes.get(..16)?).ok()?),
        hash: *blake3::hash(bytes).as_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_domain::DeviceId;
    use serde_json::{Value, json};

    const NOW: Time = Time(1_700_000_000_000_000);

    const ISSUER: &str = "urn:parlor:test";

    fn tokens() -> Tokens {
        tokens_of(1, ISSUER)
    }

    fn tokens_of(server: u8, issuer: &str) -> Tokens {
        let secret = Secret::new(vec![server; 32]).unwrap();
        Tokens::new(&secret, issuer.to_owned(), Duration::from_mins(15))
    }

    fn login() -> Login {
        Login {
            id: LoginId(Uuid::from_u128(1)),
            user: UserId(Uuid::from_u128(2)),
            user_no: 2,
            device: DeviceId(Uuid::from_u128(3)),
            cookie_hash: [0; 32],
            expires: NOW,
        }
    }

    fn after(seconds: i64) -> Time {
        Time(NOW.0 + seconds * 1_000_000)
    }

    /// A token signed with the real key that says something else.
    fn forged(change: impl Fn(&mut Value)) -> String {
        let mut claims = json!({
            "sub": Uuid::from_u128(2), "login": Uuid::from_u128(1), "device": Uuid::from_u128(3),
            "iat": 1_700_000_000, "exp": 1_700_000_900, "iss": ISSUER,
            "aud": "parlor", "type": "access", "id": 2,
        });
        change(&mut claims);
        jsonwebtoken::encode(&Header::default(), &claims, &tokens().encoding).unwrap()
    }

    #[test]
    fn an_access_token_is_good_until_it_expires() {
        let tokens = tokens();
        let token = tokens.access(&login(), NOW).unwrap();
        let read = |at| tokens.read_access(token.expose(), at).ok();
        let who = Some((login().user, login().id));
        assert_eq!(read(NOW), who);
        assert_eq!(read(after(899)), who);
        assert_eq!(read(after(900)), None);
        assert_eq!(read(after(901)), None);
    }

    #[test]
    fn every_claim_must_be_right() {
        let read = |token: String| tokens().read_access(&token, NOW).ok();
        assert!(read(forged(|_| {})).is_some());
        let wrong = [
            ("iss", json!("http://evil")),
            ("iss", Value::Null),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("typ", json!("refresh")),
            ("exp", json!(1_699_999_999)),
            ("exp", json!(1_700_000_000)),
            ("exp", json!(1_000_000_000_000_i64)),
            ("exp", json!(1e300)),
            ("exp", json!("1700000900")),
            ("exp", Value::Null),
            ("nbf", json!(1_700_000_001)),
            ("sub", json!("admin")),
            ("login", Value::Null),
            ("admin", json!(true)),
        ];
        for (claim, value) in wrong {
            let token = forged(|claims| claims[claim] = value.clone());
            assert_eq!(read(token), None, "{claim}: {value}");
        }
    }

    #[test]
    fn only_our_own_header_is_read() {
        let good = forged(|_| {});
        let (_, rest) = good.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let headers = [
            json!({"alg": "none"}),
            json!({"typ": "JWT", "alg": "none"}),
            json!({"typ": "JWT", "alg": "HS384"}),
            json!({"typ": "JWT", "alg": "RS256"}),
            json!({"typ": "JWT", "alg": "HS256", "kid": "../../dev/null"}),
            json!({"typ": "JWT", "alg": "HS256", "jku": "http://evil/keys"}),
        ];
        for header in headers {
            let head = BASE64.encode(header.to_string());
            for token in [format!("{head}.{rest}"), format!("{head}.{claims}.")] {
                assert_eq!(tokens().read_access(&token, NOW).ok(), None, "{header}");
            }
        }
        let header = Header { kid: Some("x".into()), ..Header::default() };
        let signed = jsonwebtoken::encode(&header, &json!({}), &tokens().encoding).unwrap();
        assert_eq!(tokens().read_access(&signed, NOW).ok(), None);
    }

    #[test]
    fn a_token_with_any_bit_flipped_is_no_token() {
        let tokens = tokens();
        let refresh = tokens.refresh(login().id).unwrap().token;
        for token in [forged(|_| {}).as_str(), refresh.expose()] {
            for at in 0..token.len() {
                for bit in 0..7 {
                    let mut bytes = token.as_bytes().to_vec();
                    bytes[at] ^= 1 << bit;
                    let text = String::from_utf8(bytes).unwrap();
                    assert_eq!(tokens.read_access(&text, NOW).ok(), None, "{at} {bit}");
                    assert_eq!(tokens.read_refresh(&text), None, "{at} {bit}");
                }
            }
        }
    }

    #[test]
    fn one_kind_of_token_does_not_pass_for_another() {
        let tokens = tokens();
        let access = tokens.access(&login(), NOW).unwrap();
        let refresh = tokens.refresh(login().id).unwrap();
        let cookie = tokens.cookie(login().id).unwrap();
        assert_eq!(tokens.read_access(refresh.token.expose(), NOW).ok(), None);
        assert_eq!(tokens.read_access(cookie.token.expose(), NOW).ok(), None);
        assert_eq!(tokens.read_refresh(access.expose()), None);
        assert_eq!(tokens.read_refresh(cookie.token.expose()), None);
        assert_eq!(tokens.read_cookie(refresh.token.expose()), None);
        assert_eq!(tokens.read_cookie(access.expose()), None);
    }

    #[test]
    fn refresh_tokens_and_cookies_name_their_login_and_are_never_alike() {
        let tokens = tokens();
        let id = login().id;
        let (one, two) = (tokens.refresh(id).unwrap(), tokens.refresh(id).unwrap());
        assert_ne!(one.hash, two.hash);
        let read = tokens.read_refresh(one.token.expose()).unwrap();
        assert_eq!((read.login, read.hash), (id, one.hash));
        let cookie = tokens.cookie(id).unwrap();
        let read = tokens.read_cookie(cookie.token.expose()).unwrap();
        assert_eq!(read.login, id);
        assert!(same(&read.hash, &cookie.hash));
        assert!(!same(&read.hash, &one.hash));
    }

    #[test]
    fn another_servers_tokens_are_none() {
        let other = tokens_of(2, ISSUER);
        let access = other.access(&login(), NOW).unwrap();
        assert_eq!(tokens().read_access(access.expose(), NOW).ok(), None);
        let elsewhere = tokens_of(1, "https://chat.example.org").access(&login(), NOW).unwrap();
        assert_eq!(tokens().read_access(elsewhere.expose(), NOW).ok(), None);
        let refresh = other.refresh(login().id).unwrap();
        assert_eq!(tokens().read_refresh(refresh.token.expose()), None);
    }
}
