use std::{
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use blindprint_core::{
    Clock, Entropy, Jws, Nonce, ServiceId, UnixTime, profile_table_digest,
    statement::{Statement, Verdict},
};
use blindprint_did::sign;
use blindprint_keys::{PublicMaterial, SecretKeys, Stage};
use blindprint_matcher::Matcher;
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::{
    DataKey,
    attestation::{Claims as _, EnclaveClaims, MAX_NONCE, MatcherClaims, Measurement, Trust},
    message::{Comparison, EnclaveRequest, EnclaveResponse, Order, Refusal, SignedEvaluation},
    policy::{
        AttestedMatcher, ChallengeRequest, Change, LogTerms, PendingOpening, Policy, Shown, Terms,
    },
};
use blindprint_template::PARAMETERS;
use serde_bytes::ByteBuf;

use crate::{
    EnclaveError,
    epoch::Epoch,
    file,
    hardware::{MonotonicCounter as _, NvramFile, sealing_key},
    seal::genesis,
    vault::Vault,
};

/// How an enclave is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its folder on the host's disk.
    pub data: PathBuf,
    /// The simulated hardware: attestation root and sealing key.
    pub hardware: PathBuf,
    /// The file of the simulated counter.
    pub nvram: PathBuf,
    /// The service that it belongs to.
    pub service: ServiceId,
    /// Matchers that must agree, at least 1.
    pub matchers: usize,
    /// Matchers that may be admitted.
    pub accepted_matchers: Vec<Measurement>,
    /// Whether it evaluates too, and must agree.
    pub recompute: bool,
    /// The transparency log that it reads; with a witness, it serves only while it is fresh.
    pub log: Option<LogTerms>,
    /// Whether to begin with a state that the hardware does not know as the last one, and to replay the
    /// log before anything is served. Takes a log.
    pub restore: bool,
}

/// A running enclave.
pub struct Enclave {
    state: Mutex<State>,
    epoch: Epoch,
    nsm: Nsm,
    trust: Trust,
    /// Present where the enclave evaluates too.
    matcher: Option<Matcher>,
    boot: Nonce,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    _folder: File,
}

/// Everything that changes, and where it is kept.
struct State {
    policy: Policy,
    vault: Vault,
}

/// As long as it lives, nothing changes.
#[must_use = "changes go on when it is dropped"]
pub struct Stopped<'e> {
    _state: MutexGuard<'e, State>,
}

impl Enclave {
    /// Starts from what is sealed in the folder, or generates keys there first, telling `progress`.
    pub fn start(
        config: &Config,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        progress: &dyn Fn(Stage),
    ) -> Result<Self, EnclaveError> {
        let folder = occupy(config)?;
        let key = sealing_key(&config.hardware, &*entropy)?;
        let nsm = Nsm::open(&config.hardware, Mode::Production, &*entropy)?;
        let nvram = NvramFile::open(&config.nvram)?;
        let registry = config.data.join("registry.sealed");
        if !Epoch::exists(&config.data)? {
            if registry.exists() || nvram.read() != genesis() {
                return Err(EnclaveError::KeysMissing);
            }
            let keys = blindprint_keys::generate(&*entropy, progress);
            Epoch::create(&config.data, &key, &config.service, keys, &*entropy)?;
        }
        let (epoch, material) = Epoch::open(&config.data, &key, &config.service)?;
        if config.restore && config.log.is_none() {
            return Err(EnclaveError::NothingToReplay);
        }
        let (vault, registry) =
            Vault::open(&registry, key, Box::new(nvram), config.restore, &*entropy)?;
        let matcher = config.recompute.then(|| evaluator(&material)).transpose()?;
        let trust = Trust::new(nsm.root().clone(), vec![], config.accepted_matchers.clone())?;
        let terms = Terms {
            service: config.service.clone(),
            parameters: PARAMETERS.name.to_owned(),
            key: epoch.digests().key(),
            matchers: config.matchers.max(1),
            recompute: config.recompute,
            log: config.log.clone(),
        };
        let mut policy = Policy::boot(terms, registry);
        if config.restore {
            policy = policy.restoring();
        }
        let state = Mutex::new(State { policy, vault });
        let boot = Nonce::random(&*entropy);
        let enclave = Self {
            state,
            epoch,
            nsm,
            trust,
            matcher,
            boot,
            clock,
            entropy,
            _folder: folder,
        };
        // Told now, not when somebody asks for a document.
        let claims = enclave.claims().encode();
        claims.map_err(|_| EnclaveError::TooManyMatchers)?;
        Ok(enclave)
    }

