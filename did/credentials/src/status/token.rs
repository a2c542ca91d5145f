//! Token Status List (draft-ietf-oauth-status-list).

use crate::VerifyError;

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

/// Where a token's status is told: `status.status_list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStatusEntry {
    /// Which entry.
    pub index: u64,
    /// Where the list is served.
    pub list: String,
}

/// A list of statuses of 1, 2, 4 or 8 bits, lowest bits first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStatusList {
    bits: u8,
    bytes: Vec<u8>,
}

impl TokenStatusList {
    /// The most entries that are read.
    pub const MAX_ENTRIES: u64 = 1 << 24;

    /// A list of this many entries of `bits` bits, all valid but the given ones.
    pub fn of(
        bits: u8,
        entries: u64,
        statuses: impl IntoIterator<Item = (u64, TokenStatus)>,
    ) -> Result<Self, VerifyError> {
        let _ = (bits, entries, statuses);
        Err(VerifyError::StatusIndex)
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.bytes.len() as u64 * 8 / u64::from(self.bits)
    }

    /// One token's status.
    pub fn status(&self, index: u64) -> Result<TokenStatus, VerifyError> {
        let _ = index;
        Err(VerifyError::StatusIndex)
    }

    /// `lst`: base64url of ZLIB (section 4.1).
    pub fn encode(&self) -> String {
        String::new()
    }

    /// Reads a `lst` of entries of `bits` bits.
    pub fn decode(bits: u8, text: &str) -> Result<Self, VerifyError> {
        let _ = (bits, text);
        Err(VerifyError::StatusIndex)
    }
}
