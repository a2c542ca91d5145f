//! Enrolment, in an order that survives being killed at any instant: κ and the whole request are
//! in the key file before the request is sent.

use std::time::{Duration, Instant};

use blindprint_core::{
    Digest, EnrolmentId, Jws, ProfileId, label,
    problem::ProblemCode,
    statement::{Enrolment, EnrolmentReceipt, Purpose},
};
use blindprint_did::{SigningKey, jws_digest};
use blindprint_face::Embedding;
use blindprint_template::EncodingKey;

use crate::{
    Attested, EnrolmentView, Error, Observer, RecoveryPaper, Result, Step, Wallet,
    sealing::{self, Sealed},
    secret::Secret,
    state::{EnrolmentRecord, EnrolmentState},
};

/// What an enrolment needs besides the capture.
#[derive(Default)]
pub struct EnrolOptions {
    /// The profile; by default the first one that the capture's model fits.
    pub profile: Option<ProfileId>,
    /// An invitation or API key, where the service asks for one.
    pub invitation: Option<String>,
    /// Whether an earlier enrolment of the same profile is destroyed in exchange.
    pub replace: bool,
    /// The recovery key, once the wallet keeps it no longer.
    pub recovery_key: Option<RecoveryPaper>,
}

/// How long the wallet's and the service's stages took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Stages {
    /// Capture → keyed code.
    #[serde(rename = "encode_ms", serialize_with = "milliseconds")]
    pub encode: Duration,
    /// Encryption and zero-knowledge proof.
    #[serde(rename = "prove_ms", serialize_with = "milliseconds")]
    pub prove: Duration,
    /// Upload, verification, comparison and answer.
    #[serde(rename = "service_ms", serialize_with = "milliseconds")]
    pub service: Duration,
}

fn milliseconds<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

/// A template made and registered.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// The enrolment.
    pub enrolment: EnrolmentView,
    /// What took how long.
    pub stages: Stages,
    /// Bytes uploaded.
    pub uploaded: usize,
}

/// An enrolment that was signed and sealed, and is in the key file, but not yet sent.
pub(crate) struct Prepared {
    id: EnrolmentId,
    stages: Stages,
    uploaded: usize,
}

impl Wallet {
    /// Encodes `capture` under a fresh κ, encrypts and proves it, and has the enclave register it.
    /// Needs a live consent, and the recovery key: the wallet's own as long as it keeps it.
    pub async fn enrol(
        &mut self,
        capture: Embedding,
        options: EnrolOptions,
        observer: &dyn Observer,
    ) -> Result<Enrolled> {
        // An earlier try may have arrived, and a profile has one enrolment.
        self.reconcile().await?;
        observer.step(Step::Attest);
        let attested = self.attest().await?;
        let prepared = self
            .prepare_enrolment(capture, options, &attested, observer)
            .await?;
        observer.step(Step::Upload);
        let started = Instant::now();
        self.send_enrolment(prepared.id, &attested).await?;
        let stages = Stages {
            service: started.elapsed(),
            ..prepared.stages
        };
        let enrolment = self.enrolment_view(prepared.id)?;
        Ok(Enrolled {
            enrolment,
            stages,
            uploaded: prepared.uploaded,
        })
    }

    /// Whether this wallet, with `paper` if there is one, can sign what needs the recovery key.
    pub fn holds_recovery_key(&self, paper: Option<&RecoveryPaper>) -> Result<()> {
        self.recovery_signer(paper).map(drop)
    }

    /// The service wants the recovery key's signature from the second enrolment on, so that a
    /// stolen wallet cannot replace the template.
    fn recovery_signer(&self, paper: Option<&RecoveryPaper>) -> Result<SigningKey> {
        let kept = self.state.recovery.secret.as_ref();
        let secret = paper.map(|paper| &paper.key).or(kept).ok_or_else(|| {
            Error::Invalid(
                "enrolling takes the recovery key, and the wallet keeps none: give the one on paper"
                    .to_owned(),
            )
        })?;
        let key = secret.signing_key();
        if key.public().uri() == self.state.recovery.public {
            Ok(key)
        } else {
            Err(Error::Invalid(
                "this is not the recovery key of this wallet's subject".to_owned(),
            ))
        }
    }

    /// The enclave forgets who never enrolled, if it needs the room: the consents count as
    /// unconfirmed until it says otherwise, so that a new one is asked for.
    fn doubt_consents(&mut self, purpose: Purpose) -> Result<()> {
        for record in &mut self.state.consents {
            if record.purpose == purpose && record.withdrawn.is_none() {
                record.given = None;
            }
        }
        self.save()
    }

