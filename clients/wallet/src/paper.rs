//! The recovery key as text for paper: 14 groups of four characters of Crockford's base 32,
//! which leaves out I, L, O and U and reads them as what they look like.

use blindprint_core::{Digest, ServiceId, SubjectId};
use zeroize::Zeroizing;

use crate::{Error, Result, secret::Secret};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Version byte, 32 bytes of key, two bytes of checksum: 280 bits, 56 characters.
const LENGTH: usize = 35;
const VERSION: u8 = 1;

/// What a new device needs to take over a subject. Kept on paper, apart from the wallet.
pub struct RecoveryPaper {
    /// The service it is good for.
    pub service: ServiceId,
    /// The subject it recovers.
    pub subject: SubjectId,
    pub(crate) key: Secret,
}

impl RecoveryPaper {
    /// The page to print or write down. It is a secret.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "Blindprint recovery key. Keep it on paper, apart from your wallet.\n\
             service: {}\nsubject: {}\nkey: {}\n",
            self.service,
            self.subject,
            *encode(&self.key)
        ))
    }

    /// Reads the page again; capitals, spaces and dashes do not matter within the key.
    pub fn parse(text: &str) -> Result<Self> {
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
                .ok_or_else(|| Error::Invalid(format!("the recovery page has no line `{name}: …`")))
        };
        Ok(Self {
            service: line("service")?.parse()?,
            subject: line("subject")?.parse()?,
            key: decode(line("key")?)?,
        })
    }
}

fn checksum(body: &[u8]) -> [u8; 2] {
    let digest = Digest::of("blindprint/recovery-paper/v1", body);
    [digest.as_bytes()[0], digest.as_bytes()[1]]
}

fn encode(key: &Secret) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    bytes[0] = VERSION;
    bytes[1..33].copy_from_slice(key.expose());
    let sum = checksum(&bytes[..33]);
    bytes[33..].copy_from_slice(&sum);

    let mut text = Zeroizing::new(String::with_capacity(70));
    for (at, block) in bytes.chunks_exact(5).enumerate() {
        let word = block
            .iter()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        for digit in 0..8 {
            if (8 * at + digit) % 4 == 0 && !text.is_empty() {
                text.push('-');
            }
            let value = usize::try_from(word >> (35 - 5 * digit) & 31).expect("five bits");
            text.push(char::from(ALPHABET[value]));
        }
    }
    text
}

fn decode(text: &str) -> Result<Secret> {
    let wrong = |reason| Error::Invalid(format!("this is not a recovery key: {reason}"));
    let mut bytes = Zeroizing::new([0; LENGTH]);
    let (mut word, mut count) = (Zeroizing::new(0_u64), 0_usize);
    for character in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let upper = match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let value = ALPHABET
            .iter()
            .position(|known| char::from(*known) == upper)
            .ok_or_else(|| wrong("it has a character that is none of 0-9 A-Z without U"))?;
        if count == 8 * LENGTH / 5 {
            return Err(wrong("it is too long"));
        }
        *word = *word << 5 | value as u64;
        count += 1;
        if count % 8 == 0 {
            bytes[count / 8 * 5 - 5..count / 8 * 5].copy_from_slice(&word.to_be_bytes()[3..]);
            *word = 0;
        }
    }
    if count != 8 * LENGTH / 5 {
        return Err(wrong("it is too short"));
    }
    if bytes[33..] != checksum(&bytes[..33]) {
        return Err(wrong(
            "its checksum does not fit; look for a mistyped character",
        ));
    }
    if bytes[0] != VERSION {
        return Err(wrong("it is of another version"));
    }
    Ok(Secret::copy_from(
        bytes[1..33].try_into().expect("32 bytes"),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page(byte: u8) -> RecoveryPaper {
        RecoveryPaper {
            service: "https://localhost:8443".parse().unwrap(),
            subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
                .parse()
                .unwrap(),
            key: Secret::copy_from(&[byte; 32]),
        }
    }

    #[test]
    fn a_page_is_read_again_however_it_was_typed() {
        for byte in [0, 7, 255] {
            let text = page(byte).text();
            let again = RecoveryPaper::parse(&text).unwrap();
            assert_eq!(again.key.expose(), &[byte; 32]);
            assert_eq!(again.subject, page(byte).subject);

            let key = text.lines().last().unwrap().strip_prefix("key: ").unwrap();
            assert_eq!(key.len(), 14 * 4 + 13);
            let sloppy = key
                .to_lowercase()
                .replace('-', " ")
                .replace('0', "o")
                .replace('1', "l");
            assert_eq!(decode(&sloppy).unwrap().expose(), &[byte; 32]);
        }
    }

    #[test]
    fn every_single_typing_mistake_is_found() {
        let key = encode(&Secret::copy_from(&[0x5A; 32]));
        for at in 0..key.len() {
            let mut typed = key.as_bytes().to_vec();
            if typed[at] == b'-' {
                continue;
            }
            typed[at] = if typed[at] == b'Z' { b'Y' } else { b'Z' };
            assert!(
                decode(&String::from_utf8(typed).unwrap()).is_err(),
                "at {at}"
            );
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        let key = encode(&Secret::copy_from(&[1; 32]));
        for (text, reason) in [
            (String::new(), "too short"),
            (key[..key.len() - 1].to_owned(), "too short"),
            (format!("{}0", *key), "too long"),
            (key.replacen('-', "U", 1), "character"),
        ] {
            let message = decode(&text).err().unwrap().to_string();
            assert!(message.contains(reason), "{message}");
        }
        assert!(RecoveryPaper::parse("key: 0").is_err());
    }
}
