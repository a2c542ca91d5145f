//! How a change survives a crash at any instant: what the enclave will be asked is written down
//! first, the enclave is asked, and its answer is recorded in the transaction that strikes the
//! note out. What was noted and has no outcome is asked again at the next start, before the next
//! change of the same subject, and whenever the enclave comes back. The enclave answers a repeated
//! request with the same receipt, so nothing is lost and nothing is done twice.

use std::collections::BTreeSet;

use blindprint_core::{
    EnrolmentId, InvitationId, Jws, SubjectId,
    consent::ConsentState,
    problem::ProblemCode,
    statement::{
        Consent, ConsentReceipt, Enrolment, EnrolmentReceipt, Erasure, ErasureReceipt, KeyReceipt,
        Recovery, RecoveryAction, SubjectErasureReceipt, Withdrawal,
    },
};
use blindprint_did::{Verified, verify};
use blindprint_protocol::message::{EnclaveRequest, EnclaveResponse, Order};

use super::{
    Service,
    ledger::{Draft, Stamp, drafts_of},
    record::{Effect, Operation, PendingEnrolment, SubjectKeys},
};
use crate::{Error, Result};

impl Service {
    /// Has the enclave make a change, and returns its first receipt. The caller holds the
    /// subject's lock and has settled what was under way.
    pub(super) async fn change(&self, subject: &SubjectId, request: EnclaveRequest) -> Result<Jws> {
        let encoded = encode(&request)?;
        let sequence = self
            .store
            .begin_operation(subject, &encoded, self.clock.now())
            .await?;
        self.carry_out(sequence, subject, &request, None).await
    }

    /// The same for a consent, whose record is kept; an invitation may bring in its subject with it.
    pub(super) async fn change_consent(
        &self,
        subject: &SubjectId,
        invitation: Option<InvitationId>,
        request: EnclaveRequest,
        document: String,
    ) -> Result<Jws> {
        let encoded = encode(&request)?;
        let now = self.clock.now();
        let begun = self
            .store
            .begin_consent(subject, invitation, (&encoded, &document), now)
            .await?;
        self.carry_out(begun?, subject, &request, Some(document))
            .await
    }

    /// The same for an enrolment, whose template is stored before the enclave hears of it.
    pub(super) async fn change_enrolment(
        &self,
        pending: &PendingEnrolment,
        request: EnclaveRequest,
    ) -> Result<Jws> {
        let encoded = encode(&request)?;
        let begun = self
            .store
            .begin_enrolment(pending, &encoded, self.clock.now())
            .await?;
        self.carry_out(begun?, &pending.enrolment.sub, &request, None)
            .await
    }

    /// Asks again for whatever of this subject has no outcome.
    pub(super) async fn settle(&self, subject: &SubjectId) -> Result<()> {
        for operation in self.store.unfinished_operations(Some(subject)).await? {
            self.settle_one(&operation).await?;
        }
        Ok(())
    }

    /// Asks again for whatever has no outcome. Returns how many remain, because the enclave does
    /// not answer.
    pub async fn settle_all(&self) -> Result<usize> {
        let unfinished = self.store.unfinished_operations(None).await?;
        let subjects: BTreeSet<SubjectId> = unfinished
            .into_iter()
            .map(|operation| operation.subject)
            .collect();
        for subject in subjects {
            let _held = self.changing.hold(&subject).await;
            // One subject's trouble does not keep the others waiting.
            let _ = self.settle(&subject).await;
        }
        Ok(self.store.unfinished_operations(None).await?.len())
    }

    async fn settle_one(&self, operation: &Operation) -> Result<()> {
        let request = decode(&operation.request)?;
        let document = operation.document.clone();
        match self
            .carry_out(operation.sequence, &operation.subject, &request, document)
            .await
        {
            Ok(_) => tracing::info!(sequence = operation.sequence, "finished what was cut off"),
            // The enclave did not answer or there is no room to record its answer: later.
            Err(
                error @ (Error::RetryAfter {
                    code: ProblemCode::Unavailable,
                    ..
                }
                | Error::Full),
            ) => {
                return Err(error);
            }
            Err(error) => tracing::info!(
                sequence = operation.sequence,
                error = &error as &dyn std::error::Error,
                "what was cut off is refused now"
            ),
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        sequence: i64,
        subject: &SubjectId,
        request: &EnclaveRequest,
        document: Option<String>,
    ) -> Result<Jws> {
        let answer = self.ask(request).await?;
        if let EnclaveResponse::Refused(refusal) = answer {
            self.holds.note(subject, refusal, self.clock.now());
            self.record(sequence, &effects_of_refusal(request), &[])
                .await?;
            return Err(refusal.into());
        }
        let drafts = drafts_of(request, &answer);
        let (receipt, effects) = effects_of(request, document, answer).ok_or_else(|| {
            Error::broken("reading the enclave's receipts")("they do not fit the request".into())
        })?;
        // From here on the change has happened. If it cannot be recorded, the caller repeats the
        // request and gets the receipt then.
        let recorded = self.record(sequence, &effects, &drafts).await;
        recorded.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a change could not be recorded yet"
            );
            Error::unavailable(5)
        })?;
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::KeysChanged { .. }))
        {
            self.holds.release(subject);
        }
        Ok(receipt)
    }

    /// Records an outcome. Ciphertexts that go with it are gone from the disk when this returns.
    async fn record(&self, sequence: i64, effects: &[Effect], drafts: &[Draft]) -> Result<()> {
        let stamp = Stamp {
            at: self.clock.now(),
            entropy: &*self.entropy,
        };
        self.store
            .finish_operation(sequence, effects, drafts, stamp)
            .await?;
        if effects.iter().any(Effect::destroys) {
            self.store.purge().await?;
        }
        Ok(())
    }
}

