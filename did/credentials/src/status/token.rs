//! Token Status List (draft-ietf-oauth-status-list).

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde_json::{Map, Value, json};

use super::{MAX_ENCODED, inflate};
use crate::{VerifyError, credential::is_url};

/// What is said of one token (section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenStatus {
    /// 0.
    Valid,
    /// 1: revoked for good.
    Invalid,
    /// 2.
    Suspended,
    /// Of a meaning that the application gives.
    Other(u8),
}

impl From<u8> for TokenStatus {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }
}

impl From<TokenStatus> for u8 {
    fn from(status: TokenStatus) -> Self {
        match status {
            TokenStatus::Valid => 0,
            TokenStatus::Invalid => 1,
            TokenStatus::Suspended => 2,
            TokenStatus::Other(value) => value,
        }
    }
}

/// Where a token's status is told: `status.status_list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStatusEntry {
    /// Which entry.
    pub index: u64,
    /// Where the list is served.
    pub list: String,
}

impl TokenStatusEntry {
    /// As the claim `status`.
    pub fn to_value(&self) -> Value {
        json!({ "status_list": { "idx": self.index, "uri": self.list } })
    }

    /// Reads the claim `status`.
    pub(crate) fn parse(status: &Value) -> Result<Self, VerifyError> {
        let entry = status
            .get("status_list")
            .ok_or_else(|| VerifyError::UnknownStatus("no status_list".to_owned()))?;
        let list = entry
            .get("uri")
            .and_then(Value::as_str)
            .filter(|uri| is_url(uri))
            .ok_or(VerifyError::Malformed("status_list.uri is no URL"))?;
        let index = entry
            .get("idx")
            .and_then(Value::as_u64)
            .ok_or(VerifyError::Malformed("status_list.idx is no index"))?;
        Ok(Self {
            index,
            list: list.to_owned(),
        })
    }
}

/// A list of statuses of 1, 2, 4 or 8 bits, lowest bits first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStatusList {
    bits: u8,
    bytes: Vec<u8>,
}

impl TokenStatusList {
    /// The most entries that are made.
    pub const MAX_ENTRIES: u64 = 1 << 22;

    /// A list of this many entries of `bits` bits, rounded up to whole bytes, all valid but the
    /// given ones.
    pub fn of(
        bits: u8,
        entries: u64,
        statuses: impl IntoIterator<Item = (u64, TokenStatus)>,
    ) -> Result<Self, VerifyError> {
        check_bits(bits)?;
        if entries > Self::MAX_ENTRIES {
            return Err(VerifyError::StatusListTooLong);
        }
        let length = (entries * u64::from(bits)).div_ceil(8);
        let length = usize::try_from(length).expect("2^22 bytes have addresses");
        let mut list = Self {
            bits,
            bytes: vec![0; length],
        };
        for (index, status) in statuses {
            let value = u8::from(status);
            let (at, shift) = list.place(index)?;
            if value & !list.mask() != 0 {
                return Err(VerifyError::UnknownStatus(value.to_string()));
            }
            list.bytes[at] = list.bytes[at] & !(list.mask() << shift) | value << shift;
        }
        Ok(list)
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * 8 / u64::from(self.bits)
    }

    /// One token's status.
    pub fn status(&self, index: u64) -> Result<TokenStatus, VerifyError> {
        let (at, shift) = self.place(index)?;
        Ok((self.bytes[at] >> shift & self.mask()).into())
    }

    /// `lst`: base64url of ZLIB (section 4.1).
    ///
    /// # Panics
    /// Never: it compresses into memory.
    pub fn encode(&self) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&self.bytes)
            .expect("memory takes everything");
        URL_SAFE_NO_PAD.encode(zlib.finish().expect("memory takes everything"))
    }

    /// Reads a `lst` of entries of `bits` bits.
    pub fn decode(bits: u8, text: &str) -> Result<Self, VerifyError> {
        check_bits(bits)?;
        if text.len() > MAX_ENCODED {
            return Err(VerifyError::StatusListTooLong);
        }
        let compressed = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| VerifyError::Malformed("lst is not base64url"))?;
        let bytes = inflate(ZlibDecoder::new(compressed.as_slice()))?;
        Ok(Self { bits, bytes })
    }

    /// As the claim `status_list`.
    pub(crate) fn to_value(&self) -> Value {
        json!({ "bits": self.bits, "lst": self.encode() })
    }

    /// The list in the claims of a token that was verified already.
    pub(crate) fn of_claims(claims: &Map<String, Value>) -> Result<Self, VerifyError> {
        let list = claims.get("status_list");
        let bits = list
            .and_then(|list| list.get("bits"))
            .and_then(Value::as_u64)
            .and_then(|bits| u8::try_from(bits).ok());
        let encoded = list
            .and_then(|list| list.get("lst"))
            .and_then(Value::as_str);
        match (bits, encoded) {
            (Some(bits), Some(encoded)) => Self::decode(bits, encoded),
            _ => Err(VerifyError::Malformed("there is no status_list")),
        }
    }

    const fn mask(&self) -> u8 {
        0xff >> (8 - self.bits)
    }

    fn place(&self, index: u64) -> Result<(usize, u32), VerifyError> {
        let per_byte = u64::from(8 / self.bits);
        let at = usize::try_from(index / per_byte).map_err(|_| VerifyError::StatusIndex)?;
        if at >= self.bytes.len() {
            return Err(VerifyError::StatusIndex);
        }
        let shift = u32::try_from(index % per_byte).unwrap_or(0) * u32::from(self.bits);
        Ok((at, shift))
    }
}

fn check_bits(bits: u8) -> Result<(), VerifyError> {
    if matches!(bits, 1 | 2 | 4 | 8) {
        Ok(())
    } else {
        Err(VerifyError::Malformed("bits must be 1, 2, 4 or 8"))
    }
}
