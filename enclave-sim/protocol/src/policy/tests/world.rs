//! The world around the policy: wallets and matchers with real keys, a host's disk that keeps every
//! state ever written, and the hardware's mark.

use std::sync::atomic::{AtomicU64, Ordering};

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, Jws, KeyUri, Nonce, ServiceId, SubjectId, UnixTime,
    consent::Scope,
    profile_table_digest, profiles,
    statement::{
        Consent, ConsentReceipt, Decision, Enrolment, Erasure, Evaluation, KeyRotation, Probe,
        Purpose, Recovery, RecoveryAction, Statement, SubjectErasure, TemplateCheck, Withdrawal,
    },
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use serde_bytes::ByteBuf;

use crate::{
    DataKey,
    message::{DataKeyOf, Refusal, SignedEvaluation},
    policy::{
        AttestedMatcher, ChallengeRequest, Change, Mark, Policy, Registry, Rollback, Terms,
        continuity,
    },
};

pub const START: i64 = 1_760_000_000;
pub const DAY: i64 = 24 * 3600;

/// Repeatable randomness.
pub struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            let block = Digest::of("seeded", &n.to_be_bytes());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}

impl Seeded {
    /// Another stream of it, for who cannot borrow this one.
    pub fn fork(&self) -> Self {
        let entropy: &dyn Entropy = self;
        Self(AtomicU64::new(u64::from_le_bytes(entropy.bytes())))
    }
}

/// A sealed state and where it came from.
pub struct State {
    pub mark: Mark,
    pub parent: Mark,
    pub bytes: Vec<u8>,
}

/// What the host keeps, and what the hardware remembers.
pub struct Disk {
    pub states: Vec<State>,
    pub marked: Mark,
    pub full: bool,
}

impl Disk {
    fn new(registry: &Registry) -> Self {
        let bytes = registry.encode().to_vec();
        let none = Mark {
            count: 0,
            state: Digest::of("state", b"none"),
        };
        let mark = Mark {
            count: 1,
            state: Digest::of("state", &bytes),
        };
        Self {
            states: vec![State {
                mark,
                parent: none,
                bytes,
            }],
            marked: mark,
            full: false,
        }
    }

    /// Writes a state without telling the hardware.
    fn write(&mut self, bytes: Vec<u8>) -> Result<Mark, Refusal> {
        if self.full {
            return Err(Refusal::Storage);
        }
        // Sealing is randomised: no two states are the same.
        let n = u64::try_from(self.states.len()).unwrap().to_be_bytes();
        let state = Digest::of_parts("state", &[&n, &bytes]);
        let mark = Mark {
            count: self.marked.count + 1,
            state,
        };
        self.states.push(State {
            mark,
            parent: self.marked,
            bytes,
        });
        Ok(mark)
    }

    pub fn settle<A>(&mut self, change: Change<'_, A>) -> Result<A, Refusal> {
        if let Some(bytes) = change.snapshot() {
            self.marked = self.write(bytes.to_vec())?;
        }
        Ok(change.commit())
    }

    /// Writes a change and crashes before the hardware or anybody else hears of it. Whether there
    /// was anything to write.
    pub fn interrupt<A>(&mut self, change: &Change<'_, A>) -> bool {
        change
            .snapshot()
            .is_some_and(|bytes| self.write(bytes.to_vec()).is_ok())
    }

    /// Starts from a state, if the hardware lets it.
    pub fn boot(&mut self, index: usize, terms: Terms) -> Result<Policy, Rollback> {
        let state = &self.states[index];
        continuity(state.mark, state.parent, self.marked)?;
        self.marked = state.mark;
        Ok(Policy::boot(terms, Registry::decode(&state.bytes).unwrap()))
    }
}

pub struct World {
    pub entropy: Seeded,
    pub terms: Terms,
    pub policy: Policy,
    pub disk: Disk,
    pub host: UnixTime,
    pub matchers: Vec<SigningKey>,
}

