//! What is done about requests beside answering them: erasures whose time has come, rectifications that
//! came about, reminders. Every step of an erasure can be cut off and is taken up again: the enclave gives
//! the same receipt again, and what is kept says how far it came.

use blindprint_core::{
    Digest, EnrolmentId, SubjectId, UnixTime,
    problem::ProblemCode,
    statement::{ErasureCertificate, Right, SubjectErasureReceipt},
    wire::ErasureProof,
};

use super::{Actor, Case, Rights, RightsState, SealedCertificate, draft, not_now};
use crate::{
    Error, Result,
    domain::{
        notifying::{Event, Job},
        record::EnrolmentState,
    },
};

const DAY: i64 = 86_400;

impl Rights {
    /// Does what is due, for every request. One that cannot be helped now waits for the next time.
    pub async fn tick(&self) -> Result<()> {
        let now = self.now();
        let (mut open, mut overdue) = (0_u32, 0_u32);
        for case in self.store().open_cases().await? {
            open += 1;
            overdue += u32::from(case.is_overdue(now));
            let id = case.id;
            // One request's trouble does not keep the others waiting.
            if let Err(error) = self.tick_for(case, now).await {
                tracing::warn!(
                    request = %id,
                    error = &error as &dyn std::error::Error,
                    "a rights request could not be looked at"
                );
            }
        }
        metrics::gauge!("blindprint_rights_requests_open").set(open);
        metrics::gauge!("blindprint_rights_requests_overdue").set(overdue);
        Ok(())
    }

    async fn tick_for(&self, case: Case, now: UnixTime) -> Result<()> {
        let case = self.looked_at(case).await?;
        let case = self.try_to_carry_out(case).await;
        self.remind(case, now).await
    }

    /// A request as it stands in the light of what else has happened.
    pub(super) async fn looked_at(&self, case: Case) -> Result<Case> {
        let waits =
            case.right == Right::Rectification && case.state() == RightsState::RequiresAction;
        let (Some(subject), Some(old)) = (&case.subject, case.about().enrolment) else {
            return Ok(case);
        };
        if !waits || !self.is_replaced(subject, old, case.opened).await? {
            return Ok(case);
        }
        let done = case.go(RightsState::Fulfilled, Actor::Service, None, self.now());
        self.keep(done.map_err(not_now)?).await
    }

    /// Whether an enrolment went and another one of its kind came since.
    async fn is_replaced(
        &self,
        subject: &SubjectId,
        old: EnrolmentId,
        since: UnixTime,
    ) -> Result<bool> {
        let enrolments = self.store().enrolments_of(subject).await?;
        let old = enrolments.iter().find(|enrolment| enrolment.id == old);
        let profile = old
            .filter(|old| old.state == EnrolmentState::Erased)
            .map(|old| old.profile);
        Ok(enrolments.iter().any(|enrolment| {
            enrolment.state == EnrolmentState::Live
                && Some(enrolment.profile) == profile
                && enrolment.enrolled.is_some_and(|at| at >= since)
        }))
    }

    /// Carries out an erasure whose time has come, as far as it can be now.
    pub(super) async fn try_to_carry_out(&self, case: Case) -> Case {
        let due = case.not_before().is_some_and(|at| at <= self.now());
        if case.state() != RightsState::Accepted || !due {
            return case;
        }
        // Whoever else carries the same one out is waited for, and its outcome looked at.
        let _held = self.carrying.hold(&case.id).await;
        let id = case.id;
        let done = async {
            let case = self.store().case(id).await?;
            let case = case.filter(|case| case.state() == RightsState::Accepted);
            match case {
                Some(case) if case.about().enrolment.is_some() => self.erase_enrolment(case).await,
                Some(case) => self.erase(case).await,
                None => Ok(()),
            }
        };
        match done.await {
            Ok(()) => {}
            // It is tried again in a second, and would fill the log while the enclave is away.
            Err(error) if error.code() == ProblemCode::Unavailable => {
                tracing::debug!(request = %id, "an erasure waits");
            }
            Err(error) => tracing::warn!(
                request = %id,
                error = &error as &dyn std::error::Error,
                "an erasure is not complete yet"
            ),
        }
        match self.store().case(id).await {
            Ok(Some(case)) => case,
            _ => case,
        }
    }

    async fn erase_enrolment(&self, mut case: Case) -> Result<()> {
        if let (Some(subject), Some(enrolment)) = (&case.subject, case.about().enrolment) {
            self.end_enrolment(subject, enrolment).await?;
        }
        case.body.restricts = false;
        let done = case.go(RightsState::Fulfilled, Actor::Service, None, self.now());
        self.keep(done.map_err(not_now)?).await?;
        Ok(())
    }

