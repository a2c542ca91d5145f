use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use blindprint_did::{KeyType, SigningKey};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

/// 32 secret bytes at rest. No `Debug`, no `Clone`, overwritten on drop; serialized only into the
/// key file.
pub(crate) struct Secret(SecretBox<[u8; 32]>);

impl Secret {
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self(SecretBox::init_with_mut(|bytes: &mut [u8; 32]| {
            entropy.fill(bytes)
        }))
    }

    pub(crate) fn copy_from(source: &[u8; 32]) -> Self {
        Self(SecretBox::init_with_mut(|bytes: &mut [u8; 32]| {
            bytes.copy_from_slice(source)
        }))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// The Ed25519 key with this seed.
    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_secret(KeyType::Ed25519, &self.0)
            .expect("any 32 bytes are an Ed25519 seed")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new([0; 43]);
        URL_SAFE_NO_PAD
            .encode_slice(self.expose(), text.as_mut_slice())
            .expect("32 bytes are 43 characters");
        serializer.serialize_str(std::str::from_utf8(text.as_slice()).expect("base64 is ASCII"))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Borrowed: no copy of the text is left behind.
        let text = <&str>::deserialize(deserializer)?;
        // The decoder wants room for its estimate, which is a byte more than 43 characters give.
        let mut bytes = [0_u8; 33];
        let decoded = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes);
        let secret = Self::copy_from(bytes[..32].try_into().expect("32 of 33 bytes"));
        bytes.zeroize();
        match decoded {
            Ok(32) => Ok(secret),
            _ => Err(serde::de::Error::custom(
                "a secret of the wrong length or form",
            )),
        }
    }
}
