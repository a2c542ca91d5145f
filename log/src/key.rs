use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::{Entropy, UnixTime};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use signed_note::{Signature, VerificationError, Verifier};

use crate::{
    Checkpoint, Cosignature, LogError, SignedCheckpoint, TreeHash, checkpoint::cosigned_message,
};

/// Longest name of a log or witness, in bytes.
const MAX_NAME: usize = 255;
/// Length of an Ed25519 signature, in bytes.
const SIGNATURE_LEN: usize = 64;

/// What a key signs, by the byte that its id and text form begin with (C2SP signed-note).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Use {
    /// Ed25519 over the note.
    Note = 0x01,
    /// Ed25519 over time and note: `cosignature/v1` (C2SP tlog-cosignature).
    Cosignature = 0x04,
}

macro_rules! note_keys {
    ($use:expr, $(#[$key_doc:meta])* $key:ident, $(#[$verifier_doc:meta])* $verifier:ident) => {
        $(#[$key_doc])*
        pub struct $key(Key);

        impl $key {
            /// A fresh key of this name.
            pub fn generate(name: &str, entropy: &dyn Entropy) -> Result<Self, LogError> {
                let seed = SecretBox::init_with_mut(|bytes: &mut [u8; 32]| entropy.fill(bytes));
                Self::from_seed(name, &seed)
            }

            /// The key of this name (printable, without space and plus sign) with this RFC 8032 seed.
            pub fn from_seed(name: &str, seed: &SecretBox<[u8; 32]>) -> Result<Self, LogError> {
                let key = Box::new(SigningKey::from_bytes(seed.expose_secret()));
                let public = Public::new($use, name, key.verifying_key())?;
                Ok(Self(Key { key, public }))
            }

            /// The seed, for whoever stores the key.
            pub fn to_seed(&self) -> SecretBox<[u8; 32]> {
                SecretBox::init_with(|| self.0.key.to_bytes())
            }

            /// What it is verified with.
            pub fn verifier(&self) -> $verifier {
                $verifier(self.0.public.clone())
            }
        }

        $(#[$verifier_doc])*
        ///
        /// Text form: C2SP's "vkey", `<name>+<8 hex digits>+<base64>`.
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $verifier(Public);

        impl $verifier {
            /// Longest text form, in bytes.
            pub const MAX_LEN: usize = MAX_NAME + 1 + 8 + 1 + 44;

            /// The name that its signatures bear.
            pub fn name(&self) -> &str {
                &self.0.name
            }

            pub(crate) const fn public(&self) -> &Public {
                &self.0
            }
        }

        impl fmt::Display for $verifier {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut bytes = vec![$use as u8];
                bytes.extend(self.0.key.as_bytes());
                write!(f, "{}+{:08x}+{}", self.0.name, self.0.id, STANDARD.encode(bytes))
            }
        }

        impl fmt::Debug for $verifier {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($verifier), "({})"), self)
            }
        }

        impl FromStr for $verifier {
            type Err = LogError;

            fn from_str(text: &str) -> Result<Self, LogError> {
                if text.len() > Self::MAX_LEN {
                    return Err(LogError::TooLong);
                }
                let malformed = LogError::Malformed("not a verifier key of this use");
                let (name, rest) = text.split_once('+').ok_or(malformed)?;
                let (_, bytes) = rest.split_once('+').ok_or(malformed)?;
                let bytes = STANDARD.decode(bytes).map_err(|_| malformed)?;
                let (&first, key) = bytes.split_first().ok_or(malformed)?;
                if first != $use as u8 {
                    return Err(malformed);
                }
                let key: [u8; 32] = key.try_into().map_err(|_| malformed)?;
                let key = VerifyingKey::from_bytes(&key).map_err(|_| malformed)?;
                let verifier = Self(Public::new($use, name, key)?);
                // The id is a hash of the rest, and there is one spelling.
                if verifier.to_string() == text {
                    Ok(verifier)
                } else {
                    Err(malformed)
                }
            }
        }

        impl Serialize for $verifier {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $verifier {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

note_keys!(
    Use::Note,
    /// The key of a log, named as the log's origin. It signs checkpoints and nothing else. Wiped when
    /// dropped; it cannot be printed or copied.
    LogKey,
    /// The key that a log's checkpoints are verified with; its name is the log's origin.
    LogVerifier
);
note_keys!(
    Use::Cosignature,
    /// The key of a witness. It signs cosignatures and nothing else. Wiped when dropped; it cannot be
    /// printed or copied.
    WitnessKey,
    /// The key that a witness's cosignatures are verified with.
    WitnessVerifier
);

impl LogKey {
    /// The signed checkpoint of the tree of `size` entries with this root.
    pub fn sign(&self, size: u64, root: TreeHash) -> Result<SignedCheckpoint, LogError> {
        let checkpoint = Checkpoint::new(&self.0.public.name, size, root)?;
        let signature = self.0.signature(checkpoint.text().as_bytes(), None)?;
        Ok(SignedCheckpoint::signed(checkpoint, signature))
    }
}

impl WitnessKey {
    /// Says that this is the largest tree of its log that the witness has seen at `at`, and that it
    /// extends all the smaller ones: both are the caller's to know. [`LogError::Malformed`] if `at` is
    /// before 1970.
    pub fn cosign(
        &self,
        checkpoint: &SignedCheckpoint,
        at: UnixTime,
    ) -> Result<Cosignature, LogError> {
        let time =
            u64::try_from(at.0).map_err(|_| LogError::Malformed("the time is before 1970"))?;
        let message = cosigned_message(time, checkpoint.checkpoint());
        self.0
            .signature(&message, Some(time))
            .map(Cosignature::signed)
    }
}

struct Key {
    /// Boxed, so that moving it leaves no copies on the stack. It wipes itself.
    key: Box<SigningKey>,
    public: Public,
}

impl Key {
    fn signature(&self, message: &[u8], time: Option<u64>) -> Result<Signature, LogError> {
        let mut bytes = Vec::with_capacity(8 + SIGNATURE_LEN);
        bytes.extend(time.map(u64::to_be_bytes).into_iter().flatten());
        bytes.extend(self.key.sign(message).to_bytes());
        Signature::new(self.public.name.clone(), self.public.id, bytes)
            .map_err(|_| LogError::Malformed("a name has neither space nor plus sign"))
    }
}

/// A name, a key and what it is for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Public {
    used: Use,
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl Public {
    /// Refuses keys whose encoding is not canonical, and points of small order, under which one
    /// signature fits many messages.
    fn new(used: Use, name: &str, key: VerifyingKey) -> Result<Self, LogError> {
        if name.len() > MAX_NAME
            || !name.bytes().all(|b| b.is_ascii_graphic())
            || !signed_note::is_key_name_valid(name)
        {
            return Err(LogError::Malformed(
                "a name is printable, without space and plus sign",
            ));
        }
        if key.is_weak() || key.to_edwards().compress().as_bytes() != key.as_bytes() {
            return Err(LogError::Malformed("a weak key"));
        }
        let mut bytes = vec![used as u8];
        bytes.extend(key.as_bytes());
        Ok(Self {
            used,
            name: name.to_owned(),
            id: signed_note::key_id(name, &bytes),
            key,
        })
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature
            .try_into()
            .is_ok_and(|signature: [u8; SIGNATURE_LEN]| {
                self.key
                    .verify_strict(message, &(&signature).into())
                    .is_ok()
            })
    }
}

impl Verifier for Public {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        match self.used {
            Use::Note => self.verifies(text, signature),
            Use::Cosignature => cosigned_at(signature).is_some_and(|(time, signature)| {
                let mut message = format!("cosignature/v1\ntime {time}\n").into_bytes();
                message.extend(text);
                self.verifies(&message, signature)
            }),
        }
    }
}

/// One key is a list of verifiers of which all others are unknown.
impl signed_note::Verifiers for Public {
    fn verifier(&self, name: &str, id: u32) -> Result<&dyn Verifier, VerificationError> {
        if name == self.name && id == self.id {
            Ok(self)
        } else {
            Err(VerificationError::UnknownKey {
                name: name.to_owned(),
                id,
            })
        }
    }
}

/// The time and the signature proper of a cosignature's bytes.
pub fn cosigned_at(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    (i64::try_from(time).is_ok() && signature.len() == SIGNATURE_LEN).then_some((time, signature))
}
