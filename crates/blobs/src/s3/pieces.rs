//! The pieces of an upload: what S3 has instead of a file that grows.
//!
//! A piece never changes once it is there. Its name says where it begins, and in which turn of the
//! upload it was written: where turns overlap, the later one is right, since it began where the
//! server had answered for what was there.

use std::ops::Range;

/// A piece of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where in the upload it begins.
    pub(super) at: u64,
    /// In which turn it was written.
    pub(super) turn: u64,
    /// Bytes.
    pub(super) length: u64,
}

impl Piece {
    /// Its name in the upload's folder.
    pub(super) fn name(&self) -> String {
        format!("{:016x}-{:016x}", self.at, self.turn)
    }

    /// Reads a name.
    pub(super) fn read(name: &str, length: u64) -> Option<Self> {
        let (at, turn) = name.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let piece = Self { at: number(at)?, turn: number(turn)?, length };
        (piece.name() == name).then_some(piece)
    }
}

/// Which part of which piece holds a range of the upload, in order; none when a byte is missing.
pub(super) fn plan(pieces: Vec<Piece>, range: &Range<u64>) -> Option<Vec<(Piece, Range<u64>)>> {
    let (mut plan, mut next) = (Vec::new(), range.start);
    for (piece, end) in seen(pieces) {
        if next >= range.end {
            break;
        }
        if end <= next {
            continue;
        }
        if piece.at > next {
            return None;
        }
        let end = end.min(range.end);
        plan.push((piece, next - piece.at..end - piece.at));
        next = end;
    }
    (next >= range.end).then_some(plan)
}

/// The pieces that are seen, in order, each with the place up to which it is.
fn seen(mut pieces: Vec<Piece>) -> Vec<(Piece, u64)> {
    pieces.sort_unstable_by_key(|piece| (piece.turn, piece.at));
    let mut seen: Vec<(Piece, u64)> = Vec::new();
    for piece in pieces {
        // A turn that begins in the middle of what was there cuts off what lies behind.
        while seen.last().is_some_and(|(earlier, _)| earlier.at >= piece.at) {
            seen.pop();
        }
        if let Some((_, end)) = seen.last_mut() {
            *end = (*end).min(piece.at);
        }
        seen.push((piece, piece.at.saturating_add(piece.length)));
    }
    seen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(at: u64, turn: u64, length: u64) -> Piece {
        Piece { at, turn, length }
    }

    #[test]
    fn a_name_says_where_and_when() {
        let at_ten = piece(10, 3, 5);
        assert_eq!(at_ten.name(), "000000000000000a-0000000000000003");
        assert_eq!(Piece::read(&at_ten.name(), 5), Some(at_ten));
        for other in ["", "a-3", "+00000000000000a-0000000000000003", "x-y"] {
            assert_eq!(Piece::read(other, 5), None, "{other}");
        }
    }

    #[test]
    fn a_later_turn_is_right_where_two_overlap() {
        let pieces = vec![
            piece(0, 1, 60),
            piece(50, 3, 50),
            piece(20, 2, 30),
            // The first one was still writing.
            piece(60, 1, 40),
        ];
        let expected =
            vec![(piece(0, 1, 60), 0..20), (piece(20, 2, 30), 0..30), (piece(50, 3, 50), 0..50)];
        assert_eq!(plan(pieces.clone(), &(0..100)), Some(expected));
        let middle = vec![(piece(0, 1, 60), 19..20), (piece(20, 2, 30), 0..5)];
        assert_eq!(plan(pieces.clone(), &(19..25)), Some(middle));
        assert_eq!(plan(pieces, &(0..101)), None);
    }

    #[test]
    fn a_hole_is_found() {
        assert_eq!(plan(vec![piece(0, 1, 5), piece(6, 1, 5)], &(0..11)), None);
        assert_eq!(plan(vec![], &(0..1)), None);
        assert_eq!(plan(vec![], &(0..0)), Some(vec![]));
        assert_eq!(plan(vec![piece(5, 1, 5)], &(0..10)), None);
    }

    proptest! {
        /// Turns, each from a place that is there on with pieces, as a file would take them.
        #[test]
        fn pieces_read_as_a_file_would(
            turns in prop::collection::vec(
                (0..100_u64, prop::collection::vec(1..30_u64, 0..5)),
                1..8,
            ),
        ) {
            let (mut file, mut pieces) = (Vec::new(), Vec::new());
            for (turn, (from, lengths)) in turns.into_iter().enumerate() {
                let mut at = from % (file.len() as u64 + 1);
                if !lengths.is_empty() {
                    file.truncate(at as usize);
                }
                for length in lengths {
                    let piece = piece(at, turn as u64, length);
                    file.extend((0..length).map(|n| (piece, n)));
                    pieces.push(piece);
                    at += length;
                }
            }
            let planned = plan(pieces.clone(), &(0..file.len() as u64)).unwrap();
            let read: Vec<_> = planned
                .into_iter()
                .flat_map(|(piece, part)| part.map(move |n| (piece, n)))
                .collect();
            prop_assert_eq!(&read, &file);
            prop_assert_eq!(plan(pieces, &(0..file.len() as u64 + 1)), None);
        }
    }
}