fn encode(request: &EnclaveRequest) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(request, &mut bytes)
        .map_err(|error| Error::broken("encoding a request to the enclave")(error.into()))?;
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<EnclaveRequest> {
    ciborium::from_reader(bytes)
        .map_err(|error| Error::broken("decoding a noted request")(error.into()))
}

/// A refused template goes; other refusals leave nothing behind.
fn effects_of_refusal(request: &EnclaveRequest) -> Vec<Effect> {
    match request {
        EnclaveRequest::Register { enrolment, .. } => verify::<Enrolment>(enrolment)
            .map(|verified| Effect::EnrolmentRefused {
                enrolment: verified.statement().enrolment,
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// The first receipt, and what all of them say; `None` if they do not answer the request.
fn effects_of(
    request: &EnclaveRequest,
    document: Option<String>,
    answer: EnclaveResponse,
) -> Option<(Jws, Vec<Effect>)> {
    let receipts = match answer {
        EnclaveResponse::Receipt { receipt } => vec![receipt],
        EnclaveResponse::Receipts { receipts } => receipts,
        _ => return None,
    };
    let (first, rest) = receipts.split_first()?;
    let mut effects = match request {
        EnclaveRequest::GiveConsent { consent } => {
            let noted = verify::<ConsentReceipt>(first).ok()?.into_statement();
            let given = verify::<Consent>(consent).ok()?;
            vec![Effect::ConsentGiven {
                document: document?,
                head: noted.head,
                handle: noted.handle,
                jws: consent.clone(),
                record: given.digest(),
                key: given.key().clone(),
                receipt: first.clone(),
                consent: given.into_statement(),
            }]
        }
        EnclaveRequest::Withdraw { withdrawal } => {
            let asked: Withdrawal = verify(withdrawal).ok()?.into_statement();
            ended(&asked.sub, first, Some(withdrawal))?
        }
        EnclaveRequest::Order {
            order: Order::EndConsent { subject, .. },
        } => ended(subject, first, None)?,
        EnclaveRequest::Order {
            order: Order::EraseEnrolment { enrolment, .. },
        } => vec![erased_as(first, *enrolment)?],
        EnclaveRequest::EraseSubject { .. }
        | EnclaveRequest::Order {
            order: Order::EraseSubject { .. },
        } => {
            let subject = verify::<SubjectErasureReceipt>(first).ok()?;
            let subject = subject.into_statement().sub;
            vec![Effect::SubjectErased { subject }]
        }
        EnclaveRequest::Register { .. } => {
            let registered = verify::<EnrolmentReceipt>(first).ok()?.into_statement();
            vec![Effect::Enrolled {
                enrolment: registered.enrolment,
                receipt: first.clone(),
                replaced: registered.replaced,
                at: registered.iat,
            }]
        }
        EnclaveRequest::Erase { erasure } => {
            let asked: Verified<Erasure> = verify(erasure).ok()?;
            vec![erased_as(first, asked.statement().enrolment)?]
        }
        EnclaveRequest::RotateKey { .. } => vec![keys_changed(first)?],
        EnclaveRequest::Recover { recovery, .. } => {
            let asked = verify::<Recovery>(recovery).ok()?.into_statement();
            let mut effects = vec![keys_changed(first)?];
            if matches!(asked.action, RecoveryAction::ReplaceDevice { .. }) {
                effects.push(Effect::ConsentsEnded {
                    subject: asked.sub,
                    at: asked.iat,
                });
            }
            effects
        }
        _ => return None,
    };
    for receipt in rest {
        effects.push(erased(receipt)?);
    }
    Some((first.clone(), effects))
}

/// What a receipt says of the end of a subject's consent: nothing, if there was none to end.
fn ended(subject: &SubjectId, receipt: &Jws, withdrawal: Option<&Jws>) -> Option<Vec<Effect>> {
    let noted = verify::<ConsentReceipt>(receipt).ok()?.into_statement();
    let (subject, consent, at) = (subject.clone(), noted.consent, noted.iat);
    let receipt = receipt.clone();
    Some(match noted.state {
        ConsentState::Withdrawn => vec![Effect::ConsentWithdrawn {
            subject,
            consent,
            at,
            withdrawal: withdrawal.cloned(),
            head: noted.head,
            receipt,
        }],
        ConsentState::Invalidated => vec![Effect::ConsentInvalidated {
            subject,
            consent,
            at,
            receipt,
        }],
        _ => Vec::new(),
    })
}

/// What a receipt says of the end of this template.
fn erased_as(receipt: &Jws, asked: EnrolmentId) -> Option<Effect> {
    erased(receipt)
        .filter(|effect| matches!(effect, Effect::Erased { enrolment, .. } if *enrolment == asked))
}

fn erased(receipt: &Jws) -> Option<Effect> {
    let erased = verify::<ErasureReceipt>(receipt).ok()?.into_statement();
    Some(Effect::Erased {
        enrolment: erased.enrolment,
        receipt: Some(receipt.clone()),
        at: erased.iat,
    })
}

fn keys_changed(receipt: &Jws) -> Option<Effect> {
    let keys = verify::<KeyReceipt>(receipt).ok()?.into_statement();
    Some(Effect::KeysChanged {
        subject: keys.sub,
        keys: SubjectKeys {
            pinned: keys.pinned_key,
            recovery: Some(keys.recovery_key),
        },
    })
}

#[cfg(test)]
mod tests;
