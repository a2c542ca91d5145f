//! Consents, and taking them back.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::{ConsentId, UnixTime, consent::ConsentState, problem::ProblemCode};
use blindprint_protocol::message::EndCause;

use super::visitor::Visitor;
use crate::{
    Error,
    domain::record::ConsentRecord,
    http::{
        App, Problem,
        parameters::Segment,
        web::{Badge, Page, Tone, see_other, show},
    },
};

/// A consent as a page shows it.
struct Shown {
    record: ConsentRecord,
    reconsent_by: Option<UnixTime>,
}

#[derive(Template)]
#[template(path = "me/consents.html")]
#[expect(clippy::struct_field_names, reason = "templates read best so")]
struct Consents {
    page: Page,
    now: UnixTime,
    consents: Vec<Shown>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let now = app.service.clock().now();
    let mut consents = Vec::new();
    for record in app.service.store().consents_of(visitor.subject()).await? {
        let reconsent_by = if record.is_live(now) {
            app.service.reconsent_by(record.notice).await?
        } else {
            None
        };
        consents.push(Shown {
            record,
            reconsent_by,
        });
    }
    let page = visitor.page("consents");
    Ok(show(&Consents {
        page,
        now,
        consents,
    }))
}

impl Consents {
    fn state(&self, consent: &ConsentRecord) -> Badge {
        let state = consent.state(self.now);
        let tone = match state {
            ConsentState::Given => Tone::Good,
            ConsentState::Invalidated => Tone::Attention,
            _ => Tone::Neutral,
        };
        Badge::new(tone, self.page.named("consent.state", state.as_str()))
    }

    fn is_live(&self, consent: &ConsentRecord) -> bool {
        consent.is_live(self.now)
    }
}

#[derive(Template)]
#[template(path = "me/withdrawal.html")]
struct Withdrawal {
    page: Page,
    consent: ConsentRecord,
}

/// Asks whether it is meant, for browsers without scripts.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<ConsentId>,
) -> Result<Response, Problem> {
    let now = app.service.clock().now();
    let consent = app.service.store().consent(visitor.subject(), id).await?;
    let consent = consent
        .filter(|consent| consent.is_live(now))
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let page = visitor.page("consents");
    Ok(show(&Withdrawal { page, consent }))
}

/// Has the enclave end a consent, by whom the wallet signed in. What it signed is kept as evidence before
/// the enclave is asked.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<ConsentId>,
) -> Result<Response, Problem> {
    let rules = &app.own_page.rules;
    rules.attest_withdrawal(&visitor.browser, id).await?;
    app.service
        .end_consent(visitor.subject(), id, EndCause::WithdrawnOnBehalf)
        .await?;
    Ok(see_other("/me/consents?done=me_withdrawn"))
}
