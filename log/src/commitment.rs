use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use blindprint_core::Entropy;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::LogError;

/// What separates commitments from every other use of SHA-256, with its closing zero byte.
const LABEL: &[u8] = b"blindprint/log-commitment/v1\0";

/// What the log says of an event: `SHA-256("blindprint/log-commitment/v1" ‖ 0x00 ‖ salt ‖ event)`.
///
/// Without the salt it says nothing, not even to somebody who guesses the event; once the salt is
/// destroyed, nobody can show any more what was committed to. Text form: base64url without padding,
/// 43 characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// The commitment to `event` under `salt`.
    pub fn to(salt: &Salt, event: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        hash.update(*salt.0);
        hash.update(event);
        Self(hash.finalize().into())
    }

    /// Whether this is the commitment to `event` under `salt`. Takes the same time either way.
    pub fn opens(&self, salt: &Salt, event: &[u8]) -> bool {
        Self::to(salt, event).0.ct_eq(&self.0).into()
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({self})")
    }
}

impl FromStr for Commitment {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        bytes_32(text)
            .map(Self)
            .ok_or(LogError::Malformed("a commitment is 32 bytes in base64url"))
    }
}

/// 32 random bytes that hide an event behind its [`Commitment`]; whoever has them and guesses the
/// event can tell. Wiped when dropped; it cannot be printed or copied.
#[derive(ZeroizeOnDrop)]
pub struct Salt(Box<[u8; 32]>);

impl Salt {
    /// A fresh one. One salt hides one event: under the same salt, equal events look equal.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut salt = Box::new([0; 32]);
        entropy.fill(salt.as_mut());
        Self(salt)
    }

    /// The salt that was stored as these bytes, of which the caller wipes its copy.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The bytes, for whoever stores it, or shows it to the subject the event is about.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The text form: as a commitment's.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }
}

impl FromStr for Salt {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        bytes_32(text)
            .map(|bytes| Self(Box::new(bytes)))
            .ok_or(LogError::Malformed("a salt is 32 bytes in base64url"))
    }
}

fn bytes_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 43 {
        return None;
    }
    let mut bytes = [0; 32];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (length == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use blindprint_core::SystemEntropy;

    use super::*;

    #[test]
    fn a_commitment_is_the_hash_of_label_salt_and_event() {
        let salt = Salt::from_bytes(&[7; 32]);
        let commitment = Commitment::to(&salt, b"event");
        // printf 'blindprint/log-commitment/v1\0' | cat - <(printf '\007%.0s' {1..32}) <(printf event) | sha256sum
        assert_eq!(
            hex::encode(commitment.as_bytes()),
            "ed51a10a9c537f56f23d3807a6b95f353f78201e797cabb941f58c309b34d253"
        );
        assert!(commitment.opens(&salt, b"event"));
        assert!(!commitment.opens(&salt, b"events"));
        assert!(!commitment.opens(&Salt::random(&SystemEntropy), b"event"));
    }

    #[test]
    fn commitments_and_salts_have_one_spelling() {
        let salt = Salt::from_bytes(&[7; 32]);
        let text = salt.to_text();
        assert_eq!(text.parse::<Salt>().unwrap().expose(), salt.expose());
        let commitment = Commitment::to(&salt, b"");
        assert_eq!(commitment.to_string().parse(), Ok(commitment));
        let loose = format!("{}d", &text[..42]);
        for bad in [
            "",
            "AAAA",
            &format!("{commitment}="),
            &"/".repeat(43),
            &loose,
        ] {
            assert!(bad.parse::<Commitment>().is_err(), "{bad}");
            assert!(bad.parse::<Salt>().is_err(), "{bad}");
        }
    }
}
