//! WebP: chunks of a RIFF file. Its head says how long all of it is and what is in it, so it is
//! looked through once before it is copied.

use std::io::{BufRead, Seek, SeekFrom, Write};

use super::{Seen, copy, exif, skip, take, take_some};
use crate::Refused;

/// What is kept.
const KEPT: [&[u8; 4]; 7] = [b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];

/// Bytes of EXIF that are looked at.
const EXIF_MAX: u32 = 64 * 1024;

/// What `VP8X` says to be there.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

/// Bytes of a chunk's name and length.
const HEAD: u64 = 8;

/// What stands in the file.
struct Plan {
    /// Bytes up to which there are chunks.
    end: u64,
    /// Bytes of what is kept, behind the length of the whole.
    kept: u64,
    /// What is said of how the picture is turned.
    turned: Option<[u8; exif::LENGTH]>,
}

pub(super) fn clean(
    from: &mut (impl BufRead + Seek),
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    let plan = look(from, seen)?;
    from.seek(SeekFrom::Start(12))?;
    let length = u32::try_from(plan.kept).map_err(|_| Refused::Damaged)?;
    to.write_all(b"RIFF")?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(b"WEBP")?;
    let mut at = 12;
    while at < plan.end {
        let (name, length) = chunk(from)?;
        if !KEPT.contains(&&name) {
            skip(from, padded(length))?;
        } else {
            to.write_all(&name)?;
            to.write_all(&length.to_le_bytes())?;
            let mut left = padded(length);
            if &name == b"VP8X" {
                let [flags] = take(from)?;
                let exif = if plan.turned.is_some() { HAS_EXIF } else { 0 };
                to.write_all(&[flags & !(HAS_EXIF | HAS_XMP) | exif])?;
                left -= 1;
            }
            copy(from, to, left)?;
        }
        at += HEAD + padded(length);
    }
    if let Some(turned) = plan.turned {
        to.write_all(b"EXIF")?;
        // Of an even length, so that no padding follows.
        to.write_all(&(exif::LENGTH as u32).to_le_bytes())?;
        to.write_all(&turned)?;
    }
    Ok(())
}

fn chunk(from: &mut impl BufRead) -> Result<([u8; 4], u32), Refused> {
    Ok((take(from)?, u32::from_le_bytes(take(from)?)))
}

/// Bytes of a chunk's data in the file.
fn padded(length: u32) -> u64 {
    u64::from(length) + u64::from(length % 2)
}

fn look(from: &mut (impl BufRead + Seek), seen: &mut Seen<'_>) -> Result<Plan, Refused> {
    let (riff, length) = chunk(from)?;
    let webp: [u8; 4] = take(from)?;
    if &riff != b"RIFF" || &webp != b"WEBP" {
        return Err(Refused::Damaged);
    }
    let mut plan = Plan { end: HEAD + padded(length), kept: 4, turned: None };
    let mut at = 12;
    while at < plan.end {
        let (name, length) = chunk(from)?;
        let read = match &name {
            b"EXIF" if length <= EXIF_MAX => {
                let data = take_some(from, length as usize)?;
                plan.turned = seen.turned(data.strip_prefix(b"Exif\0\0").unwrap_or(&data));
                u64::from(length)
            }
            b"VP8X" | b"VP8 " | b"VP8L" if seen.size.is_none() => {
                let data: [u8; 10] = take(from)?;
                let (width, height) = size(&name, data)?;
                seen.size(width, height)?;
                u64::from(length).min(10)
            }
            b"ANMF" => {
                seen.frame()?;
                0
            }
            _ => 0,
        };
        if KEPT.contains(&&name) {
            plan.kept += HEAD + padded(length);
        }
        let left = padded(length).checked_sub(read).ok_or(Refused::Damaged)?;
        skip(from, left)?;
        at += HEAD + padded(length);
    }
    if plan.turned.is_some() {
        plan.kept += HEAD + exif::LENGTH as u64;
    }
    Ok(plan)
}

/// The size that the first chunk tells.
fn size(name: &[u8; 4], data: [u8; 10]) -> Result<(u32, u32), Refused> {
    let [a, b, c, d, e, f, g, h, i, j] = data.map(u32::from);
    match name {
        b"VP8X" => Ok(((e | f << 8 | g << 16) + 1, (h | i << 8 | j << 16) + 1)),
        b"VP8L" if a == 0x2f => {
            let bits = b | c << 8 | d << 16 | e << 24;
            Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " if [d, e, f] == [0x9d, 0x01, 0x2a] => {
            Ok(((g | h << 8) & 0x3fff, (i | j << 8) & 0x3fff))
        }
        _ => Err(Refused::Damaged),
    }
}
