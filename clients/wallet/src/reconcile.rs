//! After a crash or a lost answer: finish or undo what was under way, by what the service says.

use blindprint_core::{EnrolmentId, problem::ProblemCode, wire::Subject};

use crate::{Attested, Error, Result, Signer, Wallet, enrol::is_final, state::EnrolmentState};

/// What was left open and is now settled.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reconciled {
    /// Enrolments that turned out to be registered.
    pub finished: Vec<EnrolmentId>,
    /// Enrolments that the service never took, or that are now erased.
    pub gone: Vec<EnrolmentId>,
}

impl Wallet {
    /// Settles whatever an interruption left open. Cheap when nothing is; does not contact the
    /// service then.
    pub async fn reconcile(&mut self) -> Result<Reconciled> {
        let mut settled = Reconciled::default();
        let unconfirmed = self
            .state
            .consents
            .iter()
            .any(|record| record.given.is_none());
        let open: Vec<EnrolmentId> = self
            .state
            .enrolments
            .iter()
            .filter(|record| !matches!(record.state, EnrolmentState::Registered { .. }))
            .map(|record| record.id)
            .collect();
        let keys_open = self.state.next_identity.is_some() || self.state.takeover.is_some();
        if !unconfirmed && open.is_empty() && !keys_open {
            return Ok(settled);
        }
        self.settle_keys().await?;
        let attested = self.attest().await?;
        self.settle_consents(&attested).await?;
        for id in open {
            self.settle_enrolment(id, &attested, &mut settled).await?;
        }
        Ok(settled)
    }

    /// What the service says of this subject.
    pub async fn status(&self) -> Result<Subject> {
        let said = self.client.subject(self.signer()).await?;
        if said.subject == self.state.subject {
            Ok(said)
        } else {
            Err(Error::Unbelievable("the answer is about another subject"))
        }
    }

    /// Which key speaks for the subject is told by which one the service listens to.
    async fn settle_keys(&mut self) -> Result<()> {
        if let Some(takeover) = &self.state.takeover {
            let signer = Signer {
                subject: &takeover.subject,
                ..self.signer()
            };
            match self.client.subject(signer).await {
                Ok(_) => self.adopt_takeover()?,
                Err(refused) if refused.is(ProblemCode::Unauthenticated) => {
                    self.state.takeover = None;
                    self.save()?;
                }
                Err(other) => return Err(other),
            }
        }
        if let Some(next) = &self.state.next_identity {
            let next_key = next.signing_key();
            match self.client.subject(self.signer()).await {
                Ok(_) => {
                    self.state.next_identity = None;
                    self.save()?;
                }
                Err(refused) if refused.is(ProblemCode::Unauthenticated) => {
                    self.client
                        .subject(Signer {
                            key: &next_key,
                            ..self.signer()
                        })
                        .await?;
                    self.adopt_next_identity()?;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn settle_consents(&mut self, attested: &Attested) -> Result<()> {
        for at in 0..self.state.consents.len() {
            let record = &self.state.consents[at];
            if record.given.is_some() {
                continue;
            }
            match self.send_consent(record.id, attested).await {
                Ok(()) => {}
                // It stays on record as signed but not in force; the next one is asked for anew.
                Err(refusal) if is_final(&refusal) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    async fn settle_enrolment(
        &mut self,
        id: EnrolmentId,
        attested: &Attested,
        settled: &mut Reconciled,
    ) -> Result<()> {
        if matches!(self.record(id)?.state, EnrolmentState::Erasing { .. }) {
            self.send_erasure(id, attested).await?;
            settled.gone.push(id);
            return Ok(());
        }
        match self.send_enrolment(id, attested).await {
            Ok(()) => settled.finished.push(id),
            Err(refusal) if is_final(&refusal) => settled.gone.push(id),
            Err(other) => return Err(other),
        }
        Ok(())
    }
}
