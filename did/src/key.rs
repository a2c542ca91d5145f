use std::fmt;

use blindprint_core::{Entropy, KeyUri, SubjectId};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};

use crate::DidError;

/// Length of both kinds of signature, in bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// Multicodec `ed25519-pub` (0xed) as an unsigned varint.
const ED25519_CODEC: [u8; 2] = [0xed, 0x01];
/// Multicodec `p256-pub` (0x1200) as an unsigned varint.
const P256_CODEC: [u8; 2] = [0x80, 0x24];

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// Ed25519 (RFC 8032), `EdDSA` in JOSE (RFC 8037).
    Ed25519,
    /// ECDSA on NIST P-256 with SHA-256, `ES256` in JOSE (RFC 7518), for keys held in hardware.
    P256,
}

impl KeyType {
    /// The JOSE algorithm.
    pub(crate) const fn alg(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
        }
    }

    /// Whether `alg` means this; RFC 9864 has `Ed25519` for what RFC 8037 calls `EdDSA`.
    pub(crate) fn answers_to(self, alg: &str) -> bool {
        alg == self.alg() || (self == Self::Ed25519 && alg == "Ed25519")
    }
}

/// A key that signs statements. Wiped when dropped; it cannot be printed, copied or compared.
pub struct SigningKey(Secret);

// Boxed, so that moving a key leaves no copies of it on the stack.
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    P256(Box<p256::ecdsa::SigningKey>),
}

impl SigningKey {
    /// A fresh key.
    pub fn generate(key_type: KeyType, entropy: &dyn Entropy) -> Self {
        loop {
            let secret = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| entropy.fill(bytes));
            // Fails with probability 2^-32, for a P-256 scalar beyond the group's order.
            if let Ok(key) = Self::from_secret(key_type, &secret) {
                return key;
            }
        }
    }

    /// The key with these secret bytes: an RFC 8032 seed or a big-endian P-256 scalar.
    pub fn from_secret(key_type: KeyType, secret: &SecretBox<[u8; 32]>) -> Result<Self, DidError> {
        let bytes = secret.expose_secret();
        Ok(Self(match key_type {
            KeyType::Ed25519 => Secret::Ed25519(Box::new(bytes.into())),
            KeyType::P256 => Secret::P256(Box::new(
                p256::ecdsa::SigningKey::from_slice(bytes).map_err(|_| DidError::Key)?,
            )),
        }))
    }

    /// The secret bytes, for whoever stores the key.
    pub fn to_secret(&self) -> SecretBox<[u8; 32]> {
        SecretBox::init_with(|| match &self.0 {
            Secret::Ed25519(key) => key.to_bytes(),
            Secret::P256(key) => key.to_bytes().into(),
        })
    }

    /// What it signs with.
    pub const fn key_type(&self) -> KeyType {
        match self.0 {
            Secret::Ed25519(_) => KeyType::Ed25519,
            Secret::P256(_) => KeyType::P256,
        }
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Secret::Ed25519(key) => PublicKey(Point::Ed25519(key.verifying_key())),
            Secret::P256(key) => PublicKey(Point::P256(*key.verifying_key())),
        }
    }

    /// Signs the 64 bytes that Data Integrity signs (`eddsa-jcs-2022`, `eddsa-rdfc-2022`: SHA-256 of
    /// the proof's configuration, then of the document). No JWS is as short as that, so none can
    /// be had this way. [`DidError::Key`] unless the key is an Ed25519 key.
    pub fn sign_hashes(&self, hashes: &[u8; 64]) -> Result<[u8; SIGNATURE_LEN], DidError> {
        match self.key_type() {
            KeyType::Ed25519 => Ok(self.signature(hashes)),
            KeyType::P256 => Err(DidError::Key),
        }
    }

    /// Signs raw bytes. Only this crate's own forms may call it.
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        match &self.0 {
            Secret::Ed25519(key) => key.sign(message).to_bytes(),
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
        }
    }
}

