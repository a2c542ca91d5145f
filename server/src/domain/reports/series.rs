//! What happened over time, in steps of equal length without gaps, as charts need it.

use blindprint_core::UnixTime;

/// Seconds of an hour.
const HOUR: i64 = 3600;
/// Seconds of a day.
const DAY: i64 = 24 * HOUR;

super::choices! {
    /// How far back a chart looks.
    Span {
        /// The last 24 hours, by the hour.
        Day = "day",
        /// The last 7 days, by the day.
        Week = "week",
        /// The last 30 days, by the day.
        Month = "month",
    }
}

impl Span {
    /// Seconds of one step.
    pub const fn step(self) -> i64 {
        match self {
            Self::Day => HOUR,
            Self::Week | Self::Month => DAY,
        }
    }

    /// Number of steps.
    pub const fn steps(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// When its first step begins; the last one holds `now`. Steps begin at multiples of their
    /// length in UTC.
    pub const fn begin(self, now: UnixTime) -> UnixTime {
        let step = self.step();
        UnixTime(now.0.div_euclid(step) * step - (self.steps() - 1) * step)
    }
}

/// The verdicts of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictBucket {
    /// When the step begins.
    pub at: UnixTime,
    /// Verdicts that say it is the same person.
    pub matched: u64,
    /// Verdicts that say it is not.
    pub rejected: u64,
    /// Milliseconds from a probe's arrival to its verdict that half of them took at most; `None`
    /// where nothing was measured.
    pub median: Option<u32>,
    /// The same for 95 of 100.
    pub p95: Option<u32>,
}

impl VerdictBucket {
    /// A step in which nothing happened.
    pub const fn empty(at: UnixTime) -> Self {
        Self {
            at,
            matched: 0,
            rejected: 0,
            median: None,
            p95: None,
        }
    }

    /// All of them.
    pub const fn verdicts(&self) -> u64 {
        self.matched + self.rejected
    }
}

/// Verdicts over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictSeries {
    /// One a step, oldest first.
    pub buckets: Vec<VerdictBucket>,
    /// All steps as one.
    pub whole: VerdictBucket,
}

impl VerdictSeries {
    /// With an empty bucket for each step in which nothing happened.
    pub fn over(span: Span, now: UnixTime, known: &[VerdictBucket], whole: VerdictBucket) -> Self {
        let begin = span.begin(now);
        let buckets = (0..span.steps())
            .map(|step| begin.plus(step * span.step()))
            .map(|at| {
                let found = known.iter().find(|bucket| bucket.at == at);
                found.copied().unwrap_or(VerdictBucket::empty(at))
            })
            .collect();
        Self { buckets, whole }
    }

    /// The share of verdicts that match; `None` if there were none.
    pub fn acceptance(&self) -> Option<super::Share> {
        super::Share::of(self.whole.matched, self.whole.verdicts())
    }

    /// The largest number of verdicts in a step.
    pub fn most(&self) -> u64 {
        let verdicts = self.buckets.iter().map(VerdictBucket::verdicts);
        verdicts.max().unwrap_or_default()
    }
}

/// A day's number since 1970, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    /// The day that holds an instant.
    pub const fn of(at: UnixTime) -> Self {
        Self(at.0.div_euclid(DAY))
    }

    /// Its first second.
    pub const fn begin(self) -> UnixTime {
        UnixTime(self.0.saturating_mul(DAY))
    }
}

/// The enrolments of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrolmentDay {
    /// Which day.
    pub day: Day,
    /// That went live on it.
    pub enrolled: u64,
    /// That were erased on it.
    pub erased: u64,
    /// That were live at its end.
    pub live: u64,
}

/// Enrolments over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentSeries {
    /// One a day, oldest first, without gaps.
    pub days: Vec<EnrolmentDay>,
}

impl EnrolmentSeries {
    /// Of the 30 days up to `now`: those that were live before, and what changed on which day as
    /// (day, enrolled, erased).
    pub fn up_to(now: UnixTime, before: u64, changes: &[(Day, u64, u64)]) -> Self {
        let last = Day::of(now).0;
        let mut live = before;
        let days = (last - 29..=last)
            .map(Day)
            .map(|day| {
                let change = changes.iter().find(|(changed, ..)| *changed == day);
                let (enrolled, erased) = change.map_or((0, 0), |(_, more, less)| (*more, *less));
                live = (live + enrolled).saturating_sub(erased);
                EnrolmentDay {
                    day,
                    enrolled,
                    erased,
                    live,
                }
            })
            .collect();
        Self { days }
    }

    /// The first day of the series that ends at `now`.
    pub const fn first_day(now: UnixTime) -> Day {
        Day(Day::of(now).0 - 29)
    }
}
