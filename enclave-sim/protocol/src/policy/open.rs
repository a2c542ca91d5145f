use blindprint_core::{
    Audience, Digest, EnrolmentId, Jws, KeyUri, Nonce, ProfileId, SubjectId, UnixTime,
    consent::Scope,
    label,
    statement::{Evaluation, Probe, Purpose, Verdict},
};
use serde_bytes::ByteBuf;

use super::{
    Asked, Change, Policy, Subject, attempts::Attempt, by, registry::Write, signed,
    subject::Enrolled, timely,
};
use crate::message::{Comparison, Refusal, SignedEvaluation};

/// False evaluations after which nothing more is opened under the same key. Each tells whoever made
/// it something about the secret key (`docs/crypto.md`).
pub const MOST_INCIDENTS: u32 = 8;

/// What a relying party's request for a challenge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeRequest {
    /// Who.
    pub subject: SubjectId,
    /// Against which enrolment.
    pub enrolment: EnrolmentId,
    /// For whom.
    pub audience: Audience,
    /// The relying party's nonce, 8 to 128 printable ASCII characters.
    pub nonce: String,
    /// For what.
    pub purpose: Purpose,
}

/// What the wallet needs to answer a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeIssued {
    /// The registered template.
    pub template: Digest,
    /// How to make the code.
    pub profile: ProfileId,
    /// What to encrypt it under.
    pub key: Digest,
    /// When the challenge dies.
    pub expires: UnixTime,
}

/// A verdict that may be opened. Its attempt counts as failed and its challenge is used, whatever
/// becomes of it.
#[must_use = "the attempt is counted as failed until it is finished"]
#[derive(Debug)]
pub struct PendingOpening {
    probe: Probe,
    signer: KeyUri,
    nonce: String,
    attempt: Attempt,
    /// The instances that signed for the ciphertexts.
    matchers: Vec<String>,
    ciphertexts: Vec<ByteBuf>,
    comparison: Option<Comparison>,
}

/// A verdict that all who evaluated agree on.
#[must_use = "the attempt is counted as failed until it is finished"]
#[derive(Debug)]
pub struct Agreed {
    probe: Probe,
    signer: KeyUri,
    nonce: String,
    attempt: Attempt,
    matched: bool,
}

