//! Redundant audio (RFC 2198): a packet carries other blocks before its own sound, such as copies
//! of earlier packets.
//!
//! ```text
//! 1 | type 7 | offset 14 | length 10     one for each other block, the oldest first
//! 0 | type 7                             of the packet's own sound
//! the other blocks, in the same order; the packet's own sound, to its end
//! ```

/// The most other blocks in a packet.
pub const BLOCKS_MAX: usize = 4;

/// The farthest that a block may lie behind its packet, in samples: 341 ms.
pub const OFFSET_MAX: u32 = 0x3FFF;

/// The longest block, in bytes, but for the packet's own.
pub const LENGTH_MAX: usize = 0x3FF;

/// Bytes that tell of each block.
const HEADER_BYTES: usize = 4;

/// Marks the header of another block; the packet's own is the last, and has none.
const MORE: u8 = 0x80;

/// A block that is not the packet's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it is: a payload type, 0 to 127.
    pub kind: u8,
    /// By how many samples it began before the packet that it is in: at most [`OFFSET_MAX`].
    pub offset: u32,
    /// What it holds, not empty and at most [`LENGTH_MAX`] bytes.
    pub payload: &'a [u8],
}

/// A packet of several blocks, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked<'a> {
    others: [Option<Block<'a>>; BLOCKS_MAX],
    /// The packet's own payload, not empty.
    pub own: &'a [u8],
}

impl<'a> Unpacked<'a> {
    /// The other blocks, in the order in which they were packed.
    pub fn others(&self) -> impl Iterator<Item = Block<'a>> {
        self.others.into_iter().flatten()
    }
}

/// Packs a packet's `own` payload of type `kind` behind `others`, the oldest first. A block that
/// the format cannot carry is left out, and so is what is more than [`BLOCKS_MAX`].
#[must_use]
pub fn pack(others: &[Block<'_>], kind: u8, own: &[u8]) -> Vec<u8> {
    let fits = |block: &&Block<'_>| {
        block.offset <= OFFSET_MAX && (1..=LENGTH_MAX).contains(&block.payload.len())
    };
    let others: Vec<&Block<'_>> = others.iter().filter(fits).take(BLOCKS_MAX).collect();
    let payloads: usize = others.iter().map(|block| block.payload.len()).sum();
    let length = others.len() * HEADER_BYTES + 1 + payloads + own.len();
    let mut packed = Vec::with_capacity(length);
    for block in &others {
        let length = u32::try_from(block.payload.len()).unwrap_or(0);
        let header = u32::from(MORE | block.kind) << 24 | block.offset << 10 | length;
        packed.extend(header.to_be_bytes());
    }
    packed.push(kind & !MORE);
    for block in &others {
        packed.extend_from_slice(block.payload);
    }
    packed.extend_from_slice(own);
    packed
}

/// Takes a packet apart whose own payload is of type `kind`; `None` when it is none. Blocks without
/// anything in them are left out.
#[must_use]
pub fn unpack(packed: &[u8], kind: u8) -> Option<Unpacked<'_>> {
    let mut headers = [0; BLOCKS_MAX];
    let (mut count, mut rest) = (0, packed);
    while *rest.first()? & MORE != 0 {
        let (header, behind) = rest.split_first_chunk::<HEADER_BYTES>()?;
        *headers.get_mut(count)? = u32::from_be_bytes(*header);
        count += 1;
        rest = behind;
    }
    let (&last, mut rest) = rest.split_first()?;
    let mut others = [None; BLOCKS_MAX];
    for (other, header) in others.iter_mut().zip(&headers[..count]) {
        let (payload, behind) = rest.split_at_checked((header & 0x3FF) as usize)?;
        rest = behind;
        *other = (!payload.is_empty()).then_some(Block {
            kind: header.to_be_bytes()[0] & !MORE,
            offset: header >> 10 & OFFSET_MAX,
            payload,
        });
    }
    (last == kind && !rest.is_empty()).then_some(Unpacked { others, own: rest })
}

#[cfg(test)]
mod tests {
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;

    const KIND: u8 = 111;

    #[test]
    fn a_packet_with_two_copies_is_laid_out_as_the_rfc_has_it() {
        let copies = [
            Block {
                kind: 5,
                offset: 1_920,
                payload: b"old",
            },
            Block {
                kind: KIND,
                offset: 960,
                payload: b"newer",
            },
        ];
        let packed = pack(&copies, KIND, b"own");
        let headers = [
            [0x80 | 5, 0b0001_1110, 0, 3],
            [0x80 | KIND, 0b0000_1111, 0, 5],
        ];
        assert_eq!(
            packed,
            [&headers.concat()[..], &[KIND], b"oldnewerown"].concat()
        );
        let unpacked = unpack(&packed, KIND).unwrap();
        assert_eq!(unpacked.others().collect::<Vec<_>>(), copies);
        assert_eq!(unpacked.own, b"own");
    }

    #[test]
    fn what_cannot_be_carried_is_left_out() {
        let long = [0; LENGTH_MAX + 1];
        let block = |offset, payload| Block {
            kind: KIND,
            offset,
            payload,
        };
        let copies = [
            block(OFFSET_MAX + 1, b"far".as_slice()),
            block(960, &long),
            block(960, b""),
            block(OFFSET_MAX, &long[1..]),
            block(3, b"3"),
            block(2, b"2"),
            block(0, b"0"),
            block(1, b"1"),
        ];
        let packed = pack(&copies, KIND, b"own");
        let unpacked = unpack(&packed, KIND).unwrap();
        assert_eq!(unpacked.others().collect::<Vec<_>>(), copies[3..7]);
    }

    #[test]
    fn what_is_cut_short_of_another_type_or_too_much_is_no_packet() {
        let copy = Block {
            kind: KIND,
            offset: 960,
            payload: b"copy",
        };
        let packed = pack(&[copy; BLOCKS_MAX], KIND, b"x");
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length], KIND), None, "{length}");
        }
        assert_eq!(unpack(&packed, KIND - 1), None);
        let one_more = [&packed[..HEADER_BYTES], &packed, b"copy"].concat();
        assert_eq!(unpack(&one_more, KIND), None);
    }

    #[test]
    fn any_bytes_are_taken_apart_within_their_bounds() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut taken = 0;
        for n in 0..100_000 {
            let mut bytes = vec![0; random.next_u32() as usize % 64];
            random.fill_bytes(&mut bytes);
            // Of the type, all of them, and short, most of them: so that many can be taken apart.
            for (at, byte) in bytes.iter_mut().enumerate().take(12) {
                *byte = match at % 4 {
                    0 => *byte & MORE | KIND,
                    2 => *byte & !3,
                    3 => *byte & 15,
                    _ => *byte,
                };
            }
            let Some(unpacked) = unpack(&bytes, KIND) else {
                continue;
            };
            taken += 1;
            let copies: Vec<_> = unpacked.others().collect();
            let copied: usize = copies.iter().map(|copy| copy.payload.len()).sum();
            assert!(copied + unpacked.own.len() < bytes.len(), "{n}: {bytes:?}");
            // What is packed again comes out again.
            let packed = pack(&copies, KIND, unpacked.own);
            let again = unpack(&packed, KIND).unwrap();
            assert_eq!(again.own, unpacked.own, "{n}: {bytes:?}");
            assert!(again.others().eq(copies), "{n}: {bytes:?}");
        }
        assert!(taken > 10_000, "{taken}");
    }
}