impl World {
    /// An enclave that needs `k` matchers and has admitted the first `k + 1` of `k + 3`.
    pub fn new(k: usize, recompute: bool) -> Self {
        let entropy = Seeded(AtomicU64::new(0));
        let terms = Terms {
            service: "https://example.org".parse().unwrap(),
            parameters: "test-set".to_owned(),
            key: Digest::of("key", b"in force"),
            matchers: k,
            recompute,
            log: None,
        };
        let matchers = (0..k + 3).map(|_| new_key(&entropy)).collect();
        let registry = Registry::empty(&entropy);
        let disk = Disk::new(&registry);
        let policy = Policy::boot(terms.clone(), registry);
        let host = UnixTime(START);
        let mut world = Self {
            entropy,
            terms,
            policy,
            disk,
            host,
            matchers,
        };
        for matcher in 0..=k {
            world.admit(matcher).unwrap();
        }
        world
    }

    pub fn nonce(&self) -> Nonce {
        Nonce::random(&self.entropy)
    }

    pub fn key(&self) -> SigningKey {
        new_key(&self.entropy)
    }

    pub fn admit(&mut self, matcher: usize) -> Result<(), Refusal> {
        self.admit_as(matcher, matcher)
    }

    /// Admits the key of one matcher as the instance of another.
    pub fn admit_as(&mut self, matcher: usize, module: usize) -> Result<(), Refusal> {
        let nonce = self.nonce();
        self.policy.matcher_nonce(nonce, self.host);
        let attested = AttestedMatcher {
            nonce,
            module: format!("module-{module}"),
            evaluation_key: self.matchers[matcher].public().uri(),
            parameters: self.terms.parameters.clone(),
            key: self.terms.key,
            profiles: profile_table_digest(),
        };
        self.policy.admit_matcher(attested, self.host)
    }

    pub fn issue_nonce(&mut self, subject: &SubjectId) -> Result<Nonce, Refusal> {
        let nonce = self.nonce();
        let data_key = DataKey::random(&self.entropy);
        self.policy
            .issue_nonce(subject.clone(), nonce, data_key, self.host)?;
        Ok(nonce)
    }

    pub fn data_key(&mut self, subject: &SubjectId, of: DataKeyOf) -> Result<DataKey, Refusal> {
        self.policy.data_key(subject, of, self.host)
    }

    pub fn challenge(&mut self, request: ChallengeRequest) -> Result<Nonce, Refusal> {
        let challenge = self.nonce();
        self.policy.challenge(challenge, request, self.host)?;
        Ok(challenge)
    }

    /// Starts again from the last acknowledged state.
    pub fn restart(&mut self) {
        let current = self
            .disk
            .states
            .iter()
            .rposition(|state| state.mark == self.disk.marked)
            .unwrap();
        self.policy = self.disk.boot(current, self.terms.clone()).unwrap();
    }

    pub fn consent(&self, subject: &SubjectId, scope: &Scope, lifetime: i64) -> Consent {
        Consent {
            id: ConsentId::random(&self.entropy),
            sub: subject.clone(),
            service: self.terms.service.clone(),
            decision: Decision::Given,
            purpose: scope.purpose(),
            recipient: scope.recipient().cloned(),
            notice: Digest::of("notice", b"text"),
            record: Digest::of("record", self.nonce().as_bytes()),
            previous: self.head(subject),
            given: self.host,
            expires: self.host.plus(lifetime),
        }
    }

    /// What the subject's wallet knows of its chain.
    pub fn head(&self, subject: &SubjectId) -> Option<Digest> {
        let known = self.policy.registry().subject(subject)?;
        known.head
    }

    pub fn give(&mut self, consent: &Jws) -> Result<ConsentReceipt, Refusal> {
        let change = self
            .policy
            .give_consent(consent, &self.entropy, self.host)?;
        self.disk.settle(change)
    }

