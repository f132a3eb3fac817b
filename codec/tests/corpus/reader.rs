//! A second, simpler reader of frames, which the decoder is compared with, and what both need.
//!
//! Shared by the properties and by the checks of fuzzing.

use codec::{
    cobs,
    frame::{FrameDecoder, FrameError, MAX_FRAME},
};
use serde::{Serialize, Serializer, ser::SerializeTuple};

/// How many bytes the decoder holds, as its `Debug` form lists them.
pub fn held(decoder: &FrameDecoder) -> usize {
    let shown = format!("{decoder:?}");
    let (_, list) = shown.split_once('[').expect("a list of bytes");
    let (list, _) = list.split_once(']').expect("its end");
    list.split(',').filter(|byte| !byte.is_empty()).count()
}

/// What must come out, by the shortest program that says so.
pub fn expected(stream: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
    let longest = cobs::stuffed_len_max(MAX_FRAME);
    let mut segments: Vec<&[u8]> = stream.split(|&byte| byte == 0).collect();
    let unfinished = segments.pop().unwrap_or_default();
    let whole = segments.into_iter().filter(|segment| !segment.is_empty());
    let mut found: Vec<_> = whole
        .map(|segment| match unstuffed(segment) {
            _ if segment.len() > longest => Err(FrameError::TooLong),
            None => Err(FrameError::NotStuffed),
            Some(payload) if payload.len() > MAX_FRAME => Err(FrameError::TooLong),
            Some(payload) => Ok(payload),
        })
        .collect();
    if unfinished.len() > longest {
        found.push(Err(FrameError::TooLong));
    }
    found
}

/// What a stuffed payload stands for; `None` if it stands for nothing.
pub fn unstuffed(mut stuffed: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    while let Some((&length, rest)) = stuffed.split_first() {
        let block = rest.get(..usize::from(length).checked_sub(1)?)?;
        payload.extend(block);
        stuffed = &rest[block.len()..];
        if length != 0xFF && !stuffed.is_empty() {
            payload.push(0);
        }
    }
    Some(payload)
}

/// Is written as exactly these bytes, without a length before them.
pub struct Raw<'a>(pub &'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}