    /// Has the enclave destroy one enrolment without its subject's signature.
    pub(in crate::domain) async fn end_enrolment(
        &self,
        subject: &SubjectId,
        enrolment: EnrolmentId,
    ) -> Result<()> {
        let known = self.store().enrolment(enrolment).await?;
        if known.is_some_and(|known| known.state == EnrolmentState::Live) {
            self.parts
                .service
                .erase_enrolment_ordered(subject, enrolment)
                .await?;
        }
        Ok(())
    }

    async fn erase(&self, case: Case) -> Result<()> {
        let destroyed = case.body.erasing.as_ref();
        let case = match destroyed.and_then(|erasing| erasing.receipt.as_ref()) {
            Some(_) => case,
            None => self.destroy(case).await?,
        };
        // What was deleted may still lie in the log if this was cut off.
        self.store().purge().await?;
        self.certify(case).await
    }

    /// The enclave destroys what it has, then the database does. Whom to tell is noted first: verdicts
    /// say it, and they go.
    async fn destroy(&self, mut case: Case) -> Result<Case> {
        let (Some(subject), Some(mut erasing)) = (case.subject.clone(), case.body.erasing.clone())
        else {
            return Err(Error::broken("erasing a subject")("nobody is named".into()));
        };
        if !erasing.begun {
            erasing.begun = true;
            erasing.recipients = self.store().recipients(&subject).await?;
            case.body.erasing = Some(erasing.clone());
            case = self.keep(case).await?;
        }
        let receipt = self
            .parts
            .service
            .erase_subject(&subject, erasing.erasure.clone())
            .await?;
        let now = self.now();
        let jobs: Vec<_> = erasing
            .recipients
            .iter()
            .map(|recipient| Job::new(&receipt, *recipient, Event::AccountPurged, &subject, now))
            .collect();
        erasing.receipt = Some(receipt);
        case.body.erasing = Some(erasing);
        let case = case.noting(Actor::Service, Some("destroyed".to_owned()), now);
        if self
            .store()
            .forget_subject(&case, &jobs, self.stamp())
            .await?
        {
            Ok(Case {
                version: case.version + 1,
                ..case
            })
        } else {
            Err(Error::unavailable(1))
        }
    }

    /// Signs the certificate, and forgets who was erased.
    async fn certify(&self, case: Case) -> Result<()> {
        let broken = |why: &'static str| Error::broken("certifying an erasure")(why.into());
        let erasing = case.body.erasing.clone();
        let erasing = erasing.ok_or_else(|| broken("nothing is kept of it"))?;
        let receipt = erasing
            .receipt
            .ok_or_else(|| broken("there is no receipt"))?;
        let word = blindprint_did::verify::<SubjectErasureReceipt>(&receipt)
            .map_err(|_| broken("its receipt is none"))?
            .into_statement();
        let index = self.store().entry_of_handle(&word.handle).await?;
        let index = index.ok_or_else(|| broken("it is not in the log"))?;
        let ledger = &self.parts.ledger;
        let proof = ledger.proof(index).await?;
        let text = proof.to_string();
        let proven = proof
            .verify(ledger.verifier(), &[])
            .map_err(|_| broken("its proof does not hold"))?;
        let head = &proven.checkpoint;
        let now = self.now();
        let certificate = ErasureCertificate {
            iss: self.parts.service.id().clone(),
            receipt,
            log_index: index,
            log_size: head.size(),
            log_root: Digest::from_bytes(*head.root().as_bytes()),
            notified: u32::try_from(erasing.recipients.len()).unwrap_or(u32::MAX),
            iat: now,
        };
        let proof = ErasureProof {
            certificate: self.sign(&certificate)?,
            proof: text,
        };
        let sealed = SealedCertificate::seal(erasing.claim, &proof, now)?;
        let case = case
            .forgotten()
            .go(RightsState::Fulfilled, Actor::Service, None, now)
            .map_err(not_now)?;
        let drafts = [draft(&case)];
        if self
            .store()
            .keep_certificate(&case, &sealed, &drafts, self.stamp())
            .await?
        {
            metrics::counter!("blindprint_subjects_erased_total").increment(1);
            self.store().purge().await
        } else {
            Err(Error::unavailable(1))
        }
    }

    /// Reminds officers of what is due soon, each time once.
    async fn remind(&self, mut case: Case, now: UnixTime) -> Result<()> {
        if case.state().is_over() {
            return Ok(());
        }
        let near = |days: &&u32| now >= case.due().plus(-i64::from(**days) * DAY);
        let reminders = self.terms.reminder_days.iter().filter(near).count();
        let reminders = u32::try_from(reminders).unwrap_or(u32::MAX);
        if reminders <= case.body.reminders {
            return Ok(());
        }
        case.body.reminders = reminders;
        let left = case.due().since(now);
        tracing::warn!(request = %case.id, right = case.right.as_str(), seconds_left = left, "a rights request is due soon");
        metrics::counter!("blindprint_rights_reminders_total").increment(1);
        let note = format!("reminder: {} days left", left.div_euclid(DAY));
        self.keep(case.noting(Actor::Service, Some(note), now))
            .await?;
        Ok(())
    }
}