    pub fn withdrawal(&self, subject: &SubjectId, consent: ConsentId) -> Withdrawal {
        Withdrawal {
            sub: subject.clone(),
            service: self.service(),
            consent,
            iat: self.host,
        }
    }

    pub fn erasure(&self, subject: &SubjectId, enrolment: EnrolmentId) -> Erasure {
        Erasure {
            sub: subject.clone(),
            service: self.service(),
            enrolment,
            iat: self.host,
        }
    }

    pub fn subject_erasure(&self, subject: &SubjectId) -> SubjectErasure {
        SubjectErasure {
            sub: subject.clone(),
            service: self.service(),
            iat: self.host,
        }
    }

    pub fn rotation(&self, subject: &SubjectId, new_key: &SigningKey, nonce: Nonce) -> KeyRotation {
        let new_key = new_key.public().uri();
        KeyRotation {
            sub: subject.clone(),
            service: self.service(),
            new_key,
            nonce,
            iat: self.host,
        }
    }

    pub fn recovery(&self, subject: &SubjectId, action: RecoveryAction, nonce: Nonce) -> Recovery {
        Recovery {
            sub: subject.clone(),
            service: self.service(),
            action,
            nonce,
            iat: self.host,
        }
    }

    pub fn enrolment(
        &self,
        subject: &SubjectId,
        consent: Digest,
        recovery_key: KeyUri,
        nonce: Nonce,
    ) -> Enrolment {
        Enrolment {
            sub: subject.clone(),
            service: self.service(),
            enrolment: EnrolmentId::random(&self.entropy),
            replaces: None,
            consent,
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key: self.terms.key,
            submission: Digest::of("submission", self.nonce().as_bytes()),
            nonce,
            recovery_key,
            iat: self.host,
        }
    }

    pub fn template_check(&self, enrolment: &Enrolment) -> TemplateCheck {
        TemplateCheck {
            binding: enrolment.binding().digest(),
            submission: enrolment.submission,
            template: Digest::of("template", enrolment.submission.as_bytes()),
            parameters: self.terms.parameters.clone(),
            key: self.terms.key,
        }
    }

    pub fn evaluation(&self, probe: &Probe, ciphertext: &[u8]) -> Evaluation {
        Evaluation {
            binding: probe.binding().digest(),
            submission: probe.submission,
            template: probe.template,
            verdict: Digest::of("blindprint/verdict-ciphertext/v1", ciphertext),
            profile: probe.profile,
            tau: probe.profile.profile().tau,
            parameters: self.terms.parameters.clone(),
            key: self.terms.key,
        }
    }

    pub fn service(&self) -> ServiceId {
        self.terms.service.clone()
    }

    /// Signs what every needed matcher says.
    pub fn checks(&self, check: &TemplateCheck) -> Vec<Jws> {
        self.matchers[..self.terms.matchers]
            .iter()
            .map(|matcher| jws(matcher, check))
            .collect()
    }
}

pub fn new_key(entropy: &Seeded) -> SigningKey {
    SigningKey::generate(KeyType::Ed25519, entropy)
}

pub fn jws<T: Statement>(key: &SigningKey, statement: &T) -> Jws {
    sign(key, statement).unwrap()
}

pub fn digest(jws: &Jws) -> Digest {
    jws_digest(jws)
}

/// A matcher's ciphertext of `bit`: opaque to the policy.
pub fn ciphertext(matcher: usize, bit: bool) -> ByteBuf {
    ByteBuf::from(vec![u8::try_from(matcher).unwrap(), u8::from(bit)])
}

/// What the enclave's key would make of [`ciphertext`].
pub fn decrypt(ciphertext: &[u8]) -> bool {
    ciphertext[1] == 1
}

pub fn signed_evaluation(
    matcher: &SigningKey,
    evaluation: &Evaluation,
    verdict: ByteBuf,
) -> SignedEvaluation {
    SignedEvaluation {
        evaluation: jws(matcher, evaluation),
        verdict,
    }
}
