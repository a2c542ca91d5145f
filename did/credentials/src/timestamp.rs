//! `xsd:dateTimeStamp` and `xsd:date` (VCDM 2.0 section 2.1) against [`UnixTime`].

use blindprint_core::UnixTime;
use serde::{Deserialize, Serialize};
use time::{
    OffsetDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A day in UTC, written `2026-11-22`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(String);

impl Date {
    /// The day that `at` falls on.
    ///
    /// # Panics
    /// If `at` lies outside the years 0 to 9999.
    pub fn of(at: UnixTime) -> Self {
        let day = moment(at).date();
        Self(day.format(&DAY).expect("a day has these parts"))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Date {
    type Error = crate::VerifyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match time::Date::parse(&text, &DAY) {
            Ok(_) if text.len() == 10 => Ok(Self(text)),
            _ => Err(crate::VerifyError::Malformed("a day is written YYYY-MM-DD")),
        }
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.0
    }
}

/// `at` in the form that W3C's documents write: UTC, whole seconds.
///
/// # Panics
/// If `at` lies outside the years 0 to 9999.
pub fn format(at: UnixTime) -> String {
    moment(at)
        .format(&Rfc3339)
        .expect("a moment of these years has all parts")
}

/// The instant of a timestamp with an offset. Fractions are cut off.
pub fn parse(text: &str) -> Option<UnixTime> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(UnixTime(moment.unix_timestamp()))
}

fn moment(at: UnixTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.0).expect("a moment between the years 0 and 9999")
}

/// For serde's `with`.
pub mod rfc3339 {
    use std::borrow::Cow;

    use blindprint_core::UnixTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub fn serialize<S: Serializer>(at: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        super::parse(&text).ok_or_else(|| D::Error::custom("a timestamp of RFC 3339"))
    }
}
