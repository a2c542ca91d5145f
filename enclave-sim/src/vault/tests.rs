use std::{
    fs,
    sync::{Arc, Mutex},
    time::Instant,
};

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Nonce, SystemEntropy, UnixTime, profile_table_digest, profiles,
    statement::{Consent, Decision, Enrolment, Purpose, TemplateCheck},
};
use blindprint_did::{KeyType, SigningKey, jws_digest, sign};
use blindprint_protocol::{
    DataKey,
    policy::{AttestedMatcher, Policy, Terms},
};
use secrecy::SecretBox;

use super::*;
use crate::SealError;

/// The hardware's memory, which outlives the process; it can be told to fail.
#[derive(Clone)]
struct Hardware(Arc<Mutex<(Mark, bool)>>);

impl Hardware {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((genesis(), true))))
    }

    fn works(&self, works: bool) {
        self.0.lock().unwrap().1 = works;
    }
}

impl MonotonicCounter for Hardware {
    fn read(&self) -> Mark {
        self.0.lock().unwrap().0
    }

    fn advance(&mut self, next: Mark) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        if !memory.1 {
            return Err(io::ErrorKind::Other.into());
        }
        memory.0 = next;
        Ok(())
    }
}

struct Host {
    folder: tempfile::TempDir,
    hardware: Hardware,
}

impl Host {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            hardware: Hardware::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("registry.sealed")
    }

    fn open(&self) -> Result<Vault, EnclaveError> {
        let key = SealingKey::new(SecretBox::new(Box::new([1; 32])));
        let counter = Box::new(self.hardware.clone());
        Vault::open(&self.path(), key, counter, false, &SystemEntropy).map(|(vault, _)| vault)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn show(&self, bytes: &[u8]) -> Result<Vault, EnclaveError> {
        fs::write(self.path(), bytes).unwrap();
        self.open()
    }
}

fn snapshot() -> Zeroizing<Vec<u8>> {
    Registry::empty(&SystemEntropy).encode()
}

fn rolled_back(vault: &Result<Vault, EnclaveError>) -> bool {
    match vault {
        Err(EnclaveError::Rollback(error)) => error.to_string().starts_with("rollback detected"),
        _ => false,
    }
}

#[test]
fn only_the_last_acknowledged_state_is_taken() {
    let host = Host::new();
    let mut states = vec![];
    for _ in 0..4 {
        host.open()
            .unwrap()
            .write(snapshot(), &SystemEntropy)
            .unwrap();
        states.push(host.bytes());
    }
    let last = states.pop().unwrap();
    for (number, old) in states.iter().enumerate() {
        assert!(rolled_back(&host.show(old)), "state {number}");
        assert_eq!(host.bytes(), *old, "what is refused is not overwritten");
    }
    assert!(host.show(&last).is_ok());
    fs::remove_file(host.path()).unwrap();
    assert!(rolled_back(&host.open()), "no state at all");
}

#[test]
fn a_crash_before_the_hardware_hears_leaves_a_state_that_holds() {
    let host = Host::new();
    let mut vault = host.open().unwrap();
    vault.write(snapshot(), &SystemEntropy).unwrap();
    let before = host.bytes();
    host.hardware.works(false);
    assert!(vault.write(snapshot(), &SystemEntropy).is_err());
    let interrupted = host.bytes();
    host.hardware.works(true);
    assert!(host.show(&before).is_ok(), "the host may show either");
    assert!(host.show(&interrupted).is_ok());
    assert!(
        rolled_back(&host.show(&before)),
        "but not take the choice back"
    );
}

#[test]
fn an_interrupted_state_cannot_replace_its_acknowledged_sibling() {
    let host = Host::new();
    let mut vault = host.open().unwrap();
    vault.write(snapshot(), &SystemEntropy).unwrap();
    host.hardware.works(false);
    assert!(vault.write(snapshot(), &SystemEntropy).is_err());
    let interrupted = host.bytes();
    host.hardware.works(true);
    vault.write(snapshot(), &SystemEntropy).unwrap();
    let acknowledged = host.bytes();
    assert!(rolled_back(&host.show(&interrupted)));
    assert!(host.show(&acknowledged).is_ok());
}

#[test]
fn a_write_that_fails_leaves_the_state_before() {
    let host = Host::new();
    let mut vault = host.open().unwrap();
    vault.write(snapshot(), &SystemEntropy).unwrap();
    let before = host.bytes();
    // Nothing can be written in the place of the new file.
    let obstacle = host.folder.path().join("registry.sealed.new");
    fs::create_dir(&obstacle).unwrap();
    for _ in 0..2 {
        assert!(vault.write(snapshot(), &SystemEntropy).is_err());
        assert_eq!(host.bytes(), before);
    }
    fs::remove_dir(&obstacle).unwrap();
    vault.write(snapshot(), &SystemEntropy).unwrap();
    assert!(host.open().is_ok());
}