impl Policy {
    /// Makes `challenge` the one that a probe for exactly this must answer.
    pub fn challenge(
        &mut self,
        challenge: Nonce,
        request: ChallengeRequest,
        host: UnixTime,
    ) -> Result<ChallengeIssued, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        self.may_open()?;
        let printable = request.nonce.bytes().all(|byte| byte.is_ascii_graphic());
        if !printable || !(8..=128).contains(&request.nonce.len()) {
            return Err(Refusal::Malformed);
        }
        let subject = self.known(&request.subject)?;
        let enrolled = permitted(
            subject,
            request.enrolment,
            (request.purpose, &request.audience),
            now,
        )?;
        subject.attempts.permit(now)?;
        let (template, profile, key) = (enrolled.template, enrolled.profile, enrolled.key);
        let ChallengeRequest {
            subject,
            enrolment,
            audience,
            nonce,
            purpose,
        } = request;
        let asked = Asked {
            enrolment,
            audience,
            nonce,
            purpose,
        };
        let expires = self.challenges.issue(challenge, subject, asked, now);
        Ok(ChallengeIssued {
            template,
            profile,
            key,
            expires,
        })
    }

    /// Checks everything that must hold before a verdict bit may be decrypted, and counts the attempt.
    pub fn begin_open(
        &mut self,
        jws: &Jws,
        evaluations: Vec<SignedEvaluation>,
        comparison: Option<Comparison>,
        host: UnixTime,
    ) -> Result<Change<'_, PendingOpening>, Refusal> {
        let now = self.observe(host);
        self.fresh(now)?;
        let verified = signed::<Probe>(jws)?;
        let probe = verified.statement();
        self.addressed(&probe.service)?;
        let subject = self.known(&probe.sub)?;
        by(&verified, &subject.pinned_key)?;
        let nonce = self.answered(probe, now)?.nonce.clone();
        let enrolled = permitted(
            subject,
            probe.enrolment,
            (probe.purpose, &probe.audience),
            now,
        )?;
        if probe.key != self.terms.key || enrolled.key != self.terms.key {
            return Err(Refusal::WrongKey);
        }
        if probe.template != enrolled.template || probe.profile != enrolled.profile {
            return Err(Refusal::Mismatch);
        }
        timely(probe.iat, now)?;
        self.may_open()?;
        let matchers = self.permit_evaluations(probe, &evaluations)?;
        let comparison = self.permit_comparison(probe, comparison)?;

        let mut subject = subject.clone();
        let (attempts, attempt) = subject.attempts.begin(now)?;
        subject.attempts = attempts;
        let id = probe.sub.clone();
        let ciphertexts = evaluations
            .into_iter()
            .map(|evaluation| evaluation.verdict)
            .collect();
        let signer = verified.key().clone();
        let probe = verified.into_statement();
        let challenge = probe.challenge;
        let pending = PendingOpening {
            probe,
            signer,
            nonce,
            attempt,
            matchers,
            ciphertexts,
            comparison,
        };
        Ok(Change::of(self, id, subject, now, pending).spending(challenge))
    }

    /// That the key was not betrayed too often.
    const fn may_open(&self) -> Result<(), Refusal> {
        if self.registry.incidents < MOST_INCIDENTS {
            Ok(())
        } else {
            Err(Refusal::Retired)
        }
    }

    /// What the probe's challenge was asked for, if that is what the probe says.
    fn answered(&self, probe: &Probe, now: UnixTime) -> Result<&Asked, Refusal> {
        let ticket = self
            .challenges
            .find(&probe.challenge, now)
            .ok_or(Refusal::ChallengeGone)?;
        let asked = &ticket.matter;
        let fits = ticket.holder == probe.sub
            && asked.enrolment == probe.enrolment
            && asked.audience == probe.audience
            && asked.purpose == probe.purpose;
        if fits {
            Ok(asked)
        } else {
            Err(Refusal::Mismatch)
        }
    }

    /// That enough admitted matchers signed for exactly this probe, this template and these
    /// ciphertexts; which.
    fn permit_evaluations(
        &self,
        probe: &Probe,
        evaluations: &[SignedEvaluation],
    ) -> Result<Vec<String>, Refusal> {
        let binding = probe.binding().digest();
        let statements = evaluations.iter().map(|evaluation| &evaluation.evaluation);
        let (signers, statements): (_, Vec<Evaluation>) =
            self.matchers.quorum(statements, self.terms.matchers)?;
        let hold = statements
            .iter()
            .zip(evaluations)
            .all(|(statement, evaluation)| {
                statement.binding == binding
                    && statement.submission == probe.submission
                    && statement.template == probe.template
                    && statement.verdict
                        == Digest::of(label::VERDICT_CIPHERTEXT, &evaluation.verdict)
                    && statement.profile == probe.profile
                    && statement.tau == probe.profile.profile().tau
                    && statement.parameters == self.terms.parameters
                    && statement.key == self.terms.key
            });
        if hold {
            Ok(signers)
        } else {
            Err(Refusal::Evaluations)
        }
    }

    /// The ciphertexts to evaluate again, where that is asked for: exactly those signed for.
    fn permit_comparison(
        &self,
        probe: &Probe,
        comparison: Option<Comparison>,
    ) -> Result<Option<Comparison>, Refusal> {
        if !self.terms.recompute {
            return Ok(None);
        }
        let comparison = comparison.ok_or(Refusal::Evaluations)?;
        let exact = Digest::of(label::SUBMISSION, &comparison.submission) == probe.submission
            && Digest::of(label::TEMPLATE, &comparison.template) == probe.template;
        if exact {
            Ok(Some(comparison))
        } else {
            Err(Refusal::Mismatch)
        }
    }
}

