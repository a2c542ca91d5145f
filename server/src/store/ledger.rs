use async_trait::async_trait;
use blindprint_core::{Nonce, SubjectId, UnixTime};
use blindprint_log::TreeHash;

use crate::{
    Result,
    domain::ledger::{Draft, OwnEntry, SignedHead, Stamp},
};

/// The transparency log. What other methods change is logged in their own transactions; these append
/// what nothing else records, and read.
#[async_trait]
pub trait LedgerStore {
    /// Appends entries, in this order, and returns their positions.
    async fn append_entries(&self, drafts: &[Draft], stamp: Stamp<'_>) -> Result<Vec<u64>>;

    /// Appends an entry if `value` is not what was logged of this fact last. `None` if it is.
    async fn log_fact(
        &self,
        fact: &str,
        value: &str,
        draft: &Draft,
        stamp: Stamp<'_>,
    ) -> Result<Option<u64>>;

    /// How many entries there are.
    async fn log_size(&self) -> Result<u64>;

    /// The stored hashes at these places, in this order; `None` if one is missing.
    async fn log_hashes(&self, places: &[u64]) -> Result<Option<Vec<TreeHash>>>;

    /// At most `most` entries from position `first` on.
    async fn log_entries(&self, first: u64, most: u32) -> Result<Vec<Vec<u8>>>;

    /// At most `most` entries about a subject from position `first` on, with what opens them.
    async fn own_entries(
        &self,
        subject: &SubjectId,
        first: u64,
        most: u32,
    ) -> Result<Vec<OwnEntry>>;

    /// The last entry that names this consent or enrolment of the enclave's.
    async fn entry_of_handle(&self, handle: &Nonce) -> Result<Option<u64>>;

    /// Keeps a signed head, unless there is one of its size.
    async fn record_head(&self, head: &SignedHead, now: UnixTime) -> Result<()>;

    /// Keeps a head's text with cosignatures in place of the one without.
    async fn record_cosigned(&self, head: &SignedHead) -> Result<()>;

    /// The signed head of this size.
    async fn head_of(&self, size: u64) -> Result<Option<SignedHead>>;

    /// The largest signed head: of all, or of those that are cosigned.
    async fn latest_head(&self, cosigned: bool) -> Result<Option<SignedHead>>;
}
