use crate::{Document, ResolutionError, webvh::Log};

/// The parallel did:web document of a log's present version (did:webvh 1.0 section 3.7.10), for
/// `did.json` beside `did.jsonl`: the same with the did:web DID in place of the did:webvh one, each
/// naming the other in `alsoKnownAs`.
pub fn did_web(log: &Log) -> Result<Document, ResolutionError> {
    let _ = log;
    Err(ResolutionError::FeatureNotSupported("not yet"))
}
