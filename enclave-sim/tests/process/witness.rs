//! A host that puts back older files under an enclave that requires a witness.

use std::{fs, process::Command};

use blindprint_core::{
    EnrolmentId, Jws, SystemEntropy,
    statement::{EnrolmentReceipt, Purpose, SubjectErasureReceipt},
};
use blindprint_log::{Entry, Kind, LogKey, Tree, WitnessKey};
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::{
    attestation::{AttestationError, EnclaveClaims, Trust},
    message::{DataKeyOf, EnclaveRequest, EnclaveResponse, LogSeen, Refusal},
    policy::LogTerms,
};
use serde_bytes::ByteBuf;

use crate::host::{AUDIENCE, Client, Host, Matcher, Wallet, now};

/// A log and its witness, kept by the test.
struct Ledger {
    log: LogKey,
    witness: WitnessKey,
    entries: Vec<Entry>,
}

impl Ledger {
    fn new() -> Self {
        Self {
            log: LogKey::generate("blindprint.example/log", &SystemEntropy).unwrap(),
            witness: WitnessKey::generate("witness.example", &SystemEntropy).unwrap(),
            entries: Vec::new(),
        }
    }

    fn terms(&self) -> LogTerms {
        LogTerms {
            log: self.log.verifier(),
            witness: Some(self.witness.verifier()),
            period: 300,
        }
    }

