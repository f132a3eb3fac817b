//! What `?` says.

/// The keys, and how to read the live rows. Narrow enough for most terminals.
pub const LINES: [&str; 16] = [
    "a  accept the call that rings; so does Enter",
    "d  decline it",
    "h  hang up",
    "o  put the call on hold, or resume it",
    "m  mute the microphone, or unmute it",
    "n  go to the next call; so do Tab and its number",
    "c  call NAME or NAME@HOST:PORT",
    "v  the four words are the same on both sides",
    "w  be away, or back",
    "z  take no calls, or take them again",
    "l  list the calls, and who is registered",
    "q  hang up everything and quit",
    "Keys are about the call marked >.",
    "you, they: how loud it is. loss: what did not",
    "come in time. delay: half the way there and",
    "back, and the wait before it is played.",
];
