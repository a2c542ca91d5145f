use std::{io::Write as _, net::Shutdown, thread};

use blindprint_core::{
    SystemEntropy,
    statement::{
        ConsentReceipt, ConsentState, Enrolment, EnrolmentReceipt, ErasureReceipt, Purpose,
        SubjectErasureReceipt, Verdict,
    },
};
use blindprint_did::sign;
use blindprint_enclave::MAX_CONNECTIONS;
use blindprint_nsm::{Mode, Nsm};
use blindprint_protocol::{
    DataKey,
    attestation::{EnclaveClaims, Trust},
    message::{
        DataKeyOf, EnclaveRequest, EnclaveResponse, MATERIAL_CHUNK, MaterialPart, Order, Refusal,
    },
};
use blindprint_template::MaterialDigests;
use serde_bytes::ByteBuf;

use crate::host::{AUDIENCE, Client, Host, Matcher, SERVICE, Wallet, now, read, trivial_verdict};

fn challenge(wallet: &Wallet, enrolment: blindprint_core::EnrolmentId) -> EnclaveRequest {
    EnclaveRequest::Challenge {
        subject: wallet.subject.clone(),
        enrolment,
        audience: AUDIENCE.parse().unwrap(),
        nonce: "relying-party".to_owned(),
        purpose: Purpose::Authentication,
    }
}

/// Somebody who is enrolled, by whose template's data key.
fn enrolled(client: &mut Client, matcher: &Matcher, host: &Host) -> (Wallet, Enrolment, DataKey) {
    let wallet = Wallet::new();
    let (_, consent) = wallet.consent();
    client.ask(EnclaveRequest::GiveConsent {
        consent: consent.clone(),
    });
    let nonce = client.nonce(&wallet.subject);
    let (enrolment, signed) = wallet.enrolment(&consent, host.key, nonce);
    let key = data_key(client, &wallet, DataKeyOf::Nonce(nonce)).unwrap();
    let receipt: EnrolmentReceipt = client
        .receipt(EnclaveRequest::Register {
            enrolment: signed,
            recovery: None,
            checks: vec![matcher.check(&enrolment)],
        })
        .unwrap();
    assert_eq!(receipt.enrolment, enrolment.enrolment);
    (wallet, enrolment, key)
}

fn data_key(client: &mut Client, wallet: &Wallet, of: DataKeyOf) -> Result<DataKey, Refusal> {
    let subject = wallet.subject.clone();
    match client.ask(EnclaveRequest::DataKey { subject, of }) {
        EnclaveResponse::DataKey { key } => Ok(key),
        EnclaveResponse::Refused(refusal) => Err(refusal),
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn a_data_key_outlives_restarts_and_dies_with_its_template() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    let (alice, erased, _) = enrolled(&mut client, &matcher, &host);
    let (bob, kept, key) = enrolled(&mut client, &matcher, &host);
    let order = Order::EraseEnrolment {
        subject: alice.subject.clone(),
        enrolment: erased.enrolment,
    };
    let receipt: ErasureReceipt = client.receipt(EnclaveRequest::Order { order }).unwrap();
    assert_eq!(receipt.enrolment, erased.enrolment);
    process.kill();

    let process = host.start();
    let mut client = process.connect();
    let (erased, kept) = (
        DataKeyOf::Enrolment(erased.enrolment),
        DataKeyOf::Enrolment(kept.enrolment),
    );
    assert_eq!(data_key(&mut client, &alice, erased), Err(Refusal::Unknown));
    assert_eq!(data_key(&mut client, &bob, kept).as_ref(), Ok(&key));
    assert_eq!(data_key(&mut client, &alice, kept), Err(Refusal::Unknown));
    process.kill();
}

#[test]
fn who_is_forgotten_is_told_so_again_after_a_restart() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    let (alice, enrolment, _) = enrolled(&mut client, &matcher, &host);
    let (bob, ..) = enrolled(&mut client, &matcher, &host);
    let erase = EnclaveRequest::EraseSubject {
        erasure: alice.subject_erasure(),
    };
    let receipt: SubjectErasureReceipt = client.receipt(erase.clone()).unwrap();
    assert_eq!(receipt.enrolments[0].enrolment, enrolment.enrolment);
    assert_eq!((receipt.data_keys_destroyed, receipt.ordered), (1, false));
    let order = |wallet: &Wallet| EnclaveRequest::Order {
        order: Order::EraseSubject {
            subject: wallet.subject.clone(),
        },
    };
    let ordered: SubjectErasureReceipt = client.receipt(order(&bob)).unwrap();
    assert!(ordered.ordered);
    process.kill();

    let process = host.start();
    let mut client = process.connect();
    assert_eq!(client.receipt(erase), Ok(receipt.clone()));
    assert_eq!(client.receipt(order(&alice)), Ok(receipt));
    assert_eq!(client.receipt(order(&bob)), Ok(ordered));
    for wallet in [&alice, &bob] {
        let subject = wallet.subject.clone();
        let answer = client.ask(EnclaveRequest::IssueNonce { subject });
        assert_eq!(answer, EnclaveResponse::Refused(Refusal::Unknown));
    }
    process.kill();
}

