//! How the protection works, for everybody.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::visitor::Reader;
use crate::http::{
    App,
    web::{Page, see_other, show},
};

#[derive(Template)]
#[template(path = "me/welcome.html")]
struct Welcome {
    page: Page,
    controller: String,
}

/// For strangers; whoever is signed in goes on to what is theirs.
pub(super) async fn page(State(app): State<Arc<App>>, reader: Reader) -> Response {
    if reader.visitor.is_some() {
        return see_other("/me/data");
    }
    show(&Welcome {
        page: reader.page("protection"),
        controller: app.service.notices().controller().name.clone(),
    })
}

#[derive(Template)]
#[template(path = "me/protection.html")]
struct Protection {
    page: Page,
}

/// The same explanation beside what is theirs.
pub(super) async fn protection(reader: Reader) -> Response {
    let page = reader.page("protection");
    show(&Protection { page })
}
