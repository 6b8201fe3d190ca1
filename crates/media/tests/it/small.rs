//! Small pictures.

use std::io::Cursor;

use parlor_media::{Kind, Limits, Refused, fitted, squared};

use crate::drawn::{KINDS, LIMITS, drawing, file, with_secrets};

#[test]
fn a_small_picture_fits_and_stands_upright() {
    for kind in KINDS {
        let bytes = with_secrets(kind, &drawing(900, 400, false));
        let small = fitted(kind, Cursor::new(&bytes), 480, &LIMITS).unwrap();
        // GIF has no way of saying how it lies.
        let expected = if kind == Kind::Gif { (480, 213) } else { (213, 480) };
        assert_eq!((small.width, small.height), expected, "{kind:?}");
        let read = image::load_from_memory(&small.bytes).unwrap();
        assert_eq!((read.width(), read.height()), expected, "{kind:?}");
    }
}

#[test]
fn what_can_be_looked_through_stays_so() {
    let of = |clear| {
        let bytes = file(Kind::Png, &drawing(600, 600, clear));
        fitted(Kind::Png, Cursor::new(bytes), 100, &LIMITS).unwrap()
    };
    assert_eq!(of(false).media_type, "image/jpeg");
    assert_eq!(of(true).media_type, "image/webp");
    let corner = image::load_from_memory(&of(true).bytes).unwrap().to_rgba8();
    assert!(corner.get_pixel(0, 0).0[3] < 20);
}

#[test]
fn a_square_is_the_middle_of_a_picture() {
    let bytes = file(Kind::Png, &drawing(300, 100, false));
    let small = squared(Kind::Png, Cursor::new(bytes), 64, &LIMITS).unwrap();
    assert_eq!((small.width, small.height), (64, 64));
    let left = image::load_from_memory(&small.bytes).unwrap().to_rgb8().get_pixel(0, 30).0[0];
    assert!((70..100).contains(&left), "a third of the width is cut off: {left}");
}

#[test]
fn what_would_take_too_much_memory_is_not_drawn() {
    let bytes = file(Kind::Png, &drawing(900, 400, false));
    let tight = Limits { memory_max: 100_000, ..LIMITS };
    let refused = fitted(Kind::Png, Cursor::new(&bytes), 480, &tight).err();
    assert!(matches!(refused, Some(Refused::TooLarge)), "{refused:?}");
    let few = Limits { pixels_max: 1_000, ..LIMITS };
    let refused = fitted(Kind::Png, Cursor::new(&bytes), 480, &few).err();
    assert!(matches!(refused, Some(Refused::TooLarge)), "{refused:?}");
    let damaged = fitted(Kind::Png, Cursor::new(&bytes[..200]), 480, &LIMITS).err();
    assert!(matches!(damaged, Some(Refused::Damaged)), "{damaged:?}");
}