#[test]
fn from_consent_to_verdict_to_withdrawal() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    assert_eq!(matcher.enter(&mut client), EnclaveResponse::MatcherAdmitted);

    let wallet = Wallet::new();
    let (consent, consent_jws) = wallet.consent();
    let receipt: ConsentReceipt = client
        .receipt(EnclaveRequest::GiveConsent {
            consent: consent_jws.clone(),
        })
        .unwrap();
    assert_eq!(
        (receipt.consent, receipt.state),
        (consent, ConsentState::Given)
    );
    let nonce = client.nonce(&wallet.subject);
    let (enrolment, enrolment_jws) = wallet.enrolment(&consent_jws, host.key, nonce);
    let register = |checks| EnclaveRequest::Register {
        enrolment: enrolment_jws.clone(),
        recovery: None,
        checks,
    };
    assert_eq!(
        client.receipt::<EnrolmentReceipt>(register(vec![])),
        Err(Refusal::Evaluations)
    );
    let receipt: EnrolmentReceipt = client
        .receipt(register(vec![matcher.check(&enrolment)]))
        .unwrap();

    for expected in [true, false] {
        let EnclaveResponse::Challenge {
            challenge,
            template,
            ..
        } = client.ask(challenge(&wallet, enrolment.enrolment))
        else {
            panic!("no challenge")
        };
        assert_eq!(template, receipt.template);
        let probe = wallet.probe(&enrolment, template, challenge);
        let evaluation = matcher.evaluate(&probe, trivial_verdict(host.key, expected));
        let open = EnclaveRequest::Open {
            probe: sign(&wallet.device, &probe).unwrap(),
            evaluations: vec![evaluation],
            comparison: None,
        };
        let EnclaveResponse::Verdict { verdict } = client.ask(open.clone()) else {
            panic!("no verdict")
        };
        let verdict: Verdict = read(&verdict);
        assert_eq!(
            (verdict.matched, verdict.aud.as_str()),
            (expected, AUDIENCE)
        );
        assert_eq!(
            client.ask(open),
            EnclaveResponse::Refused(Refusal::ChallengeGone)
        );
    }

    let EnclaveResponse::Receipts { receipts } = client.ask(EnclaveRequest::Withdraw {
        withdrawal: wallet.withdrawal(consent),
    }) else {
        panic!("no receipts")
    };
    assert_eq!(
        read::<ConsentReceipt>(&receipts[0]).state,
        ConsentState::Withdrawn
    );
    assert_eq!(
        read::<ErasureReceipt>(&receipts[1]).enrolment,
        enrolment.enrolment
    );
    let refused = client.ask(challenge(&wallet, enrolment.enrolment));
    assert_eq!(refused, EnclaveResponse::Refused(Refusal::NoConsent));
    assert_eq!(process.stop(), Some(0));
    assert!(!host.socket().exists());
}

#[test]
fn it_attests_to_the_material_that_it_hands_out() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let parts = [
        MaterialPart::PublicKey,
        MaterialPart::Crs,
        MaterialPart::EvaluationKeys,
    ];
    let [public_key, crs, evaluation_keys] = parts.map(|part| fetch(&mut client, part));
    let digests = MaterialDigests::of(&public_key, &crs, &evaluation_keys);

    let EnclaveResponse::Attested { document } = client.ask(EnclaveRequest::Attest {
        nonce: ByteBuf::from("a wallet's nonce"),
    }) else {
        panic!("no document")
    };
    let measured = std::process::Command::new(env!("CARGO_BIN_EXE_blindprint-enclave"))
        .arg("--measurement")
        .output();
    let measurement = String::from_utf8(measured.unwrap().stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let nsm = Nsm::open(&host.config.hardware, Mode::Production, &SystemEntropy).unwrap();
    let trust = Trust::new(nsm.root().clone(), vec![measurement], vec![]).unwrap();
    let trust = trust.for_service(SERVICE.parse().unwrap());
    let verified = trust
        .verify::<EnclaveClaims>(&document, b"a wallet's nonce", now())
        .unwrap();
    assert_eq!(verified.claims().key, digests.key());
    assert_eq!(verified.claims().evaluation_keys, digests.evaluation_keys);

    let EnclaveResponse::Healthy {
        verdict_key, key, ..
    } = client.ask(EnclaveRequest::Health)
    else {
        panic!("not healthy")
    };
    assert_eq!((&verdict_key, key), (verified.key(), host.key));
    for nonce in [vec![], vec![0; 65]] {
        let refused = client.ask(EnclaveRequest::Attest {
            nonce: ByteBuf::from(nonce),
        });
        assert_eq!(refused, EnclaveResponse::Refused(Refusal::Malformed));
    }
}

