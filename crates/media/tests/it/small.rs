//! Small pictures.

use std::io::Cursor;

use parlor_media::{Kind, Limits, Refused, fitted, squared};
use proptest::prelude::*;

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

#[test]
fn what_is_put_together_in_passes_takes_more_memory() {
    let bytes = file(Kind::Jpeg, &drawing(900, 400, false));
    let room = Limits { memory_max: 2 << 20, ..LIMITS };
    assert!(fitted(Kind::Jpeg, Cursor::new(&bytes), 480, &room).is_ok());
    let head = bytes.windows(2).position(|mark| mark == [0xff, 0xc0]).unwrap();
    let mut passes = bytes;
    passes[head + 1] = 0xc2;
    let refused = fitted(Kind::Jpeg, Cursor::new(&passes), 480, &room).err();
    assert!(matches!(refused, Some(Refused::TooLarge)), "{refused:?}");
}

#[test]
fn a_file_that_is_longer_than_the_memory_is_not_read() {
    let mut bytes = file(Kind::Jpeg, &drawing(40, 40, false));
    bytes.resize(20 << 20, 0x11);
    for kind in KINDS {
        let refused = fitted(kind, Cursor::new(&bytes), 480, &LIMITS).err();
        assert!(matches!(refused, Some(Refused::TooLarge)), "{kind:?}: {refused:?}");
    }
}

#[test]
fn a_line_is_made_a_square_without_being_made_thick() {
    for (width, height) in [(60_000, 2), (2, 60_000)] {
        let bytes = file(Kind::Png, &drawing(width, height, true));
        let small = squared(Kind::Png, Cursor::new(&bytes), 256, &LIMITS).unwrap();
        assert_eq!((small.width, small.height, small.media_type), (256, 256, "image/webp"));
        let small = fitted(Kind::Png, Cursor::new(&bytes), 480, &LIMITS).unwrap();
        assert_eq!(small.width.max(small.height), 480);
    }
}

#[test]
fn a_square_stands_upright() {
    let bytes = with_secrets(Kind::Jpeg, &drawing(300, 100, false));
    let small = squared(Kind::Jpeg, Cursor::new(bytes), 64, &LIMITS).unwrap();
    let read = image::load_from_memory(&small.bytes).unwrap().to_rgb8();
    // Turned right by a quarter: what was on the left is on top, and what was below is on the left.
    let (top, bottom) = (read.get_pixel(32, 4).0[0], read.get_pixel(32, 60).0[0]);
    let (left, right) = (read.get_pixel(4, 32).0[1], read.get_pixel(60, 32).0[1]);
    assert!(top < bottom && left > right, "{top} {bottom} {left} {right}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn u3_whatever_somebody_sends_it_is_drawn_or_refused(
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..8),
    ) {
        let kind = KINDS[which];
        let mut file = file(kind, &drawing(20, 10, kind == Kind::Webp));
        let at = at.index(file.len());
        let end = (at + bytes.len()).min(file.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        if let Ok(small) = fitted(kind, Cursor::new(&file), 8, &LIMITS) {
            prop_assert!(small.width.max(small.height) <= 8);
        }
        if let Ok(square) = squared(kind, Cursor::new(&file), 8, &LIMITS) {
            prop_assert_eq!((square.width, square.height), (8, 8));
        }
    }
}
