//! A value as it lies in the file: a version, a checksum, and what postcard makes of it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use codec::UnixMillis;

/// The version of every record that is written.
const VERSION: u8 = 1;

/// Bytes of a record before its content.
const HEAD: usize = 9;

/// What is kept of a ban.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BanRecord {
    pub(super) since: UnixMillis,
}

/// A record that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The record of `value` under `key`.
pub(super) fn encode<T: Serialize>(key: &[u8], value: &T) -> Result<Vec<u8>, Unreadable> {
    let content = postcard::to_allocvec(value).map_err(|_| Unreadable)?;
    let mut record = Vec::with_capacity(HEAD + content.len());
    record.push(VERSION);
    record.extend(checksum(key, &content).to_le_bytes());
    record.extend(content);
    Ok(record)
}

/// What [`encode`] was given, if nothing has changed on the disk since.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], record: &[u8]) -> Result<T, Unreadable> {
    let (head, content) = record.split_at_checked(HEAD).ok_or(Unreadable)?;
    let (version, sum) = head.split_first().ok_or(Unreadable)?;
    if *version != VERSION || sum != checksum(key, content).to_le_bytes() {
        return Err(Unreadable);
    }
    read(content)
}

/// A content without its head, to its last byte.
pub(super) fn read<T: DeserializeOwned>(content: &[u8]) -> Result<T, Unreadable> {
    match postcard::take_from_bytes(content) {
        Ok((value, [])) => Ok(value),
        _ => Err(Unreadable),
    }
}

/// FNV-1a of 64 bits. It finds a disk that has changed something, not somebody who wants to: who
/// can write the file can write all of it.
fn checksum(key: &[u8], content: &[u8]) -> u64 {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes();
    let bytes = length.iter().chain(key).chain(content);
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_no_changed_byte_is_missed() {
        let value = (7_u64, "bob".to_owned());
        let record = encode(b"key", &value).unwrap();
        assert_eq!(decode(b"key", &record), Ok(value));
        assert_eq!(decode::<(u64, String)>(b"kez", &record), Err(Unreadable));
        for place in 0..record.len() {
            let mut changed = record.clone();
            changed[place] ^= 1;
            assert_eq!(decode::<(u64, String)>(b"key", &changed), Err(Unreadable));
        }
        for end in 0..record.len() {
            let cut = &record[..end];
            assert_eq!(decode::<(u64, String)>(b"key", cut), Err(Unreadable));
        }
    }
}
