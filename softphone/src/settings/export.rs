//! An identity on its way to another machine: sealed under a passphrase, as text that can be
//! mailed.
//!
//! Between the two armour lines stand hexadecimal digits, of these bytes: `RAMALID` and the version
//! (1), what Argon2id costs (memory in KiB, passes, lanes; 4 bytes each, the most significant
//! first), its salt (16), the nonce (24), what XChaCha20-Poly1305 made of the secrets and the name,
//! with everything before as associated data, and a CRC-32 of it all (4), which tells a damaged
//! text from a wrong passphrase.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use codec::Name;
use zeroize::Zeroizing;

use super::secrets::{SECRETS_BYTES, Secrets};

/// The fewest characters of a passphrase that an identity is sealed under.
pub const PASSPHRASE_CHARS_MIN: usize = 10;

/// The longest text that is read.
pub const EXPORT_BYTES_MAX: usize = 16 * 1024;

const BEGIN: &str = "-----BEGIN RAMAL IDENTITY-----";

const END: &str = "-----END RAMAL IDENTITY-----";

const MAGIC: &[u8; 7] = b"RAMALID";

const VERSION: u8 = 1;

/// What a passphrase costs: 64 MiB, three passes, four lanes, which RFC 9106, section 4, recommends
/// where memory is no matter of course.
const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 4,
};

/// The most that a text may cost whoever reads it: it may be anybody's.
const COST_MAX: Cost = Cost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 16,
};

const SALT_BYTES: usize = 16;

const NONCE_BYTES: usize = 24;

const HEADER_BYTES: usize = MAGIC.len() + 1 + 3 * 4 + SALT_BYTES + NONCE_BYTES;

const LINE_DIGITS: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What an export is sealed under. Wiped from memory when dropped.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// As it was typed.
    #[must_use]
    pub fn new(typed: Zeroizing<String>) -> Self {
        Self(typed)
    }

    /// Whether it is long enough to seal under: at least [`PASSPHRASE_CHARS_MIN`] characters.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= PASSPHRASE_CHARS_MIN
    }
}

impl PartialEq for Passphrase {
    /// Whether the same was typed twice; not for comparing with what is kept.
    fn eq(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("passphrase")
    }
}

/// Why an identity cannot be exported, or an export cannot be read. Each text names the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The passphrase is too short to seal under.
    TooShort,
    /// The text is something else.
    NotAnExport,
    /// It was written by a newer program.
    Newer {
        /// Its version.
        version: u8,
    },
    /// It was changed or cut on its way.
    Damaged,
    /// It would cost more memory or time than any that this program writes.
    TooCostly,
    /// The passphrase is another one.
    WrongPassphrase,
    /// This machine has not the memory, or gives no randomness.
    Failed,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(
                f,
                "a passphrase has at least {PASSPHRASE_CHARS_MIN} characters; four or five words \
                 that nobody connects with each other are good"
            ),
            Self::NotAnExport => write!(
                f,
                "that is no exported identity; it begins with {BEGIN} and is made by ramal-phone \
                 identity export"
            ),
            Self::Newer { version } => write!(
                f,
                "it was exported by a newer ramal-phone (format {version}, this one reads \
                 {VERSION}); update this one"
            ),
            Self::Damaged => f.write_str(
                "the exported identity is damaged or cut; copy it again, with both lines that \
                 begin with -----",
            ),
            Self::TooCostly => f.write_str(
                "the exported identity asks for more memory or time than ramal-phone ever does; \
                 it was not made by it, so export it again",
            ),
            Self::WrongPassphrase => {
                f.write_str("the passphrase is not the one that it was exported under")
            }
            Self::Failed => {
                f.write_str("this machine has too little memory for it now, or no randomness")
            }
        }
    }
}

impl std::error::Error for ExportError {}

