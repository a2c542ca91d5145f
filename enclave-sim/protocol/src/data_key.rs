use std::fmt;

use blindprint_core::Entropy;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What one template on the host's disk is encrypted under: 256 bits, drawn and kept by the enclave
/// as long as the enrolment lives. Once it is destroyed, no backup of the template can be read.
///
/// It crosses two borders only: into the sealed registry, and to the host for the moment of a use.
/// Wiped when dropped; moving it copies no bytes.
pub struct DataKey(Box<Zeroizing<[u8; 32]>>);

impl DataKey {
    /// A fresh one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut key = Self::blank();
        entropy.fill(key.0.as_mut_slice());
        key
    }

    /// The 32 bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    fn blank() -> Self {
        Self(Box::new(Zeroizing::new([0; 32])))
    }
}

impl Clone for DataKey {
    fn clone(&self) -> Self {
        let mut key = Self::blank();
        key.0.copy_from_slice(self.expose());
        key
    }
}

impl PartialEq for DataKey {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl Eq for DataKey {}

/// Says nothing: what holds a key can be printed, and the key cannot.
impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl Serialize for DataKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.expose())
    }
}

impl<'de> Deserialize<'de> for DataKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl de::Visitor<'_> for Bytes {
            type Value = DataKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<DataKey, E> {
                if bytes.len() != 32 {
                    return Err(E::invalid_length(bytes.len(), &self));
                }
                let mut key = DataKey::blank();
                key.0.copy_from_slice(bytes);
                Ok(key)
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}
