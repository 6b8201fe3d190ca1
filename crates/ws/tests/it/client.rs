//! A client's side of the wire, written from the RFC and not from the codec; and a transcript of
//! what a decoder made of it.

use std::ops::ControlFlow;

use parlor_ws::{Decoder, Incoming, Limits, Violation};

const KEY: [u8; 4] = [0xa1, 0x5b, 0x00, 0xff];

/// One masked frame; `first` is its whole first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = head(first, payload.len() as u64);
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// A frame's header as far as the length, announcing `len` masked bytes in the shortest form.
pub(crate) fn head(first: u8, len: u64) -> Vec<u8> {
    match len {
        0..=125 => vec![first, 0x80 | len as u8],
        126..=0xffff => [&[first, 0xfe], &(len as u16).to_be_bytes()[..]].concat(),
        _ => [&[first, 0xff], &len.to_be_bytes()[..]].concat(),
    }
}

/// What was handed over, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<(u16, String)>),
}

impl From<Incoming<'_>> for Got {
    fn from(incoming: Incoming<'_>) -> Self {
        match incoming {
            Incoming::Text(text) => Self::Text(text.to_owned()),
            Incoming::Binary(bytes) => Self::Binary(bytes.to_vec()),
            Incoming::Ping(payload) => Self::Ping(payload.to_vec()),
            Incoming::Pong => Self::Pong,
            Incoming::Close(close) => Self::Close(close.map(|it| (it.code, it.reason.to_owned()))),
        }
    }
}

/// A decoder and everything that it handed over.
pub(crate) struct Reader {
    pub(crate) decoder: Decoder,
    pub(crate) got: Vec<Got>,
}

impl Reader {
    pub(crate) fn new(limits: Limits, deflate: bool) -> Self {
        Self { decoder: Decoder::new(limits, deflate), got: Vec::new() }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        self.decoder.feed(&mut bytes.to_vec(), |incoming| {
            self.got.push(incoming.into());
            ControlFlow::Continue(())
        })
    }

    /// Feeds a stream in pieces of the given lengths, over and over, until it ends or is refused.
    pub(crate) fn feed_cut(&mut self, mut bytes: &[u8], lens: &[usize]) -> Result<(), Violation> {
        for len in lens.iter().cycle() {
            if bytes.is_empty() {
                break;
            }
            let (piece, rest) = bytes.split_at((*len).min(bytes.len()));
            self.feed(piece)?;
            bytes = rest;
        }
        Ok(())
    }
}

/// What the default decoder makes of a stream that comes at once.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Got>, Result<(), Violation>) {
    let mut reader = Reader::new(Limits::default(), false);
    let verdict = reader.feed(bytes);
    (reader.got, verdict)
}
