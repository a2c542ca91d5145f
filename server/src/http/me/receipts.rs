//! What proves what happened, to save.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::{ConsentId, EnrolmentId, RightsRequestId, problem::ProblemCode};
use serde_json::json;

use super::visitor::Visitor;
use crate::{
    Error,
    domain::{
        record::{ConsentRecord, EnrolmentRecord},
        rights::Case,
    },
    http::{
        App, Problem,
        parameters::Segment,
        web::{Page, csv::download, show},
    },
};

#[derive(Template)]
#[template(path = "me/receipts.html")]
struct Receipts {
    page: Page,
    consents: Vec<ConsentRecord>,
    enrolments: Vec<EnrolmentRecord>,
    decisions: Vec<Case>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let store = app.service.store();
    let subject = visitor.subject();
    let mut enrolments = store.enrolments_of(subject).await?;
    enrolments.retain(|it| it.receipt.is_some());
    let mut decisions = app.rights.all_of(subject).await?;
    decisions.retain(|case| case.decision().is_some());
    Ok(show(&Receipts {
        consents: store.consents_of(subject).await?,
        page: visitor.page("receipts"),
        enrolments,
        decisions,
    }))
}

impl Receipts {
    fn is_empty(&self) -> bool {
        self.consents.is_empty() && self.enrolments.is_empty() && self.decisions.is_empty()
    }

    fn modality(&self, enrolment: &EnrolmentRecord) -> String {
        let modality = enrolment.profile.profile().modality.as_str();
        self.page.named("me.modality", modality)
    }
}

/// Record and receipt of a consent in JSON-LD, with everything that was signed.
pub(super) async fn consent(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<ConsentId>,
) -> Result<Response, Problem> {
    let store = app.service.store();
    let subject = visitor.subject();
    let consent = store.consent(subject, id).await?;
    let consent = consent.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let mut file = json!(app.service.recorded(&consent)?);
    file["withdrawn_by_sign_in"] = json!(store.page_withdrawal(subject, id).await?);
    let name = format!("blindprint-consent-{id}.json");
    Ok(download(&name, "application/json", format!("{file:#}\n")))
}

/// The enclave's word on a template.
pub(super) async fn enrolment(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<EnrolmentId>,
) -> Result<Response, Problem> {
    let enrolment = app.service.store().enrolment(id).await?;
    let enrolment = enrolment
        .filter(|it| it.subject == *visitor.subject() && it.receipt.is_some())
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let file = json!({
        "enrolment": enrolment.id,
        "receipt": enrolment.receipt,
        "erasure_receipt": enrolment.erasure_receipt,
    });
    let name = format!("blindprint-enrolment-{id}.json");
    Ok(download(&name, "application/json", format!("{file:#}\n")))
}

/// The service's signed decision of a request.
pub(super) async fn decision(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<RightsRequestId>,
) -> Result<Response, Problem> {
    let case = app.rights.of(visitor.subject(), id).await?;
    let decision = case
        .decision()
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let name = format!("blindprint-decision-{id}.jws");
    Ok(download(&name, "application/jose", decision.to_string()))
}
