use std::time::Instant;

use std::mem;

use blindprint_core::{
    Audience, Jws, Nonce, UnixTime,
    consent::Scope,
    problem::ProblemCode,
    statement::{Probe, Purpose, Verdict},
    wire::{Challenge, NonceIssued, StartAuthentication},
};
use blindprint_protocol::message::{
    Comparison, DataKeyOf, EnclaveRequest, EnclaveResponse, Refusal, SignedEvaluation,
};
use serde_bytes::ByteBuf;
use zeroize::Zeroizing;

use super::{
    Caller, Service, Upload, addressed, at_rest,
    record::{ChallengeRecord, EnrolmentState, VerdictRecord},
    signed,
};
use crate::{Error, Result};

impl Service {
    /// A nonce for one enrolment, rotation or recovery.
    pub async fn issue_nonce(&self, caller: &Caller) -> Result<NonceIssued> {
        let request = EnclaveRequest::IssueNonce {
            subject: caller.subject.clone(),
        };
        match self.ask(&request).await? {
            EnclaveResponse::Nonce { nonce, expires } => {
                let now = self.clock.now();
                self.nonces
                    .issue(nonce, caller.subject.clone(), expires, now)?;
                Ok(NonceIssued { nonce, expires })
            }
            // The caller is who they say, so what the enclave does not know is their consent.
            EnclaveResponse::Refused(Refusal::Unknown) => {
                Err(Error::Refused(ProblemCode::ConsentRequired))
            }
            EnclaveResponse::Refused(refusal) => Err(refusal.into()),
            _ => Err(unexpected()),
        }
    }

    /// A challenge for one authentication.
    pub async fn start_authentication(
        &self,
        caller: &Caller,
        start: StartAuthentication,
    ) -> Result<Challenge> {
        let printable = start.nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if !(8..=128).contains(&start.nonce.len()) || !printable {
            return Err(Error::because(
                ProblemCode::MalformedRequest,
                "nonce: 8 to 128 printable ASCII characters",
            ));
        }
        let enrolment = self.own_enrolment(caller, start.enrolment).await?;
        if enrolment.state != EnrolmentState::Live {
            return Err(Error::Refused(ProblemCode::NotFound));
        }
        let now = self.clock.now();
        self.may_compare(caller, start.purpose, &start.audience, now)
            .await?;
        self.holds.check(&caller.subject, now)?;
        let request = EnclaveRequest::Challenge {
            subject: caller.subject.clone(),
            enrolment: start.enrolment,
            audience: start.audience.clone(),
            nonce: start.nonce,
            purpose: start.purpose,
        };
        let (challenge, template, profile, key, expires) = match self.ask(&request).await? {
            EnclaveResponse::Challenge {
                challenge,
                template,
                profile,
                key,
                expires,
            } => (challenge, template, profile, key, expires),
            EnclaveResponse::Refused(refusal) => {
                self.holds.note(&caller.subject, refusal, now);
                return Err(refusal.into());
            }
            _ => return Err(unexpected()),
        };
        let record = ChallengeRecord {
            challenge,
            subject: caller.subject.clone(),
            enrolment: start.enrolment,
            audience: start.audience,
            purpose: start.purpose,
            template,
            profile,
            key,
            expires,
            probe: None,
        };
        self.store.record_challenge(&record).await?;
        Ok(Challenge {
            challenge,
            template,
            profile,
            key,
            expires,
        })
    }

