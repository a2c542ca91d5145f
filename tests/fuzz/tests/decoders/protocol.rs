//! Frames between the processes.

use std::fmt::Debug;

use blindprint_core::{
    Binding, ConsentId, Digest, EnrolmentId, Jws, Nonce, SystemEntropy, UnixTime, profiles,
    statement::Purpose,
};
use blindprint_fuzz::{Budget, Inputs, fuzz};
use blindprint_protocol::{
    DataKey,
    frame::{self, MAX_REQUEST, MAX_RESPONSE},
    message::{
        Comparison, DataKeyOf, EnclaveRequest, EnclaveResponse, EndCause, LogSeen, MatcherRefusal,
        MatcherRequest, MatcherResponse, MaterialPart, Order, Refusal, SignedEvaluation, Timings,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

const SUBJECT: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

fn body<T: Serialize>(message: &T) -> Vec<u8> {
    frame::encode(message, MAX_REQUEST).unwrap().split_off(4)
}

/// That a body which decodes to a `T` is the one that it encodes to.
fn message<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8], limit: usize) {
    if let Ok(message) = frame::decode::<T>(bytes) {
        let again = frame::encode(&message, limit).unwrap().split_off(4);
        assert_eq!(again, bytes);
    }
}

fn jws() -> Jws {
    "a.b.c".parse().unwrap()
}

fn evaluation() -> SignedEvaluation {
    SignedEvaluation {
        evaluation: jws(),
        verdict: ByteBuf::from([7; 1400]),
    }
}

#[test]
fn enclave_requests() {
    let subject: blindprint_core::SubjectId = SUBJECT.parse().unwrap();
    let ciphertext = || ByteBuf::from([5; 2000]);
    let requests = [
        EnclaveRequest::Attest {
            nonce: ByteBuf::from([1; 32]),
        },
        EnclaveRequest::Material {
            part: MaterialPart::Crs,
            offset: 1 << 20,
        },
        EnclaveRequest::AdmitMatcher {
            nonce: Nonce::from_bytes([2; 32]),
            document: ciphertext(),
        },
        EnclaveRequest::Register {
            enrolment: jws(),
            recovery: Some(jws()),
            checks: vec![jws(), jws()],
        },
        EnclaveRequest::Challenge {
            subject: subject.clone(),
            enrolment: EnrolmentId::random(&SystemEntropy),
            audience: "https://shop.example".parse().unwrap(),
            nonce: "login-1".to_owned(),
            purpose: Purpose::Authentication,
        },
        EnclaveRequest::Open {
            probe: jws(),
            evaluations: vec![evaluation(), evaluation()],
            comparison: Some(Comparison {
                template: ciphertext(),
                submission: ciphertext(),
            }),
        },
        EnclaveRequest::Recover {
            recovery: jws(),
            possession: None,
        },
        EnclaveRequest::DataKey {
            subject: subject.clone(),
            of: DataKeyOf::Nonce(Nonce::from_bytes([1; 32])),
        },
        EnclaveRequest::Order {
            order: Order::EndConsent {
                subject: subject.clone(),
                consent: ConsentId::random(&SystemEntropy),
                cause: EndCause::Invalidated,
            },
        },
        EnclaveRequest::Order {
            order: Order::EraseSubject { subject },
        },
        EnclaveRequest::Mark,
        EnclaveRequest::ShowLog {
            checkpoint: "example.org/log\n".to_owned(),
            first: 7,
            entries: vec![ByteBuf::from(b"{}"), ByteBuf::new()],
            last: true,
        },
        EnclaveRequest::Health,
    ];
    fuzz!(
        Inputs::from(requests.map(|request| body(&request))),
        Budget::SMALL,
        |bytes: &[u8]| {
            message::<EnclaveRequest>(bytes, MAX_REQUEST);
        }
    );
}