fn fetch(client: &mut Client, part: MaterialPart) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let offset = bytes.len() as u64;
        let EnclaveResponse::Material { total, chunk } =
            client.ask(EnclaveRequest::Material { part, offset })
        else {
            panic!("no material")
        };
        assert!(chunk.len() <= MATERIAL_CHUNK);
        bytes.extend(chunk.into_vec());
        if bytes.len() as u64 == total {
            let EnclaveResponse::Material { chunk, .. } = client.ask(EnclaveRequest::Material {
                part,
                offset: u64::MAX,
            }) else {
                panic!("no material")
            };
            assert!(chunk.is_empty());
            return bytes;
        }
    }
}

#[test]
fn of_two_registrations_at_once_one_holds() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    let wallet = Wallet::new();
    let (_, consent) = wallet.consent();
    client.ask(EnclaveRequest::GiveConsent {
        consent: consent.clone(),
    });

    let mut register = || {
        let nonce = client.nonce(&wallet.subject);
        let (enrolment, jws) = wallet.enrolment(&consent, host.key, nonce);
        EnclaveRequest::Register {
            enrolment: jws,
            recovery: Some(sign(&wallet.paper, &enrolment).unwrap()),
            checks: vec![matcher.check(&enrolment)],
        }
    };
    let (first, second) = (register(), register());
    // Each of the two is sent by three connections.
    let requests = [&first, &second, &first, &second, &first, &second];
    let outcomes: Vec<_> = thread::scope(|scope| {
        let ask = |request: &EnclaveRequest| {
            let (mut client, request) = (process.connect(), request.clone());
            scope.spawn(move || client.receipt::<EnrolmentReceipt>(request))
        };
        let running: Vec<_> = requests.into_iter().map(ask).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let receipts: Vec<_> = outcomes.iter().flatten().collect();
    assert_eq!(
        receipts.len(),
        3,
        "the same request gets the same receipt: {outcomes:?}"
    );
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.enrolment == receipts[0].enrolment)
    );
    assert!(
        outcomes
            .iter()
            .filter_map(|outcome| outcome.as_ref().err())
            .all(|refusal| *refusal == Refusal::Conflict)
    );
}

#[test]
fn matchers_must_be_attested() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    let elsewhere = Host::new();
    let refused = Matcher::new(&elsewhere).enter(&mut client);
    assert_eq!(
        refused,
        EnclaveResponse::Refused(Refusal::Attestation),
        "another root"
    );
    let garbage = EnclaveRequest::AdmitMatcher {
        nonce: blindprint_core::Nonce::random(&SystemEntropy),
        document: ByteBuf::from(vec![0xd2; 100]),
    };
    assert_eq!(
        client.ask(garbage),
        EnclaveResponse::Refused(Refusal::ChallengeGone)
    );
    let EnclaveResponse::Healthy { matchers, .. } = client.ask(EnclaveRequest::Health) else {
        panic!()
    };
    assert_eq!(matchers, 0);
}

#[test]
fn bad_frames_get_a_refusal_and_harm_nobody() {
    let host = Host::new();
    let process = host.start();
    let mut client = process.connect();
    client.0.write_all(&[0, 0, 0, 3, 0xff, 0xff, 0xff]).unwrap();
    assert_eq!(
        client.receive().unwrap(),
        EnclaveResponse::Refused(Refusal::Malformed)
    );
    assert!(matches!(
        client.ask(EnclaveRequest::Health),
        EnclaveResponse::Healthy { .. }
    ));

    client.0.write_all(&[0xff; 4]).unwrap();
    assert_eq!(
        client.receive().unwrap(),
        EnclaveResponse::Refused(Refusal::Malformed)
    );
    assert!(
        client.receive().is_err(),
        "what follows cannot be told apart"
    );

    let mut half = process.connect();
    half.0.write_all(&[0, 0, 1, 0, 1, 2, 3]).unwrap();
    half.0.shutdown(Shutdown::Write).unwrap();
    assert!(half.receive().is_err());

    let crowd: Vec<_> = (0..MAX_CONNECTIONS)
        .map(|_| {
            let mut client = process.connect();
            assert!(matches!(
                client.ask(EnclaveRequest::Health),
                EnclaveResponse::Healthy { .. }
            ));
            client
        })
        .collect();
    let mut one_too_many = process.connect();
    assert!(
        one_too_many.try_ask(&EnclaveRequest::Health).is_err(),
        "no answer, which might be taken for one to the request"
    );
    drop(crowd);
    let served = (0..100).any(|_| {
        thread::sleep(std::time::Duration::from_millis(20));
        process
            .connect()
            .try_ask(&EnclaveRequest::Health)
            .is_ok_and(|answer| matches!(answer, EnclaveResponse::Healthy { .. }))
    });
    assert!(served);
}
