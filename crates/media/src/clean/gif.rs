//! GIF: pictures, and extensions, of which only those are kept that say how to show them.

use std::io::{BufRead, Write};

use super::{Seen, copy, take, take_some};
use crate::Refused;

/// Extensions that say for how long a picture stands, or are text that is drawn.
const SHOWING: [u8; 2] = [0xf9, 0x01];

/// Applications that say how often an animation runs.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

pub(super) fn clean(
    from: &mut impl BufRead,
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    let head: [u8; 13] = take(from)?;
    if !matches!(&head[..6], b"GIF87a" | b"GIF89a") {
        return Err(Refused::Damaged);
    }
    let [.., w1, w2, h1, h2, flags, _, _] = head;
    seen.size(u16::from_le_bytes([w1, w2]).into(), u16::from_le_bytes([h1, h2]).into())?;
    to.write_all(&head)?;
    copy(from, to, colours(flags))?;
    loop {
        match take(from)? {
            [0x2c] => picture(from, to, seen)?,
            [0x21] => extension(from, to)?,
            [0x3b] => {
                to.write_all(&[0x3b])?;
                return Ok(());
            }
            _ => return Err(Refused::Damaged),
        }
    }
}

/// Bytes of the table of colours that these flags announce.
fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn picture(
    from: &mut impl BufRead,
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    seen.frame()?;
    let place: [u8; 9] = take(from)?;
    let [_, _, _, _, w1, w2, h1, h2, flags] = place;
    let (width, height) = (u16::from_le_bytes([w1, w2]), u16::from_le_bytes([h1, h2]));
    if u64::from(width) * u64::from(height) > seen.limits.pixels_max {
        return Err(Refused::TooLarge);
    }
    to.write_all(&[0x2c])?;
    to.write_all(&place)?;
    // And the byte that says how the pixels are packed.
    copy(from, to, colours(flags) + 1)?;
    blocks(from, to)
}

fn extension(from: &mut impl BufRead, to: &mut impl Write) -> Result<(), Refused> {
    let [label, length]: [u8; 2] = take(from)?;
    let first = take_some(from, usize::from(length))?;
    let kept = SHOWING.contains(&label) || (label == 0xff && LOOPS.contains(&&*first));
    if kept {
        to.write_all(&[0x21, label, length])?;
        to.write_all(&first)?;
    }
    match (length, kept) {
        // That was the end of it.
        (0, _) => Ok(()),
        (_, true) => blocks(from, to),
        (_, false) => blocks(from, &mut std::io::sink()),
    }
}

/// Blocks of up to 255 bytes, up to the empty one.
fn blocks(from: &mut impl BufRead, to: &mut impl Write) -> Result<(), Refused> {
    loop {
        let [length] = take(from)?;
        to.write_all(&[length])?;
        if length == 0 {
            return Ok(());
        }
        copy(from, to, length.into())?;
    }
}