/// A key that statements are verified with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(Point);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes. Refuses encodings that are not canonical and points of
    /// small order, under which one signature fits many messages.
    pub(crate) fn ed25519(bytes: &[u8; 32]) -> Result<Self, DidError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| DidError::Key)?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(DidError::Key);
        }
        Ok(Self(Point::Ed25519(key)))
    }

    /// A P-256 key from a SEC1 point (section 2.3.4), compressed or not.
    pub(crate) fn p256(sec1: &[u8]) -> Result<Self, DidError> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(sec1)
            .map(|key| Self(Point::P256(key)))
            .map_err(|_| DidError::Key)
    }

    /// What it verifies.
    pub const fn key_type(&self) -> KeyType {
        match self.0 {
            Point::Ed25519(_) => KeyType::Ed25519,
            Point::P256(_) => KeyType::P256,
        }
    }

    /// Its Multikey form (W3C Controlled Identifiers 1.0, section 2.2.2): multicodec, in base58btc.
    pub fn multikey(&self) -> String {
        self.uri().as_str()["did:key:".len()..].to_owned()
    }

    /// The key in this Multikey form.
    pub fn from_multikey(text: &str) -> Result<Self, DidError> {
        let uri: KeyUri = format!("did:key:{text}")
            .parse()
            .map_err(|_| DidError::Key)?;
        Self::try_from(&uri)
    }

    /// Whether this key signed these 64 bytes of Data Integrity ([`SigningKey::sign_hashes`]).
    pub fn verifies_hashes(&self, hashes: &[u8; 64], signature: &[u8; SIGNATURE_LEN]) -> bool {
        self.key_type() == KeyType::Ed25519 && self.verifies(hashes, signature)
    }

    /// Its name: a did:key with the multicodec form in base58btc.
    ///
    /// # Panics
    /// Never: the text is at most 64 bytes of base58.
    pub fn uri(&self) -> KeyUri {
        let mut bytes = Vec::with_capacity(35);
        match &self.0 {
            Point::Ed25519(key) => {
                bytes.extend(ED25519_CODEC);
                bytes.extend(key.as_bytes());
            }
            Point::P256(key) => {
                bytes.extend(P256_CODEC);
                bytes.extend(key.to_sec1_point(true).as_bytes());
            }
        }
        format!("did:key:z{}", bs58::encode(bytes).into_string())
            .parse()
            .expect("base58 of 34 or 35 bytes is a short did:key")
    }

    /// The did:key subject that this key controls.
    ///
    /// # Panics
    /// Never: every key's name is a DID.
    pub fn subject(&self) -> SubjectId {
        self.uri().as_str().parse().expect("a did:key is a DID")
    }

    /// Coordinates for a JWK: x alone for Ed25519, x and y for P-256.
    pub(crate) fn coordinates(&self) -> ([u8; 32], Option<[u8; 32]>) {
        match &self.0 {
            Point::Ed25519(key) => (key.to_bytes(), None),
            Point::P256(key) => {
                let point = key.to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                let coordinate =
                    |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("a P-256 coordinate");
                (coordinate(x), Some(coordinate(y)))
            }
        }
    }

    /// Whether `signature` is this key's over `message`: RFC 8032 strictly (no point of small
    /// order, s below the group's order), or ECDSA with s in the lower half, so that nobody but
    /// the signer can make a second signature of the same statement.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        match &self.0 {
            Point::Ed25519(key) => key.verify_strict(message, &signature.into()).is_ok(),
            Point::P256(key) => {
                p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                    signature == signature.normalize_s() && key.verify(message, &signature).is_ok()
                })
            }
        }
    }
}

impl PublicKey {
    /// As [`Self::verifies`], but with s in either half: what others sign with ECDSA has both.
    pub(crate) fn verifies_either(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        match &self.0 {
            Point::Ed25519(_) => self.verifies(message, signature),
            Point::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl TryFrom<&KeyUri> for PublicKey {
    type Error = DidError;

    fn try_from(uri: &KeyUri) -> Result<Self, DidError> {
        let encoded = uri
            .as_str()
            .strip_prefix("did:key:z")
            .ok_or(DidError::Key)?;
        // One byte more than the longest key, so that a longer one is seen as such.
        let mut bytes = [0; 36];
        let length = bs58::decode(encoded)
            .onto(&mut bytes)
            .map_err(|_| DidError::Key)?;
        let (codec, point) = bytes[..length].split_first_chunk().ok_or(DidError::Key)?;
        let key = match (*codec, point.len()) {
            (ED25519_CODEC, _) => Self::ed25519(point.try_into().map_err(|_| DidError::Key)?)?,
            // Compressed points only: 33 bytes.
            (P256_CODEC, 33) => Self::p256(point)?,
            _ => return Err(DidError::Key),
        };
        if key.uri() == *uri {
            Ok(key)
        } else {
            Err(DidError::Key)
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.uri())
    }
}

#[cfg(test)]
mod tests;
