/// What the wallet is about to do or doing, for progress bars. Carries no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Asking the service to prove what it is.
    Attest,
    /// Fetching public material; happens once per key epoch.
    Download {
        /// `public-key` or `crs`.
        part: &'static str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, if the service says so.
        total: Option<u64>,
    },
    /// Turning the capture into a keyed code.
    Encode,
    /// Encrypting the code and proving that it is one. Takes seconds.
    Prove,
    /// Sending it and waiting for the answer.
    Upload,
}

/// Is told what happens. Calls come from several threads and must return at once.
pub trait Observer: Send + Sync {
    /// The next step, or news of the present one.
    fn step(&self, step: Step);
}

/// Watches nothing.
impl Observer for () {
    fn step(&self, _: Step) {}
}
