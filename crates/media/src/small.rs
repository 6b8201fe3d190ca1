//! Small pictures: what is shown until somebody wants to see all of it.
//!
//! A small picture is drawn anew out of pixels, so it holds nothing else of the large one. The
//! large one is in memory once, and not turned or cut before it is small: two copies of it would be
//! more than the limit says.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, imageops};

use crate::{Kind, Limits, Refused};

/// How good a JPEG is, of 100.
const QUALITY: u8 = 80;

/// How many times the bytes of its pixels a picture takes that is put together in several passes,
/// or out of planes.
const PASSES: u64 = 3;

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Small {
    /// The file.
    pub bytes: Vec<u8>,
    /// `image/jpeg`, or `image/webp` of one that can be looked through.
    pub media_type: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A picture that fits into a square of `side` pixels; of an animation, its first.
///
/// # Errors
/// [`Refused`].
pub fn fitted(
    kind: Kind,
    from: impl BufRead + Seek,
    side: u32,
    limits: &Limits,
) -> Result<Small, Refused> {
    let (mut image, turned) = read(kind, from, limits)?;
    if image.width() > side || image.height() > side {
        image = image.thumbnail(side, side);
    }
    image.apply_orientation(turned);
    written(&image)
}

/// The middle of a picture as a square of `side` pixels.
///
/// # Errors
/// [`Refused`].
pub fn squared(
    kind: Kind,
    from: impl BufRead + Seek,
    side: u32,
    limits: &Limits,
) -> Result<Small, Refused> {
    let (image, turned) = read(kind, from, limits)?;
    let (width, height) = (image.width(), image.height());
    // Cut before it is resized: a line that is as thick as the square would be very long.
    let least = width.min(height);
    let middle =
        imageops::crop_imm(&image, (width - least) / 2, (height - least) / 2, least, least);
    let mut small = DynamicImage::ImageRgba8(imageops::thumbnail(&*middle, side, side));
    if !image.color().has_alpha() {
        small = DynamicImage::ImageRgb8(small.to_rgb8());
    }
    small.apply_orientation(turned);
    written(&small)
}

/// A picture as it lies, and how it is to be turned.
fn read(
    kind: Kind,
    mut from: impl BufRead + Seek,
    limits: &Limits,
) -> Result<(DynamicImage, Orientation), Refused> {
    // One kind is read whole before it is looked at.
    let length = from.seek(SeekFrom::End(0))?;
    let room = limits.memory_max.checked_sub(length).ok_or(Refused::TooLarge)?;
    let passes = match kind {
        Kind::Jpeg if !is_progressive(&mut from).map_err(crate::ended)? => 1,
        Kind::Jpeg | Kind::Webp => PASSES,
        Kind::Png | Kind::Gif => 1,
    };
    from.seek(SeekFrom::Start(0))?;
    let mut reader = ImageReader::with_format(from, format(kind));
    let mut most = image::Limits::no_limits();
    most.max_alloc = Some(room);
    reader.limits(most);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels_max
        || decoder.total_bytes().saturating_mul(passes) > room
    {
        return Err(Refused::TooLarge);
    }
    let turned = decoder.orientation().map_err(refused)?;
    Ok((DynamicImage::from_decoder(decoder).map_err(refused)?, turned))
}

fn format(kind: Kind) -> ImageFormat {
    match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::Webp => ImageFormat::WebP,
    }
}

/// Whether a JPEG gets better pass by pass: what is known of it so far is then kept beside its
/// pixels.
fn is_progressive(from: &mut (impl Read + Seek)) -> io::Result<bool> {
    from.seek(SeekFrom::Start(2))?;
    loop {
        let mut head = [0; 2];
        from.read_exact(&mut head)?;
        match head {
            // Filled up, or a mark without a length.
            [0xff, 0xff] => _ = from.seek(SeekFrom::Current(-1))?,
            [0xff, 0x01 | 0xd0..=0xd8] => {}
            [0xff, 0xc2 | 0xc6 | 0xca | 0xce] => return Ok(true),
            [0xff, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xd9 | 0xda] => {
                return Ok(false);
            }
            [0xff, _] => {
                let mut length = [0; 2];
                from.read_exact(&mut length)?;
                from.seek(SeekFrom::Current(i64::from(u16::from_be_bytes(length)).max(2) - 2))?;
            }
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn written(image: &DynamicImage) -> Result<Small, Refused> {
    let (width, height) = (image.width(), image.height());
    let mut bytes = Cursor::new(Vec::new());
    let media_type = if image.color().has_alpha() {
        let pixels = DynamicImage::ImageRgba8(image.to_rgba8());
        pixels.write_with_encoder(WebPEncoder::new_lossless(&mut bytes)).map_err(refused)?;
        "image/webp"
    } else {
        let pixels = DynamicImage::ImageRgb8(image.to_rgb8());
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        pixels.write_with_encoder(encoder).map_err(refused)?;
        "image/jpeg"
    };
    Ok(Small { bytes: bytes.into_inner(), media_type, width, height })
}

fn refused(error: ImageError) -> Refused {
    match error {
        ImageError::Limits(_) => Refused::TooLarge,
        ImageError::IoError(error) => crate::ended(error),
        _ => Refused::Damaged,
    }
}
