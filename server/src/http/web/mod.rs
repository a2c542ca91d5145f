//! What pages for people are made of, whoever they are for: texts in four languages, assets under names
//! that change with their content, headers, the frame, and the parts that pages are composed of.
//!
//! `server/templates/README.md` tells how to make a page.

mod agent;
pub(super) mod assets;
pub(super) mod chart;
pub(super) mod csv;
pub(super) mod listing;
mod markdown;
mod page;
mod preferences;
mod security;
pub(super) mod table;
mod texts;
mod timeline;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

pub(super) use agent::browser_name;
pub(super) use markdown::markdown;
#[cfg(test)]
pub(super) use page::NAVIGATION;
pub(super) use page::{Page, Seated};
pub(super) use preferences::{Preferences, Theme, cookie, own_path};
pub(super) use security::secured;
pub(super) use texts::{Language, Texts};
pub(super) use timeline::{Event, Timeline};

use super::{App, Problem, envelope::StandardForm};
use crate::Error;

/// How something stands, as a colour and never as a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Neither good nor bad.
    Neutral,
    /// As it should be.
    Good,
    /// Somebody should look at it.
    Attention,
    /// Failed, or ended.
    Bad,
    /// News.
    Info,
}

impl Tone {
    /// Its class in the sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }
}

/// A state in a chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Badge {
    /// Its colour.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

impl Badge {
    /// A chip of this colour.
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// What every page may ask for, signed in or not.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/assets/{name}", get(assets::handler))
        .route("/preferences", post(preferences::handler))
}

/// A page as a response.
pub(super) fn show(page: &impl Template) -> Response {
    show_as(StatusCode::OK, page)
}

/// A page as a response of this status, with the headers that all pages have.
pub(super) fn show_as(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            let mut response = (status, [(header::CONTENT_TYPE, html)], text).into_response();
            // Errors are pages too: the envelope must not turn them into problem documents.
            response.extensions_mut().insert(StandardForm);
            secured(response)
        }
        Err(error) => {
            Problem::from(Error::broken("rendering a page")(error.into())).into_response()
        }
    }
}

/// To another page, after something was done.
pub(super) fn see_other(path: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(path) else {
        return Problem::from(Error::broken("naming the next page")(
            "it is no header value".into(),
        ))
        .into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests;