    /// Answers a probe with a verdict, which is on record before it is given. Repeating the same
    /// probe gives the same verdict.
    pub async fn answer_probe(
        &self,
        caller: &Caller,
        challenge: Nonce,
        upload: Upload,
    ) -> Result<Jws> {
        let verified = signed::<Probe>(&upload.statement)?;
        let probe = verified.statement();
        addressed(self.id(), caller, &verified, &probe.sub, &probe.service)?;
        if probe.challenge != challenge {
            return Err(Error::because(
                ProblemCode::Refused,
                "the probe answers another challenge than the path names",
            ));
        }
        let _held = self.answering.hold(&challenge).await;
        if let Some(known) = self.store.verdict(challenge).await? {
            let same = known.subject == caller.subject && known.probe == verified.digest();
            return if same { Ok(known.jws) } else { Err(gone()) };
        }
        let now = self.clock.now();
        let record = self.store.challenge(challenge).await?;
        let record = record
            .filter(|record| record.subject == caller.subject && now < record.expires)
            .ok_or_else(gone)?;
        if !answers(probe, &record) {
            return Err(Error::because(
                ProblemCode::Refused,
                "the probe does not fit its challenge",
            ));
        }
        let begun = Instant::now();
        let health = self.enclave.terms().await?;
        upload.fits(probe.submission, probe.key, health.key)?;
        self.may_compare(caller, probe.purpose, &probe.audience, now)
            .await?;
        self.holds.check(&caller.subject, now)?;
        let mut template = self.template(caller, probe).await?;
        if !self
            .store
            .claim_challenge(challenge, verified.digest())
            .await?
        {
            return Err(gone());
        }

        let evaluations = {
            let _room = self.room(&caller.subject)?;
            let k = health.matchers_needed as usize;
            self.matchers
                .evaluate(probe.binding(), &upload.submission, &template, k)
                .await?
        };
        let comparison = health.recompute.then(|| Comparison {
            template: ByteBuf::from(mem::take(&mut *template)),
            submission: ByteBuf::from(upload.submission),
        });
        let jws = self
            .open(caller, upload.statement, evaluations, comparison)
            .await?;
        let verdict = blindprint_did::verify::<Verdict>(&jws)
            .map_err(|error| Error::broken("reading a verdict")(error.into()))?
            .into_statement();
        let record = VerdictRecord {
            challenge,
            subject: caller.subject.clone(),
            enrolment: verdict.enrolment,
            probe: verified.digest(),
            audience: verdict.aud,
            matched: verdict.matched,
            jws: jws.clone(),
            given: verdict.iat,
        };
        self.store.record_verdict(&record, &*self.entropy).await?;
        self.measure(challenge, begun).await;
        let outcome = if verdict.matched { "match" } else { "no_match" };
        metrics::counter!("blindprint_verdicts_total", "outcome" => outcome).increment(1);
        Ok(jws)
    }

    /// That the caller consents to a comparison, and to telling of it where it is to be shared.
    async fn may_compare(
        &self,
        caller: &Caller,
        purpose: Purpose,
        audience: &Audience,
        now: UnixTime,
    ) -> Result<()> {
        self.unrestricted(&caller.subject).await?;
        let scopes = match purpose {
            Purpose::Authentication => vec![Scope::Authentication],
            Purpose::Uniqueness => vec![Scope::Uniqueness],
            Purpose::Sharing => vec![Scope::Authentication, Scope::Sharing(audience.clone())],
        };
        for scope in scopes {
            self.consented(caller, &scope, now).await?;
        }
        Ok(())
    }

    /// The template that a probe is compared with, in the clear as long as the comparison takes.
    async fn template(&self, caller: &Caller, probe: &Probe) -> Result<Zeroizing<Vec<u8>>> {
        let stored = self.store.template(probe.enrolment).await?;
        let stored = stored.ok_or_else(gone)?;
        let of = DataKeyOf::Enrolment(probe.enrolment);
        let key = self.data_key(&caller.subject, of).await?;
        at_rest::open(&key, (probe.enrolment, probe.template), &stored)
    }

    /// The verdict on the caller's own challenge.
    pub async fn verdict(&self, caller: &Caller, challenge: Nonce) -> Result<Jws> {
        let known = self.store.verdict(challenge).await?;
        known
            .filter(|verdict| verdict.subject == caller.subject)
            .map(|verdict| verdict.jws)
            .ok_or(Error::Refused(ProblemCode::NotFound))
    }

    /// Notes how long a verdict took. It is given whether that succeeds or not.
    async fn measure(&self, challenge: Nonce, begun: Instant) {
        let milliseconds = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = self.store.measure_verdict(challenge, milliseconds).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "how long a verdict took could not be noted"
            );
        }
    }

    async fn open(
        &self,
        caller: &Caller,
        probe: Jws,
        evaluations: Vec<SignedEvaluation>,
        comparison: Option<Comparison>,
    ) -> Result<Jws> {
        match self
            .ask(&EnclaveRequest::Open {
                probe,
                evaluations,
                comparison,
            })
            .await?
        {
            EnclaveResponse::Verdict { verdict } => Ok(verdict),
            EnclaveResponse::Refused(refusal) => {
                self.holds.note(&caller.subject, refusal, self.clock.now());
                Err(refusal.into())
            }
            _ => Err(unexpected()),
        }
    }
}

fn answers(probe: &Probe, challenge: &ChallengeRecord) -> bool {
    probe.enrolment == challenge.enrolment
        && probe.template == challenge.template
        && probe.audience == challenge.audience
        && probe.purpose == challenge.purpose
        && probe.profile == challenge.profile
        && probe.key == challenge.key
}

const fn gone() -> Error {
    Error::Refused(ProblemCode::ChallengeGone)
}

fn unexpected() -> Error {
    Error::broken("asking the enclave")("it answered something else".into())
}
