//! Sealed files: what the host stores and cannot read, alter or exchange.
//!
//! Format: magic and version (8 bytes), what it is (1), its number (8, big endian), the identity of
//! its predecessor (32), nonce (24); then XChaCha20-Poly1305 ciphertext and tag, with everything
//! before as associated data.

use std::mem;

use blindprint_core::{Digest, Entropy};
use blindprint_protocol::policy::Mark;
use chacha20poly1305::{AeadInPlace as _, KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret as _, SecretBox};
use zeroize::Zeroizing;

const MAGIC: &[u8; 7] = b"bpseal/";
const VERSION: u8 = b'1';
const HEADER: usize = 8 + 1 + 8 + 32 + 24;
const TAG: usize = 16;

/// Predecessor of the first state.
pub(crate) fn genesis() -> Mark {
    Mark {
        count: 0,
        state: Digest::of("blindprint/sealed-state/v1", b"none yet"),
    }
}

/// What is sealed. One cannot stand in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Secret keys, written once.
    Keys = 1,
    /// The registry, written with every change.
    Registry = 2,
}

/// Why a sealed file is refused. The file is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not a sealed file, or a part of one.
    #[error("this is not a sealed file, or only a part of one")]
    Malformed,
    /// Sealed by another version of this program.
    #[error("sealed in another version of the format")]
    Version,
    /// Another sealed file stands in this one's place.
    #[error("another sealed file stands in this one's place")]
    Kind,
    /// Altered, or sealed on other hardware.
    #[error("damaged, or sealed on other hardware")]
    Damaged,
}

/// The key that only this hardware has. Wiped when dropped.
pub struct SealingKey(SecretBox<[u8; 32]>);

/// A file to store: its parts, in order, and its identity.
pub(crate) struct Sealed {
    header: [u8; HEADER],
    ciphertext: Vec<u8>,
    tag: [u8; TAG],
}

/// What was in a sealed file.
pub(crate) struct Opened {
    pub(crate) mark: Mark,
    pub(crate) predecessor: Mark,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl Sealed {
    pub(crate) fn parts(&self) -> [&[u8]; 3] {
        [&self.header, &self.ciphertext, &self.tag]
    }

    pub(crate) fn mark(&self) -> Mark {
        mark(&self.header, &self.tag)
    }
}

/// Number and identity of a sealed file. The random nonce and the tag name it: nobody without the
/// key makes another file that opens with both.
fn mark(header: &[u8; HEADER], tag: &[u8; TAG]) -> Mark {
    let mut count = [0; 8];
    count.copy_from_slice(&header[9..17]);
    let state = Digest::of_parts("blindprint/sealed-state/v1", &[header, tag]);
    Mark {
        count: u64::from_be_bytes(count),
        state,
    }
}

impl SealingKey {
    pub(crate) const fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.expose_secret().into())
    }

    /// Seals `content`, encrypting it where it lies, as the successor of `predecessor`.
    pub(crate) fn seal(
        &self,
        kind: Kind,
        predecessor: Mark,
        mut content: Zeroizing<Vec<u8>>,
        entropy: &dyn Entropy,
    ) -> Sealed {
        let nonce: [u8; 24] = entropy.bytes();
        let count = (predecessor.count + 1).to_be_bytes();
        let mut header = [0; HEADER];
        let fields: [&[u8]; 6] = [
            MAGIC,
            &[VERSION],
            &[kind as u8],
            &count,
            predecessor.state.as_bytes(),
            &nonce,
        ];
        let mut rest = header.as_mut_slice();
        for field in fields {
            let (place, tail) = rest.split_at_mut(field.len());
            place.copy_from_slice(field);
            rest = tail;
        }
        let tag = self
            .cipher()
            .encrypt_in_place_detached((&nonce).into(), &header, &mut content)
            .expect("a registry is far below the cipher's limit of 256 GiB");
        let ciphertext = mem::take(&mut *content);
        Sealed {
            header,
            ciphertext,
            tag: tag.into(),
        }
    }

    /// Opens a sealed file.
    pub(crate) fn open(&self, kind: Kind, bytes: Vec<u8>) -> Result<Opened, SealError> {
        let bytes = Zeroizing::new(bytes);
        let (header, rest) = bytes
            .split_first_chunk::<HEADER>()
            .ok_or(SealError::Malformed)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or(SealError::Malformed)?;
        let after_magic = header.strip_prefix(MAGIC).ok_or(SealError::Malformed)?;
        if after_magic[0] != VERSION {
            return Err(SealError::Version);
        }
        if after_magic[1] != kind as u8 {
            return Err(SealError::Kind);
        }
        let mark = mark(header, tag);
        let mut previous = [0; 32];
        previous.copy_from_slice(&header[17..49]);
        let count = mark.count.checked_sub(1).ok_or(SealError::Malformed)?;
        let predecessor = Mark {
            count,
            state: Digest::from_bytes(previous),
        };
        let mut content = Zeroizing::new(ciphertext.to_vec());
        self.cipher()
            .decrypt_in_place_detached(
                XNonce::from_slice(&header[49..]),
                header,
                &mut content,
                tag.into(),
            )
            .map_err(|_| SealError::Damaged)?;
        Ok(Opened {
            mark,
            predecessor,
            content,
        })
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(SecretBox::new(Box::new([byte; 32])))
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_else_does() {
        let sealed = key(1).seal(
            Kind::Registry,
            genesis(),
            Zeroizing::new(b"content".to_vec()),
            &SystemEntropy,
        );
        let bytes = sealed.parts().concat();
        let opened = key(1).open(Kind::Registry, bytes.clone()).unwrap();
        assert_eq!(opened.content.as_slice(), b"content");
        assert_eq!(
            (opened.mark, opened.predecessor),
            (sealed.mark(), genesis())
        );

        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(key(1).open(Kind::Registry, flipped).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(
                key(1)
                    .open(Kind::Registry, bytes[..length].to_vec())
                    .is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let bytes = key(1)
            .seal(
                Kind::Keys,
                genesis(),
                Zeroizing::new(vec![0; 8]),
                &SystemEntropy,
            )
            .parts()
            .concat();
        let fault = |key: SealingKey, kind, bytes: &[u8]| key.open(kind, bytes.to_vec()).err();
        assert_eq!(fault(key(1), Kind::Registry, &bytes), Some(SealError::Kind));
        assert_eq!(fault(key(2), Kind::Keys, &bytes), Some(SealError::Damaged));
        assert_eq!(
            fault(key(1), Kind::Keys, &bytes[..40]),
            Some(SealError::Malformed)
        );
        assert_eq!(fault(key(1), Kind::Keys, b""), Some(SealError::Malformed));
        let mut newer = bytes.clone();
        newer[7] = b'2';
        assert_eq!(fault(key(1), Kind::Keys, &newer), Some(SealError::Version));
    }

    #[test]
    fn equal_states_have_different_identities() {
        let seal = || {
            key(1)
                .seal(
                    Kind::Registry,
                    genesis(),
                    Zeroizing::default(),
                    &SystemEntropy,
                )
                .mark()
        };
        assert_ne!(seal(), seal());
    }
}
