//! What people are told before they decide: every version in every language.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use blindprint_consent::Source;
use blindprint_core::{
    Digest, UnixTime, problem::ProblemCode, statement::Purpose, wire::Recipient,
};

use super::lists;
use crate::{
    Error,
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{
            Badge, Page, Texts, Tone,
            listing::Listing,
            markdown, secured, show,
            table::{Cell, Column, Table},
        },
    },
};

const STATES: [&str; 4] = ["in-force", "superseded", "planned", "withheld"];

#[derive(Template)]
#[template(path = "admin/pages/notices.html")]
struct Notices {
    page: Page,
    table: Table,
}

pub(in crate::http::admin) async fn list(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("notices");
    let t = page.t;
    let now = app.service.clock().now();
    let library = app.service.notices().library();
    let in_force: Vec<_> = library.in_force(now).map(Source::name).collect();
    let state = |source: &Source| state(source, &in_force, now);
    let wanted = |name: &str, value: &str| listing.value(name).is_none_or(|it| it == value);
    let rows: Vec<_> = library
        .iter()
        .filter(|source| {
            wanted("purpose", source.purpose().as_str())
                && wanted("language", source.language().tag())
                && wanted("state", state(source))
        })
        .map(|source| cells(t, source, state(source)))
        .collect();
    let columns = vec![
        Column::new(t.text("notices.name")),
        Column::new(t.text("notices.purpose")),
        Column::new(t.text("notices.language")),
        Column::new(t.text("notices.state")),
        Column::new(t.text("notices.published")),
        Column::new(t.text("notices.validity")),
        Column::new(t.text("notices.material")),
        Column::new(t.text("notices.file")),
    ];
    let purposes = Purpose::ALL.into_iter().map(Purpose::as_str);
    let languages = lists::options(t, "language", ["en", "de", "fr", "es"]);
    let table = Table::new(
        t,
        "notices",
        t.text("notices.title"),
        listing.clone(),
        columns,
    )
    .choice(
        "purpose",
        t.text("notices.purpose"),
        lists::options(t, "purpose", purposes),
    )
    .choice("language", t.text("notices.language"), languages)
    .choice(
        "state",
        t.text("notices.state"),
        lists::options(t, "notices.state_of", STATES),
    )
    .rows(rows);
    Ok(show(&Notices { page, table }))
}

fn state(source: &Source, in_force: &[String], now: UnixTime) -> &'static str {
    if source.published() > now {
        "planned"
    } else if !in_force.contains(&source.name()) {
        "superseded"
    } else if source.offered() {
        "in-force"
    } else {
        "withheld"
    }
}

fn cells(t: Texts, source: &Source, state: &str) -> Vec<Cell> {
    let tone = match state {
        "in-force" => Tone::Good,
        "planned" => Tone::Info,
        _ => Tone::Neutral,
    };
    let language = format!("language.{}", source.language().tag());
    let material = if source.material() {
        "word.yes"
    } else {
        "word.no"
    };
    vec![
        Cell::Link {
            href: format!("/admin/notices/{}", source.name()),
            text: t.fill2("notices.version", source.id(), source.version()),
            code: false,
        },
        Cell::text(t.text(&format!("purpose.{}", source.purpose().as_str()))),
        Cell::text(t.text(&language)),
        Cell::Badge(Badge::new(
            tone,
            t.text(&format!("notices.state_of.{state}")),
        )),
        Cell::text(t.date(source.published())),
        Cell::text(t.count("duration.days", i64::from(source.validity_days()))),
        Cell::text(t.text(material)),
        Cell::Code(source.digest().to_string()),
    ]
}

#[derive(Template)]
#[template(path = "admin/pages/notice.html")]
struct NoticePage {
    page: Page,
    title: String,
    language: String,
    digest: Digest,
    purpose: String,
    published: UnixTime,
    material: bool,
    html: String,
    sample: bool,
}

/// One notice: by its digest, as consents name it, or by its file's name.
pub(in crate::http::admin) async fn read(
    seat: Seat,
    Segment(name): Segment<String>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("notices");
    let t = page.t;
    let (notice, sample) = if let Ok(digest) = name.parse::<Digest>() {
        (app.service.notice(digest, None).await?, false)
    } else {
        let notices = app.service.notices();
        let source = notices
            .library()
            .iter()
            .find(|source| source.name() == name);
        let source = source.ok_or(Error::Refused(ProblemCode::NotFound))?;
        let sample = source.purpose() == Purpose::Sharing;
        let recipient = sample.then(|| recipient(t)).transpose()?;
        let notice = source
            .publish(app.service.id(), notices.controller(), recipient.as_ref())
            .map_err(|error| Error::broken("publishing a notice")(error.into()))?;
        (Some(notice), sample)
    };
    let notice = notice.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let summary = notice.summary;
    Ok(show(&NoticePage {
        title: t.fill2("notices.version", &summary.name, summary.version),
        purpose: t
            .text(&format!("purpose.{}", summary.purpose.as_str()))
            .to_owned(),
        language: summary.language,
        digest: summary.digest,
        published: summary.published,
        material: summary.material,
        html: markdown(&notice.text),
        page,
        sample,
    }))
}

/// With whom verdicts are shared in the sample of a notice about sharing.
fn recipient(t: Texts) -> Result<Recipient, Problem> {
    let audience = "https://relying-party.example"
        .parse()
        .map_err(|_| Problem::new(ProblemCode::Internal))?;
    Ok(Recipient {
        audience,
        name: t.text("notices.sample_party").to_owned(),
    })
}

/// The record of processing activities (GDPR article 30), to save.
pub(in crate::http::admin) async fn record(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    lists::exported(&app, &seat, "processing-record").await?;
    let (name, kind, text) = if listing.value("format") == Some("json") {
        let record = app.service.processing_record().await?;
        let text = serde_json::to_string_pretty(&record)
            .map_err(|error| Error::broken("writing the record of processing")(error.into()))?;
        ("processing-record.jsonld", "application/ld+json", text)
    } else {
        let text = app.service.processing_record_text().await?;
        ("processing-record.md", "text/markdown; charset=utf-8", text)
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(saved) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, saved);
    }
    Ok(secured(response))
}