/// The enrolment, if the subject consents to this use of it at this moment. Sharing takes two
/// consents: one to the comparison, and one to telling exactly this audience.
fn permitted<'s>(
    subject: &'s Subject,
    enrolment: EnrolmentId,
    (purpose, audience): (Purpose, &Audience),
    now: UnixTime,
) -> Result<&'s Enrolled, Refusal> {
    let compared_for = match purpose {
        Purpose::Authentication | Purpose::Uniqueness => purpose,
        Purpose::Sharing => {
            if !subject.consents_to(&Scope::Sharing(audience.clone()), now) {
                return Err(Refusal::NoConsent);
            }
            Purpose::Authentication
        }
    };
    if !subject.covers(compared_for, now) {
        return Err(Refusal::NoConsent);
    }
    let enrolled = subject.enrolments.get(&enrolment).ok_or(Refusal::Unknown)?;
    if enrolled.purpose == compared_for {
        Ok(enrolled)
    } else {
        Err(Refusal::Mismatch)
    }
}

impl PendingOpening {
    /// The encrypted verdict bits, one from each matcher.
    pub fn ciphertexts(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.ciphertexts
            .iter()
            .map(|ciphertext| ciphertext.as_slice())
    }

    /// What was signed by the wallet.
    pub const fn probe(&self) -> &Probe {
        &self.probe
    }

    /// What the enclave must evaluate itself; its bit comes after the matchers'.
    pub const fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// Whether all the opened bits agree; `None` stands for a ciphertext that holds no verdict. If
    /// they do not, some matcher lied: that is counted, and all who signed are expelled.
    ///
    /// Where several bits are compared, equally much is written whatever they are. Otherwise a host
    /// could tell an incident by its write, and prevent it from being counted.
    pub fn compare<'p>(
        self,
        policy: &'p mut Policy,
        bits: &[Option<bool>],
        host: UnixTime,
    ) -> Result<Change<'p, Result<Agreed, Refusal>>, Refusal> {
        let now = policy.observe(host);
        policy.may_open()?;
        let expected = self.ciphertexts.len() + usize::from(self.comparison.is_some());
        let (Some(first), true) = (bits.first(), bits.len() == expected) else {
            return Err(Refusal::Evaluations);
        };
        let Some(matched) = first.filter(|_| bits.iter().all(|bit| bit == first)) else {
            let incident = Change::writing(policy, Write::incident(now), Err(Refusal::Evaluations));
            return Ok(incident.expelling(self.matchers));
        };
        let agreed = Ok(Agreed {
            probe: self.probe,
            signer: self.signer,
            nonce: self.nonce,
            attempt: self.attempt,
            matched,
        });
        if expected == 1 {
            Ok(Change::nothing(policy, agreed))
        } else {
            Ok(Change::writing(policy, Write::nothing(now), agreed))
        }
    }
}

impl Agreed {
    /// Makes the verdict, if neither consent, template nor key went meanwhile. A match gives the
    /// attempt back.
    pub fn finish(
        self,
        policy: &mut Policy,
        host: UnixTime,
    ) -> Result<Change<'_, Verdict>, Refusal> {
        let now = policy.observe(host);
        policy.standing()?;
        let Self {
            probe,
            signer,
            nonce,
            attempt,
            matched,
        } = self;
        let subject = policy.known(&probe.sub)?;
        if subject.pinned_key != signer {
            return Err(Refusal::Signature);
        }
        permitted(
            subject,
            probe.enrolment,
            (probe.purpose, &probe.audience),
            now,
        )?;
        let mut subject = subject.clone();
        let profile = probe.profile.profile();
        let verdict = Verdict {
            iss: probe.service,
            sub: probe.sub.clone(),
            aud: probe.audience,
            nonce,
            purpose: probe.purpose,
            matched,
            profile: probe.profile,
            tau: profile.tau,
            amr: profile.modality.amr().to_owned(),
            enrolment: probe.enrolment,
            template: probe.template,
            submission: probe.submission,
            challenge: probe.challenge,
            parameters: policy.terms.parameters.clone(),
            key: policy.terms.key,
            iat: now,
        };
        if !matched {
            return Ok(Change::nothing(policy, verdict));
        }
        subject.attempts = subject.attempts.matched(attempt);
        Ok(Change::of(policy, probe.sub, subject, now, verdict))
    }
}
