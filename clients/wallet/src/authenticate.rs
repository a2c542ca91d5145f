//! Authentication: challenge → probe → verdict. [`Wallet::authenticate`] does all three; the
//! steps are public for wallets that capture between challenge and probe.

use std::{sync::Arc, time::Instant};

use blindprint_core::{
    Audience, Digest, EnrolmentId, Jws, ProfileId, label,
    problem::ProblemCode,
    statement::{Probe, Purpose, Verdict},
    wire::{Challenge, StartAuthentication},
};
use blindprint_face::Embedding;
use blindprint_template::EncodingKey;

use crate::{
    Attested, Error, ExpectedVerdict, Observer, Result, Stages, Step, Wallet,
    sealing::{self, Sealed},
    state::{EnrolmentRecord, EnrolmentState},
    verify_verdict,
};

/// A challenge that waits for its probe.
#[derive(Debug, Clone)]
pub struct Challenged {
    /// Against which enrolment.
    pub enrolment: EnrolmentId,
    /// For whom the verdict will be.
    pub audience: Audience,
    /// The relying party's nonce.
    pub nonce: String,
    /// For what.
    pub purpose: Purpose,
    /// What the enclave asks.
    pub challenge: Challenge,
    /// The enclave that asks it.
    pub attested: Attested,
}

/// A probe, signed and sealed for one challenge.
#[derive(Debug, Clone)]
pub struct PreparedProbe {
    /// The signed [`Probe`].
    pub statement: Jws,
    /// Ciphertext and proof.
    pub submission: Vec<u8>,
    /// What took how long so far.
    pub stages: Stages,
}

/// A verdict that was verified.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// What the relying party gets.
    pub jws: Jws,
    /// What it says.
    pub verdict: Verdict,
    /// What took how long.
    pub stages: Stages,
}

impl Wallet {
    /// Asks whether `capture` shows the person who enrolled, for `audience`, who gave `nonce`.
    ///
    /// A failed match is a verdict, not an error.
    pub async fn authenticate(
        &self,
        capture: Embedding,
        profile: Option<ProfileId>,
        audience: Audience,
        nonce: String,
        observer: &dyn Observer,
    ) -> Result<Authenticated> {
        let purpose = Purpose::Authentication;
        self.recognise((capture, profile), (audience, nonce, purpose), observer)
            .await
    }

    /// The same under the consent to sharing with `audience`, which the person must have given beside the
    /// one to be recognised.
    pub async fn authenticate_to_share(
        &self,
        capture: Embedding,
        profile: Option<ProfileId>,
        audience: Audience,
        nonce: String,
        observer: &dyn Observer,
    ) -> Result<Authenticated> {
        let purpose = Purpose::Sharing;
        self.recognise((capture, profile), (audience, nonce, purpose), observer)
            .await
    }

    async fn recognise(
        &self,
        (capture, profile): (Embedding, Option<ProfileId>),
        (audience, nonce, purpose): (Audience, String, Purpose),
        observer: &dyn Observer,
    ) -> Result<Authenticated> {
        let profile = sealing::profile_for(&capture, profile)?;
        let enrolment = self
            .registered(profile)
            .ok_or_else(|| Error::NotEnrolled(profile.to_string()))?
            .id;
        observer.step(Step::Attest);
        let challenged = self
            .challenge_for(purpose, enrolment, audience, nonce)
            .await?;
        let probe = self.prepare_probe(&challenged, capture, observer).await?;
        observer.step(Step::Upload);
        self.submit_probe(&challenged, &probe).await
    }

    /// Asks the enclave for a challenge.
    pub async fn challenge(
        &self,
        enrolment: EnrolmentId,
        audience: Audience,
        nonce: String,
    ) -> Result<Challenged> {
        self.challenge_for(Purpose::Authentication, enrolment, audience, nonce)
            .await
    }

    async fn challenge_for(
        &self,
        purpose: Purpose,
        enrolment: EnrolmentId,
        audience: Audience,
        nonce: String,
    ) -> Result<Challenged> {
        let attested = self.attest().await?;
        let start = StartAuthentication {
            enrolment,
            audience: audience.clone(),
            nonce: nonce.clone(),
            purpose,
        };
        let challenge = self
            .client
            .start_authentication(self.signer(), &start)
            .await?;
        if challenge.key != attested.key {
            return Err(Error::Untrusted(
                "the challenge names a key that is not attested".to_owned(),
            ));
        }
        Ok(Challenged {
            enrolment,
            audience,
            nonce,
            purpose,
            challenge,
            attested,
        })
    }

