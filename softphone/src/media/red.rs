//! Redundant audio (RFC 2198): a packet carries, before its own sound, copies of earlier packets.
//!
//! ```text
//! 1 | type 7 | offset 14 | length 10     one for each copy, the oldest first
//! 0 | type 7                             of the packet's own sound
//! copies, in the same order; the packet's own sound, to its end
//! ```

/// The most copies in a packet.
pub const COPIES_MAX: usize = 3;

/// The farthest that a copy may lie behind its packet, in samples: 341 ms.
pub const OFFSET_MAX: u32 = 0x3FFF;

/// The longest copy, in bytes.
pub const LENGTH_MAX: usize = 0x3FF;

/// Bytes before each copy.
const HEADER_BYTES: usize = 4;

/// Marks the header of a copy; the packet's own has none.
const MORE: u8 = 0x80;

/// An earlier packet's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// By how many samples it began before the packet that it is in: 1 to [`OFFSET_MAX`].
    pub offset: u32,
    /// Its payload, not empty and at most [`LENGTH_MAX`] bytes.
    pub payload: &'a [u8],
}

/// A packet with copies, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked<'a> {
    /// Earlier sound, the oldest first; at most [`COPIES_MAX`].
    copies: [Option<Block<'a>>; COPIES_MAX],
    /// The packet's own payload, not empty.
    pub own: &'a [u8],
}

impl<'a> Unpacked<'a> {
    /// The copies, in the order in which they were packed.
    pub fn copies(&self) -> impl Iterator<Item = Block<'a>> {
        self.copies.into_iter().flatten()
    }
}

/// Packs a packet's `own` payload of type `kind` behind `copies`, the oldest first. A copy that the
/// format cannot carry is left out, and so is what is more than [`COPIES_MAX`].
#[must_use]
pub fn pack(kind: u8, copies: &[Block<'_>], own: &[u8]) -> Vec<u8> {
    let fits = |copy: &&Block<'_>| {
        (1..=OFFSET_MAX).contains(&copy.offset) && (1..=LENGTH_MAX).contains(&copy.payload.len())
    };
    let copies: Vec<&Block<'_>> = copies.iter().filter(fits).take(COPIES_MAX).collect();
    let payloads: usize = copies.iter().map(|copy| copy.payload.len()).sum();
    let length = copies.len() * HEADER_BYTES + 1 + payloads + own.len();
    let mut packed = Vec::with_capacity(length);
    for copy in &copies {
        let length = u32::try_from(copy.payload.len()).unwrap_or(0);
        let header = u32::from(MORE | kind) << 24 | copy.offset << 10 | length;
        packed.extend(header.to_be_bytes());
    }
    packed.push(kind & !MORE);
    for copy in &copies {
        packed.extend_from_slice(copy.payload);
    }
    packed.extend_from_slice(own);
    packed
}

/// Takes a packet apart whose blocks are all of type `kind`; `None` when it is none. Copies that
/// nobody packs, without sound or of the packet's own time, are left out.
#[must_use]
pub fn unpack(kind: u8, packed: &[u8]) -> Option<Unpacked<'_>> {
    let mut headers = [(0, 0); COPIES_MAX];
    let (mut count, mut rest) = (0, packed);
    loop {
        let first = *rest.first()?;
        if first & !MORE != kind {
            return None;
        }
        if first & MORE == 0 {
            rest = &rest[1..];
            break;
        }
        let (header, behind) = rest.split_first_chunk::<HEADER_BYTES>()?;
        let header = u32::from_be_bytes(*header);
        *headers.get_mut(count)? = (header >> 10 & OFFSET_MAX, header & 0x3FF);
        count += 1;
        rest = behind;
    }
    let mut copies = [None; COPIES_MAX];
    for (copy, (offset, length)) in copies.iter_mut().zip(&headers[..count]) {
        let (payload, behind) = rest.split_at_checked(*length as usize)?;
        rest = behind;
        *copy = (*offset > 0 && !payload.is_empty()).then_some(Block {
            offset: *offset,
            payload,
        });
    }
    (!rest.is_empty()).then_some(Unpacked { copies, own: rest })
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
                offset: 1_920,
                payload: b"old",
            },
            Block {
                offset: 960,
                payload: b"newer",
            },
        ];
        let packed = pack(KIND, &copies, b"own");
        let headers = [
            [0x80 | KIND, 0b0001_1110, 0, 3],
            [0x80 | KIND, 0b0000_1111, 0, 5],
        ];
        assert_eq!(
            packed,
            [&headers.concat()[..], &[KIND], b"oldnewerown"].concat()
        );
        let unpacked = unpack(KIND, &packed).unwrap();
        assert_eq!(unpacked.copies().collect::<Vec<_>>(), copies);
        assert_eq!(unpacked.own, b"own");
    }

    #[test]
    fn what_cannot_be_carried_is_left_out() {
        let long = [0; LENGTH_MAX + 1];
        let block = |offset, payload| Block { offset, payload };
        let copies = [
            block(OFFSET_MAX + 1, b"far".as_slice()),
            block(0, b"now"),
            block(960, &long),
            block(960, b""),
            block(OFFSET_MAX, &long[1..]),
            block(3, b"3"),
            block(2, b"2"),
            block(1, b"1"),
        ];
        let packed = pack(KIND, &copies, b"own");
        let unpacked = unpack(KIND, &packed).unwrap();
        assert_eq!(unpacked.copies().collect::<Vec<_>>(), copies[4..7]);
    }

    #[test]
    fn what_is_cut_short_of_another_type_or_too_much_is_no_packet() {
        let copy = Block {
            offset: 960,
            payload: b"copy",
        };
        let packed = pack(KIND, &[copy; COPIES_MAX], b"x");
        for length in 0..packed.len() {
            assert_eq!(unpack(KIND, &packed[..length]), None, "{length}");
        }
        assert_eq!(unpack(KIND - 1, &packed), None);
        let one_more = [&packed[..HEADER_BYTES], &packed, b"copy"].concat();
        assert_eq!(unpack(KIND, &one_more), None);
        let mixed = [&packed[..HEADER_BYTES], &[KIND + 1], b"copyx"].concat();
        assert_eq!(unpack(KIND, &mixed), None);
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
            let Some(unpacked) = unpack(KIND, &bytes) else {
                continue;
            };
            taken += 1;
            let copies: Vec<_> = unpacked.copies().collect();
            let copied: usize = copies.iter().map(|copy| copy.payload.len()).sum();
            assert!(copied + unpacked.own.len() < bytes.len(), "{n}: {bytes:?}");
            // What is packed again comes out again.
            let packed = pack(KIND, &copies, unpacked.own);
            let again = unpack(KIND, &packed).unwrap();
            assert_eq!(again.own, unpacked.own, "{n}: {bytes:?}");
            assert!(again.copies().eq(copies), "{n}: {bytes:?}");
        }
        assert!(taken > 10_000, "{taken}");
    }
}