/// Seals an identity and its name under a passphrase.
///
/// # Errors
/// [`ExportError::TooShort`] and [`ExportError::Failed`].
pub fn seal(
    secrets: &Secrets,
    name: &Name,
    passphrase: &Passphrase,
) -> Result<String, ExportError> {
    if !passphrase.is_long_enough() {
        return Err(ExportError::TooShort);
    }
    let mut random = [0; SALT_BYTES + NONCE_BYTES];
    getrandom::fill(&mut random).map_err(|_| ExportError::Failed)?;
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    for cost in [COST.memory_kib, COST.passes, COST.lanes] {
        bytes.extend(cost.to_be_bytes());
    }
    bytes.extend(random);
    let mut plain = Zeroizing::new(Vec::with_capacity(SECRETS_BYTES + name.as_str().len()));
    plain.extend(&secrets.encode()[1..]);
    plain.extend(name.as_str().as_bytes());
    let (salt, nonce) = random.split_at(SALT_BYTES);
    let cipher = cipher(passphrase, salt, COST)?;
    let payload = Payload {
        msg: &plain,
        aad: &bytes,
    };
    let sealed = cipher
        .encrypt(&nonce_of(nonce)?, payload)
        .map_err(|_| ExportError::Failed)?;
    bytes.extend(sealed);
    bytes.extend(crc32(&bytes).to_be_bytes());
    Ok(armoured(&bytes))
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`ExportError`].
pub fn unseal(text: &str, passphrase: &Passphrase) -> Result<(Name, Secrets), ExportError> {
    let bytes = unarmoured(text)?;
    let magic = bytes.strip_prefix(MAGIC).ok_or(ExportError::Damaged)?;
    match magic.first() {
        Some(&VERSION) => {}
        Some(&version) if version > VERSION => return Err(ExportError::Newer { version }),
        _ => return Err(ExportError::Damaged),
    }
    let (bytes, crc) = bytes.split_last_chunk::<4>().ok_or(ExportError::Damaged)?;
    if crc32(bytes) != u32::from_be_bytes(*crc) {
        return Err(ExportError::Damaged);
    }
    let split = bytes.split_at_checked(HEADER_BYTES);
    let (header, sealed) = split.ok_or(ExportError::Damaged)?;
    let (costs, random) = header[MAGIC.len() + 1..].split_at(3 * 4);
    let cost = |n: usize| {
        let bytes = costs[4 * n..4 * n + 4].try_into();
        u32::from_be_bytes(bytes.expect("four bytes"))
    };
    let cost = Cost {
        memory_kib: cost(0),
        passes: cost(1),
        lanes: cost(2),
    };
    let over = cost.memory_kib > COST_MAX.memory_kib || cost.passes > COST_MAX.passes;
    if over || cost.lanes > COST_MAX.lanes {
        return Err(ExportError::TooCostly);
    }
    let (salt, nonce) = random.split_at(SALT_BYTES);
    let cipher = cipher(passphrase, salt, cost)?;
    let payload = Payload {
        msg: sealed,
        aad: header,
    };
    let plain = cipher
        .decrypt(&nonce_of(nonce)?, payload)
        .map_err(|_| ExportError::WrongPassphrase)?;
    let plain = Zeroizing::new(plain);
    let split = plain.split_at_checked(SECRETS_BYTES);
    let (secrets, name) = split.ok_or(ExportError::Damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| ExportError::Damaged)?;
    let name = name.parse().map_err(|_| ExportError::Damaged)?;
    let secrets = Secrets::decode(secrets).ok_or(ExportError::Damaged)?;
    Ok((name, secrets))
}

fn nonce_of(bytes: &[u8]) -> Result<XNonce, ExportError> {
    XNonce::try_from(bytes).map_err(|_| ExportError::Damaged)
}

fn cipher(
    passphrase: &Passphrase,
    salt: &[u8],
    cost: Cost,
) -> Result<XChaCha20Poly1305, ExportError> {
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = cost;
    let mut key = Zeroizing::new([0; 32]);
    // Costs below what the standard allows are as little this program's as those above its own.
    let params = Params::new(memory_kib, passes, lanes, Some(key.len()));
    let params = params.map_err(|_| ExportError::TooCostly)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, &mut *key)
        .map_err(|_| ExportError::Failed)?;
    XChaCha20Poly1305::new_from_slice(&*key).map_err(|_| ExportError::Failed)
}

fn armoured(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut text = format!("{BEGIN}\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(LINE_DIGITS));
        text += line;
        text.push('\n');
        rest = others;
    }
    text + END + "\n"
}

