//! What happened, newest first or oldest first as it is given.

use askama::Template;
use blindprint_core::UnixTime;

use super::{Texts, Tone};

/// One thing that happened.
#[derive(Debug, Clone)]
pub(in crate::http) struct Event {
    /// When.
    pub at: UnixTime,
    /// Its colour.
    pub tone: Tone,
    /// What, in a few words.
    pub what: String,
    /// More words; may be empty.
    pub detail: String,
    /// A page of this origin about it.
    pub href: Option<String>,
}

/// Events one below another. `{{ timeline }}` in a template draws it.
#[derive(Template)]
#[template(path = "components/timeline.html")]
pub(in crate::http) struct Timeline {
    /// The words.
    pub t: Texts,
    /// What happened.
    pub events: Vec<Event>,
}

// Its template escapes what it is given.
impl askama::filters::HtmlSafe for Timeline {}