    async fn prepare_enrolment(
        &mut self,
        capture: Embedding,
        options: EnrolOptions,
        attested: &Attested,
        observer: &dyn Observer,
    ) -> Result<Prepared> {
        let recovery_key = self.recovery_signer(options.recovery_key.as_ref())?;
        let profile = sealing::profile_for(&capture, options.profile)?;
        let replaces = self.registered(profile).map(|record| record.id);
        if replaces.is_some() && !options.replace {
            return Err(Error::Invalid(format!(
                "this wallet is enrolled for {profile} already: replace or erase that enrolment"
            )));
        }
        let purpose = Purpose::Authentication;
        let consent = jws_digest(&self.live_consent(purpose)?.consent);
        let material = self
            .surroundings
            .materials
            .load(&self.client, attested, observer)
            .await?;
        let nonce = match self.client.nonce(self.signer()).await {
            Ok(issued) => issued.nonce,
            Err(error) => {
                if matches!(error, Error::NoConsent) {
                    self.doubt_consents(purpose)?;
                }
                return Err(error);
            }
        };
        let encoding_key = EncodingKey::generate(self.entropy());
        let kept = Secret::copy_from(encoding_key.expose());
        let mut enrolment = Enrolment {
            sub: self.state.subject.clone(),
            service: self.state.service.clone(),
            enrolment: EnrolmentId::random(self.entropy()),
            replaces,
            consent,
            purpose,
            profile,
            key: attested.key,
            submission: Digest::from_bytes([0; 32]), // Set below: the binding does not cover it.
            nonce,
            recovery_key: self.state.recovery.public.clone(),
            iat: self.now(),
        };
        let Sealed { submission, stages } = sealing::seal(
            capture,
            encoding_key,
            enrolment.binding(),
            material,
            std::sync::Arc::clone(&self.surroundings.entropy),
            observer,
        )
        .await?;
        enrolment.submission = Digest::of(label::SUBMISSION, &submission);
        enrolment.iat = self.now();
        let statement = self.sign(&enrolment)?;
        let recovery = Some(crate::sign(&recovery_key, &enrolment)?);
        let uploaded = submission.len();
        self.state.enrolments.push(EnrolmentRecord {
            id: enrolment.enrolment,
            profile,
            encoding_key: kept,
            state: EnrolmentState::Sent {
                statement,
                recovery,
                submission,
                invitation: options.invitation,
                replaces,
            },
        });
        self.save()?;
        Ok(Prepared {
            id: enrolment.enrolment,
            stages,
            uploaded,
        })
    }

    /// Sends, or sends again, what the key file holds for enrolment `id`. A lost connection leaves
    /// it there; a refusal forgets it, unless the service has it after all.
    pub(crate) async fn send_enrolment(
        &mut self,
        id: EnrolmentId,
        attested: &Attested,
    ) -> Result<()> {
        let EnrolmentState::Sent {
            statement,
            recovery,
            submission,
            invitation,
            ..
        } = &self.record(id)?.state
        else {
            return Ok(());
        };
        let sent = self
            .client
            .enrol(
                self.signer(),
                id,
                statement,
                recovery.as_ref(),
                submission.clone(),
                invitation.as_deref(),
            )
            .await;
        match sent {
            Ok(receipt) => self.finish_enrolment(id, receipt, attested),
            Err(refusal) if is_final(&refusal) => {
                let known = self.client.subject(self.signer()).await?.enrolments;
                if let Some(found) = known.into_iter().find(|enrolment| enrolment.id == id) {
                    return self.adopt(id, found.template, found.enrolled, None);
                }
                self.state.enrolments.retain(|record| record.id != id);
                self.save()?;
                Err(refusal)
            }
            Err(passing) => Err(passing),
        }
    }

    fn finish_enrolment(
        &mut self,
        id: EnrolmentId,
        receipt: Jws,
        attested: &Attested,
    ) -> Result<()> {
        let word = attested.believe::<EnrolmentReceipt>(&receipt)?;
        let EnrolmentState::Sent {
            submission,
            replaces,
            ..
        } = &self.record(id)?.state
        else {
            return Err(Error::Unbelievable("the enrolment was not sent"));
        };
        let fits = self.fits_enrolment(&word, id)
            && word.submission == Digest::of(label::SUBMISSION, submission)
            && word.replaced == *replaces
            && word.pinned_key == self.key();
        if !fits {
            return Err(Error::Unbelievable("the receipt is for another enrolment"));
        }
        self.adopt(id, word.template, word.iat, Some(receipt))
    }

    /// The enrolment is registered; the one it replaces goes, with its κ.
    fn adopt(
        &mut self,
        id: EnrolmentId,
        template: Digest,
        enrolled: blindprint_core::UnixTime,
        receipt: Option<Jws>,
    ) -> Result<()> {
        let record = self.record_mut(id)?;
        let replaced = match &record.state {
            EnrolmentState::Sent { replaces, .. } => *replaces,
            _ => None,
        };
        record.state = EnrolmentState::Registered {
            template,
            enrolled,
            receipt,
        };
        self.state
            .enrolments
            .retain(|record| Some(record.id) != replaced);
        self.save()
    }

    /// The registered enrolment of `profile`.
    pub(crate) fn registered(&self, profile: ProfileId) -> Option<&EnrolmentRecord> {
        self.state.enrolments.iter().rev().find(|record| {
            record.profile == profile && matches!(record.state, EnrolmentState::Registered { .. })
        })
    }

    pub(crate) fn record(&self, id: EnrolmentId) -> Result<&EnrolmentRecord> {
        self.state
            .enrolments
            .iter()
            .find(|record| record.id == id)
            .ok_or_else(|| Error::Invalid(format!("this wallet knows no enrolment {id}")))
    }

    pub(crate) fn record_mut(&mut self, id: EnrolmentId) -> Result<&mut EnrolmentRecord> {
        self.state
            .enrolments
            .iter_mut()
            .find(|record| record.id == id)
            .ok_or_else(|| Error::Invalid(format!("this wallet knows no enrolment {id}")))
    }

    fn enrolment_view(&self, id: EnrolmentId) -> Result<EnrolmentView> {
        self.enrolments()
            .into_iter()
            .find(|enrolment| enrolment.id == id)
            .ok_or_else(|| Error::Invalid(format!("this wallet knows no enrolment {id}")))
    }
}

/// Whether sending the same again can never succeed.
pub(crate) fn is_final(error: &Error) -> bool {
    match error {
        Error::Refused { code, .. } => *code != ProblemCode::Unauthenticated,
        Error::NoConsent | Error::InvitationNeeded => true,
        _ => false,
    }
}
