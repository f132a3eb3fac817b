//! Frames: one message on a byte stream is `0x00`, the stuffed payload, `0x00`.
//!
//! Both ends of a frame are delimited, so a reader that lost its place finds it again at the next
//! zero. A bad frame costs that frame, nothing more.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::cobs;

/// The most bytes that a payload may have, before stuffing.
pub const MAX_FRAME: usize = 64 * 1024;

/// The byte at both ends of a frame, which stuffing keeps out of its inside.
pub const DELIMITER: u8 = 0;

/// Why a frame could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// More than [`MAX_FRAME`] bytes came without a delimiter, or were to be sent.
    TooLong,
    /// The bytes between two delimiters are not the stuffing of anything.
    NotStuffed,
    /// The payload is not the message that belongs here, or bytes follow it.
    Malformed,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a frame has more than {MAX_FRAME} bytes"),
            Self::NotStuffed => f.write_str("a frame is not byte-stuffed"),
            Self::Malformed => f.write_str("a frame holds no message that belongs here"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Writes one message as a frame.
///
/// # Errors
/// [`FrameError::TooLong`] when the message takes more than [`MAX_FRAME`] bytes.
pub fn to_frame<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    // postcard into a growing buffer fails only for a sequence of unknown length; none is sent.
    let payload = postcard::to_allocvec(message).map_err(|_| FrameError::Malformed)?;
    if payload.len() > MAX_FRAME {
        return Err(FrameError::TooLong);
    }
    let mut frame = Vec::with_capacity(cobs::stuffed_len_max(payload.len()) + 2);
    frame.push(DELIMITER);
    cobs::encode(&payload, &mut frame);
    frame.push(DELIMITER);
    Ok(frame)
}

/// Reads the message that is the whole of `payload`.
///
/// # Errors
/// [`FrameError::Malformed`] when it is another message, or when bytes follow it.
pub fn from_payload<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Malformed),
    }
}

/// Finds the frames in a stream of bytes that arrives in pieces of any size.
///
/// Holds at most one frame, and no memory between frames.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    stuffed: Vec<u8>,
    /// The frame at hand is too long; everything up to its end is dropped.
    skipping: bool,
}

impl FrameDecoder {
    /// Consumes bytes from the front of `input` up to the end of one frame and returns that
    /// frame's payload; `None` when `input` is used up before a frame ends. Empty frames are
    /// skipped.
    ///
    /// # Errors
    /// One per bad frame; reading goes on with the next.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Vec<u8>, FrameError>> {
        while !input.is_empty() {
            let end = input.iter().position(|&byte| byte == DELIMITER);
            let (piece, rest) = match end {
                Some(at) => (&input[..at], &input[at + 1..]),
                None => (*input, &input[input.len()..]),
            };
            *input = rest;
            let fits = self.stuffed.len() + piece.len() <= cobs::stuffed_len_max(MAX_FRAME);
            if !self.skipping && fits {
                self.stuffed.extend_from_slice(piece);
            } else if !self.skipping {
                self.stuffed = Vec::new();
                self.skipping = end.is_none();
                return Some(Err(FrameError::TooLong));
            }
            if end.is_some() {
                let skipped = std::mem::take(&mut self.skipping);
                let mut payload = std::mem::take(&mut self.stuffed);
                if !skipped && !payload.is_empty() {
                    return Some(unstuff(&mut payload).map(|()| payload));
                }
            }
        }
        None
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_mid_frame(&self) -> bool {
        self.skipping || !self.stuffed.is_empty()
    }
}

fn unstuff(bytes: &mut Vec<u8>) -> Result<(), FrameError> {
    let length = cobs::decode_in_place(bytes).map_err(|_| FrameError::NotStuffed)?;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong);
    }
    bytes.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(decoder: &mut FrameDecoder, mut input: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
        std::iter::from_fn(|| decoder.next(&mut input)).collect()
    }

    #[test]
    fn a_frame_in_single_bytes_is_found() {
        let frame = to_frame(&(7u8, "hello".to_owned())).unwrap();
        let mut decoder = FrameDecoder::default();
        let mut found = Vec::new();
        for byte in frame {
            found.extend(all(&mut decoder, &[byte]));
        }
        assert_eq!(found.len(), 1);
        let payload = found.remove(0).unwrap();
        assert_eq!(
            from_payload::<(u8, String)>(&payload).unwrap(),
            (7, "hello".to_owned())
        );
        assert!(!decoder.is_mid_frame());
    }

    #[test]
    fn a_bad_frame_costs_only_itself() {
        let good = to_frame(&1u8).unwrap();
        let mut stream = vec![0, 9, 9, 0];
        stream.extend(&good);
        let found = all(&mut FrameDecoder::default(), &stream);
        assert_eq!(found, [Err(FrameError::NotStuffed), Ok(vec![1])]);
    }

    #[test]
    fn a_frame_without_end_is_dropped_at_the_cap_and_reported_once() {
        let mut decoder = FrameDecoder::default();
        let mut errors = 0;
        for _ in 0..100 {
            errors += all(&mut decoder, &[1; 4096]).len();
            assert!(decoder.stuffed.capacity() <= 2 * cobs::stuffed_len_max(MAX_FRAME));
        }
        assert_eq!(errors, 1);
        assert_eq!(all(&mut decoder, &[0, 2, 5, 0]), [Ok(vec![5])]);
    }

    #[test]
    fn the_longest_payload_passes_and_one_byte_more_does_not() {
        let longest = vec![1u8; MAX_FRAME];
        let mut frame = vec![0];
        cobs::encode(&longest, &mut frame);
        frame.push(0);
        assert_eq!(all(&mut FrameDecoder::default(), &frame), [Ok(longest)]);
        let mut frame = vec![0];
        cobs::encode(&vec![1u8; MAX_FRAME + 1], &mut frame);
        frame.push(0);
        assert_eq!(
            all(&mut FrameDecoder::default(), &frame),
            [Err(FrameError::TooLong)]
        );
        assert_eq!(to_frame(&vec![1u8; MAX_FRAME]), Err(FrameError::TooLong));
    }

    #[test]
    fn bytes_after_the_message_are_refused() {
        assert_eq!(from_payload::<u8>(&[1]), Ok(1));
        assert_eq!(from_payload::<u8>(&[1, 2]), Err(FrameError::Malformed));
        assert_eq!(from_payload::<u8>(&[]), Err(FrameError::Malformed));
    }
}