    /// Encodes, encrypts, proves and signs the answer to a challenge.
    pub async fn prepare_probe(
        &self,
        challenged: &Challenged,
        capture: Embedding,
        observer: &dyn Observer,
    ) -> Result<PreparedProbe> {
        let (record, template) = self.compared(challenged.enrolment)?;
        let asked = &challenged.challenge;
        if asked.template != template || asked.profile != record.profile {
            return Err(Error::Unbelievable(
                "the challenge is about another template",
            ));
        }
        let attested = &challenged.attested;
        let material = self
            .surroundings
            .materials
            .load(&self.client, attested, observer)
            .await?;
        let mut probe = self.probe(challenged);
        let key = EncodingKey::from_bytes(*record.encoding_key.expose());
        let entropy = Arc::clone(&self.surroundings.entropy);
        let Sealed { submission, stages } =
            sealing::seal(capture, key, probe.binding(), material, entropy, observer).await?;
        probe.submission = Digest::of(label::SUBMISSION, &submission);
        probe.iat = self.now();
        Ok(PreparedProbe {
            statement: self.sign(&probe)?,
            submission,
            stages,
        })
    }

    /// What a probe for this challenge says, before there is a submission to name: the binding does
    /// not cover it.
    pub fn probe(&self, challenged: &Challenged) -> Probe {
        let asked = &challenged.challenge;
        Probe {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            enrolment: challenged.enrolment,
            template: asked.template,
            challenge: asked.challenge,
            audience: challenged.audience.clone(),
            purpose: challenged.purpose,
            profile: asked.profile,
            key: asked.key,
            submission: Digest::from_bytes([0; 32]),
            iat: self.now(),
        }
    }

    /// Uploads a probe and verifies the verdict.
    pub async fn submit_probe(
        &self,
        challenged: &Challenged,
        probe: &PreparedProbe,
    ) -> Result<Authenticated> {
        let challenge = &challenged.challenge.challenge;
        let started = Instant::now();
        let sent = self
            .client
            .submit_probe(
                self.signer(),
                challenge,
                &probe.statement,
                probe.submission.clone(),
            )
            .await;
        let jws = match sent {
            Ok(answer) => answer,
            // The first try may have arrived although its answer was lost.
            Err(gone) if gone.is(ProblemCode::ChallengeGone) => self
                .client
                .verdict(self.signer(), challenge)
                .await
                .map_err(|_| gone)?,
            Err(other) => return Err(other),
        };
        let stages = Stages {
            service: started.elapsed(),
            ..probe.stages
        };
        let (record, template) = self.compared(challenged.enrolment)?;
        let expected = ExpectedVerdict {
            audience: &challenged.audience,
            nonce: &challenged.nonce,
            subject: Some(&self.state.subject),
        };
        let verdict = verify_verdict(&jws, &challenged.attested, &expected)?;
        let fits = verdict.enrolment == challenged.enrolment
            && verdict.challenge == *challenge
            && verdict.template == template
            && verdict.profile == record.profile
            && verdict.purpose == challenged.purpose
            && verdict.submission == Digest::of(label::SUBMISSION, &probe.submission);
        if !fits {
            return Err(Error::Unbelievable("the verdict is about another probe"));
        }
        Ok(Authenticated {
            jws,
            verdict,
            stages,
        })
    }

    /// The Hamming distance of two captures' codes under the κ of `enrolment`. In clear and on
    /// this device only; nothing else can compute it.
    pub fn plain_distance(
        &self,
        enrolment: EnrolmentId,
        one: &Embedding,
        other: &Embedding,
    ) -> Result<u16> {
        let record = self.record(enrolment)?;
        let key = EncodingKey::from_bytes(*record.encoding_key.expose());
        let code = sealing::encode(record.profile, &key, one)?;
        Ok(code.hamming(&sealing::encode(record.profile, &key, other)?))
    }

    fn compared(&self, id: EnrolmentId) -> Result<(&EnrolmentRecord, Digest)> {
        let record = self.record(id)?;
        match &record.state {
            EnrolmentState::Registered { template, .. } => Ok((record, *template)),
            _ => Err(Error::NotEnrolled(record.profile.to_string())),
        }
    }
}
