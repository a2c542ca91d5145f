//! Templates as the database holds them: AES-256-GCM (NIST SP 800-38D) under the enrolment's data
//! key, which only the enclave keeps. Once it destroys the key, neither the database nor any backup
//! of it gives the template back.
//!
//! Format: version (1 byte), nonce (12), ciphertext, tag (16). Associated data: the enrolment's id
//! (16 bytes) and the template's digest (32). One key encrypts one template, once.

use aes_gcm::{AeadInPlace as _, Aes256Gcm, KeyInit as _, Nonce, Tag};
use blindprint_core::{Digest, EnrolmentId, Entropy};
use blindprint_protocol::DataKey;
use zeroize::Zeroizing;

use crate::{Error, Result};

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const HEADER: usize = 1 + NONCE;

/// What is stored of `template`.
pub(super) fn seal(
    key: &DataKey,
    (enrolment, digest): (EnrolmentId, Digest),
    template: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = entropy.bytes();
    let mut stored = Vec::with_capacity(HEADER + template.len() + TAG);
    stored.push(VERSION);
    stored.extend(nonce);
    stored.extend_from_slice(template);
    let tag = Aes256Gcm::new(key.expose().into())
        .encrypt_in_place_detached(
            Nonce::from_slice(&nonce),
            &associated(enrolment, digest),
            &mut stored[HEADER..],
        )
        .map_err(|_| Error::broken("encrypting a template")("it is too long".into()))?;
    stored.extend_from_slice(&tag);
    Ok(stored)
}

/// The template in `stored`.
pub(super) fn open(
    key: &DataKey,
    (enrolment, digest): (EnrolmentId, Digest),
    stored: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let damaged = || Error::broken("decrypting a template")("it is damaged, or another's".into());
    let (header, rest) = stored.split_first_chunk::<HEADER>().ok_or_else(damaged)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or_else(damaged)?;
    if header[0] != VERSION {
        return Err(damaged());
    }
    let mut template = Zeroizing::new(ciphertext.to_vec());
    Aes256Gcm::new(key.expose().into())
        .decrypt_in_place_detached(
            Nonce::from_slice(&header[1..]),
            &associated(enrolment, digest),
            &mut template,
            Tag::from_slice(tag),
        )
        .map_err(|_| damaged())?;
    Ok(template)
}

fn associated(enrolment: EnrolmentId, digest: Digest) -> [u8; 48] {
    let mut data = [0; 48];
    data[..16].copy_from_slice(enrolment.0.as_bytes());
    data[16..].copy_from_slice(digest.as_bytes());
    data
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_template_opens_under_its_own_key_and_name_and_nothing_else() {
        let key = DataKey::random(&SystemEntropy);
        let name = (
            EnrolmentId::random(&SystemEntropy),
            Digest::of("template", b""),
        );
        let template = b"a template that nobody reads".repeat(9);
        let stored = seal(&key, name, &template, &SystemEntropy).unwrap();
        assert!(!stored.windows(16).any(|window| window == &template[..16]));
        assert_eq!(*open(&key, name, &stored).unwrap(), template);

        let stranger = DataKey::random(&SystemEntropy);
        assert!(open(&stranger, name, &stored).is_err());
        let another = EnrolmentId::random(&SystemEntropy);
        assert!(open(&key, (another, name.1), &stored).is_err());
        let other = Digest::of("template", b"other");
        assert!(open(&key, (name.0, other), &stored).is_err());
        for bit in 0..stored.len() * 8 {
            let mut flipped = stored.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, name, &flipped).is_err(), "bit {bit}");
        }
        for length in 0..stored.len() {
            assert!(open(&key, name, &stored[..length]).is_err(), "{length}");
        }
    }
}
