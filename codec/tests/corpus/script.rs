//! The bytes of a fuzzer read as a script: what to do next, and with what. A script that is too
//! short goes on with zeros, so that any bytes are a script.

#![allow(dead_code, reason = "no check needs all of it")]

/// What is left of a script.
#[derive(Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number.
    pub fn number(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// The next `count` bytes, or what there is.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// So many bytes as the next byte says.
    pub fn some_bytes(&mut self) -> &'a [u8] {
        let count = self.byte();
        self.bytes(count.into())
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.bytes(usize::MAX)
    }

    /// One of `choices`.
    pub fn choose<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[usize::from(self.byte()) % choices.len()]
    }

    /// Changes `payload` in as many places as the next byte says, at most 7: bytes replaced, put
    /// in, taken out, or everything behind them.
    pub fn damage(&mut self, payload: &mut Vec<u8>) {
        for _ in 0..self.byte() % 8 {
            let (how, at, byte) = (self.byte(), self.number(), self.byte());
            let at = at % (payload.len() + 1);
            match how % 4 {
                0 => payload.insert(at, byte),
                1 => payload.truncate(at),
                2 if at < payload.len() => drop(payload.remove(at)),
                _ if at < payload.len() => payload[at] = byte,
                _ => payload.push(byte),
            }
        }
    }
}
