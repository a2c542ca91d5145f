use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AttestationError, PCR_LEN};

/// PCR0: the SHA-384 digest of the image that runs. Text form: 96 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Measurement([u8; PCR_LEN]);

impl Measurement {
    /// What debug mode shows instead of a measurement. No verifier accepts it.
    pub const DEBUG: Self = Self([0; PCR_LEN]);

    /// A digest that was computed elsewhere.
    pub const fn from_bytes(bytes: [u8; PCR_LEN]) -> Self {
        Self(bytes)
    }

    /// The 48 bytes.
    pub const fn as_bytes(&self) -> &[u8; PCR_LEN] {
        &self.0
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Measurement({self})")
    }
}

impl FromStr for Measurement {
    type Err = AttestationError;

    fn from_str(text: &str) -> Result<Self, AttestationError> {
        let mut bytes = [0; PCR_LEN];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| AttestationError::Trust)?;
        let measurement = Self(bytes);
        // One text for one measurement: capitals are refused.
        if measurement.to_string() == text {
            Ok(measurement)
        } else {
            Err(AttestationError::Trust)
        }
    }
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
