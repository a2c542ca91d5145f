use async_trait::async_trait;
use url::Url;

/// Files of our own host, so that its DIDs resolve without a call to ourselves.
#[async_trait]
pub trait Local: Send + Sync {
    /// What a GET of `url` (a `did.json`, `did.jsonl` or `did-witness.json`, always https) would
    /// bring. Answers are not cached: an update shows at once.
    async fn file(&self, url: &Url) -> LocalFile;
}

/// Whether a file is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalFile {
    /// Another host's: fetch it.
    Elsewhere,
    /// Ours, but there is none.
    Absent,
    /// Its content.
    Present(Vec<u8>),
}
