use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::{Digest, Entropy, Nonce, UnixTime};
use secrecy::{ExposeSecret as _, SecretBox};

/// What the short-lived values of OAuth and `OpenID4VC` are made with, so that neither what was handed
/// out nor what is offered again needs a row in the database.
pub struct ProtocolKey(SecretBox<[u8; 32]>);

/// What a timed nonce is for. One for the one use is none for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceUse {
    /// In proofs of the keys that a credential is bound to (`c_nonce`).
    KeyProof,
    /// In DPoP proofs (RFC 9449 section 8).
    Dpop,
}

/// A nonce of this service's making that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveNonce {
    /// What it is remembered by once it is spent.
    pub name: Nonce,
    /// When it ends.
    pub until: UnixTime,
}

const TIME: usize = 8;
const RANDOM: usize = 16;
const TAG: usize = 32;

impl ProtocolKey {
    /// A key that was drawn at random.
    pub const fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    /// 32 bytes that only this key gives for `message`, which has one fixed length under each label.
    pub(super) fn derive(&self, label: &str, message: &[u8]) -> Digest {
        // The key is one whole part of fixed length ahead of a message of fixed length: extension
        // finds nothing to extend.
        Digest::of_parts(label, &[self.0.expose_secret(), message])
    }

    /// A fresh nonce that says itself until when it is good: handing it out costs no memory.
    pub fn nonce(&self, purpose: NonceUse, until: UnixTime, entropy: &dyn Entropy) -> String {
        let random: [u8; RANDOM] = entropy.bytes();
        let mut bytes = [&until.0.to_be_bytes()[..], &random].concat();
        let tag = self.derive(purpose.label(), &bytes);
        bytes.extend(tag.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The nonce, if this key made it for `purpose` and `now` is before its end.
    pub fn open(&self, purpose: NonceUse, nonce: &str, now: UnixTime) -> Option<LiveNonce> {
        if nonce.len() > 2 * (TIME + RANDOM + TAG) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let (body, tag) = bytes.split_at_checked(TIME + RANDOM)?;
        let tag = Digest::from_bytes(tag.try_into().ok()?);
        if tag != self.derive(purpose.label(), body) {
            return None;
        }
        let until = UnixTime(i64::from_be_bytes(*body.first_chunk()?));
        (now < until).then(|| LiveNonce {
            name: Nonce::from_bytes(*tag.as_bytes()),
            until,
        })
    }
}

impl NonceUse {
    const fn label(self) -> &'static str {
        match self {
            Self::KeyProof => "blindprint/c-nonce/v1",
            Self::Dpop => "blindprint/dpop-nonce/v1",
        }
    }
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_nonce_is_for_one_use_of_one_service_for_a_while() {
        let key = ProtocolKey::new(SecretBox::new(Box::new([1; 32])));
        let other = ProtocolKey::new(SecretBox::new(Box::new([2; 32])));
        let end = UnixTime(1000);
        let nonce = key.nonce(NonceUse::KeyProof, end, &SystemEntropy);
        let open =
            |key: &ProtocolKey, purpose, nonce: &str, now| key.open(purpose, nonce, UnixTime(now));
        let live = open(&key, NonceUse::KeyProof, &nonce, 999).unwrap();
        assert_eq!(live.until, end);
        assert!(open(&key, NonceUse::KeyProof, &nonce, 1000).is_none());
        assert!(open(&key, NonceUse::Dpop, &nonce, 0).is_none());
        assert!(open(&other, NonceUse::KeyProof, &nonce, 0).is_none());
        let again = key.nonce(NonceUse::KeyProof, end, &SystemEntropy);
        assert_ne!(open(&key, NonceUse::KeyProof, &again, 0), Some(live));
        let mut later = URL_SAFE_NO_PAD.decode(&nonce).unwrap();
        later[7] ^= 1;
        for bad in [
            URL_SAFE_NO_PAD.encode(later),
            nonce[1..].to_owned(),
            format!("{nonce}AAAA"),
            "A".repeat(10_000),
            String::new(),
        ] {
            assert!(open(&key, NonceUse::KeyProof, &bad, 0).is_none(), "{bad}");
        }
    }
}
