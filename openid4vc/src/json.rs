//! JSON from outside: bounded, one object, no array taken for a struct.

use serde::de::DeserializeOwned;

/// Why it is no object of that type; the caller says it in the words of its endpoint.
#[derive(Debug)]
pub(crate) enum NotThis {
    TooLong,
    Malformed,
}

/// One JSON object of at most `max` bytes. serde refuses members that come twice, and would take
/// an array for a struct were it not for the brace.
pub(crate) fn object<T: DeserializeOwned>(json: &[u8], max: usize) -> Result<T, NotThis> {
    if json.len() > max {
        return Err(NotThis::TooLong);
    }
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(NotThis::Malformed);
    }
    serde_json::from_slice(json).map_err(|_| NotThis::Malformed)
}
