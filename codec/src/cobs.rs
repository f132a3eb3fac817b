//! Consistent Overhead Byte Stuffing: any bytes become bytes without a zero.
//!
//! S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
//! Networking 7(2), 1999. A block is one length byte `n` (1-255) and `n - 1` bytes that are not
//! zero; every block but one with `n == 255`, and but the last, stands for a zero after it.

/// The most bytes that `payload_bytes` can take when they are stuffed: one in 254 more, and one.
#[must_use]
pub const fn stuffed_len_max(payload_bytes: usize) -> usize {
    payload_bytes + payload_bytes / 254 + 1
}

/// Appends `payload`, stuffed, to `out`. What is appended holds no zero.
pub fn encode(payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(stuffed_len_max(payload.len()));
    let mut length_at = out.len();
    let mut length = 1u8;
    out.push(length);
    for (index, &byte) in payload.iter().enumerate() {
        if byte != 0 {
            out.push(byte);
            length += 1;
        }
        let full = length == 0xFF && index + 1 < payload.len();
        if byte == 0 || full {
            out[length_at] = length;
            length_at = out.len();
            length = 1;
            out.push(length);
        }
    }
    out[length_at] = length;
}

/// The bytes are not the stuffing of anything: a zero inside, or a block that is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotStuffed;

/// Undoes [`encode`] in place and returns how many bytes at the front of `bytes` are the payload.
///
/// # Errors
/// [`NotStuffed`] when a block is cut short or holds a zero; `bytes` are then of no use.
pub fn decode_in_place(bytes: &mut [u8]) -> Result<usize, NotStuffed> {
    let (mut read, mut written) = (0, 0);
    while read < bytes.len() {
        let length = usize::from(bytes[read]);
        let next = read + length;
        if length == 0 || next > bytes.len() || bytes[read + 1..next].contains(&0) {
            return Err(NotStuffed);
        }
        bytes.copy_within(read + 1..next, written);
        written += length - 1;
        if length != 0xFF && next < bytes.len() {
            bytes[written] = 0;
            written += 1;
        }
        read = next;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(payload, &mut out);
        out
    }

    #[test]
    fn the_papers_examples_come_out() {
        assert_eq!(stuffed(&[]), [1]);
        assert_eq!(stuffed(&[0]), [1, 1]);
        assert_eq!(stuffed(&[0x11, 0, 0, 0x22]), [2, 0x11, 1, 2, 0x22]);
        let run: Vec<u8> = (1..=254).collect();
        let mut expected = vec![0xFF];
        expected.extend(&run);
        assert_eq!(stuffed(&run), expected);
        let mut longer = run.clone();
        longer.push(0xFF);
        expected.extend([2, 0xFF]);
        assert_eq!(stuffed(&longer), expected);
    }

    #[test]
    fn cut_or_zeroed_blocks_are_refused() {
        assert_eq!(decode_in_place(&mut [3, 1]), Err(NotStuffed));
        assert_eq!(decode_in_place(&mut [3, 1, 0]), Err(NotStuffed));
        assert_eq!(decode_in_place(&mut [0]), Err(NotStuffed));
    }
}
