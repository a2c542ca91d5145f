//! The rights of whoever is signed in: asking, what has become of it, taking it back.

#![expect(clippy::cmp_owned, reason = "what askama makes of a comparison")]

use std::sync::Arc;

use askama::Template;
use axum::{Form, extract::State, response::Response};
use blindprint_consent::Language;
use blindprint_core::{
    EnrolmentId, Nonce, RightsRequestId, UnixTime, problem::ProblemCode, statement::Right,
};
use serde::Deserialize;

use super::visitor::Visitor;
use crate::{
    Error,
    domain::{
        record::EnrolmentState,
        rights::{Actor, Case, LONGEST_TEXT, Moment, OpenedBy, RightsState, Wanted},
    },
    http::{
        App, Problem,
        parameters::{Parameters, Segment},
        rights_requests::export::answer,
        web::{Badge, Page, Tone, secured, see_other, show},
    },
};

/// What is asked for on a form of its own; portability is the export, and erasure has a page.
const ASKED: [Right; 5] = [
    Right::Access,
    Right::Rectification,
    Right::Restriction,
    Right::Objection,
    Right::Review,
];

#[derive(Template)]
#[template(path = "me/rights.html")]
struct RightsPage {
    page: Page,
    now: UnixTime,
    cases: Vec<Case>,
    asked: [Right; 5],
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    Ok(show(&RightsPage {
        cases: app.rights.all_of(visitor.subject()).await?,
        now: app.service.clock().now(),
        page: visitor.page("rights"),
        asked: ASKED,
    }))
}

impl RightsPage {
    fn state(&self, case: &Case) -> Badge {
        let tone = match case.state() {
            RightsState::Fulfilled => Tone::Good,
            RightsState::Rejected => Tone::Bad,
            RightsState::RequiresAction => Tone::Attention,
            RightsState::Unfulfilled => Tone::Neutral,
            RightsState::Initiated | RightsState::Acknowledged | RightsState::Accepted => {
                Tone::Info
            }
        };
        Badge::new(tone, self.state_of(&case.state()))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates lend")]
    fn state_of(&self, state: &RightsState) -> String {
        self.page.named("me.request.state_of", state.as_str())
    }

    fn by(&self, moment: &Moment) -> String {
        let key = match moment.by {
            Actor::Wallet | Actor::Page => "me.request.by_you",
            Actor::Officer { .. } => "me.request.by_officer",
            Actor::Service => "me.request.by_service",
        };
        self.page.t.text(key).to_owned()
    }

    /// Whether it can be taken back, or what it brought about lifted.
    fn can_be_cancelled(&self, case: &Case) -> bool {
        let begun = case.not_before().is_some_and(|at| at <= self.now);
        match case.state() {
            RightsState::Fulfilled => case.restricts(),
            RightsState::Accepted => !begun,
            state => !state.is_over(),
        }
    }

    #[expect(clippy::unused_self, reason = "templates call it")]
    fn lifts(&self, case: &Case) -> bool {
        case.state() == RightsState::Fulfilled
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    challenge: Option<Nonce>,
}

#[derive(Template)]
#[template(path = "me/new_request.html")]
struct NewRequest {
    page: Page,
    right: Right,
    /// The verdict to look at, if the reader comes from it.
    challenge: String,
    /// Live enrolments and what they are of, for a rectification.
    enrolments: Vec<(String, String)>,
    longest: usize,
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(right): Segment<String>,
    Parameters(about): Parameters<About>,
) -> Result<Response, Problem> {
    let right = ASKED.into_iter().find(|known| known.as_str() == right);
    let right = right.ok_or(Error::Refused(ProblemCode::NotFound))?;
    let page = visitor.page("rights");
    let enrolments = app.service.store().enrolments_of(visitor.subject()).await?;
    let live = enrolments
        .into_iter()
        .filter(|it| it.state == EnrolmentState::Live);
    let named = live.map(|it| {
        let modality = it.profile.profile().modality.as_str();
        let since = it.enrolled.map(|at| page.t.date(at)).unwrap_or_default();
        let words = page.t.fill2(
            "me.enrolment_since",
            page.named("me.modality", modality),
            since,
        );
        (it.id.to_string(), words)
    });
    Ok(show(&NewRequest {
        enrolments: named.collect(),
        challenge: about.challenge.map(|it| it.to_string()).unwrap_or_default(),
        longest: LONGEST_TEXT,
        right,
        page,
    }))
}

#[derive(Deserialize)]
pub(super) struct Asked {
    right: String,
    enrolment: Option<String>,
    challenge: Option<String>,
    text: Option<String>,
}

/// Opens a request that destroys nothing.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let malformed = |what| move |_| Problem::because(ProblemCode::MalformedRequest, what);
    let right = ASKED
        .into_iter()
        .find(|known| known.as_str() == asked.right)
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let enrolment = given(&asked.enrolment).map(|text| text.parse::<EnrolmentId>());
    let challenge = given(&asked.challenge).map(|text| text.trim().parse::<Nonce>());
    let wanted = Wanted {
        right,
        enrolment: enrolment.transpose().map_err(malformed("enrolment"))?,
        challenge: challenge.transpose().map_err(malformed("challenge"))?,
        // Forms end lines as RFC 2046 does.
        text: given(&asked.text).map(|text| text.replace("\r\n", "\n")),
    };
    app.rights
        .open(visitor.subject(), wanted, OpenedBy::Page)
        .await?;
    Ok(see_other("/me/rights?done=me_request_opened"))
}

pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<RightsRequestId>,
) -> Result<Response, Problem> {
    app.rights
        .cancel(visitor.subject(), id, Actor::Page)
        .await?;
    Ok(see_other("/me/rights?done=me_request_cancelled"))
}

/// The archive of a fulfilled request.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<RightsRequestId>,
) -> Result<Response, Problem> {
    let case = app.rights.of(visitor.subject(), id).await?;
    let language = Language::of_locale(visitor.page("").t.language().code());
    let pieces = Arc::clone(&app.rights)
        .export(&case, language.unwrap_or(Language::En))
        .await?;
    Ok(secured(answer(pieces, id)))
}

/// Everything, now: by a request that gives it already, or by a new one.
pub(super) async fn export_now(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let subject = visitor.subject();
    let cases = app.rights.all_of(subject).await?;
    let known = cases.into_iter().find(Case::is_exportable);
    let case = if let Some(case) = known {
        case
    } else {
        let wanted = Wanted {
            right: Right::Portability,
            enrolment: None,
            challenge: None,
            text: None,
        };
        app.rights.open(subject, wanted, OpenedBy::Page).await?.0
    };
    Ok(see_other(&if case.is_exportable() {
        format!("/me/rights/{}/export", case.id)
    } else {
        "/me/rights?done=me_request_opened".to_owned()
    }))
}