    /// Answers one request. Whatever goes wrong is a refusal.
    pub fn handle(&self, request: EnclaveRequest) -> EnclaveResponse {
        self.dispatch(request)
            .unwrap_or_else(EnclaveResponse::Refused)
    }

    /// Lets no further change begin and waits for the one that is being written. For a clean exit.
    pub fn stop(&self) -> Stopped<'_> {
        Stopped {
            _state: self.state(),
        }
    }

    fn dispatch(&self, request: EnclaveRequest) -> Result<EnclaveResponse, Refusal> {
        use EnclaveRequest as Request;
        Ok(match request {
            Request::Attest { nonce } => EnclaveResponse::Attested {
                document: self.attest(&nonce)?,
            },
            Request::Material { part, offset } => {
                let (total, chunk) = self
                    .epoch
                    .chunk(part, offset)
                    .map_err(|_| Refusal::Unknown)?;
                EnclaveResponse::Material {
                    total,
                    chunk: ByteBuf::from(chunk),
                }
            }
            Request::MatcherNonce => {
                let nonce = Nonce::random(&*self.entropy);
                let expires = self.state().policy.matcher_nonce(nonce, self.clock.now());
                EnclaveResponse::Nonce { nonce, expires }
            }
            Request::AdmitMatcher { nonce, document } => {
                self.admit_matcher(nonce, &document)?;
                EnclaveResponse::MatcherAdmitted
            }
            Request::IssueNonce { subject } => {
                let nonce = Nonce::random(&*self.entropy);
                let data_key = DataKey::random(&*self.entropy);
                let mut state = self.state();
                let now = self.clock.now();
                let expires = state.policy.issue_nonce(subject, nonce, data_key, now)?;
                EnclaveResponse::Nonce { nonce, expires }
            }
            Request::DataKey { subject, of } => {
                let now = self.clock.now();
                let key = self.state().policy.data_key(&subject, of, now)?;
                EnclaveResponse::DataKey { key }
            }
            Request::GiveConsent { consent } => self.receipt(
                &self.change(|policy, now| policy.give_consent(&consent, &*self.entropy, now))?,
            ),
            Request::Withdraw { withdrawal } => {
                let done = self.change(|policy, now| policy.withdraw(&withdrawal, now))?;
                self.receipts(&done.consent, &done.erased)
            }
            Request::Register {
                enrolment,
                recovery,
                checks,
            } => {
                let handle = Nonce::random(&*self.entropy);
                self.receipt(&self.change(|policy, now| {
                    policy.register(&enrolment, recovery.as_ref(), &checks, handle, now)
                })?)
            }
            Request::Challenge {
                subject,
                enrolment,
                audience,
                nonce,
                purpose,
            } => self.challenge(ChallengeRequest {
                subject,
                enrolment,
                audience,
                nonce,
                purpose,
            })?,
            Request::Open {
                probe,
                evaluations,
                comparison,
            } => {
                let verdict = self.open(&probe, evaluations, comparison)?;
                EnclaveResponse::Verdict {
                    verdict: self.sign(&verdict),
                }
            }
            Request::Erase { erasure } => {
                self.receipt(&self.change(|policy, now| policy.erase(&erasure, now))?)
            }
            Request::EraseSubject { erasure } => {
                self.receipt(&self.change(|policy, now| policy.erase_subject(&erasure, now))?)
            }
            Request::Order { order } => self.order(&order)?,
            Request::RotateKey {
                rotation,
                possession,
            } => self.receipt(
                &self.change(|policy, now| policy.rotate_key(&rotation, &possession, now))?,
            ),
            Request::Recover {
                recovery,
                possession,
            } => {
                let done =
                    self.change(|policy, now| policy.recover(&recovery, possession.as_ref(), now))?;
                self.receipts(&done.keys, &done.erased)
            }
            Request::Mark => self.mark()?,
            Request::ShowLog {
                checkpoint,
                first,
                entries,
                last,
            } => {
                let key = self.epoch.verdict_key_uri();
                let shown = Shown {
                    checkpoint: &checkpoint,
                    first,
                    entries: &entries,
                    last,
                };
                let seen = self.change(|policy, now| policy.show_log(shown, &key, now));
                if seen == Err(Refusal::RolledBack) {
                    tracing::error!("another state of this enclave has shown itself in the log");
                }
                EnclaveResponse::LogSeen(seen?)
            }
            Request::Health => self.health(),
        })
    }

    /// A mark, sealed before anybody sees it.
    fn mark(&self) -> Result<EnclaveResponse, Refusal> {
        let nonce = Nonce::random(&*self.entropy);
        let mut state = self.state();
        let State { policy, vault } = &mut *state;
        let change = policy.mark(self.boot, nonce, vault.next(), self.clock.now())?;
        let marked = self.settle(change, vault)?;
        Ok(EnclaveResponse::Mark {
            mark: self.sign(&marked.mark),
            log_size: marked.log_size,
        })
    }

    /// The one writer. Every change of the state is one assignment after it was made durable, so a
    /// thread that panicked has left it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change durable, then lets it happen.
    fn change<A>(
        &self,
        operation: impl FnOnce(&mut Policy, UnixTime) -> Result<Change<'_, A>, Refusal>,
    ) -> Result<A, Refusal> {
        let mut state = self.state();
        let State { policy, vault } = &mut *state;
        self.settle(operation(policy, self.clock.now())?, vault)
    }

    fn settle<A>(&self, change: Change<'_, A>, vault: &mut Vault) -> Result<A, Refusal> {
        if let Some(count) = change.outruns() {
            vault.outrun(count);
        }
        if let Some(snapshot) = change.snapshot() {
            vault.write(snapshot, &*self.entropy).map_err(|error| {
                tracing::error!(%error, "the state could not be written; nothing was changed");
                Refusal::Storage
            })?;
        }
        Ok(change.commit())
    }

    /// Carries out what the host may order, because it only takes away.
    fn order(&self, order: &Order) -> Result<EnclaveResponse, Refusal> {
        Ok(match order {
            Order::EndConsent {
                subject,
                consent,
                cause,
            } => {
                let done =
                    self.change(|policy, now| policy.end_consent(subject, *consent, *cause, now))?;
                self.receipts(&done.consent, &done.erased)
            }
            Order::EraseEnrolment { subject, enrolment } => self.receipt(
                &self.change(|policy, now| policy.erase_ordered(subject, *enrolment, now))?,
            ),
            Order::EraseSubject { subject } => self
                .receipt(&self.change(|policy, now| policy.erase_subject_ordered(subject, now))?),
        })
    }

    fn attest(&self, nonce: &[u8]) -> Result<ByteBuf, Refusal> {
        if !(1..=MAX_NONCE).contains(&nonce.len()) {
            return Err(Refusal::Malformed);
        }
        let (key, claims, now) = (
            self.epoch.verdict_key_uri(),
            self.claims(),
            self.clock.now(),
        );
        let document = self.nsm.attest(&key, &claims, nonce, now, &*self.entropy);
        document.map(ByteBuf::from).map_err(|error| {
            tracing::error!(%error, "no attestation document");
            Refusal::Attestation
        })
    }

    fn claims(&self) -> EnclaveClaims {
        let digests = self.epoch.digests();
        let terms = self.state().policy.terms().clone();
        EnclaveClaims {
            parameters: terms.parameters,
            public_key: digests.public_key,
            crs: digests.crs,
            evaluation_keys: digests.evaluation_keys,
            key: digests.key(),
            profiles: profile_table_digest(),
            service: terms.service,
            matchers: self.trust.matcher().to_vec(),
            matchers_needed: u32::try_from(terms.matchers).unwrap_or(u32::MAX),
            recompute: terms.recompute,
            log: terms.log.as_ref().map(LogTerms::digest),
        }
    }

    fn admit_matcher(&self, nonce: Nonce, document: &[u8]) -> Result<(), Refusal> {
        let now = self.clock.now();
        if !self.state().policy.expects_matcher(&nonce, now) {
            return Err(Refusal::ChallengeGone);
        }
        let verified = self
            .trust
            .verify::<MatcherClaims>(document, nonce.as_bytes(), now)
            .map_err(|error| {
                tracing::warn!(%error, "a matcher was not admitted");
                Refusal::Attestation
            })?;
        let claims = verified.claims();
        let matcher = AttestedMatcher {
            nonce,
            module: verified.module().to_owned(),
            evaluation_key: verified.key().clone(),
            parameters: claims.parameters.clone(),
            key: claims.key,
            profiles: claims.profiles,
        };
        self.state().policy.admit_matcher(matcher, now)
    }

    fn challenge(&self, request: ChallengeRequest) -> Result<EnclaveResponse, Refusal> {
        let challenge = Nonce::random(&*self.entropy);
        let issued = self
            .state()
            .policy
            .challenge(challenge, request, self.clock.now())?;
        Ok(EnclaveResponse::Challenge {
            challenge,
            template: issued.template,
            profile: issued.profile,
            key: issued.key,
            expires: issued.expires,
        })
    }

    /// Counts the attempt durably, decrypts one bit from each matcher and makes a verdict.
    fn open(
        &self,
        probe: &Jws,
        evaluations: Vec<SignedEvaluation>,
        comparison: Option<Comparison>,
    ) -> Result<Verdict, Refusal> {
        let pending =
            self.change(|policy, now| policy.begin_open(probe, evaluations, comparison, now))?;
        let secret = self.epoch.secret();
        let opened = pending.ciphertexts().map(|bytes| secret.open(bytes).ok());
        let mut bits: Vec<Option<bool>> = opened.collect();
        if let Some(comparison) = pending.comparison() {
            bits.push(self.evaluate(&pending, comparison));
        }
        let agreed = self
            .change(|policy, now| pending.compare(policy, &bits, now))?
            .inspect_err(|_| tracing::error!("a matcher lied: who signed is expelled"))?;
        self.change(|policy, now| agreed.finish(policy, now))
    }

    /// The enclave's own evaluation of the same probe and template, proof included. If there is
    /// none, the matchers signed for what they cannot have evaluated.
    fn evaluate(&self, pending: &PendingOpening, comparison: &Comparison) -> Option<bool> {
        let matcher = self.matcher.as_ref()?;
        let binding = pending.probe().binding();
        let verdict = matcher.worker(Arc::clone(&self.entropy)).evaluate(
            &binding,
            &comparison.submission,
            &comparison.template,
        );
        self.epoch.secret().open(&verdict.ok()?).ok()
    }

    fn health(&self) -> EnclaveResponse {
        let state = self.state();
        let terms = state.policy.terms();
        EnclaveResponse::Healthy {
            parameters: terms.parameters.clone(),
            key: terms.key,
            verdict_key: self.epoch.verdict_key_uri(),
            boot: self.boot,
            matchers: u32::try_from(state.policy.matchers(self.clock.now())).unwrap_or(u32::MAX),
            matchers_needed: u32::try_from(terms.matchers).unwrap_or(u32::MAX),
            recompute: terms.recompute,
            incidents: state.policy.incidents(),
            log: state.policy.seen_of_log(),
        }
    }

    fn sign(&self, statement: &impl Statement) -> Jws {
        sign(self.epoch.verdict_key(), statement)
            .expect("what the enclave says is made of bounded parts that fit into a JWS")
    }

    fn receipt(&self, statement: &impl Statement) -> EnclaveResponse {
        EnclaveResponse::Receipt {
            receipt: self.sign(statement),
        }
    }

    fn receipts(&self, first: &impl Statement, others: &[impl Statement]) -> EnclaveResponse {
        let others = others.iter().map(|statement| self.sign(statement));
        EnclaveResponse::Receipts {
            receipts: std::iter::once(self.sign(first)).chain(others).collect(),
        }
    }
}

/// Puts keys that were generated elsewhere into a folder that has none: tests share a set, because
/// generating one takes long.
pub fn install_keys(
    config: &Config,
    keys: (SecretKeys, PublicMaterial),
    entropy: &dyn Entropy,
) -> Result<(), EnclaveError> {
    file::make_folder(&config.data).map_err(EnclaveError::io(&config.data))?;
    let sealing_key = sealing_key(&config.hardware, entropy)?;
    Epoch::create(&config.data, &sealing_key, &config.service, keys, entropy)
}

/// Keeps every other enclave out of the folder as long as the file lives.
fn occupy(config: &Config) -> Result<File, EnclaveError> {
    file::make_folder(&config.data).map_err(EnclaveError::io(&config.data))?;
    let folder = File::open(&config.data).map_err(EnclaveError::io(&config.data))?;
    folder
        .try_lock()
        .map_err(|_| EnclaveError::InUse(config.data.clone()))?;
    Ok(folder)
}

fn evaluator(material: &PublicMaterial) -> Result<Matcher, EnclaveError> {
    Matcher::new(
        &material.public_key,
        &material.crs,
        &material.evaluation_keys,
    )
    .map_err(EnclaveError::Keys)
}
