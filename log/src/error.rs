/// Why something about the log is refused. It holds nothing of what was refused, so it is safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Not in the one form that it has; the text says what.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Longer than anything of its kind here.
    #[error("too long")]
    TooLong,
    /// There is no such entry, tile or tree size.
    #[error("outside the tree")]
    OutOfRange,
    /// The entry's kind does not go with what it holds.
    #[error("an entry of this kind does not hold that")]
    Content,
    /// It is about another log.
    #[error("the checkpoint is another log's")]
    Origin,
    /// Not signed by the key it should be signed by.
    #[error("not signed by the expected key")]
    Signature,
    /// Get the checkpoint cosigned: the witness has not signed it.
    #[error("not cosigned by the witness")]
    NotCosigned,
    /// The entry is not shown to be in the tree.
    #[error("the inclusion proof does not verify")]
    NotIncluded,
    /// The newer tree is not shown to extend the older.
    #[error("the consistency proof does not verify")]
    Inconsistent,
    /// The log shows fewer entries than it had.
    #[error("the log is shorter than it was")]
    Truncated,
    /// Keep both checkpoints: together they prove that the log's operator signed two histories.
    #[error("the log has signed two histories")]
    Forked,
    /// The entries shown are not those under the checkpoint: altered, reordered, or of another history.
    #[error("the entries are not those that the checkpoint covers")]
    Altered,
    /// Ask again when the rest has been read.
    #[error("there are entries left to read")]
    Unfinished,
}
