use std::sync::Arc;

use blindprint_core::{
    Digest, SystemEntropy, profiles,
    statement::{EnrolmentReceipt, Verdict},
};
use blindprint_did::sign;
use blindprint_protocol::message::{Comparison, EnclaveRequest, EnclaveResponse, Refusal};
use blindprint_template::{Crs, EncodingKey, PublicKey, encode, seal};
use serde_bytes::ByteBuf;

use crate::host::{AUDIENCE, Host, Matcher, Wallet, read, trivial_verdict};

/// An embedding at a distance from another that grows with `shift`.
fn embedding(shift: f32) -> Vec<f32> {
    (0..profiles()[0].dimension)
        .map(|i| (f32::from(i) * 0.37).sin() * 0.12 + shift * 0.1)
        .collect()
}

/// Real ciphertexts from end to end. The enclave evaluates them itself and does not take a
/// matcher's word for anything else.
#[test]
fn an_enclave_that_recomputes_finds_out_a_lying_matcher() {
    let mut host = Host::new();
    host.config.recompute = true;
    let (_, material) = blindprint_keys::fixture::keys();
    let public_key = PublicKey::decode(&material.public_key).unwrap();
    let crs = Crs::decode(&material.crs).unwrap();
    let arithmetic = blindprint_matcher::Matcher::new(
        &material.public_key,
        &material.crs,
        &material.evaluation_keys,
    )
    .unwrap();
    let process = host.start();
    let mut client = process.connect();
    let matcher = Matcher::new(&host);
    matcher.enter(&mut client);
    let wallet = Wallet::new();
    let (_, consent) = wallet.consent();
    client.ask(EnclaveRequest::GiveConsent {
        consent: consent.clone(),
    });

    let kappa = EncodingKey::generate(&SystemEntropy);
    let profile = profiles()[0].id();
    let submission = |binding: &_, shift| {
        let code = encode(profile, &kappa, &embedding(shift)).unwrap();
        seal(&code, &public_key, &crs, binding, &SystemEntropy)
            .unwrap()
            .encode()
    };
    let nonce = client.nonce(&wallet.subject);
    let (mut enrolment, _) = wallet.enrolment(&consent, host.key, nonce);
    let uploaded = submission(&enrolment.binding(), 0.0);
    enrolment.submission = Digest::of("blindprint/submission/v1", &uploaded);
    let stored = arithmetic
        .check_template(&enrolment.binding(), &uploaded)
        .unwrap();
    let (enrolment, jws) = wallet.sign_enrolment(enrolment);
    let checks =
        vec![matcher.check_stored(&enrolment, Digest::of("blindprint/template/v1", &stored))];
    let receipt: EnrolmentReceipt = client
        .receipt(EnclaveRequest::Register {
            enrolment: jws,
            recovery: None,
            checks,
        })
        .unwrap();

    for (shift, lie) in [(0.01, false), (3.0, false), (3.0, true)] {
        let request = EnclaveRequest::Challenge {
            subject: wallet.subject.clone(),
            enrolment: enrolment.enrolment,
            audience: AUDIENCE.parse().unwrap(),
            nonce: "relying-party".to_owned(),
            purpose: enrolment.purpose,
        };
        let EnclaveResponse::Challenge { challenge, .. } = client.ask(request) else {
            panic!("no challenge")
        };
        let mut probe = wallet.probe(&enrolment, receipt.template, challenge);
        let uploaded = submission(&probe.binding(), shift);
        probe.submission = Digest::of("blindprint/submission/v1", &uploaded);
        let verdict = if lie {
            trivial_verdict(host.key, true)
        } else {
            arithmetic
                .worker(Arc::new(SystemEntropy))
                .evaluate(&probe.binding(), &uploaded, &stored)
                .unwrap()
        };
        let answer = client.ask(EnclaveRequest::Open {
            probe: sign(&wallet.device, &probe).unwrap(),
            evaluations: vec![matcher.evaluate(&probe, verdict)],
            comparison: Some(Comparison {
                template: ByteBuf::from(stored.clone()),
                submission: ByteBuf::from(uploaded),
            }),
        });
        match answer {
            EnclaveResponse::Verdict { verdict } if !lie => {
                assert_eq!(read::<Verdict>(&verdict).matched, shift < 1.0);
            }
            EnclaveResponse::Refused(Refusal::Evaluations) if lie => {
                let EnclaveResponse::Healthy {
                    incidents,
                    matchers,
                    ..
                } = client.ask(EnclaveRequest::Health)
                else {
                    panic!("not healthy")
                };
                assert_eq!((incidents, matchers), (1, 0));
                let again = matcher.enter(&mut client);
                assert_eq!(again, EnclaveResponse::Refused(Refusal::Expelled));
            }
            other => panic!("{other:?}"),
        }
    }
}
