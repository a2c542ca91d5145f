//! Terms in calendar months (GDPR article 12(3); Regulation 1182/71 article 3(2)(c)).

use blindprint_core::UnixTime;
use time::{Date, OffsetDateTime, Time, util::days_in_month};

/// The same time of day `months` later: on the same date, or on the last day of a month that has no
/// such date.
pub(super) fn months_after(start: UnixTime, months: u8) -> UnixTime {
    let Ok(begin) = OffsetDateTime::from_unix_timestamp(start.0) else {
        return start;
    };
    let (year, month, day) = begin.to_calendar_date();
    let month = month.nth_next(months);
    let years = (u8::from(begin.month()) - 1 + months) / 12;
    let year = year + i32::from(years);
    let day = day.min(days_in_month(month, year));
    let later = Date::from_calendar_date(year, month, day).map(|date| at(date, begin.time()));
    later.unwrap_or(start)
}

fn at(date: Date, time: Time) -> UnixTime {
    UnixTime(date.with_time(time).assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use time::{format_description::well_known::Rfc3339, macros::datetime};

    use super::*;

    fn after(start: OffsetDateTime, months: u8) -> String {
        let end = months_after(UnixTime(start.unix_timestamp()), months);
        let end = OffsetDateTime::from_unix_timestamp(end.0).unwrap();
        end.format(&Rfc3339).unwrap()
    }

    #[test]
    fn a_month_ends_on_the_same_date_or_on_the_months_last_day() {
        for (start, months, end) in [
            (datetime!(2026-11-22 21:25 UTC), 1, "2026-12-22T21:25:00Z"),
            (datetime!(2026-12-15 00:00 UTC), 1, "2027-01-15T00:00:00Z"),
            (datetime!(2027-01-31 12:00 UTC), 1, "2027-02-28T12:00:00Z"),
            (datetime!(2028-01-31 12:00 UTC), 1, "2028-02-29T12:00:00Z"),
            (
                datetime!(2026-11-30 23:59:59 UTC),
                3,
                "2027-02-28T23:59:59Z",
            ),
            (datetime!(2026-10-31 00:00 UTC), 1, "2026-11-30T00:00:00Z"),
            (datetime!(2026-12-31 00:00 UTC), 3, "2027-03-31T00:00:00Z"),
        ] {
            assert_eq!(after(start, months), end);
        }
    }
}