    /// One whole round with an enclave.
    fn round(&mut self, client: &mut Client) -> Result<LogSeen, Refusal> {
        let (mark, first) = match client.ask(EnclaveRequest::Mark) {
            EnclaveResponse::Mark { mark, log_size } => (mark, log_size),
            EnclaveResponse::Refused(refusal) => return Err(refusal),
            other => panic!("{other:?}"),
        };
        self.entries
            .push(Entry::public(Kind::EnclaveMark, now(), mark).unwrap());
        let mut tree = Tree::default();
        for entry in &self.entries {
            tree.append(entry);
        }
        let head = self.log.sign(tree.size(), tree.root()).unwrap();
        let answer = self.witness.cosign(&head, now()).unwrap().to_string();
        let head = head
            .with_cosignature(&answer, &self.witness.verifier())
            .unwrap();
        let shown = self.entries.iter().skip(usize::try_from(first).unwrap());
        match client.ask(EnclaveRequest::ShowLog {
            checkpoint: head.to_string(),
            first,
            entries: shown.map(|entry| ByteBuf::from(entry.encode())).collect(),
            last: true,
        }) {
            EnclaveResponse::LogSeen(seen) => Ok(seen),
            EnclaveResponse::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }
}

/// Somebody who enrolled.
struct Enrolled {
    wallet: Wallet,
    enrolment: EnrolmentId,
}

fn enrol(host: &Host, client: &mut Client, matcher: &Matcher) -> Result<Enrolled, Refusal> {
    let wallet = Wallet::new();
    let (_, consent) = wallet.consent();
    match client.ask(EnclaveRequest::GiveConsent {
        consent: consent.clone(),
    }) {
        EnclaveResponse::Receipt { .. } => {}
        EnclaveResponse::Refused(refusal) => return Err(refusal),
        other => panic!("{other:?}"),
    }
    let nonce = client.nonce(&wallet.subject);
    let (enrolment, jws) = wallet.enrolment(&consent, host.key, nonce);
    let receipt: EnrolmentReceipt = client.receipt(EnclaveRequest::Register {
        enrolment: jws,
        recovery: None,
        checks: vec![matcher.check(&enrolment)],
    })?;
    Ok(Enrolled {
        wallet,
        enrolment: receipt.enrolment,
    })
}

/// Whether the enclave gives out what opening takes: a challenge, and the template's key.
fn opens(client: &mut Client, enrolled: &Enrolled) -> Result<(), Refusal> {
    let subject = enrolled.wallet.subject.clone();
    let key = client.ask(EnclaveRequest::DataKey {
        subject: subject.clone(),
        of: DataKeyOf::Enrolment(enrolled.enrolment),
    });
    let challenge = client.ask(EnclaveRequest::Challenge {
        subject,
        enrolment: enrolled.enrolment,
        audience: AUDIENCE.parse().unwrap(),
        nonce: "a-nonce-of-theirs".to_owned(),
        purpose: Purpose::Authentication,
    });
    match (key, challenge) {
        (EnclaveResponse::DataKey { .. }, EnclaveResponse::Challenge { .. }) => Ok(()),
        (EnclaveResponse::Refused(left), EnclaveResponse::Refused(_)) => Err(left),
        other => panic!("{other:?}"),
    }
}

fn seen(client: &mut Client) -> LogSeen {
    match client.ask(EnclaveRequest::Health) {
        EnclaveResponse::Healthy { log: Some(log), .. } => log,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_enclave_that_requires_a_witness_says_so_and_serves_when_it_has_seen_the_log() {
    let mut ledger = Ledger::new();
    let mut host = Host::new();
    host.config.log = Some(ledger.terms());
    let process = host.start();
    let mut client = process.connect();

    let document = match client.ask(EnclaveRequest::Attest {
        nonce: ByteBuf::from(b"nonce"),
    }) {
        EnclaveResponse::Attested { document } => document,
        other => panic!("{other:?}"),
    };
    let nsm = Nsm::open(&host.config.hardware, Mode::Production, &SystemEntropy).unwrap();
    let measured = Command::new(env!("CARGO_BIN_EXE_blindprint-enclave"))
        .arg("--measurement")
        .output()
        .unwrap();
    let measurement = String::from_utf8(measured.stdout).unwrap();
    let measurement = measurement.trim().parse().unwrap();
    let trust = Trust::new(nsm.root().clone(), vec![measurement], vec![]).unwrap();
    let trust = trust.reading(ledger.terms());
    let read = Trust::parse(trust.to_json().as_bytes()).unwrap();
    assert_eq!(read, trust);
    assert!(
        read.verify::<EnclaveClaims>(&document, b"nonce", now())
            .is_ok()
    );
    let other = LogTerms {
        witness: Some(
            WitnessKey::generate("witness.example", &SystemEntropy)
                .unwrap()
                .verifier(),
        ),
        ..ledger.terms()
    };
    assert_eq!(
        trust
            .reading(other)
            .verify::<EnclaveClaims>(&document, b"nonce", now())
            .unwrap_err(),
        AttestationError::Log
    );

    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    let refused = enrol(&host, &mut client, &matcher).err();
    assert_eq!(refused, Some(Refusal::Unwitnessed));
    assert_eq!(seen(&mut client).fresh_until, None);
    ledger.round(&mut client).unwrap();
    assert!(seen(&mut client).fresh_until.unwrap() > now());
    let enrolled = enrol(&host, &mut client, &matcher).unwrap();
    assert_eq!(opens(&mut client, &enrolled), Ok(()));
}

#[test]
fn a_backup_is_served_only_after_the_log_was_replayed_and_resurrects_nobody() {
    let mut ledger = Ledger::new();
    let mut host = Host::new();
    host.config.log = Some(ledger.terms());
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    ledger.round(&mut client).unwrap();
    let erased = enrol(&host, &mut client, &matcher).unwrap();
    let stays = enrol(&host, &mut client, &matcher).unwrap();
    let registry = host.file("registry.sealed");
    let backup = fs::read(&registry).unwrap();
    let counter = fs::read(&host.config.nvram).unwrap();

    let receipt: SubjectErasureReceipt = client
        .receipt(EnclaveRequest::EraseSubject {
            erasure: erased.wallet.subject_erasure(),
        })
        .unwrap();
    let mut handles = vec![receipt.handle];
    handles.extend(receipt.enrolments.iter().map(|erased| erased.handle));
    ledger
        .entries
        .push(Entry::tombstone(Kind::SubjectErased, now(), handles, None).unwrap());
    ledger.round(&mut client).unwrap();
    drop(client);
    process.kill();

    // The older state alone: the hardware knows better.
    fs::write(&registry, &backup).unwrap();
    assert!(host.fail().contains("rollback detected"));

    // With the counter put back too, which real hardware would not let anybody do, and asked to
    // restore: it knows nobody before it has read the log, and the erased one not even then.
    host.config.restore = true;
    fs::write(&host.config.nvram, &counter).unwrap();
    let process = host.start();
    let mut client = process.connect();
    matcher.enter(&mut client);
    assert_eq!(opens(&mut client, &erased), Err(Refusal::Unwitnessed));
    assert_eq!(opens(&mut client, &stays), Err(Refusal::Unwitnessed));
    assert!(seen(&mut client).restoring);
    assert!(!ledger.round(&mut client).unwrap().restoring);
    assert_eq!(opens(&mut client, &erased), Err(Refusal::Unknown));
    assert_eq!(opens(&mut client, &stays), Ok(()));
    drop(client);
    process.kill();

    // So it stays, and the hardware knows this state as the last one.
    host.config.restore = false;
    let process = host.start();
    let mut client = process.connect();
    matcher.enter(&mut client);
    ledger.round(&mut client).unwrap();
    assert_eq!(opens(&mut client, &erased), Err(Refusal::Unknown));
    assert_eq!(opens(&mut client, &stays), Ok(()));
}

#[test]
fn restoring_survives_a_crash_and_takes_a_log() {
    let mut ledger = Ledger::new();
    let mut host = Host::new();
    host.config.log = Some(ledger.terms());
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    ledger.round(&mut client).unwrap();
    let enrolled = enrol(&host, &mut client, &matcher).unwrap();
    let registry = host.file("registry.sealed");
    let backup = fs::read(&registry).unwrap();
    enrol(&host, &mut client, &matcher).unwrap();
    drop(client);
    process.kill();

    fs::write(&registry, &backup).unwrap();
    host.config.restore = true;
    let process = host.start();
    let mut client = process.connect();
    // A mark is drawn and sealed, but the log is not shown.
    assert!(matches!(
        client.ask(EnclaveRequest::Mark),
        EnclaveResponse::Mark { .. }
    ));
    drop(client);
    process.kill();

    // Started without the flag, it still has to be shown the log.
    host.config.restore = false;
    let process = host.start();
    let mut client = process.connect();
    assert!(seen(&mut client).restoring);
    assert_eq!(opens(&mut client, &enrolled), Err(Refusal::Unwitnessed));
    assert!(!ledger.round(&mut client).unwrap().restoring);
    assert_eq!(opens(&mut client, &enrolled), Ok(()));
    drop(client);
    process.kill();

    host.config.log = None;
    let process = host.start();
    assert!(matches!(
        process.connect().ask(EnclaveRequest::Mark),
        EnclaveResponse::Refused(Refusal::Unknown)
    ));
}

#[test]
fn a_log_that_another_state_left_its_mark_in_ends_an_enclave_that_was_set_back() {
    let mut ledger = Ledger::new();
    let mut host = Host::new();
    host.config.log = Some(ledger.terms());
    let process = host.start();
    let mut client = process.connect();
    let registry = host.file("registry.sealed");
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    ledger.round(&mut client).unwrap();
    let enrolled = enrol(&host, &mut client, &matcher).unwrap();
    drop(client);
    process.kill();
    let (backup, counter) = (
        fs::read(&registry).unwrap(),
        fs::read(&host.config.nvram).unwrap(),
    );
    let process = host.start();
    let mut client = process.connect();
    ledger.round(&mut client).unwrap();
    drop(client);
    process.kill();

    fs::write(&registry, &backup).unwrap();
    fs::write(&host.config.nvram, &counter).unwrap();
    let process = host.start();
    let mut client = process.connect();
    assert_eq!(ledger.round(&mut client), Err(Refusal::RolledBack));
    assert!(seen(&mut client).rolled_back);
    assert_eq!(opens(&mut client, &enrolled), Err(Refusal::RolledBack));
    let erasure: Jws = enrolled.wallet.subject_erasure();
    assert_eq!(
        client.receipt::<SubjectErasureReceipt>(EnclaveRequest::EraseSubject { erasure }),
        Err(Refusal::RolledBack)
    );
}
