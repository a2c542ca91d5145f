use blindprint_core::{
    ConsentId, Jws, UnixTime,
    problem::ProblemCode,
    statement::{Consent, Purpose, Withdrawal},
    wire::ConsentSummary,
};
use blindprint_protocol::message::EnclaveRequest;

use super::{Admission, Caller, Service, addressed, record::ConsentRecord, signed};
use crate::{Error, Result};

/// Longest time for which anybody may consent at once, in seconds: two years.
const LONGEST_CONSENT: i64 = 2 * 366 * 86_400;

impl Service {
    /// Takes note of a consent. Repeating the same consent gives the same receipt.
    ///
    /// Whoever is new needs the right to enrol: the enclave remembers everybody who ever consented.
    pub async fn give_consent(
        &self,
        caller: &Caller,
        by: &Admission,
        jws: Jws,
        record: &serde_json::Value,
    ) -> Result<Jws> {
        let verified = signed::<Consent>(&jws)?;
        let consent = verified.statement();
        addressed(self.id(), caller, &verified, &consent.sub, &consent.service)?;
        let notice = self.notices.find(consent.notice).ok_or_else(|| {
            Error::because(
                ProblemCode::Refused,
                "the consent names no notice in force: read GET /v1/notices again",
            )
        })?;
        if notice.summary.purpose != consent.purpose {
            return Err(Error::because(
                ProblemCode::Refused,
                "the notice informs about another purpose",
            ));
        }
        if consent.expires.since(consent.given) > LONGEST_CONSENT {
            return Err(Error::because(
                ProblemCode::Refused,
                "a consent lasts at most two years",
            ));
        }
        let _held = self.changing.hold(&caller.subject).await;
        self.settle(&caller.subject).await?;
        if let Some(known) = self.store.consent(&caller.subject, consent.id).await? {
            if known.record == verified.digest() && known.lifecycle.ended().is_none() {
                return Ok(known.receipt);
            }
            return Err(Error::Refused(ProblemCode::Conflict));
        }
        let request = EnclaveRequest::GiveConsent { consent: jws };
        let subject = &caller.subject;
        let invitation = match self.store.keys_of(subject).await? {
            Some(_) => None,
            None => self.admission(caller, by).await?,
        };
        let document = record.to_string();
        self.change_consent(subject, invitation, request, document)
            .await
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
        let now = self.clock.now();
        let consents = self.store.consents_of(&caller.subject).await?;
        Ok(consents.iter().map(|consent| consent.summary(now)).collect())
    }

    /// That the caller consents to a purpose now. The enclave checks again, by what it has seen itself.
    pub(super) async fn consented(
        &self,
        caller: &Caller,
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<Vec<ConsentRecord>> {
        let mut live = self.store.consents_of(&caller.subject).await?;
        live.retain(|consent| consent.purpose() == purpose && consent.is_live(now));
        if live.is_empty() {
            Err(Error::Refused(ProblemCode::ConsentRequired))
        } else {
            Ok(live)
        }
    }
}
