use blindprint_consent::{
    Language, Notice,
    record::{self, Event, Fields},
};
use blindprint_core::{
    ConsentId, Digest, Jws, UnixTime,
    consent::{ConsentState, Scope},
    problem::ProblemCode,
    statement::{Consent, Withdrawal},
    wire::{ConsentSummary, RecordedConsent},
};
use blindprint_protocol::message::{EnclaveRequest, EndCause};
use serde_json::Value;

use super::{Admission, Caller, Service, addressed, ledger::Stamp, record::ConsentRecord, signed};
use crate::{Error, Result};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// How long a template waits for another consent after the last one ended by itself, in days: notices
/// say so.
const LAPSE_DAYS: i64 = 7;
/// What is ended in one go.
const MOST_AT_ONCE: u32 = 200;

impl Service {
    /// Takes note of a consent or of its refusal. Repeating the same one gives the same receipt.
    ///
    /// Whoever is new needs the right to enrol: the enclave remembers everybody who ever answered.
    pub async fn give_consent(
        &self,
        caller: &Caller,
        by: &Admission,
        jws: Jws,
        record: &Value,
    ) -> Result<Jws> {
        let verified = signed::<Consent>(&jws)?;
        let consent = verified.statement();
        addressed(self.id(), caller, &verified, &consent.sub, &consent.service)?;
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        if let Some(known) = self.store.consent(&caller.subject, consent.id).await? {
            if known.record == verified.digest() && known.lifecycle.ended().is_none() {
                return Ok(known.receipt);
            }
            return Err(Error::Refused(ProblemCode::Conflict));
        }
        let (notice, document) = self.informed(consent, record).await?;
        let request = EnclaveRequest::GiveConsent { consent: jws };
        let subject = &caller.subject;
        let invitation = match self.store.keys_of(subject).await? {
            Some(_) => None,
            None => self.admission(caller, by).await?,
        };
        // Whoever asks later is shown what the person was shown.
        self.store.keep_notice(&notice).await?;
        self.change_consent(subject, invitation, request, document)
            .await
    }

    /// The notice that an answer is about, and the record that stands for both: the one that this service
    /// would have written itself.
    async fn informed(&self, consent: &Consent, record: &Value) -> Result<(Notice, String)> {
        let refuse = |why: &str| Err(Error::because(ProblemCode::Refused, why));
        let scope = Scope::new(consent.purpose, consent.recipient.clone())
            .map_err(|_| Error::Refused(ProblemCode::MalformedSubmission))?;
        let recipient = self.recipient(scope.recipient()).await?;
        let now = self.clock.now();
        let notice = self.notices.find(consent.notice, recipient.as_ref(), now)?;
        let Some(notice) = notice.filter(|it| it.summary.purpose == consent.purpose) else {
            return refuse(
                "the consent names no notice in force for its purpose: read GET /v1/notices again",
            );
        };
        if !notice.summary.offered {
            return refuse("this service does not offer what the notice informs about");
        }
        let longest = i64::from(notice.summary.validity_days) * DAY;
        if consent.expires.since(consent.given) > longest {
            return refuse("the consent lasts longer than its notice says");
        }
        let fields = Fields::from(consent);
        let expected = record::render(&fields, &notice.summary, self.notices.controller());
        let Ok(expected) = expected else {
            return Err(Error::Refused(ProblemCode::MalformedSubmission));
        };
        if *record != expected || record::digest(record).ok() != Some(consent.record) {
            return refuse(
                "the record is not the one of this statement, this notice and this controller",
            );
        }
        Ok((notice, expected.to_string()))
    }

    /// Takes note of a withdrawal, and destroys what no other consent covers. Repeating it gives
    /// the same receipt.
    pub async fn withdraw(&self, caller: &Caller, id: ConsentId, jws: Jws) -> Result<Jws> {
        let verified = signed::<Withdrawal>(&jws)?;
        let withdrawal = verified.statement();
        addressed(
            self.id(),
            caller,
            &verified,
            &withdrawal.sub,
            &withdrawal.service,
        )?;
        if withdrawal.consent != id {
            return Err(Error::because(
                ProblemCode::Refused,
                "the statement withdraws another consent than the path names",
            ));
        }
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        let known = self.store.consent(&caller.subject, id).await?;
        let known = known.ok_or(Error::Refused(ProblemCode::NotFound))?;
        if let Some(receipt) = known.withdrawal_receipt {
            // What was destroyed with it may still lie in the log if a crash came in between.
            self.store.purge().await?;
            return Ok(receipt);
        }
        self.change(
            &caller.subject,
            EnclaveRequest::Withdraw { withdrawal: jws },
        )
        .await
    }

