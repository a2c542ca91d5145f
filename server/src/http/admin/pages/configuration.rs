//! The configuration in force and where each value comes from. It is changed in the file, the environment
//! or on the command line, never here.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::lists;
use crate::{
    config::{Setting, SettingSource},
    http::{
        App, Problem,
        admin::seat::Seat,
        web::{
            Badge, Page, Texts, Tone,
            listing::Listing,
            show,
            table::{Cell, Column, Table},
        },
    },
};

const SOURCES: [&str; 4] = ["default", "file", "environment", "command-line"];

#[derive(Template)]
#[template(path = "admin/pages/list.html")]
struct Configuration {
    page: Page,
    title: &'static str,
    words: &'static str,
    table: Table,
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("configuration");
    let t = page.t;
    let words = listing.value("q").map(str::to_lowercase);
    let source = listing.value("source");
    let wanted = |setting: &&Setting| {
        words
            .as_ref()
            .is_none_or(|words| setting.key.contains(words.as_str()))
            && source.is_none_or(|source| source == name(&setting.source))
    };
    let rows: Vec<_> = app
        .settings
        .iter()
        .filter(wanted)
        .map(|it| cells(t, it))
        .collect();
    let columns = vec![
        Column::new(t.text("configuration.key")),
        Column::new(t.text("configuration.value")),
        Column::new(t.text("configuration.source")),
    ];
    let caption = t.text("configuration.title");
    let sources = lists::options(t, "configuration.source_of", SOURCES);
    let table = Table::new(t, "settings", caption, listing.clone(), columns)
        .search("q", t.text("configuration.search"))
        .choice("source", t.text("configuration.source"), sources)
        .rows(rows)
        .exported();
    if listing.wants_csv() {
        lists::exported(&app, &seat, "configuration").await?;
        return Ok(table.csv("configuration.csv"));
    }
    Ok(show(&Configuration {
        page,
        title: "configuration.title",
        words: "configuration.words",
        table,
    }))
}

const fn name(source: &SettingSource) -> &'static str {
    match source {
        SettingSource::Default => "default",
        SettingSource::File(_) => "file",
        SettingSource::Environment => "environment",
        SettingSource::CommandLine => "command-line",
    }
}

fn cells(t: Texts, setting: &Setting) -> Vec<Cell> {
    let key = format!("configuration.source_of.{}", name(&setting.source));
    let (tone, text) = match &setting.source {
        SettingSource::Default => (Tone::Neutral, t.text(&key).to_owned()),
        SettingSource::File(file) => (Tone::Info, format!("{}: {file}", t.text(&key))),
        _ => (Tone::Info, t.text(&key).to_owned()),
    };
    vec![
        Cell::Code(setting.key.clone()),
        match &setting.value {
            None => Cell::Badge(Badge::new(Tone::Attention, t.text("configuration.secret"))),
            Some(value) if value == "null" => Cell::Empty,
            Some(value) => Cell::Code(value.clone()),
        },
        Cell::Badge(Badge::new(tone, text)),
    ]
}
