//! What is kept of whoever is signed in.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use blindprint_core::{KeyUri, SubjectId, wire::Controller};

use super::visitor::Visitor;
use crate::{
    domain::record::{EnrolmentRecord, EnrolmentState},
    http::{
        App, Problem,
        web::{Badge, Page, Tone, show},
    },
    store::IssuanceRecord,
};

#[derive(Template)]
#[template(path = "me/data.html")]
struct Data {
    page: Page,
    subject: SubjectId,
    key: Option<KeyUri>,
    restricted: bool,
    consents: i64,
    live: i64,
    verdicts: i64,
    open_requests: i64,
    enrolments: Vec<EnrolmentRecord>,
    credentials: Vec<IssuanceRecord>,
    dids: Vec<String>,
    controller: Controller,
    /// Of what, and how many days.
    retention: Vec<(String, i64)>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let store = app.service.store();
    let now = app.service.clock().now();
    let subject = visitor.subject();
    let consents = store.consents_of(subject).await?;
    let enrolments = store.enrolments_of(subject).await?;
    let is_live = |it: &&EnrolmentRecord| it.state == EnrolmentState::Live;
    let requests = app.rights.all_of(subject).await?;
    let hosted = store.hosted_of(subject).await?.into_iter();
    let retention = app.service.notices().retention().iter();
    let page = visitor.page("data");
    Ok(show(&Data {
        subject: subject.clone(),
        key: store.keys_of(subject).await?.map(|keys| keys.pinned),
        restricted: store.is_restricted(subject).await?,
        consents: count(consents.iter().filter(|it| it.is_live(now)).count()),
        live: count(enrolments.iter().filter(is_live).count()),
        verdicts: i64::try_from(store.count_verdicts(subject).await?).unwrap_or(i64::MAX),
        open_requests: count(requests.iter().filter(|it| !it.state().is_over()).count()),
        credentials: store.issuances_of(subject).await?,
        dids: hosted.map(|hosted| hosted.did.clone()).collect(),
        controller: app.service.notices().controller().clone(),
        retention: retention
            .map(|kept| {
                let key = format!("me.kept.{}", kept.of.replace(' ', "_"));
                (page.t.text(&key).to_owned(), i64::from(kept.days) * 86_400)
            })
            .collect(),
        enrolments,
        page,
    }))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Data {
    #[expect(clippy::unused_self, reason = "templates call it")]
    fn is_live(&self, enrolment: &EnrolmentRecord) -> bool {
        enrolment.state == EnrolmentState::Live
    }

    fn modality(&self, enrolment: &EnrolmentRecord) -> String {
        let modality = enrolment.profile.profile().modality;
        let key = format!("me.modality.{}", modality.as_str());
        self.page.t.text(&key).to_owned()
    }

    fn state(&self, enrolment: &EnrolmentRecord) -> Badge {
        let (tone, key) = match enrolment.state {
            EnrolmentState::Pending => (Tone::Info, "subject.enrolment.pending"),
            EnrolmentState::Live => (Tone::Good, "subject.enrolment.live"),
            EnrolmentState::Erased => (Tone::Neutral, "subject.enrolment.erased"),
        };
        Badge::new(tone, self.page.t.text(key))
    }

    fn credential_state(&self, credential: &IssuanceRecord) -> Badge {
        let tone = match credential.state.as_str() {
            "valid" => Tone::Good,
            "suspended" => Tone::Attention,
            _ => Tone::Neutral,
        };
        Badge::new(tone, self.page.named("credential.state", &credential.state))
    }
}
