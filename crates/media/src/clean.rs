//! Takes out of a picture what is not the picture: where and when it was taken and by which
//! device, comments, the picture before it was cut, what hangs behind its end. The pixels are not
//! touched, so nothing is lost: what says how a picture is turned stays, alone.
//!
//! A picture is read once from its beginning to its end and written as it is read: memory does not
//! depend on its size. What the format does not know is not copied.

mod exif;
mod gif;
mod jpeg;
mod png;
mod webp;

use std::io::{BufRead, Read, Seek, Write};

use crate::{Kind, Limits, Refused, ended};

/// What a picture is like, as it is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Copies a picture without what its sender did not mean to send.
///
/// # Errors
/// [`Refused`]; what was written so far is good for nothing.
pub fn clean(
    kind: Kind,
    from: &mut (impl BufRead + Seek),
    to: &mut impl Write,
    limits: &Limits,
) -> Result<Picture, Refused> {
    let mut seen = Seen::new(limits);
    match kind {
        Kind::Jpeg => jpeg::clean(from, to, &mut seen)?,
        Kind::Png => png::clean(from, to, &mut seen)?,
        Kind::Gif => gif::clean(from, to, &mut seen)?,
        Kind::Webp => webp::clean(from, to, &mut seen)?,
    }
    to.flush()?;
    seen.picture()
}

/// What was seen of a picture so far.
struct Seen<'a> {
    limits: &'a Limits,
    size: Option<(u32, u32)>,
    /// As EXIF counts them: 1 is upright, 5 to 8 lie on their side.
    orientation: u8,
    frames: u64,
}

impl<'a> Seen<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, size: None, orientation: 1, frames: 0 }
    }

    /// The picture has this size. It says so once.
    fn size(&mut self, width: u32, height: u32) -> Result<(), Refused> {
        if width == 0 || height == 0 || self.size.is_some() {
            return Err(Refused::Damaged);
        }
        if u64::from(width) * u64::from(height) > self.limits.pixels_max {
            return Err(Refused::TooLarge);
        }
        self.size = Some((width, height));
        Ok(())
    }

    /// There is one more picture in it.
    fn frame(&mut self) -> Result<(), Refused> {
        self.frames += 1;
        if self.frames > self.limits.frames_max { Err(Refused::TooLarge) } else { Ok(()) }
    }

    /// The picture lies this way; only the first who says so is heard.
    fn turned(&mut self, exif: &[u8]) -> Option<[u8; exif::LENGTH]> {
        let orientation = exif::orientation(exif)?;
        if self.orientation != 1 || orientation == 1 {
            return None;
        }
        self.orientation = orientation;
        Some(exif::with(orientation))
    }

    fn picture(&self) -> Result<Picture, Refused> {
        let (width, height) = self.size.ok_or(Refused::Damaged)?;
        let lies = self.orientation >= 5;
        let (width, height) = if lies { (height, width) } else { (width, height) };
        Ok(Picture { width, height })
    }
}

/// The next bytes.
fn take<const N: usize>(from: &mut impl Read) -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(ended)?;
    Ok(bytes)
}

/// The next so many bytes, which the caller knows not to be many.
fn take_some(from: &mut impl Read, length: usize) -> Result<Vec<u8>, Refused> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(ended)?;
    Ok(bytes)
}

/// Copies so many bytes.
fn copy(from: &mut impl Read, to: &mut impl Write, length: u64) -> Result<(), Refused> {
    let copied = std::io::copy(&mut from.by_ref().take(length), to)?;
    if copied == length { Ok(()) } else { Err(Refused::Damaged) }
}

/// Leaves so many bytes out.
fn skip(from: &mut impl Read, length: u64) -> Result<(), Refused> {
    copy(from, &mut std::io::sink(), length)
}