#[test]
fn what_is_inside_must_be_a_registry() {
    let host = Host::new();
    host.open()
        .unwrap()
        .write(Zeroizing::new(b"something else".to_vec()), &SystemEntropy)
        .unwrap();
    assert!(matches!(host.open(), Err(EnclaveError::Registry(_))));
    assert!(matches!(
        host.show(b"not sealed"),
        Err(EnclaveError::Sealed {
            source: SealError::Malformed,
            ..
        })
    ));
}

/// A registry of `subjects` who consented and enrolled.
fn populated(subjects: usize) -> Policy {
    let (service, now) = ("https://example.org", UnixTime(1_760_000_000));
    let terms = Terms {
        service: service.parse().unwrap(),
        parameters: "test".to_owned(),
        key: Digest::of("key", b""),
        matchers: 1,
        recompute: false,
        log: None,
    };
    let mut policy = Policy::boot(terms, Registry::empty(&SystemEntropy));
    let matcher = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    let nonce = Nonce::random(&SystemEntropy);
    policy.matcher_nonce(nonce, now);
    let attested = AttestedMatcher {
        nonce,
        module: "matcher".to_owned(),
        evaluation_key: matcher.public().uri(),
        parameters: "test".to_owned(),
        key: Digest::of("key", b""),
        profiles: profile_table_digest(),
    };
    policy.admit_matcher(attested, now).unwrap();
    for _ in 0..subjects {
        let wallet = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        let subject = wallet.public().subject();
        let consent = Consent {
            id: ConsentId::random(&SystemEntropy),
            sub: subject.clone(),
            service: service.parse().unwrap(),
            decision: Decision::Given,
            purpose: Purpose::Authentication,
            recipient: None,
            record: Digest::of("record", b""),
            previous: None,
            notice: Digest::of("notice", b""),
            given: now,
            expires: now.plus(3600),
        };
        let consent = sign(&wallet, &consent).unwrap();
        policy
            .give_consent(&consent, &SystemEntropy, now)
            .unwrap()
            .commit();
        let nonce = Nonce::random(&SystemEntropy);
        let data_key = DataKey::random(&SystemEntropy);
        policy
            .issue_nonce(subject.clone(), nonce, data_key, now)
            .unwrap();
        let enrolment = Enrolment {
            sub: subject,
            service: service.parse().unwrap(),
            enrolment: EnrolmentId::random(&SystemEntropy),
            replaces: None,
            consent: jws_digest(&consent),
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key: Digest::of("key", b""),
            submission: Digest::of("submission", b""),
            nonce,
            recovery_key: matcher.public().uri(),
            iat: now,
        };
        let check = TemplateCheck {
            binding: enrolment.binding().digest(),
            submission: enrolment.submission,
            template: Digest::of("template", b""),
            parameters: "test".to_owned(),
            key: enrolment.key,
        };
        let check = sign(&matcher, &check).unwrap();
        policy
            .register(
                &sign(&wallet, &enrolment).unwrap(),
                None,
                &[check],
                nonce,
                now,
            )
            .unwrap()
            .commit();
    }
    policy
}

/// The numbers of docs/adr/020: `cargo test -p blindprint-enclave-sim --lib -- --ignored --nocapture cost`.
#[test]
#[ignore = "measures"]
fn cost_of_a_change_by_number_of_subjects() {
    for subjects in [10, 100, 1_000, 10_000, 50_000] {
        let mut policy = populated(subjects);
        let host = Host::new();
        let nvram = crate::NvramFile::open(&host.folder.path().join("nvram")).unwrap();
        let key = SealingKey::new(SecretBox::new(Box::new([1; 32])));
        let (mut vault, _) =
            Vault::open(&host.path(), key, Box::new(nvram), false, &SystemEntropy).unwrap();
        let mut times: Vec<_> = (0..15)
            .map(|_| {
                let wallet = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
                let now = UnixTime(1_760_000_000);
                let consent = Consent {
                    id: ConsentId::random(&SystemEntropy),
                    sub: wallet.public().subject(),
                    service: "https://example.org".parse().unwrap(),
                    decision: Decision::Given,
                    purpose: Purpose::Authentication,
                    recipient: None,
                    record: Digest::of("record", b""),
                    previous: None,
                    notice: Digest::of("notice", b""),
                    given: now,
                    expires: now.plus(3600),
                };
                let consent = sign(&wallet, &consent).unwrap();
                let begun = Instant::now();
                let change = policy.give_consent(&consent, &SystemEntropy, now).unwrap();
                vault
                    .write(change.snapshot().unwrap(), &SystemEntropy)
                    .unwrap();
                change.commit();
                begun.elapsed()
            })
            .collect();
        times.sort();
        let bytes = host.bytes().len();
        println!(
            "{subjects:>6} subjects: {bytes:>9} bytes, median {:?}, worst {:?}",
            times[7], times[14]
        );
    }
}
