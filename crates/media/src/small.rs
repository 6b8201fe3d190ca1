//! Small pictures: what is shown until somebody wants to see all of it.
//!
//! A small picture is drawn anew out of pixels, so it holds nothing else of the large one.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader};

use crate::{Kind, Limits, Refused};

/// How good a JPEG is, of 100.
const QUALITY: u8 = 80;

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
    let image = read(kind, from, limits)?;
    let (width, height) = (image.width(), image.height());
    let fits = width <= side && height <= side;
    written(&if fits { image } else { image.thumbnail(side, side) })
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
    written(&read(kind, from, limits)?.resize_to_fill(side, side, FilterType::Triangle))
}

fn read(kind: Kind, from: impl BufRead + Seek, limits: &Limits) -> Result<DynamicImage, Refused> {
    let format = match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::Webp => ImageFormat::WebP,
    };
    let mut reader = ImageReader::with_format(from, format);
    let mut most = image::Limits::no_limits();
    most.max_alloc = Some(limits.memory_max);
    reader.limits(most);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.pixels_max
        || decoder.total_bytes() > limits.memory_max
    {
        return Err(Refused::TooLarge);
    }
    let turned = decoder.orientation().map_err(refused)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    image.apply_orientation(turned);
    Ok(image)
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
