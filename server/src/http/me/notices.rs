//! What people are told before they decide.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_consent::Notice;
use blindprint_core::{Digest, problem::ProblemCode, wire::NoticeSummary};

use super::visitor::Reader;
use crate::{
    Error,
    http::{
        App, Problem,
        parameters::Segment,
        web::{Page, markdown, show},
    },
};

#[derive(Template)]
#[template(path = "me/notices.html")]
struct Notices {
    page: Page,
    notices: Vec<NoticeSummary>,
}

/// Those in force, in the reader's language.
pub(super) async fn list(State(app): State<Arc<App>>, reader: Reader) -> Result<Response, Problem> {
    let page = reader.page("notices");
    let notices = app.service.notices_for(None).await?.into_iter();
    let language = page.t.language().code();
    let notices = notices.map(|notice| notice.summary);
    Ok(show(&Notices {
        notices: notices.filter(|it| it.language == language).collect(),
        page,
    }))
}

#[derive(Template)]
#[template(path = "me/notice.html")]
struct NoticePage {
    page: Page,
    notice: Notice,
    html: String,
}

/// One, also one that is not in force any more.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    reader: Reader,
    Segment(digest): Segment<Digest>,
) -> Result<Response, Problem> {
    let notice = app.service.notice(digest, None).await?;
    let notice = notice.ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(show(&NoticePage {
        page: reader.page("notices"),
        html: markdown(&notice.text),
        notice,
    }))
}