/// Reads what stands between the armour lines, wherever a mail program broke or quoted it.
fn unarmoured(text: &str) -> Result<Vec<u8>, ExportError> {
    if text.len() > EXPORT_BYTES_MAX {
        return Err(ExportError::NotAnExport);
    }
    let (_, rest) = text.split_once(BEGIN).ok_or(ExportError::NotAnExport)?;
    let (body, _) = rest.split_once(END).ok_or(ExportError::Damaged)?;
    let digits = body.chars().filter(|c| !c.is_whitespace() && *c != '>');
    let digits = digits.map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let digits: Vec<u8> = digits.collect::<Option<_>>().ok_or(ExportError::Damaged)?;
    match digits.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect()),
        _ => Err(ExportError::Damaged),
    }
}

/// The CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned()))
    }

    fn exported() -> (Secrets, String) {
        let (secrets, _) = Secrets::draw(Secrets::week(7)).unwrap();
        let name = "Zoë".parse().unwrap();
        let text = seal(&secrets, &name, &passphrase("correct horse")).unwrap();
        (secrets, text)
    }

    /// What is read with the right passphrase.
    fn read(text: &str) -> Result<Name, ExportError> {
        unseal(text, &passphrase("correct horse")).map(|(name, _)| name)
    }

    #[test]
    fn an_identity_comes_back_under_its_passphrase_and_no_other() {
        let (secrets, text) = exported();
        let (name, back) = unseal(&text, &passphrase("correct horse")).unwrap();
        assert_eq!(name.as_str(), "Zoë");
        assert_eq!(back.encode(), secrets.encode());
        let wrong = unseal(&text, &passphrase("Correct horse"));
        assert_eq!(wrong.err(), Some(ExportError::WrongPassphrase));
        // Two exports of one identity have nothing in common that says so.
        let again = seal(&secrets, &name, &passphrase("correct horse")).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let same = lines(&text).into_iter().filter(|line| again.contains(line));
        assert_eq!(same.count(), 2);
        let short = seal(&secrets, &name, &passphrase("nine char"));
        assert_eq!(short, Err(ExportError::TooShort));
    }

    #[test]
    fn a_mail_may_break_and_quote_it_and_nothing_else() {
        let (_, text) = exported();
        let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
        assert!(read(&format!("Hello\n\n{quoted}-- \nbye")).is_ok());
        let joined = text.replace('\n', "");
        assert!(read(&joined.to_uppercase().replace("\n", " ")).is_ok());
        let digit = text.find('\n').unwrap() + 30;
        let other = if text.as_bytes()[digit] == b'0' {
            "1"
        } else {
            "0"
        };
        let changed = format!("{}{other}{}", &text[..digit], &text[digit + 1..]);
        assert_eq!(read(&changed), Err(ExportError::Damaged));
        for (wrong, error) in [
            (text.replacen('\n', "\nx", 1), ExportError::Damaged),
            (text.replace(END, ""), ExportError::Damaged),
            (text[..200].to_owned() + END, ExportError::Damaged),
            (format!("{BEGIN}{END}"), ExportError::Damaged),
            (text.replace(BEGIN, ""), ExportError::NotAnExport),
            (String::new(), ExportError::NotAnExport),
            (
                " ".repeat(EXPORT_BYTES_MAX) + &text,
                ExportError::NotAnExport,
            ),
        ] {
            assert_eq!(read(&wrong), Err(error), "{wrong}");
        }
    }

    /// The export with other bytes from `at` on, and the CRC-32 that belongs to them.
    fn forged(at: usize, bytes: &[u8]) -> String {
        let mut all = unarmoured(&exported().1).unwrap();
        all[at..at + bytes.len()].copy_from_slice(bytes);
        all.truncate(all.len() - 4);
        all.extend(crc32(&all).to_be_bytes());
        armoured(&all)
    }

    #[test]
    fn a_hostile_export_takes_no_memory_and_a_newer_one_is_told() {
        for (at, cost) in [
            (8, u32::MAX),
            (8, 256 * 1024 + 1),
            (12, 17),
            (16, 17),
            (8, 1),
        ] {
            let forged = forged(at, &cost.to_be_bytes());
            assert_eq!(read(&forged), Err(ExportError::TooCostly), "{cost} at {at}");
        }
        assert_eq!(
            read(&forged(7, &[2])),
            Err(ExportError::Newer { version: 2 })
        );
        assert_eq!(read(&forged(7, &[0])), Err(ExportError::Damaged));
        // The costs are sealed as well: fewer passes are no way to guess faster.
        let cheaper = read(&forged(12, &2u32.to_be_bytes()));
        assert_eq!(cheaper, Err(ExportError::WrongPassphrase));
    }

    #[test]
    fn the_crc_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
