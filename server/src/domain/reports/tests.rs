use blindprint_core::UnixTime;

use super::*;

const NOON: UnixTime = UnixTime(1_800_014_400);

#[test]
fn a_search_finds_its_own_characters_only() {
    let search: Search = "  50%_Off\\ ".parse().unwrap();
    assert_eq!(search.as_str(), "50%_Off\\");
    assert_eq!(search.pattern(), r"%50\%\_off\\%");
    assert_eq!("   ".parse::<Search>(), Err(NothingToSearch));
    assert_eq!("x".repeat(201).parse::<Search>(), Err(NothingToSearch));
}

#[test]
fn choices_are_read_as_they_are_written() {
    for sort in SubjectSort::ALL {
        assert_eq!(sort.as_str().parse(), Ok(*sort));
    }
    assert_eq!(SubjectSort::default(), SubjectSort::Since);
    assert_eq!("Since".parse::<SubjectSort>(), Err(UnknownChoice));
}

#[test]
fn a_series_has_every_step_and_ends_with_the_present_one() {
    for span in Span::ALL {
        let begin = span.begin(NOON);
        let last = begin.plus((span.steps() - 1) * span.step());
        assert!(last <= NOON && NOON < last.plus(span.step()), "{span:?}");
        let known = VerdictBucket {
            matched: 3,
            rejected: 1,
            ..VerdictBucket::empty(last)
        };
        let series =
            VerdictSeries::over(*span, NOON, &[known], VerdictBucket { at: begin, ..known });
        assert_eq!(i64::try_from(series.buckets.len()), Ok(span.steps()));
        assert_eq!(series.buckets.last(), Some(&known));
        assert_eq!(series.most(), 4);
        assert_eq!(series.acceptance().map(Share::per_mille), Some(750));
    }
}

#[test]
fn nothing_has_no_share_and_only_everything_is_all() {
    assert_eq!(Share::of(0, 0), None);
    assert_eq!(Share::of(9999, 10_000).map(Share::per_mille), Some(999));
    assert_eq!(Share::of(7, 7).map(Share::per_mille), Some(1000));
}

#[test]
fn enrolments_that_live_are_carried_from_day_to_day() {
    let today = Day::of(NOON);
    let changes = [(Day(today.0 - 29), 4, 0), (Day(today.0 - 1), 1, 3)];
    let series = EnrolmentSeries::up_to(NOON, 10, &changes);
    assert_eq!(series.days.len(), 30);
    let live: Vec<u64> = series.days.iter().map(|day| day.live).collect();
    assert_eq!((live[0], live[27], live[28], live[29]), (14, 14, 12, 12));
    assert_eq!(EnrolmentSeries::first_day(NOON), Day(today.0 - 29));
}

#[test]
fn there_is_always_a_page() {
    assert_eq!(PageNumber::clamped(0), PageNumber::FIRST);
    assert_eq!(PageNumber::clamped(u32::MAX).number(), MOST_PAGES);
    let listed = |total| Listed::<()> {
        rows: Vec::new(),
        total,
    };
    assert_eq!(listed(0).pages(), 1);
    assert_eq!(listed(u64::from(PAGE_ROWS) + 1).pages(), 2);
    assert_eq!(listed(u64::MAX).pages(), MOST_PAGES);
}
