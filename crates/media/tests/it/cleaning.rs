//! What is taken out, and what stays.

use std::io::Cursor;

use parlor_media::{Kind, Limits, Picture, Refused, clean, kind};
use proptest::prelude::*;

use crate::drawn::{KINDS, LIMITS, SECRET, drawing, file, pixels, with_secrets};

fn cleaned(kind: Kind, bytes: &[u8]) -> Result<(Vec<u8>, Picture), Refused> {
    let mut clean_bytes = Vec::new();
    let picture = clean(kind, &mut Cursor::new(bytes), &mut clean_bytes, &LIMITS)?;
    Ok((clean_bytes, picture))
}

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

#[test]
fn only_the_picture_is_left_and_how_it_lies() {
    for kind in KINDS {
        let image = drawing(90, 40, kind == Kind::Webp);
        let bytes = with_secrets(kind, &image);
        assert!(holds_secret(&bytes), "{kind:?}");
        let (clean, picture) = cleaned(kind, &bytes).unwrap();
        assert!(!holds_secret(&clean), "{kind:?}");
        assert_eq!(pixels(&clean), pixels(&file(kind, &image)), "{kind:?}: no pixel is touched");
        // GIF has no way of saying how it lies.
        let lies = kind != Kind::Gif;
        let (width, height) = if lies { (40, 90) } else { (90, 40) };
        assert_eq!(picture, Picture { width, height }, "{kind:?}");
        let again = cleaned(kind, &clean).unwrap();
        assert_eq!(again, (clean, picture), "{kind:?}: there is nothing left to be taken out");
    }
}

#[test]
fn a_picture_without_secrets_stays_as_it_is() {
    for kind in [Kind::Png, Kind::Gif, Kind::Webp] {
        let bytes = file(kind, &drawing(90, 40, false));
        assert_eq!(cleaned(kind, &bytes).unwrap().0, bytes, "{kind:?}");
    }
}

#[test]
fn a_picture_that_is_cut_anywhere_is_damaged() {
    for kind in KINDS {
        let bytes = with_secrets(kind, &drawing(30, 20, kind == Kind::Webp));
        let whole = bytes.len() - SECRET.len();
        for end in 0..whole {
            let refused = cleaned(kind, &bytes[..end]).err();
            assert!(matches!(refused, Some(Refused::Damaged)), "{kind:?} at {end}: {refused:?}");
        }
        assert!(cleaned(kind, &bytes[..whole]).is_ok(), "{kind:?}");
    }
}

#[test]
fn a_flood_of_pixels_is_refused_before_anything_is_drawn() {
    let mut png = file(Kind::Png, &drawing(4, 4, false));
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    assert!(matches!(cleaned(Kind::Png, &png), Err(Refused::TooLarge)));
    let mut gif = file(Kind::Gif, &drawing(4, 4, false));
    gif[6..10].fill(0xff);
    assert!(matches!(cleaned(Kind::Gif, &gif), Err(Refused::TooLarge)));
    let jpeg = file(Kind::Jpeg, &drawing(4, 4, false));
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let mut jpeg = jpeg;
    jpeg[at + 5..at + 9].fill(0xff);
    assert!(matches!(cleaned(Kind::Jpeg, &jpeg), Err(Refused::TooLarge)));
}

#[test]
fn an_animation_has_no_more_pictures_than_the_limit() {
    let gif = file(Kind::Gif, &drawing(4, 4, false));
    let frame = gif.iter().position(|byte| *byte == 0x2c).unwrap();
    let (head, frame) = (&gif[..frame], &gif[frame..gif.len() - 1]);
    let animated = |n: usize| [head, &frame.repeat(n), b"\x3b"].concat();
    assert!(cleaned(Kind::Gif, &animated(10)).is_ok());
    assert!(matches!(cleaned(Kind::Gif, &animated(11)), Err(Refused::TooLarge)));
    let none = Limits { frames_max: 0, ..LIMITS };
    let one = clean(Kind::Gif, &mut Cursor::new(&gif), &mut Vec::new(), &none);
    assert!(matches!(one, Err(Refused::TooLarge)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_somebody_sends_it_is_a_picture_or_refused(
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..8),
    ) {
        let kind = KINDS[which];
        let mut file = with_secrets(kind, &drawing(20, 10, kind == Kind::Webp));
        let at = at.index(file.len());
        let end = (at + bytes.len()).min(file.len());
        file[at..end].copy_from_slice(&bytes[..end - at]);
        if let Ok((clean, _)) = cleaned(kind, &file) {
            prop_assert!(clean.len() <= file.len() + 26);
        }
    }

    #[test]
    fn any_bytes_have_a_type(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(kind(&bytes).0.contains('/'));
    }
}
