//! What stands behind a basis, and what a credential says of it.

use blindprint_core::{
    EnrolmentId, ProfileId, SubjectId, UnixTime,
    problem::ProblemCode,
    statement::{Consent, ConsentState, Verdict},
};
use blindprint_credentials::{
    AuthenticationClaims, Claims, ConsentReceiptClaims, Date, EnrolmentClaims, ErrorRates,
};
use blindprint_did::jws_digest;
use serde_json::Value;

use super::{Basis, Credentials};
use crate::{
    Error, Result,
    domain::{
        issued::{Ground, Reference},
        record::{ConsentRecord, EnrolmentRecord, EnrolmentState, VerdictRecord},
    },
};

/// How long somebody is said to be enrolled: a year, then ask again. Its end says no more than its
/// beginning.
const ENROLMENT_SECONDS: i64 = 365 * 86_400;
/// How long somebody is said to have been recognised just now.
const AUTHENTICATION_SECONDS: i64 = 600;

/// What stands behind a basis now.
pub(super) enum Facts {
    Enrolment(EnrolmentRecord),
    Verdict(VerdictRecord),
    Consent(ConsentRecord),
}

/// When a credential holds. Rounded, where the exact time would link its copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: UnixTime,
    pub(super) until: UnixTime,
}

impl Facts {
    pub(super) fn ground(&self) -> Ground {
        match self {
            Self::Enrolment(enrolment) => {
                Ground::Enrolment(enrolment.subject.clone(), enrolment.id)
            }
            Self::Verdict(verdict) => Ground::Verdict(verdict.subject.clone(), verdict.enrolment),
            Self::Consent(consent) => Ground::Consent(consent.subject.clone(), consent.id),
        }
    }

    pub(super) const fn validity(&self, now: UnixTime) -> Validity {
        let hour = UnixTime(now.0 - now.0.rem_euclid(3600));
        match self {
            Self::Enrolment(_) => Validity {
                from: hour,
                until: hour.plus(ENROLMENT_SECONDS),
            },
            // It tells the moment anyway.
            Self::Verdict(verdict) => Validity {
                from: verdict.given,
                until: verdict.given.plus(AUTHENTICATION_SECONDS),
            },
            Self::Consent(consent) => Validity {
                from: hour,
                until: consent.expires(),
            },
        }
    }
}

impl Credentials {
    /// What is behind a basis at this moment.
    pub(super) async fn facts(&self, basis: &Basis) -> Result<Facts> {
        let now = self.parts.clock.now();
        let store = &self.parts.store;
        let facts = match basis.reference {
            Reference::Enrolment(id) => self.live(&basis.subject, id).await?.map(Facts::Enrolment),
            Reference::Authentication(challenge) => {
                let verdict = store.verdict(challenge).await?.filter(|verdict| {
                    verdict.subject == basis.subject
                        && verdict.matched
                        && now.since(verdict.given) <= i64::from(self.terms.verdict_seconds)
                });
                match verdict {
                    Some(verdict) => self
                        .live(&basis.subject, verdict.enrolment)
                        .await?
                        .map(|_| Facts::Verdict(verdict)),
                    None => None,
                }
            }
            Reference::ConsentReceipt(id) => store
                .consent(&basis.subject, id)
                .await?
                .filter(|consent| consent.is_live(now))
                .map(Facts::Consent),
        };
        facts.ok_or(Error::Refused(ProblemCode::NoBasis))
    }

    async fn live(&self, subject: &SubjectId, id: EnrolmentId) -> Result<Option<EnrolmentRecord>> {
        let known = self.parts.store.enrolment(id).await?;
        Ok(known.filter(|enrolment| {
            enrolment.subject == *subject && enrolment.state == EnrolmentState::Live
        }))
    }

    /// What a credential says. No biometric, no digest of one, no subject.
    pub(super) async fn claims(&self, facts: &Facts) -> Result<Claims> {
        Ok(match facts {
            Facts::Enrolment(enrolment) => {
                let terms = self.parts.enclave.terms().await?;
                let enrolled = enrolment.enrolled.filter(|_| enrolment.key == terms.key);
                // A template under a retired key compares with nothing.
                let enrolled = enrolled.ok_or(Error::Refused(ProblemCode::NoBasis))?;
                Claims::Enrolment(EnrolmentClaims {
                    modality: enrolment.profile.profile().modality,
                    profile: enrolment.profile,
                    parameter_set: terms.parameters.clone(),
                    enrolled_since: Date::of(enrolled),
                })
            }
            Facts::Verdict(record) => {
                let verdict = blindprint_did::verify::<Verdict>(&record.jws)
                    .map_err(|error| Error::broken("reading a verdict")(error.into()))?
                    .into_statement();
                Claims::Authentication(AuthenticationClaims {
                    matched: verdict.matched,
                    modality: verdict.profile.profile().modality,
                    profile: verdict.profile,
                    parameter_set: verdict.parameters,
                    operating_point: operating_point(verdict.profile),
                    audience: verdict.aud,
                    nonce: verdict.nonce,
                    authenticated_at: verdict.iat,
                    verdict_digest: jws_digest(&record.jws),
                })
            }
            Facts::Consent(consent) => {
                let signed = blindprint_did::verify::<Consent>(&consent.jws)
                    .map_err(|error| Error::broken("reading a consent")(error.into()))?
                    .into_statement();
                Claims::ConsentReceipt(ConsentReceiptClaims {
                    purpose: signed.purpose,
                    controller: signed.service,
                    recipient: signed.recipient,
                    state: ConsentState::Given,
                    notice_digest: signed.notice,
                    notice_language: language(consent)?,
                    consent_digest: consent.record,
                    record_digest: signed.record,
                    given_at: signed.given,
                    expires_at: signed.expires,
                })
            }
        })
    }
}

/// The language of the notice, as the consent's record says it.
fn language(consent: &ConsentRecord) -> Result<String> {
    let record: Value = serde_json::from_str(&consent.document)
        .map_err(|error| Error::broken("reading a consent's record")(error.into()))?;
    let language = record["dpv:hasNotice"]["dct:language"].as_str();
    language
        .map(str::to_owned)
        .ok_or_else(|| Error::broken("reading a consent's record")("it names no language".into()))
}

fn operating_point(profile: ProfileId) -> Option<ErrorRates> {
    let point = profile.profile().operating_point.as_ref();
    point.map(ErrorRates::from)
}
