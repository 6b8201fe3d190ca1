//! PNG: chunks, of which those are kept that the pixels and their colours need.

use std::io::{BufRead, Write};

use super::{Seen, copy, skip, take, take_some};
use crate::Refused;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// What is kept.
const KEPT: [&[u8; 4]; 19] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"pHYs", b"bKGD", b"hIST", b"cICP", b"mDCV", b"cLLI", b"acTL", b"fcTL", b"fdAT",
];

/// Bytes of EXIF that are looked at.
const EXIF_MAX: u32 = 64 * 1024;

/// The largest length of a chunk that the format knows.
const LENGTH_MAX: u32 = i32::MAX.unsigned_abs();

pub(super) fn clean(
    from: &mut impl BufRead,
    to: &mut impl Write,
    seen: &mut Seen<'_>,
) -> Result<(), Refused> {
    if take(from)? != SIGNATURE {
        return Err(Refused::Damaged);
    }
    to.write_all(&SIGNATURE)?;
    loop {
        let length = u32::from_be_bytes(take(from)?);
        let name: [u8; 4] = take(from)?;
        if length > LENGTH_MAX || (seen.size.is_none() && &name != b"IHDR") {
            return Err(Refused::Damaged);
        }
        match &name {
            b"IHDR" => {
                let data: [u8; 13] = take(from)?;
                let [w1, w2, w3, w4, h1, h2, h3, h4, ..] = data;
                let width = u32::from_be_bytes([w1, w2, w3, w4]);
                seen.size(width, u32::from_be_bytes([h1, h2, h3, h4]))?;
                skip(from, u64::from(length).checked_sub(13).ok_or(Refused::Damaged)? + 4)?;
                write(to, &name, &data)?;
                continue;
            }
            b"eXIf" if length <= EXIF_MAX => {
                let data = take_some(from, length as usize)?;
                skip(from, 4)?;
                if let Some(turned) = seen.turned(&data) {
                    write(to, &name, &turned)?;
                }
                continue;
            }
            b"fcTL" => seen.frame()?,
            _ => {}
        }
        // The data and its checksum.
        let rest = u64::from(length) + 4;
        if !KEPT.contains(&&name) {
            skip(from, rest)?;
            continue;
        }
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&name)?;
        copy(from, to, rest)?;
        if &name == b"IEND" {
            return Ok(());
        }
    }
}

/// A chunk of our own.
fn write(to: &mut impl Write, name: &[u8; 4], data: &[u8]) -> Result<(), Refused> {
    let length = u32::try_from(data.len()).map_err(|_| Refused::Damaged)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(name);
    sum.update(data);
    to.write_all(&length.to_be_bytes())?;
    to.write_all(name)?;
    to.write_all(data)?;
    to.write_all(&sum.finalize().to_be_bytes())?;
    Ok(())
}
