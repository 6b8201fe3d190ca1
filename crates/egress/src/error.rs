//! Why nothing came.

/// Why nothing was fetched. None of it repeats what the other side said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// It is no URL, or longer than one may be.
    #[error("fetch: not a URL")]
    Url,
    /// It is neither `http:` nor `https:`.
    #[error("fetch: neither http nor https")]
    Scheme,
    /// It has a name or a password in it.
    #[error("fetch: a URL with credentials")]
    Credentials,
    /// Its port is none of those that may be connected to.
    #[error("fetch: a port that is not allowed")]
    Port,
    /// Its address is not of the open Internet.
    #[error("fetch: an address that is not public")]
    NotPublic,
    /// Its name has no address.
    #[error("fetch: no address for the name")]
    Unresolved,
    /// Nobody answers there.
    #[error("fetch: nobody answers")]
    Unreachable,
    /// There is no TLS, or its certificate is not good.
    #[error("fetch: no TLS, or not a good certificate")]
    Tls,
    /// It is sent on too often.
    #[error("fetch: sent on too often")]
    Redirects,
    /// It is sent on from `https:` to `http:`.
    #[error("fetch: sent on from https to http")]
    Downgrade,
    /// The answer has another status than 200.
    #[error("fetch: the answer is {0}")]
    Status(u16),
    /// The answer is of a type that is of no use.
    #[error("fetch: of no use, by its type")]
    Type,
    /// The answer is packed in a way that was not offered.
    #[error("fetch: packed in a way that is not known")]
    Packing,
    /// The answer is larger than is wanted.
    #[error("fetch: too large")]
    TooLarge,
    /// The answer took too long.
    #[error("fetch: too slow")]
    TooSlow,
    /// The answer is not understood.
    #[error("fetch: not understood")]
    Garbled,
}

impl EgressError {
    /// Whether it may be otherwise a while later.
    pub fn may_pass(self) -> bool {
        match self {
            Self::Unresolved | Self::Unreachable | Self::TooSlow | Self::Garbled => true,
            Self::Status(status) => status == 408 || status == 429 || status >= 500,
            _ => false,
        }
    }
}
