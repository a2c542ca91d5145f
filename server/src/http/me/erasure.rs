//! Having it all destroyed, or one template, and what is left to show for it.

use std::sync::Arc;

use askama::Template;
use axum::{Form, extract::State, http::HeaderMap, response::Response};
use blindprint_core::{
    EnrolmentId, Nonce, UnixTime,
    problem::ProblemCode,
    statement::{ErasureCertificate, Right, SubjectErasureReceipt},
    wire::ErasureProof,
};
use blindprint_did::verify;
use serde::Deserialize;
use serde_json::json;

use super::visitor::{self, Reader, Visitor};
use crate::{
    Error, Result,
    domain::{
        record::{EnrolmentRecord, EnrolmentState},
        rights::{CERTIFICATE_DAYS, OpenedBy, RightsState, Wanted},
    },
    http::{
        App, Problem,
        parameters::Segment,
        web::{Page, csv::download, see_other, show},
    },
};

#[derive(Template)]
#[template(path = "me/erasure.html")]
struct Ask {
    page: Page,
    /// What was typed was not the word.
    mistyped: bool,
}

impl Ask {
    /// What is wrong with what was typed, or nothing.
    fn fault(&self) -> String {
        let t = self.page.t;
        if self.mistyped {
            t.fill("me.erasure.mistyped", t.text("me.erasure.word"))
        } else {
            String::new()
        }
    }
}

pub(super) async fn ask(visitor: Visitor) -> Response {
    show(&Ask {
        page: visitor.page("rights"),
        mistyped: false,
    })
}

#[derive(Deserialize)]
pub(super) struct Typed {
    word: String,
}

#[derive(Template)]
#[template(path = "me/farewell.html")]
struct Farewell {
    page: Page,
    claim: Nonce,
    days: i64,
    /// What the certificate says, once there is one.
    word: Option<Word>,
    /// When it happens, if it waits.
    until: Option<UnixTime>,
    /// Whether a person has to approve it.
    waits: bool,
}

/// What a certificate says.
struct Word {
    enrolments: i64,
    consents: i64,
    keys: i64,
    notified: i64,
    index: u64,
    at: UnixTime,
}

/// Opens the erasure of everything. The page that says farewell has the only copy of what opens the
/// certificate.
pub(super) async fn everything(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let page = visitor.page("rights");
    let expected = page.t.text("me.erasure.word");
    if typed.word.trim().to_lowercase() != expected.to_lowercase() {
        return Ok(show(&Ask {
            page,
            mistyped: true,
        }));
    }
    let wanted = Wanted {
        right: Right::Erasure,
        enrolment: None,
        challenge: None,
        text: None,
    };
    let (case, claim) = app
        .rights
        .open(visitor.subject(), wanted, OpenedBy::Page)
        .await?;
    let claim = claim.ok_or_else(|| Problem::new(ProblemCode::Internal))?;
    let word = certified(&app, claim).await?.map(|(_, word)| word);
    let gone = case.state() == RightsState::Fulfilled;
    let mut page = page;
    if gone {
        // Nobody is signed in any more.
        page.own = None;
    }
    let farewell = show(&Farewell {
        page,
        claim,
        days: CERTIFICATE_DAYS,
        word,
        until: case.not_before().filter(|_| !gone),
        waits: case.state() == RightsState::Acknowledged,
    });
    Ok(if gone {
        visitor::drop(&app, &headers, farewell)
    } else {
        farewell
    })
}

/// The same page again, for whoever kept its address.
pub(super) async fn farewell(
    State(app): State<Arc<App>>,
    reader: Reader,
    Segment(claim): Segment<Nonce>,
) -> Result<Response, Problem> {
    let (_, word) = certified(&app, claim)
        .await?
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    Ok(show(&Farewell {
        page: reader.page(""),
        claim,
        days: CERTIFICATE_DAYS,
        word: Some(word),
        until: None,
        waits: false,
    }))
}

async fn certified(app: &App, claim: Nonce) -> Result<Option<(ErasureProof, Word)>> {
    let Some(proof) = app.rights.certificate(claim).await? else {
        return Ok(None);
    };
    let broken = |_| Error::broken("reading a certificate")("it is none of ours".into());
    let certificate = verify::<ErasureCertificate>(&proof.certificate).map_err(broken)?;
    let certificate = certificate.into_statement();
    let receipt = verify::<SubjectErasureReceipt>(&certificate.receipt).map_err(broken)?;
    let receipt = receipt.into_statement();
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let word = Word {
        enrolments: count(receipt.enrolments.len()),
        consents: count(receipt.consents.len()),
        keys: receipt.data_keys_destroyed.into(),
        notified: certificate.notified.into(),
        index: certificate.log_index,
        at: receipt.iat,
    };
    Ok(Some((proof, word)))
}

/// The certificate with the keys that it rests on, as `blindprint-wallet rights verify` reads it.
pub(super) async fn proof(
    State(app): State<Arc<App>>,
    Segment(claim): Segment<Nonce>,
) -> Result<Response, Problem> {
    let (proof, _) = certified(&app, claim)
        .await?
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let broken = |_| Error::broken("reading a certificate")("it is none of ours".into());
    let certificate = verify::<ErasureCertificate>(&proof.certificate).map_err(broken)?;
    let receipt = &certificate.statement().receipt;
    let receipt = verify::<SubjectErasureReceipt>(receipt).map_err(broken)?;
    let kept = json!({
        "proof": proof,
        "keys": {
            "service": app.service.id(),
            "subject": receipt.statement().sub,
            "enclave": receipt.key(),
            "controller": [certificate.key()],
            "log": app.ledger.verifier().to_string(),
        },
    });
    let name = "blindprint-erasure.json";
    Ok(download(name, "application/json", format!("{kept:#}\n")))
}

#[derive(Template)]
#[template(path = "me/erasure_of_one.html")]
struct AskOne {
    page: Page,
    enrolment: EnrolmentRecord,
    modality: String,
}

pub(super) async fn ask_one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<EnrolmentId>,
) -> Result<Response, Problem> {
    let enrolment = app.service.store().enrolment(id).await?;
    let enrolment = enrolment
        .filter(|it| it.subject == *visitor.subject() && it.state == EnrolmentState::Live)
        .ok_or(Error::Refused(ProblemCode::NotFound))?;
    let page = visitor.page("data");
    let modality = enrolment.profile.profile().modality.as_str();
    Ok(show(&AskOne {
        modality: page.named("me.modality", modality),
        enrolment,
        page,
    }))
}

/// Opens the erasure of one template.
pub(super) async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Segment(id): Segment<EnrolmentId>,
) -> Result<Response, Problem> {
    let wanted = Wanted {
        right: Right::Erasure,
        enrolment: Some(id),
        challenge: None,
        text: None,
    };
    app.rights
        .open(visitor.subject(), wanted, OpenedBy::Page)
        .await?;
    Ok(see_other("/me/rights?done=me_request_opened"))
}