    /// The caller's consents, newest first.
    pub async fn consents(&self, caller: &Caller) -> Result<Vec<ConsentSummary>> {
        let consents = self.store.consents_of(&caller.subject).await?;
        self.summaries(&consents).await
    }

    /// Consents for the API: how each stands now, and until when it must be given anew.
    pub(super) async fn summaries(
        &self,
        consents: &[ConsentRecord],
    ) -> Result<Vec<ConsentSummary>> {
        let now = self.clock.now();
        let mut summaries = Vec::with_capacity(consents.len());
        for consent in consents {
            let mut summary = consent.summary(now);
            if summary.state == ConsentState::Given {
                summary.reconsent_by = self.reconsent_by(consent.notice).await?;
            }
            summaries.push(summary);
        }
        Ok(summaries)
    }

    /// Until when consents under a notice must be given anew; `None` while it informs.
    pub async fn reconsent_by(&self, notice: Digest) -> Result<Option<UnixTime>> {
        let known = self.store.notice(notice).await?;
        Ok(known.and_then(|Notice { summary, .. }| {
            let now = self.clock.now();
            self.notices
                .reconsent_by(&summary.name, summary.version, now)
        }))
    }

    /// A consent's record as it was signed, what has become of it since, and what proves both.
    pub async fn consent_record(&self, caller: &Caller, id: ConsentId) -> Result<RecordedConsent> {
        let known = self.store.consent(&caller.subject, id).await?;
        let known = known.ok_or(Error::Refused(ProblemCode::NotFound))?;
        self.recorded(&known)
    }

    /// The same of a consent that is at hand.
    pub fn recorded(&self, consent: &ConsentRecord) -> Result<RecordedConsent> {
        const DOING: &str = "reading a consent's record";
        let record: Value = serde_json::from_str(&consent.document)
            .map_err(|error| Error::broken(DOING)(error.into()))?;
        let state = consent.state(self.clock.now());
        let first = match state {
            ConsentState::Refused => ConsentState::Refused,
            _ => ConsentState::Given,
        };
        let mut events = vec![Event {
            state: first,
            at: consent.given(),
        }];
        match (state, consent.lifecycle.ended()) {
            (ConsentState::Expired, _) => events.push(Event {
                state,
                at: consent.expires(),
            }),
            (_, Some(at)) => events.push(Event { state, at }),
            (_, None) => {}
        }
        let receipt = record::receipt(&record, &events)
            .map_err(|error| Error::broken(DOING)(error.into()))?;
        Ok(RecordedConsent {
            record,
            receipt,
            consent: consent.jws.clone(),
            consent_receipt: consent.receipt.clone(),
            withdrawal: consent.withdrawal.clone(),
            withdrawal_receipt: consent.withdrawal_receipt.clone(),
        })
    }

    /// That the caller consents to this now. The enclave checks again, by what it has seen itself.
    pub(super) async fn consented(
        &self,
        caller: &Caller,
        scope: &Scope,
        now: UnixTime,
    ) -> Result<Vec<ConsentRecord>> {
        let mut live = self.store.consents_of(&caller.subject).await?;
        live.retain(|consent| consent.lifecycle.covers(scope, now));
        if live.is_empty() {
            Err(Error::Refused(ProblemCode::ConsentRequired))
        } else {
            Ok(live)
        }
    }

    /// Writes down which consents are over, ends those whose notice no longer informs, and has templates
    /// destroyed that no consent has covered for a week. Returns how much it did; there may be more.
    pub async fn end_what_lapsed(&self) -> Result<usize> {
        let now = self.clock.now();
        let stamp = Stamp {
            at: now,
            entropy: &*self.entropy,
        };
        let mut done = self.store.expire_consents(MOST_AT_ONCE, stamp).await?;
        for source in self.notices.library().published(now) {
            let until = self
                .notices
                .reconsent_by(source.id(), source.version(), now);
            // All languages of a version end together.
            if source.language() != Language::En || until.is_none_or(|until| now < until) {
                continue;
            }
            let outdated = self
                .store
                .consents_under(source.id(), source.version(), MOST_AT_ONCE)
                .await?;
            done += outdated.len();
            for (subject, consent) in outdated {
                self.end_consent(&subject, consent, EndCause::Invalidated)
                    .await?;
            }
        }
        let since = now.plus(-LAPSE_DAYS * DAY);
        let uncovered = self.store.uncovered_enrolments(since, MOST_AT_ONCE).await?;
        done += uncovered.len();
        for (subject, enrolment) in uncovered {
            self.erase_enrolment_ordered(&subject, enrolment).await?;
        }
        Ok(done)
    }
}
