//! How the service is doing.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::UnixTime;
use blindprint_protocol::policy::MOST_INCIDENTS;
use time::OffsetDateTime;

use super::lists;
use crate::{
    domain::{
        admin::Permission,
        reports::{Counts, EnrolmentSeries, Health, Span, VerdictSeries},
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        web::{
            Badge, Page, Texts, Tone,
            chart::{BarChart, Donut, Drawing, Form, LineChart, Series},
            listing::Listing,
            show,
        },
    },
};

#[derive(Template)]
#[template(path = "admin/pages/overview.html")]
struct Overview {
    page: Page,
    /// Spans to choose from: what they are called, whether it is this one, and where each leads.
    spans: Vec<(String, bool, String)>,
    tiles: Vec<Tile>,
    verdicts: BarChart,
    latency: LineChart,
    enrolments: LineChart,
    changes: BarChart,
    outcome: Donut,
    enclave: Vec<(String, Fact)>,
    enclave_state: Badge,
    matchers: Vec<(String, Badge, String)>,
    holds: Vec<(String, String)>,
}

/// A number on the page, and where it leads.
struct Tile {
    label: String,
    value: String,
    note: String,
    tone: Tone,
    href: Option<&'static str>,
}

/// What is said of the enclave.
enum Fact {
    Text(String),
    Code(String),
    Badge(Badge),
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("overview");
    let t = page.t;
    let span: Span = lists::chosen(&listing, "span").unwrap_or_default();
    let found = app.service.dashboard(span).await?;
    let spans = Span::ALL.iter().map(|it| {
        let name = it.as_str();
        let text = t.text(&format!("overview.span.{name}")).to_owned();
        (text, *it == span, listing.link(&[("span", Some(name))]))
    });
    Ok(show(&Overview {
        spans: spans.collect(),
        tiles: tiles(&page, &found.counts, &found.verdicts, span),
        verdicts: verdicts(t, &found.verdicts, span),
        latency: latency(t, &found.verdicts, span),
        enrolments: enrolments(t, &found.enrolments),
        changes: changes(t, &found.enrolments),
        outcome: outcome(t, &found.verdicts),
        enclave_state: enclave_state(t, &found.health),
        enclave: enclave(t, &found.health),
        matchers: matchers(t, &found.health),
        holds: holds(t, &found.health),
        page,
    }))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn tiles(page: &Page, counts: &Counts, verdicts: &VerdictSeries, span: Span) -> Vec<Tile> {
    let t = page.t;
    let number = |number: u64| t.number(whole(number));
    let to = |permission, path| page.may(permission).then_some(path);
    let during = t
        .text(&format!("overview.span.{}", span.as_str()))
        .to_owned();
    let rate = verdicts.acceptance();
    let rate = rate.map_or_else(
        || "–".to_owned(),
        |rate| lists::per_mille(t, rate.per_mille()),
    );
    let late = counts.overdue_requests > 0;
    let p95 = verdicts.whole.p95;
    vec![
        Tile {
            label: t.text("overview.enrolments").to_owned(),
            value: number(counts.enrolments),
            note: t.count("overview.of_subjects", whole(counts.subjects)),
            tone: Tone::Neutral,
            href: to(Permission::SeeSubjects, "/admin/subjects"),
        },
        Tile {
            label: t.text("overview.verdicts").to_owned(),
            value: number(verdicts.whole.verdicts()),
            note: during.clone(),
            tone: Tone::Neutral,
            href: to(Permission::SeeRelyingParties, "/admin/relying-parties"),
        },
        Tile {
            label: t.text("overview.acceptance").to_owned(),
            value: rate,
            note: during.clone(),
            tone: Tone::Neutral,
            href: None,
        },
        Tile {
            label: t.text("overview.p95").to_owned(),
            value: p95.map_or_else(|| "–".to_owned(), |p95| seconds(t, p95)),
            note: during,
            tone: Tone::Neutral,
            href: None,
        },
        Tile {
            label: t.text("overview.requests").to_owned(),
            value: number(counts.open_requests),
            note: if late {
                t.count("overview.overdue", whole(counts.overdue_requests))
            } else {
                t.text("overview.none_overdue").to_owned()
            },
            tone: if late { Tone::Bad } else { Tone::Neutral },
            href: to(Permission::SeeRequests, "/admin/rights-requests"),
        },
        Tile {
            label: t.text("overview.waiting").to_owned(),
            value: number(counts.unfinished + counts.undelivered),
            note: t.text("overview.waiting_note").to_owned(),
            tone: if counts.unfinished > 0 {
                Tone::Attention
            } else {
                Tone::Neutral
            },
            href: to(Permission::SeeJobs, "/admin/jobs"),
        },
    ]
}

fn seconds(t: Texts, milliseconds: u32) -> String {
    format!("{}\u{a0}s", t.decimal(f64::from(milliseconds) / 1000.0, 2))
}

/// What stands below a step: its hour, or its day.
fn label(t: Texts, at: UnixTime, span: Span) -> String {
    match span {
        Span::Day => OffsetDateTime::from_unix_timestamp(at.0)
            .map_or_else(|_| at.0.to_string(), |at| format!("{:02}:00", at.hour())),
        Span::Week | Span::Month => t.date(at),
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 of anything")]
fn values(numbers: impl Iterator<Item = u64>) -> Vec<Option<f64>> {
    numbers.map(|number| Some(number as f64)).collect()
}

fn verdicts(t: Texts, series: &VerdictSeries, span: Span) -> BarChart {
    let buckets = &series.buckets;
    BarChart::new(Drawing {
        t,
        id: "verdicts",
        title: t.text("overview.chart.verdicts").to_owned(),
        summary: t.fill2(
            "overview.chart.verdicts_summary",
            t.number(whole(series.whole.matched)),
            t.number(whole(series.whole.rejected)),
        ),
        labels: buckets
            .iter()
            .map(|bucket| label(t, bucket.at, span))
            .collect(),
        series: vec![
            Series {
                name: t.text("verdict.matched").to_owned(),
                values: values(buckets.iter().map(|bucket| bucket.matched)),
            },
            Series {
                name: t.text("verdict.rejected").to_owned(),
                values: values(buckets.iter().map(|bucket| bucket.rejected)),
            },
        ],
        form: Form::Whole,
    })
}

fn latency(t: Texts, series: &VerdictSeries, span: Span) -> LineChart {
    let seconds = |milliseconds: Option<u32>| milliseconds.map(|it| f64::from(it) / 1000.0);
    let buckets = &series.buckets;
    LineChart::new(Drawing {
        t,
        id: "latency",
        title: t.text("overview.chart.latency").to_owned(),
        summary: t.text("overview.chart.latency_summary").to_owned(),
        labels: buckets
            .iter()
            .map(|bucket| label(t, bucket.at, span))
            .collect(),
        series: vec![
            Series {
                name: t.text("overview.chart.median").to_owned(),
                values: buckets
                    .iter()
                    .map(|bucket| seconds(bucket.median))
                    .collect(),
            },
            Series {
                name: t.text("overview.chart.p95").to_owned(),
                values: buckets.iter().map(|bucket| seconds(bucket.p95)).collect(),
            },
        ],
        form: Form::Unit(2, "s"),
    })
}

fn enrolments(t: Texts, series: &EnrolmentSeries) -> LineChart {
    let last = series.days.last().map_or(0, |day| day.live);
    LineChart::new(Drawing {
        t,
        id: "enrolments",
        title: t.text("overview.chart.enrolments").to_owned(),
        summary: t.count("overview.chart.enrolments_summary", whole(last)),
        labels: series
            .days
            .iter()
            .map(|day| t.date(day.day.begin()))
            .collect(),
        series: vec![Series {
            name: t.text("overview.chart.live").to_owned(),
            values: values(series.days.iter().map(|day| day.live)),
        }],
        form: Form::Whole,
    })
}

fn changes(t: Texts, series: &EnrolmentSeries) -> BarChart {
    BarChart::new(Drawing {
        t,
        id: "changes",
        title: t.text("overview.chart.changes").to_owned(),
        summary: t.fill2(
            "overview.chart.changes_summary",
            t.number(whole(series.days.iter().map(|day| day.enrolled).sum())),
            t.number(whole(series.days.iter().map(|day| day.erased).sum())),
        ),
        labels: series
            .days
            .iter()
            .map(|day| t.date(day.day.begin()))
            .collect(),
        series: vec![
            Series {
                name: t.text("overview.chart.enrolled").to_owned(),
                values: values(series.days.iter().map(|day| day.enrolled)),
            },
            Series {
                name: t.text("overview.chart.erased").to_owned(),
                values: values(series.days.iter().map(|day| day.erased)),
            },
        ],
        form: Form::Whole,
    })
}

fn outcome(t: Texts, series: &VerdictSeries) -> Donut {
    let rate = series
        .acceptance()
        .map(|rate| lists::per_mille(t, rate.per_mille()));
    Donut::new(Drawing {
        t,
        id: "outcome",
        title: t.text("overview.chart.outcome").to_owned(),
        summary: t.fill(
            "overview.chart.outcome_summary",
            rate.as_deref().unwrap_or("–"),
        ),
        labels: vec![
            t.text("verdict.matched").to_owned(),
            t.text("verdict.rejected").to_owned(),
        ],
        series: vec![Series {
            name: t.text("overview.verdicts").to_owned(),
            values: values([series.whole.matched, series.whole.rejected].into_iter()),
        }],
        form: Form::Whole,
    })
}

fn enclave_state(t: Texts, health: &Health) -> Badge {
    match &health.enclave {
        None => Badge::new(Tone::Bad, t.text("overview.enclave.silent")),
        Some(enclave) if enclave.incidents >= MOST_INCIDENTS => {
            Badge::new(Tone::Bad, t.text("overview.enclave.closed"))
        }
        Some(_) if !health.serves() => {
            Badge::new(Tone::Attention, t.text("overview.enclave.short"))
        }
        Some(_) => Badge::new(Tone::Good, t.text("overview.enclave.serves")),
    }
}

fn enclave(t: Texts, health: &Health) -> Vec<(String, Fact)> {
    let Some(enclave) = &health.enclave else {
        return Vec::new();
    };
    let named = |key: &str, fact| (t.text(key).to_owned(), fact);
    let incidents = t.fill2("overview.enclave.of", enclave.incidents, MOST_INCIDENTS);
    let quiet = enclave.incidents == 0;
    let tone = if quiet { Tone::Good } else { Tone::Bad };
    let admitted = t.fill2(
        "overview.enclave.of",
        enclave.matchers,
        enclave.matchers_needed,
    );
    let recomputes = if enclave.recompute {
        "word.yes"
    } else {
        "word.no"
    };
    vec![
        named("overview.enclave.admitted", Fact::Text(admitted)),
        named(
            "overview.enclave.incidents",
            Fact::Badge(Badge::new(tone, incidents)),
        ),
        named(
            "overview.enclave.recomputes",
            Fact::Text(t.text(recomputes).to_owned()),
        ),
        named(
            "overview.enclave.parameters",
            Fact::Code(enclave.parameters.clone()),
        ),
        named("overview.enclave.key", Fact::Code(enclave.key.to_string())),
        named(
            "overview.enclave.verdict_key",
            Fact::Code(enclave.verdict_key.to_string()),
        ),
    ]
}

fn matchers(t: Texts, health: &Health) -> Vec<(String, Badge, String)> {
    let rows = health.matchers.iter().enumerate().map(|(index, matcher)| {
        let name = t.fill("overview.matcher.name", index + 1);
        match matcher {
            None => (
                name,
                Badge::new(Tone::Bad, t.text("overview.matcher.silent")),
                String::new(),
            ),
            Some(it) => {
                let full = it.queued >= it.capacity;
                let (tone, key) = match it.queued {
                    0 => (Tone::Good, "overview.matcher.idle"),
                    _ if full => (Tone::Bad, "overview.matcher.full"),
                    _ => (Tone::Info, "overview.matcher.busy"),
                };
                let queue = t.fill2("overview.matcher.queue", it.queued, it.capacity);
                let workers = t.count("overview.matcher.workers", i64::from(it.workers));
                (
                    name,
                    Badge::new(tone, t.text(key)),
                    format!("{queue}, {workers}"),
                )
            }
        }
    });
    rows.collect()
}

fn holds(t: Texts, health: &Health) -> Vec<(String, String)> {
    [
        ("overview.hold.throttled", health.holds.throttled),
        ("overview.hold.locked", health.holds.locked),
    ]
    .into_iter()
    .map(|(key, number)| (t.text(key).to_owned(), t.number(i64::from(number))))
    .collect()
}
