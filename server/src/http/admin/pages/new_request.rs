//! Opening a request on a subject's behalf, once it is known that it is they who ask: by a credential that
//! they show (OID4VP), by a verdict on them, or by something outside of this service.

use std::sync::Arc;

use askama::Template;
use axum::{Form, extract::State, response::Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use blindprint_core::{Nonce, SubjectId, problem::ProblemCode, statement::Right};
use blindprint_openid4vc::{qr, vp::ResponseMode};
use serde::Deserialize;
use serde_json::json;

use super::lists;
use crate::{
    Error,
    domain::{
        ClientId, Outcome, RequestStanding, WantedPresentation,
        admin::{Act, ActKind, Actor},
        record::EnrolmentState,
        reports::{
            Extent, PageNumber, Sorted, TimeSort, TimelineFilter, TimelineGroup, TimelineKind,
        },
        rights::{IdentityProof, LONGEST_TEXT, Officer, OpenedBy, Wanted},
    },
    http::{
        App, Problem,
        admin::seat::Seat,
        parameters::Segment,
        web::{Badge, Page, Texts, Tone, listing::Listing, see_other, show},
    },
};

/// A request to a wallet can be answered for so long, in seconds.
const ANSWER_SECONDS: u32 = 300;
/// A verdict proves who somebody is for so long, in seconds.
const VERDICT_AGE: i64 = 86_400;

#[derive(Template)]
#[template(path = "admin/pages/new_request.html")]
struct NewRequest {
    page: Page,
    subject: Option<SubjectId>,
    rights: Vec<(String, String)>,
    enrolments: Vec<(String, String)>,
    rejections: Vec<(String, String)>,
    verdicts: Vec<(String, String)>,
    presentation: Option<Presentation>,
    longest: usize,
}

/// A question to a wallet.
struct Presentation {
    id: Nonce,
    link: Option<String>,
    picture: Option<String>,
    standing: Badge,
    waits: bool,
}

pub(in crate::http::admin) async fn page(
    seat: Seat,
    listing: Listing,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("requests");
    let t = page.t;
    let subject: Option<SubjectId> = lists::chosen(&listing, "subject");
    let known = match &subject {
        Some(subject) => app.service.store().keys_of(subject).await?,
        None => None,
    };
    let subject = subject.filter(|_| known.is_some());
    let (mut enrolments, mut rejections, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(subject) = &subject {
        let live = app.service.store().enrolments_of(subject).await?;
        let live = live
            .into_iter()
            .filter(|it| it.state == EnrolmentState::Live);
        enrolments = live
            .map(|it| {
                (
                    it.id.to_string(),
                    format!("{} · {}", it.profile.as_str(), it.id),
                )
            })
            .collect();
        (rejections, verdicts) = judged(&app, t, subject).await?;
    }
    let presentation: Option<Nonce> = lists::chosen(&listing, "presentation");
    let presentation = presentation.map(|id| asked(&app, t, id)).transpose()?;
    let rights = Right::ALL.into_iter().map(Right::as_str);
    Ok(show(&NewRequest {
        rights: lists::options(t, "right", rights),
        page,
        subject,
        enrolments,
        rejections,
        verdicts,
        presentation,
        longest: LONGEST_TEXT,
    }))
}

type Choices = Vec<(String, String)>;

/// Rejections that can be reviewed, and verdicts by which somebody is known.
async fn judged(app: &App, t: Texts, subject: &SubjectId) -> Result<(Choices, Choices), Problem> {
    let now = app.service.clock().now();
    let filter = TimelineFilter {
        group: Some(TimelineGroup::Verdicts),
    };
    let extent = Extent::Page(PageNumber::FIRST, Sorted::descending(TimeSort::Time));
    let store = app.service.store();
    let found = store.timeline(subject, filter, &extent, now).await?;
    let (mut rejections, mut verdicts) = (Vec::new(), Vec::new());
    for row in found.rows {
        let about = row.about.unwrap_or_default();
        let text = format!("{} · {about}", t.date_time(row.at));
        match row.kind {
            TimelineKind::Rejected => rejections.push((row.id, text)),
            TimelineKind::Matched if row.at >= now.plus(-VERDICT_AGE) => {
                verdicts.push((row.id, text));
            }
            _ => {}
        }
    }
    Ok((rejections, verdicts))
}

/// Asks a wallet for a credential of this service's.
#[derive(Deserialize)]
pub(in crate::http::admin) struct Identify {
    subject: SubjectId,
}

pub(in crate::http::admin) async fn identify(
    State(app): State<Arc<App>>,
    Form(wanted): Form<Identify>,
) -> Result<Response, Problem> {
    let service = app.service.id();
    let kinds = ["enrolment", "authentication", "consent-receipt"];
    let types = kinds.map(|kind| format!("{service}/credentials/types/{kind}/v1"));
    let query = json!({ "credentials": [
        { "id": "credential", "format": "dc+sd-jwt", "meta": { "vct_values": types } },
    ] });
    let query = serde_json::from_value(query)
        .map_err(|error| Error::broken("asking for a credential")(error.into()))?;
    let asked = WantedPresentation {
        query,
        response_mode: ResponseMode::DirectPostJwt,
        signed: true,
        issuers: Vec::new(),
        redirect_uri: None,
        valid_for: ANSWER_SECONDS,
    };
    let made = app
        .openid
        .request_presentation(ClientId::DASHBOARD, asked, None)?;
    Ok(see_other(&format!(
        "/admin/rights-requests/new?subject={}&presentation={}",
        lists::segment(&wanted.subject),
        made.id
    )))
}

#[derive(Template)]
#[template(path = "admin/pages/identification.html")]
struct Identification {
    page: Page,
    presentation: Presentation,
}

/// Where a question to a wallet stands, as a part of the page.
pub(in crate::http::admin) async fn identification(
    seat: Seat,
    Segment(id): Segment<Nonce>,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let page = seat.page("requests");
    let presentation = asked(&app, page.t, id)?;
    Ok(show(&Identification { page, presentation }))
}

fn asked(app: &App, t: Texts, id: Nonce) -> Result<Presentation, Problem> {
    let standing = app
        .openid
        .presentation_standing(ClientId::DASHBOARD, id, None)?;
    let (tone, key) = match standing {
        RequestStanding::Waiting => (Tone::Info, "identification.waiting"),
        RequestStanding::Expired => (Tone::Neutral, "identification.expired"),
        RequestStanding::Done(Outcome::Answered(_)) => (Tone::Good, "identification.answered"),
        RequestStanding::Done(_) => (Tone::Bad, "identification.failed"),
    };
    let waits = key == "identification.waiting";
    let made = app.openid.presentation_request(ClientId::DASHBOARD, id);
    let link = made.ok().map(|made| made.uri).filter(|_| waits);
    let picture = link.as_ref().and_then(|link| qr::svg(link).ok());
    Ok(Presentation {
        id,
        link,
        picture: picture.map(|svg| STANDARD.encode(svg)),
        standing: Badge::new(tone, t.text(key)),
        waits,
    })
}

/// What the form says. Fields that do not apply are empty.
#[derive(Deserialize)]
pub(in crate::http::admin) struct Opened {
    subject: SubjectId,
    right: Right,
    #[serde(default)]
    enrolment: String,
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    text: String,
    proof: String,
    #[serde(default)]
    presentation: String,
    #[serde(default)]
    verdict: String,
    #[serde(default)]
    described: String,
}

#[derive(Template)]
#[template(path = "admin/pages/request_opened.html")]
struct RequestOpened {
    page: Page,
    href: String,
    claim: String,
}

pub(in crate::http::admin) async fn open(
    State(app): State<Arc<App>>,
    seat: Seat,
    Form(form): Form<Opened>,
) -> Result<Response, Problem> {
    let proof = proof(&form)?;
    let named = match form.right {
        Right::Rectification | Right::Erasure => optional(&form.enrolment, "enrolment")?,
        _ => None,
    };
    let wanted = Wanted {
        right: form.right,
        enrolment: named,
        challenge: match form.right {
            Right::Review => optional(&form.challenge, "challenge")?,
            _ => None,
        },
        text: Some(tidy(&form.text)).filter(|text| !text.is_empty()),
    };
    let by = OpenedBy::Officer {
        officer: Officer {
            name: seat.who.administrator.name.to_string(),
        },
        proof,
    };
    let (case, claim) = app.rights.open(&form.subject, wanted, by).await?;
    let details = json!({ "right": case.right, "known_by": form.proof });
    let act = Act::done(Actor::from(&seat), ActKind::OpenRequest, case.id).with(details);
    app.dashboard.rules.record(&act).await?;
    let href = format!("/admin/rights-requests/{}?done=request_opened", case.id);
    let Some(claim) = claim else {
        return Ok(see_other(&href));
    };
    Ok(show(&RequestOpened {
        page: seat.page("requests"),
        href,
        claim: claim.to_string(),
    }))
}

fn proof(form: &Opened) -> Result<IdentityProof, Problem> {
    match form.proof.as_str() {
        "presentation" => Ok(IdentityProof::Presentation(required(
            &form.presentation,
            "presentation",
        )?)),
        "verdict" => Ok(IdentityProof::Verdict(required(&form.verdict, "verdict")?)),
        "out_of_band" => Ok(IdentityProof::OutOfBand(tidy(&form.described))),
        _ => Err(Problem::because(ProblemCode::MalformedRequest, "proof")),
    }
}

fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

fn optional<T: std::str::FromStr>(text: &str, name: &str) -> Result<Option<T>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    required(text, name).map(Some)
}

fn required<T: std::str::FromStr>(text: &str, name: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| Problem::because(ProblemCode::MalformedRequest, name))
}
