//! Pictures to try with, drawn here, and what a camera or a program would put into them.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use parlor_media::{Kind, Limits};

pub(crate) const LIMITS: Limits =
    Limits { pixels_max: 1_000_000, frames_max: 10, memory_max: 16 << 20 };

/// What nobody must see.
pub(crate) const SECRET: &[u8] = b"52.5200N 13.4050E";

/// EXIF that says where the picture was taken, and that it lies on its side.
pub(crate) fn exif() -> Vec<u8> {
    let mut block = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    block.extend_from_slice(SECRET);
    block
}

/// A picture of which no two corners are alike.
pub(crate) fn drawing(width: u32, height: u32, clear: bool) -> DynamicImage {
    let pixels = RgbaImage::from_fn(width, height, |x, y| {
        let share = |n, of| u8::try_from(n * 255 / of).unwrap();
        Rgba([share(x, width), share(y, height), 90, if clear { share(x, width) } else { 255 }])
    });
    let image = DynamicImage::ImageRgba8(pixels);
    if clear { image } else { DynamicImage::ImageRgb8(image.to_rgb8()) }
}

/// A file of it.
pub(crate) fn file(kind: Kind, image: &DynamicImage) -> Vec<u8> {
    let format = match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::Webp => ImageFormat::WebP,
    };
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The pixels of a file.
pub(crate) fn pixels(bytes: &[u8]) -> Vec<u8> {
    image::load_from_memory(bytes).unwrap().to_rgba8().into_raw()
}

/// A file with everything in it that a camera or a program may put there.
pub(crate) fn with_secrets(kind: Kind, image: &DynamicImage) -> Vec<u8> {
    let plain = file(kind, image);
    match kind {
        Kind::Jpeg => jpeg(&plain),
        Kind::Png => png(&plain),
        Kind::Gif => gif(&plain),
        Kind::Webp => webp(image, &plain),
    }
}

fn jpeg(plain: &[u8]) -> Vec<u8> {
    let exif = [b"Exif\0\0", &*exif()].concat();
    let mut bytes = vec![0xff, 0xd8];
    for (marker, data) in [
        (0xe1, &exif[..]),
        (0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        (0xed, SECRET),
        (0xe2, &[b"MPF\0", SECRET].concat()),
        (0xfe, SECRET),
    ] {
        bytes.extend([0xff, marker]);
        bytes.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        bytes.extend(data);
    }
    bytes.extend(&plain[2..]);
    bytes.extend(SECRET);
    bytes
}

fn png(plain: &[u8]) -> Vec<u8> {
    // Behind the head, which is 8 + 25 bytes.
    let mut bytes = plain[..33].to_vec();
    for (name, data) in [
        (b"eXIf", &exif()[..]),
        (b"tEXt", SECRET),
        (b"iTXt", SECRET),
        (b"tIME", SECRET),
        (b"prVt", SECRET),
    ] {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(name);
        bytes.extend(data);
        bytes.extend(crc32fast::hash(&[name, data].concat()).to_be_bytes());
    }
    bytes.extend(&plain[33..]);
    bytes.extend(SECRET);
    bytes
}

fn gif(plain: &[u8]) -> Vec<u8> {
    let end = plain.len() - 1;
    let mut bytes = plain[..end].to_vec();
    for (label, first) in [(0xfe, SECRET), (0xff, b"XMP DataXMP")] {
        bytes.extend([0x21, label, u8::try_from(first.len()).unwrap()]);
        bytes.extend(first);
        bytes.push(u8::try_from(SECRET.len()).unwrap());
        bytes.extend(SECRET);
        bytes.push(0);
    }
    bytes.push(0x3b);
    bytes.extend(SECRET);
    bytes
}

fn webp(image: &DynamicImage, plain: &[u8]) -> Vec<u8> {
    let (width, height) = (image.width() - 1, image.height() - 1);
    let mut head = vec![0x08 | 0x04 | 0x10, 0, 0, 0];
    head.extend(&width.to_le_bytes()[..3]);
    head.extend(&height.to_le_bytes()[..3]);
    let mut chunks = Vec::new();
    for (name, data) in
        [(b"VP8X", &head[..]), (b"XMP ", SECRET), (b"EXIF", &exif()), (b"junk", SECRET)]
    {
        chunks.extend(name);
        chunks.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        chunks.extend(data);
        chunks.extend(vec![0; data.len() % 2]);
        if name == b"VP8X" {
            chunks.extend(&plain[12..]);
        }
    }
    let length = u32::try_from(chunks.len() + 4).unwrap();
    [b"RIFF", &length.to_le_bytes()[..], b"WEBP", &chunks, SECRET].concat()
}

pub(crate) const KINDS: [Kind; 4] = [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::Webp];
