use blindprint_core::UnixTime;

/// Why a log or a new entry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Not a log, or an entry, of did:webvh 1.0.
    #[error("not a did:webvh log: {0}")]
    Form(&'static str),
    /// It follows another version of the specification.
    #[error("the log is not of did:webvh 1.0")]
    Version,
    /// Longer than the limits.
    #[error("the log is too long")]
    TooLong,
    /// An entry is not the one that its hash, and so all later ones, stand for.
    #[error("an entry's hash is wrong")]
    Hash,
    /// The first entry is not the one that the identifier stands for.
    #[error("the SCID is not of the first entry")]
    Scid,
    /// An entry is missing, repeated or out of order.
    #[error("the entries do not follow each other")]
    Order,
    /// An entry is not signed with a key that may update.
    #[error("no valid signature of an authorised key")]
    Unauthorised,
    /// An update key was not committed to by the entry before.
    #[error("an update key was not committed to")]
    Commitment,
    /// An entry is not later than the one before.
    #[error("the entries' times do not increase")]
    Time,
    /// An entry's time has not come yet.
    #[error("an entry is of the future")]
    Future,
    /// Wait: two entries cannot have the same second. The next one may be made at this time.
    #[error("wait until {} before the next update", .0.0)]
    Wait(UnixTime),
    /// The change is not one that the parameters permit.
    #[error("the change is not permitted: {0}")]
    Change(&'static str),
    /// The DID was given up; nothing follows.
    #[error("the DID is deactivated")]
    Deactivated,
    /// Enough witnesses have not approved the log.
    #[error("not approved by enough witnesses")]
    Witness,
}
