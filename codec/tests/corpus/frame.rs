//! Any stream, cut anywhere, gives the same frames; a decoder holds one at most and finds its
//! place again; what is framed arrives as it was.

#[path = "reader.rs"]
mod reader;

use codec::{
    cobs,
    frame::{FrameDecoder, FrameError, MAX_FRAME, to_frame},
};
pub use reader::Raw;
use reader::{expected, held};

use super::script::Script;

/// How many runs of about the longest frame a stream has, and what asks for them: one byte of a
/// script each and no other, because they take a hundred times as long as anything else.
const LONG_MAX: usize = 2;
const LONG_RUN: u8 = 0xB6;
const LONG_FRAME: u8 = 0xB7;

/// Reads `input` as sizes of pieces and a stream of noise, runs and frames.
pub fn check(input: &[u8]) {
    let mut script = Script(input);
    let sizes: Vec<usize> = (0..=script.byte() % 4).map(|_| script.number()).collect();
    let mut stream = stream(&mut script);
    let found = decode(&stream, &sizes);
    assert!(found == expected(&stream), "cut in pieces of {sizes:?}");
    assert!(found == decode(&stream, &[usize::MAX]), "cut nowhere");

    let payload: Vec<u8> = stream.iter().copied().take(600).collect();
    let frame = to_frame(&Raw(&payload)).expect("a short payload");
    assert!(!frame[1..frame.len() - 1].contains(&0), "a zero inside");
    stream.push(0);
    stream.extend(&frame);
    let last = decode(&stream, &sizes).pop();
    match payload.is_empty() {
        // The stuffing of nothing is one byte, and a payload all the same.
        true => assert_eq!(last, Some(Ok(Vec::new()))),
        false => assert!(last == Some(Ok(payload)), "the place was not found again"),
    }
}

fn stream(script: &mut Script<'_>) -> Vec<u8> {
    let (mut stream, mut long) = (Vec::new(), 0);
    while !script.is_over() && long < LONG_MAX {
        let what = script.byte();
        match what % 4 {
            _ if what == LONG_RUN || what == LONG_FRAME => {
                let longest = [MAX_FRAME, cobs::stuffed_len_max(MAX_FRAME)];
                let length = script.choose(&longest) + usize::from(script.byte() % 8) - 4;
                let run = vec![script.byte(); length];
                match what {
                    LONG_RUN => stream.extend(run),
                    _ => framed(&run, &mut stream),
                }
                long += 1;
            }
            0 => stream.extend(script.some_bytes()),
            1 => framed(script.some_bytes(), &mut stream),
            2 => stream.extend(vec![script.byte(); script.number() % 1024]),
            _ => framed(&vec![script.byte(); script.number() % 1024], &mut stream),
        }
    }
    stream
}

fn framed(payload: &[u8], stream: &mut Vec<u8>) {
    stream.push(0);
    cobs::encode(payload, stream);
    stream.push(0);
}

/// Feeds `stream` in pieces of the sizes of `sizes`, over and over, and returns what came out.
fn decode(stream: &[u8], sizes: &[usize]) -> Vec<Result<Vec<u8>, FrameError>> {
    let mut decoder = FrameDecoder::default();
    let mut found = Vec::new();
    let mut rest = stream;
    // A long stream in single bytes would take most of the time that there is.
    let least = 1 + stream.len() / 512;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(least, |&size| size.max(least));
        let size = size.min(rest.len());
        let (mut piece, later) = rest.split_at(size);
        while let Some(frame) = decoder.next(&mut piece) {
            found.push(frame);
        }
        assert!(piece.is_empty(), "the decoder left bytes behind");
        rest = later;
    }
    // A shorter stream cannot be too much to hold, and looking inside takes long.
    if stream.len() > cobs::stuffed_len_max(MAX_FRAME) && decoder.is_mid_frame() {
        assert!(held(&decoder) <= cobs::stuffed_len_max(MAX_FRAME));
    }
    found
}
