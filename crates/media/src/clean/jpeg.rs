//! JPEG: segments up to the pixels, and again between the scans of a progressive one.

use std::io::{BufRead, Write};

use super::{Seen, take, take_some};
use crate::{Refused, ended};

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const COMMENT: u8 = 0xfe;

const EXIF: &[u8] = b"Exif\0\0";

/// The first bytes of a JFIF segment: its name, version and density.
const JFIF: usize = 12;

pub(super) fn clean(
    from: &mut impl BufRead,
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    if take(from)? != [0xff, SOI] {
        return Err(Refused::Damaged);
    }
    to.write_all(&[0xff, SOI])?;
    let mut marker = next(from)?;
    loop {
        match marker {
            EOI => {
                // What hangs behind the end is not the picture.
                to.write_all(&[0xff, EOI])?;
                return Ok(());
            }
            0x01 | 0xd0..=0xd7 => to.write_all(&[0xff, marker])?,
            SOI | 0x00 => return Err(Refused::Damaged),
            _ => segment(marker, from, to, seen)?,
        }
        marker = if marker == SOS {
            if seen.size.is_none() {
                return Err(Refused::Damaged);
            }
            scan(from, to)?
        } else {
            next(from)?
        };
    }
}

/// The next marker. Any number of `ff` may stand before it.
fn next(from: &mut impl BufRead) -> Result<u8, Refused> {
    let [first] = take(from)?;
    if first != 0xff {
        return Err(Refused::Damaged);
    }
    loop {
        match take(from)? {
            [0xff] => {}
            [marker] => return Ok(marker),
        }
    }
}

/// One segment, of at most 64 KiB.
fn segment(
    marker: u8,
    from: &mut impl BufRead,
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    let length = usize::from(u16::from_be_bytes(take(from)?));
    let mut data = take_some(from, length.checked_sub(2).ok_or(Refused::Damaged)?)?;
    match marker {
        0xe0 if data.starts_with(b"JFIF\0") && data.len() >= JFIF => {
            // Without the small picture that may be in it: it may be of what was cut away.
            data.truncate(JFIF);
            data.extend([0, 0]);
        }
        0xe1 if data.starts_with(EXIF) => {
            let Some(turned) = seen.turned(&data[EXIF.len()..]) else { return Ok(()) };
            data = [EXIF, &turned].concat();
        }
        0xe2 if data.starts_with(b"ICC_PROFILE\0") => {}
        0xee if data.starts_with(b"Adobe") => {}
        0xe0..=0xef | COMMENT => return Ok(()),
        0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
            let &[_, h1, h2, w1, w2, ..] = &*data else { return Err(Refused::Damaged) };
            seen.size(u16::from_be_bytes([w1, w2]).into(), u16::from_be_bytes([h1, h2]).into())?;
        }
        _ => {}
    }
    let length = u16::try_from(data.len() + 2).map_err(|_| Refused::Damaged)?;
    to.write_all(&[0xff, marker])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&data)?;
    Ok(())
}

/// The pixels of a scan, up to the next marker that is not one of theirs.
fn scan(from: &mut impl BufRead, to: &mut impl Write) -> Result<u8, Refused> {
    loop {
        let ready = from.fill_buf().map_err(ended)?;
        if ready.is_empty() {
            return Err(Refused::Damaged);
        }
        let pixels = ready.iter().position(|byte| *byte == 0xff).unwrap_or(ready.len());
        to.write_all(&ready[..pixels])?;
        let at_marker = pixels < ready.len();
        from.consume(pixels);
        if at_marker {
            match next(from)? {
                own @ (0x00 | 0xd0..=0xd7) => to.write_all(&[0xff, own])?,
                other => return Ok(other),
            }
        }
    }
}
