use std::sync::Arc;

use blindprint_core::{
    Audience, Binding, Digest, Jws, SystemEntropy, label,
    statement::{Probe, Statement},
    wire::Invite,
};
use blindprint_did::SigningKey;
use blindprint_face::Embedding;
use blindprint_template::{BiometricCode, EncodingKey};
use blindprint_wallet::{Attested, Challenged, Material, Materials, PreparedProbe};

use crate::{
    Error, Result,
    host::Host,
    people::{People, Person},
    round::{Enrolled, nonce, shop},
    service::{RunningService, surroundings},
};

/// Who takes part in the attacks.
pub(super) struct Scene {
    /// The victim.
    pub(super) alice: Enrolled,
    /// Her captures.
    pub(super) alice_person: Arc<Person>,
    /// The attacker, who has an enrolment of their own.
    pub(super) mallory: Enrolled,
    /// Their captures.
    pub(super) mallory_person: Arc<Person>,
    /// Somebody who withdraws.
    pub(super) carol: Enrolled,
    /// Her captures.
    pub(super) carol_person: Arc<Person>,
    /// The machine's owner, who works for the attacker.
    pub(super) host: Host,
    /// Lets Mallory enrol again.
    pub(super) invitation: String,
    /// What everybody encrypts with.
    material: Arc<Material>,
    /// What the enclave proved at the beginning.
    pub(super) attested: Attested,
}

impl Scene {
    pub(super) async fn set(
        service: &RunningService,
        mut wallets: Vec<Enrolled>,
        people: &People,
    ) -> Result<Self> {
        let persons: Vec<Arc<Person>> = people.participants().map(Arc::clone).collect();
        let mut next = || {
            wallets
                .pop()
                .ok_or_else(|| Error::Setup("too few people".to_owned()))
        };
        let (carol, mallory, alice) = (next()?, next()?, next()?);
        let materials = Arc::new(Materials::in_memory());
        let operator = service.client(&surroundings(Arc::clone(&materials)))?;
        let invite = Invite {
            uses: 1,
            valid_for: 3600,
            note: Some("for Mallory".to_owned()),
        };
        let invitation = operator
            .invite(&service.operator_token()?, &invite)
            .await?
            .secret;
        let attested = alice.wallet.attest().await?;
        let material = materials.load(&operator, &attested, &()).await?;
        Ok(Self {
            alice_person: Arc::clone(&persons[alice.at]),
            mallory_person: Arc::clone(&persons[mallory.at]),
            carol_person: Arc::clone(&persons[carol.at]),
            alice,
            mallory,
            carol,
            host: Host::of(service),
            invitation,
            material,
            attested,
        })
    }

    /// Encrypts and proves whatever the attacker likes.
    pub(super) async fn seal(&self, code: BiometricCode, binding: Binding) -> Result<Vec<u8>> {
        let material = Arc::clone(&self.material);
        tokio::task::spawn_blocking(move || {
            blindprint_template::seal(
                &code,
                &material.public_key,
                &material.crs,
                &binding,
                &SystemEntropy,
            )
            .map(|submission| submission.encode())
            .map_err(|e| Error::Broken(e.to_string()))
        })
        .await
        .map_err(|e| Error::Broken(e.to_string()))?
    }
}

/// A challenge for this person's wallet by the demo's relying party.
pub(super) async fn challenge(who: &Enrolled) -> Result<Challenged> {
    Ok(who.wallet.challenge(who.enrolment, shop(), nonce()).await?)
}

/// A probe of this person's second capture by their own wallet.
pub(super) async fn probe(
    who: &Enrolled,
    person: &Person,
    challenged: &Challenged,
) -> Result<PreparedProbe> {
    Ok(who
        .wallet
        .prepare_probe(challenged, person.captures[1].embedding()?, &())
        .await?)
}

/// The statement that belongs to a challenge and these bytes.
pub(super) fn statement(
    who: &Enrolled,
    challenged: &Challenged,
    audience: Audience,
    submission: &[u8],
) -> Probe {
    Probe {
        audience,
        submission: Digest::of(label::SUBMISSION, submission),
        ..who.wallet.probe(challenged)
    }
}

pub(super) fn now() -> blindprint_core::UnixTime {
    blindprint_core::Clock::now(&blindprint_core::SystemClock)
}

pub(super) fn sign<T: Statement>(key: &SigningKey, statement: &T) -> Result<Jws> {
    blindprint_did::sign(key, statement).map_err(|e| Error::Broken(e.to_string()))
}

/// A code under a key of the attacker's own.
pub(super) fn code(
    profile: blindprint_core::ProfileId,
    key: &EncodingKey,
    embedding: &Embedding,
) -> Result<BiometricCode> {
    blindprint_template::encode(profile, key, embedding.values())
        .map_err(|e| Error::Broken(e.to_string()))
}
