//! Times as texts: RFC 3339 in UTC.

use blindprint_core::UnixTime;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// `2026-11-22T16:31:14Z`; `None` beyond the year 9999.
pub(crate) fn format(at: UnixTime) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

/// A time whose offset is that of UTC, perhaps with a fraction of a second.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    (time.offset() == UtcOffset::UTC).then_some(time)
}