#[test]
fn enclave_responses() {
    let responses = [
        EnclaveResponse::Attested {
            document: ByteBuf::from([3; 3000]),
        },
        EnclaveResponse::Material {
            total: 1 << 22,
            chunk: ByteBuf::from([4; 3000]),
        },
        EnclaveResponse::Nonce {
            nonce: Nonce::from_bytes([2; 32]),
            expires: UnixTime(1_790_000_000),
        },
        EnclaveResponse::Receipts {
            receipts: vec![jws(), jws()],
        },
        EnclaveResponse::DataKey {
            key: DataKey::random(&SystemEntropy),
        },
        EnclaveResponse::Healthy {
            parameters: "p".to_owned(),
            key: Digest::of("fuzz", b"key"),
            verdict_key: SUBJECT.parse().unwrap(),
            boot: Nonce::from_bytes([2; 32]),
            matchers: 1,
            matchers_needed: 1,
            recompute: true,
            incidents: 1,
            log: Some(LogSeen {
                log_size: 5,
                fresh_until: Some(UnixTime(1)),
                restoring: false,
                rolled_back: false,
            }),
        },
        EnclaveResponse::Mark {
            mark: jws(),
            log_size: 5,
        },
        EnclaveResponse::Refused(Refusal::Throttled { retry_after: 30 }),
        EnclaveResponse::Refused(Refusal::Locked),
    ];
    fuzz!(
        Inputs::from(responses.map(|response| body(&response))),
        Budget::SMALL,
        |bytes: &[u8]| {
            message::<EnclaveResponse>(bytes, MAX_RESPONSE);
        }
    );
}

fn binding() -> Binding {
    Binding {
        role: blindprint_core::Role::Probe,
        subject: SUBJECT.parse().unwrap(),
        service: "https://example.org".parse().unwrap(),
        enrolment: EnrolmentId::random(&SystemEntropy),
        template: Some(Digest::of("fuzz", b"template")),
        challenge: Nonce::from_bytes([1; 32]),
        purpose: Purpose::Authentication,
        audience: Some("https://shop.example".parse().unwrap()),
        profile: profiles()[0].id(),
        key: Digest::of("fuzz", b"key"),
    }
}

#[test]
fn matcher_requests() {
    let submission = ByteBuf::from([5; 3000]);
    let requests = [
        MatcherRequest::CheckTemplate {
            binding: binding(),
            submission: submission.clone(),
        },
        MatcherRequest::Evaluate {
            binding: binding(),
            submission: submission.clone(),
            template: submission,
        },
        MatcherRequest::Health,
    ];
    fuzz!(
        Inputs::from(requests.map(|request| body(&request))),
        Budget::SMALL,
        |bytes: &[u8]| {
            message::<MatcherRequest>(bytes, MAX_REQUEST);
        }
    );
}

#[test]
fn matcher_responses() {
    let responses = [
        MatcherResponse::TemplateChecked {
            check: jws(),
            template: ByteBuf::from([5; 3000]),
        },
        MatcherResponse::Evaluated(
            evaluation(),
            Timings {
                queued: 1,
                proof: 70_000,
                evaluation: 1 << 40,
            },
        ),
        MatcherResponse::Healthy {
            key: Digest::of("fuzz", b"key"),
            queued: 0,
            capacity: 64,
            workers: 2,
        },
        MatcherResponse::Refused(MatcherRefusal::Busy { retry_after: 1 }),
        MatcherResponse::Refused(MatcherRefusal::ProofRejected),
    ];
    fuzz!(
        Inputs::from(responses.map(|response| body(&response))),
        Budget::SMALL,
        |bytes: &[u8]| {
            message::<MatcherResponse>(bytes, MAX_RESPONSE);
        }
    );
}

#[test]
fn frame_lengths() {
    fuzz!(
        Inputs::from([vec![0, 0, 4, 0]]),
        Budget::SMALL,
        |bytes: &[u8]| {
            if let Some(prefix) = bytes.first_chunk()
                && let Ok(length) = frame::length(*prefix, MAX_REQUEST)
            {
                assert!(length <= MAX_REQUEST);
                assert_eq!(u32::try_from(length).unwrap().to_be_bytes(), *prefix);
            }
        }
    );
}
