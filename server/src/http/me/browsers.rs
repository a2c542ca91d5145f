//! Where one is signed in.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::visitor::Visitor;
use crate::{
    domain::sign_in::{BrowserId, BrowserRecord, IDLE_SECONDS, LONGEST_SECONDS},
    http::{
        App, Problem,
        parameters::Segment,
        web::{Page, browser_name, see_other, show},
    },
};

#[derive(Template)]
#[template(path = "me/browsers.html")]
#[expect(clippy::struct_field_names, reason = "templates read best so")]
struct Browsers {
    page: Page,
    browsers: Vec<BrowserRecord>,
    current: BrowserId,
    idle: i64,
    longest: i64,
}

impl Browsers {
    fn named(&self, browser: &BrowserRecord) -> String {
        browser_name(&browser.agent)
            .unwrap_or_else(|| self.page.t.text("account.unknown").to_owned())
    }
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    Ok(show(&Browsers {
        browsers: app.own_page.rules.browsers(&visitor.browser).await?,
        current: visitor.browser.id,
        page: visitor.page("browsers"),
        idle: IDLE_SECONDS,
        longest: LONGEST_SECONDS,
    }))
}

pub(super) async fn end(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<BrowserId>,
) -> Result<Response, Problem> {
    app.own_page.rules.end(&visitor.browser, id).await?;
    Ok(see_other("/me/browsers?done=me_browser_ended"))
}
