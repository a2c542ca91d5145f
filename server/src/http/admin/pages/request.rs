//! One request of a subject's, and what an officer decides about it.

use std::sync::Arc;

use askama::Template;
use axum::{Form, extract::State, response::Response};
use blindprint_core::{RightsRequestId, UnixTime, statement::Right};
use serde::Deserialize;
use serde_json::json;

use super::{
    lists,
    requests::{badge, left},
};
use crate::{
    domain::{
        admin::{Act, ActKind, Actor as Doer, Permission},
        rights::{Actor, Case, LONGEST_TEXT, Moment, Officer, Proof, RightsState},
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{Badge, Event, Page, Texts, Timeline, see_other, show},
    },
};

#[derive(Template)]
#[template(path = "admin/pages/request.html")]
struct Request {
    page: Page,
    case: Case,
    title: String,
    state: Badge,
    left: Option<Badge>,
    subject: Option<String>,
    opened_by: String,
    known_by: String,
    history: Timeline,
    steps: Steps,
    longest: usize,
}

/// What can be done about a request now, by whoever looks at it.
#[expect(clippy::struct_excessive_bools, reason = "each is a button of its own")]
struct Steps {
    accept: bool,
    review: bool,
    refuse: bool,
    ask: bool,
    extend: bool,
    lift: bool,
}

impl Steps {
    fn of(case: &Case, may: bool, now: UnixTime) -> Self {
        let state = case.state();
        let waits = matches!(
            state,
            RightsState::Acknowledged | RightsState::RequiresAction
        );
        let granted = matches!(
            case.right,
            Right::Access | Right::Portability | Right::Erasure
        );
        Self {
            accept: may && waits && granted,
            review: may && waits && case.right == Right::Review,
            refuse: may && waits,
            ask: may && matches!(state, RightsState::Acknowledged | RightsState::Accepted),
            extend: may && !state.is_over() && case.extension().is_none() && now <= case.due(),
            lift: may && case.restricts() && state == RightsState::Fulfilled,
        }
    }

    /// Whether anything can be done for which reasons are given.
    const fn reasoned(&self) -> bool {
        self.review || self.refuse || self.ask || self.extend || self.lift
    }

    const fn any(&self) -> bool {
        self.accept || self.reasoned()
    }
}

pub(in crate::http::admin) async fn read(
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("requests");
    let t = page.t;
    let now = app.service.clock().now();
    let case = app.rights.case(id).await?;
    let history = case.history().iter().rev().map(|moment| event(t, moment));
    Ok(show(&Request {
        title: t.text(&format!("right.{}", case.right.as_str())).to_owned(),
        state: badge(t, case.state()),
        left: (!case.state().is_over()).then(|| left(t, case.due(), now)),
        subject: case.subject.as_ref().map(lists::segment),
        opened_by: actor(t, case.opened_by()),
        known_by: proof(t, case.proof()),
        history: Timeline {
            t,
            events: history.collect(),
        },
        steps: Steps::of(&case, page.may(Permission::DecideRequests), now),
        longest: LONGEST_TEXT,
        page,
        case,
    }))
}

fn actor(t: Texts, actor: &Actor) -> String {
    match actor {
        Actor::Wallet => t.text("request.by.wallet").to_owned(),
        Actor::Page => t.text("request.by.page").to_owned(),
        Actor::Officer { name } => t.fill("request.by.officer", name),
        Actor::Service => t.text("request.by.service").to_owned(),
    }
}

fn proof(t: Texts, proof: &Proof) -> String {
    match proof {
        Proof::Subject => t.text("request.known.subject").to_owned(),
        Proof::Presentation { .. } => t.text("request.known.presentation").to_owned(),
        Proof::Verdict { challenge } => t.fill("request.known.verdict", challenge),
        Proof::OutOfBand { text } if text.is_empty() => t.text("request.known.gone").to_owned(),
        Proof::OutOfBand { text } => t.fill("request.known.out_of_band", text),
    }
}

fn event(t: Texts, moment: &Moment) -> Event {
    let badge = badge(t, moment.state);
    let by = actor(t, &moment.by);
    Event {
        at: moment.at,
        tone: badge.tone,
        what: badge.text,
        detail: match &moment.note {
            Some(note) => format!("{by} · {note}"),
            None => by,
        },
        href: None,
    }
}

/// Why an officer decides as they do. Subjects read it.
#[derive(Deserialize)]
pub(in crate::http::admin) struct Reasons {
    #[serde(default)]
    reasons: String,
}

impl Reasons {
    /// Browsers end lines with two characters.
    fn text(self) -> String {
        self.reasons.replace("\r\n", "\n").trim().to_owned()
    }
}

fn officer(seat: &Seat) -> Officer {
    Officer {
        name: seat.who.administrator.name.to_string(),
    }
}

/// Has it decided, with the act, and goes back to the request. Its reasons stand in the request itself: the
/// trail outlives it and holds nothing of its subject's.
async fn decided(
    app: &App,
    seat: &Seat,
    id: RightsRequestId,
    (kind, decision): (ActKind, &str),
    work: impl Future<Output = crate::Result<Case>>,
) -> Result<Response, Problem> {
    let act = Act::done(Doer::from(seat), kind, id).with(json!({ "decision": decision }));
    app.dashboard.rules.carry(act, work).await?;
    Ok(see_other(&format!(
        "/admin/rights-requests/{id}?done=request_{decision}"
    )))
}

const DECIDED: ActKind = ActKind::DecideRequest;

pub(in crate::http::admin) async fn accept(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = Box::pin(app.rights.accept(&officer, id));
    decided(&app, &seat, id, (DECIDED, "approved"), work).await
}

pub(in crate::http::admin) async fn reject(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app.rights.reject(&officer, id, reasons.text());
    decided(&app, &seat, id, (DECIDED, "rejected"), work).await
}

pub(in crate::http::admin) async fn require_action(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app.rights.require_action(&officer, id, reasons.text());
    decided(&app, &seat, id, (DECIDED, "asked"), work).await
}

pub(in crate::http::admin) async fn extend(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app.rights.extend(&officer, id, reasons.text());
    decided(&app, &seat, id, (ActKind::ExtendRequest, "extended"), work).await
}

pub(in crate::http::admin) async fn lift(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app.rights.lift(&officer, id, reasons.text());
    decided(&app, &seat, id, (DECIDED, "lifted"), work).await
}

pub(in crate::http::admin) async fn overturn(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app.rights.decide_review(&officer, id, true, reasons.text());
    decided(&app, &seat, id, (DECIDED, "overturned"), work).await
}

pub(in crate::http::admin) async fn uphold(
    State(app): State<Arc<App>>,
    seat: Seat,
    Segment(id): Segment<RightsRequestId>,
    Form(reasons): Form<Reasons>,
) -> Result<Response, Problem> {
    let officer = officer(&seat);
    let work = app
        .rights
        .decide_review(&officer, id, false, reasons.text());
    decided(&app, &seat, id, (DECIDED, "upheld"), work).await
}
