use async_trait::async_trait;
use blindprint_core::{Entropy, SubjectId};

use crate::{
    Result,
    domain::{
        Addition, DidName, HostedDid, NotHosted,
        issued::{Issuance, ListId, ListRecord, Standing, StatusEntry, Whose},
        ledger::Stamp,
    },
};

/// Issued credentials and their status.
#[async_trait]
pub trait CredentialStore {
    /// The service's own did:webvh, if it has had one.
    async fn identity(&self) -> Result<Option<String>>;

    /// Remembers it; one that is known stays.
    async fn record_identity(&self, did: &str) -> Result<()>;

    /// Records and logs an issuance, if what it stands on is still there, with a random free index in a
    /// status list for each of its copies. An index is never given out again. `None` if it is not
    /// there: then nothing is recorded.
    async fn record_issuance(
        &self,
        issuance: &Issuance,
        entropy: &dyn Entropy,
    ) -> Result<Option<Vec<StatusEntry>>>;

    /// Changes what the lists say of issuances, of all their copies at once, and logs it. What is revoked stays
    /// so. Returns what they say then, the worst of it; `None` if there is no such issuance.
    async fn change_standing(
        &self,
        whose: &Whose,
        to: Standing,
        stamp: Stamp<'_>,
    ) -> Result<Option<Standing>>;

    /// One status list.
    async fn status_list(&self, id: ListId) -> Result<Option<ListRecord>>;

    /// The indices of which a list says anything but valid, and the version that says so.
    async fn marked_entries(&self, id: ListId) -> Result<(u64, Vec<(u32, Standing)>)>;
}

/// did:webvh logs of subjects. Whoever appends has verified the whole log.
#[async_trait]
pub trait HostingStore {
    /// Begins a log with its first entry, unless the name is taken or its subject has `most` already.
    async fn host(
        &self,
        hosted: &HostedDid,
        entry: &str,
        most: u32,
    ) -> Result<Result<(), NotHosted>>;

    /// Appends an entry if the log has `after` of them; `false` if it has not.
    async fn append_entry(&self, name: &DidName, after: u32, entry: &Addition<'_>) -> Result<bool>;

    /// One log's head.
    async fn hosted(&self, name: &DidName) -> Result<Option<HostedDid>>;

    /// The heads of all logs of a subject, oldest first.
    async fn hosted_of(&self, subject: &SubjectId) -> Result<Vec<HostedDid>>;

    /// All entries of a log, oldest first.
    async fn log(&self, name: &DidName) -> Result<Vec<String>>;
}
