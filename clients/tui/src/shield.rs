//! How a session is protected, in words that are true: what is not known is not called so.

use parlor_sdk::{Client, Error, Message, Secrecy};

/// How a session is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shield {
    /// The server reads it.
    Plain,
    /// It was encrypted, and the server says that it is not any more.
    Downgraded,
    /// It is encrypted; for whom is not known yet.
    Unknown,
    /// It is encrypted, and this program has no keys.
    NoKeys,
    /// It is encrypted, and nobody believes this device yet.
    DeviceUnsigned,
    /// Somebody has another identity than the one that was known.
    Changed(Vec<String>),
    /// Nobody who is in it has let these people in: they are there by the server's word alone, and
    /// get no keys.
    Unvouched(Vec<String>),
    /// It is encrypted; so many of the others are not verified.
    Unverified(usize),
    /// It is encrypted for verified people only; so many are not, and get no keys.
    Excluded(usize),
    /// It is encrypted, and everybody is verified.
    Verified,
}

impl Shield {
    /// What is to be said before anything is known of the members.
    pub fn at_first(encrypted: bool) -> Self {
        if encrypted { Self::Unknown } else { Self::Plain }
    }

    /// What to say of it.
    pub fn words(&self) -> String {
        match self {
            Self::Plain => "not encrypted".to_owned(),
            Self::Downgraded => "NOT ENCRYPTED ANY MORE, says the server".to_owned(),
            Self::Unknown => "encrypted, for whom is not known yet".to_owned(),
            Self::NoKeys => "encrypted, but there are no keys here".to_owned(),
            Self::DeviceUnsigned => {
                "encrypted, but this device is not verified: :verify or :recover".to_owned()
            }
            Self::Changed(names) => format!("NEW IDENTITY of {}: :members", names.join(", ")),
            Self::Unvouched(names) => {
                format!("NOT LET IN, and cannot read it: {}: :members", names.join(", "))
            }
            Self::Unverified(1) => "encrypted, 1 person not verified".to_owned(),
            Self::Unverified(count) => format!("encrypted, {count} people not verified"),
            Self::Excluded(1) => "encrypted, 1 person not verified cannot read it".to_owned(),
            Self::Excluded(count) => {
                format!("encrypted, {count} people not verified cannot read it")
            }
            Self::Verified => "encrypted, everybody verified".to_owned(),
        }
    }

    /// Whether something is wrong.
    pub fn warns(&self) -> bool {
        use Shield::{Changed, DeviceUnsigned, Downgraded, NoKeys, Unvouched};
        matches!(self, Downgraded | NoKeys | DeviceUnsigned | Changed(_) | Unvouched(_))
    }
}

/// How a session is protected now, after asking who is in it.
///
/// # Errors
/// [`Error`] when that cannot be said; nothing is to be claimed then.
pub async fn look(client: &Client, session_id: &str) -> Result<Shield, Error> {
    let session = client.session(session_id);
    let Some(settings) = session.info()?.encryption else {
        let kept = session.timeline(None, LOOKED_AT)?;
        let was = kept.iter().any(|message| message.secrecy != Secrecy::Plain);
        return Ok(if was { Shield::Downgraded } else { Shield::Plain });
    };
    let Ok(encryption) = client.encryption() else { return Ok(Shield::NoKeys) };
    if !encryption.standing().await?.device_signed {
        return Ok(Shield::DeviceUnsigned);
    }
    let own = client.user_id();
    let members = session.members_as_known().await?;
    let others: Vec<_> = members.into_iter().filter(|member| member.user_id != own).collect();
    let ids: Vec<String> = others.iter().map(|member| member.user_id.clone()).collect();
    let names = |of: &[String]| -> Vec<String> {
        let those = others.iter().filter(|member| of.contains(&member.user_id));
        those.map(|member| member.name.clone()).collect()
    };
    let changed = encryption.changed_identities(&ids).await?;
    if !changed.is_empty() {
        return Ok(Shield::Changed(names(&changed)));
    }
    let unvouched = encryption.unvouched(session_id).await?;
    if !unvouched.is_empty() {
        return Ok(Shield::Unvouched(names(&unvouched)));
    }
    let mut unverified = 0;
    for id in &ids {
        unverified += usize::from(!encryption.is_verified(id).await?);
    }
    Ok(match unverified {
        0 => Shield::Verified,
        count if settings.verified_only => Shield::Excluded(count),
        count => Shield::Unverified(count),
    })
}

/// Messages that are looked at for having been encrypted.
const LOOKED_AT: usize = 100;

/// The sign that stands beside a message for how it came.
pub fn sign(message: &Message, encrypted: bool) -> &'static str {
    match &message.secrecy {
        Secrecy::Plain if encrypted && message.deleted_at.is_none() => "[not encrypted!] ",
        Secrecy::Opened { verdict } if verdict.warns() => "[!] ",
        Secrecy::Locked { .. } => "[locked] ",
        Secrecy::Plain | Secrecy::Opened { .. } => "",
    }
}
