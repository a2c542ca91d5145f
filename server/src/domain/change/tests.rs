use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Nonce, ServiceId, SystemEntropy, UnixTime,
    statement::{KeyRotation, Purpose, Statement, SubjectErasure},
};
use blindprint_did::{KeyType, SigningKey, sign};
use blindprint_protocol::message::EndCause;

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

struct Parties {
    wallet: SigningKey,
    enclave: SigningKey,
    service: ServiceId,
}

impl Parties {
    fn new() -> Self {
        let key = || SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
        Self {
            wallet: key(),
            enclave: key(),
            service: "https://id.example.org".parse().unwrap(),
        }
    }

    fn says<T: Statement>(&self, statement: &T) -> Jws {
        sign(&self.enclave, statement).unwrap()
    }

    fn asks<T: Statement>(&self, statement: &T) -> Jws {
        sign(&self.wallet, statement).unwrap()
    }

    fn erased(&self, enrolment: EnrolmentId) -> Jws {
        self.says(&ErasureReceipt {
            iss: self.service.clone(),
            sub: self.wallet.public().subject(),
            enrolment,
            template: Digest::of("t", b""),
            handle: Nonce::random(&SystemEntropy),
            iat: NOW,
        })
    }
}

#[test]
fn a_withdrawal_destroys_exactly_what_the_enclave_says() {
    let parties = Parties::new();
    let consent = ConsentId::random(&SystemEntropy);
    let sub = parties.wallet.public().subject();
    let withdrawal = parties.asks(&Withdrawal {
        sub: sub.clone(),
        service: parties.service.clone(),
        consent,
        iat: NOW,
    });
    let noted = parties.says(&ConsentReceipt {
        iss: parties.service.clone(),
        sub: sub.clone(),
        consent,
        statement: Digest::of("c", b""),
        state: ConsentState::Withdrawn,
        expires: NOW,
        head: Digest::of("head", b""),
        handle: Nonce::random(&SystemEntropy),
        iat: NOW,
    });
    let enrolment = EnrolmentId::random(&SystemEntropy);
    let erased = parties.erased(enrolment);
    let request = EnclaveRequest::Withdraw {
        withdrawal: withdrawal.clone(),
    };
    let answer = EnclaveResponse::Receipts {
        receipts: vec![noted.clone(), erased.clone()],
    };
    let (receipt, effects) = effects_of(&request, None, answer).unwrap();
    assert_eq!(receipt, noted);
    assert_eq!(
        effects,
        [
            Effect::ConsentWithdrawn {
                subject: sub,
                consent,
                at: NOW,
                withdrawal: Some(withdrawal),
                head: Digest::of("head", b""),
                receipt: noted
            },
            Effect::Erased {
                enrolment,
                receipt: Some(erased),
                at: NOW
            },
        ]
    );
}

#[test]
fn an_order_ends_what_the_enclave_says_and_how() {
    let parties = Parties::new();
    let (consent, sub) = (
        ConsentId::random(&SystemEntropy),
        parties.wallet.public().subject(),
    );
    let request = EnclaveRequest::Order {
        order: Order::EndConsent {
            subject: sub.clone(),
            consent,
            cause: EndCause::Invalidated,
        },
    };
    let effects = |state| {
        let receipt = parties.says(&ConsentReceipt {
            iss: parties.service.clone(),
            sub: sub.clone(),
            consent,
            statement: Digest::of("c", b""),
            state,
            expires: NOW,
            head: Digest::of("head", b""),
            handle: Nonce::random(&SystemEntropy),
            iat: NOW,
        });
        let receipts = vec![receipt];
        effects_of(&request, None, EnclaveResponse::Receipts { receipts })
            .unwrap()
            .1
    };
    assert!(matches!(
        effects(ConsentState::Invalidated)[..],
        [Effect::ConsentInvalidated { .. }]
    ));
    // It had been withdrawn before.
    assert!(matches!(
        effects(ConsentState::Withdrawn)[..],
        [Effect::ConsentWithdrawn {
            withdrawal: None,
            ..
        }]
    ));
    assert_eq!(effects(ConsentState::Refused), []);
}

#[test]
fn an_erasure_forgets_whom_the_enclave_names() {
    let parties = Parties::new();
    let sub = parties.wallet.public().subject();
    let receipt = parties.says(&SubjectErasureReceipt {
        iss: parties.service.clone(),
        sub: sub.clone(),
        handle: Nonce::random(&SystemEntropy),
        enrolments: Vec::new(),
        consents: Vec::new(),
        data_keys_destroyed: 0,
        ordered: true,
        iat: NOW,
    });
    let erasure = parties.asks(&SubjectErasure {
        sub: sub.clone(),
        service: parties.service.clone(),
        iat: NOW,
    });
    let order = Order::EraseSubject {
        subject: sub.clone(),
    };
    for request in [
        EnclaveRequest::EraseSubject { erasure },
        EnclaveRequest::Order { order },
    ] {
        let answer = EnclaveResponse::Receipt {
            receipt: receipt.clone(),
        };
        let (_, effects) = effects_of(&request, None, answer).unwrap();
        let subject = sub.clone();
        assert_eq!(effects, [Effect::SubjectErased { subject }]);
        let other = EnclaveResponse::Receipt {
            receipt: parties.erased(EnrolmentId::random(&SystemEntropy)),
        };
        assert_eq!(effects_of(&request, None, other), None);
    }
}

#[test]
fn a_receipt_for_something_else_is_no_answer() {
    let parties = Parties::new();
    let enrolment = EnrolmentId::random(&SystemEntropy);
    let erasure = parties.asks(&Erasure {
        sub: parties.wallet.public().subject(),
        service: parties.service.clone(),
        enrolment,
        iat: NOW,
    });
    let request = EnclaveRequest::Erase { erasure };
    let answer = |receipt| EnclaveResponse::Receipt { receipt };
    let other = parties.erased(EnrolmentId::random(&SystemEntropy));
    assert_eq!(effects_of(&request, None, answer(other)), None);
    assert!(effects_of(&request, None, answer(parties.erased(enrolment))).is_some());
    assert_eq!(
        effects_of(&request, None, EnclaveResponse::MatcherAdmitted),
        None
    );
    assert_eq!(
        effects_of(
            &request,
            None,
            EnclaveResponse::Receipts {
                receipts: Vec::new()
            }
        ),
        None
    );
}

#[test]
fn a_new_device_ends_the_old_ones_consents() {
    let parties = Parties::new();
    let sub = parties.wallet.public().subject();
    let new = SigningKey::generate(KeyType::P256, &SystemEntropy);
    let recover = |action| EnclaveRequest::Recover {
        recovery: parties.asks(&Recovery {
            sub: sub.clone(),
            service: parties.service.clone(),
            action,
            nonce: Nonce::random(&SystemEntropy),
            iat: NOW,
        }),
        possession: None,
    };
    let receipt = parties.says(&KeyReceipt {
        iss: parties.service.clone(),
        sub: sub.clone(),
        pinned_key: new.public().uri(),
        recovery_key: parties.wallet.public().uri(),
        erased: Vec::new(),
        iat: NOW,
    });
    let answer = || EnclaveResponse::Receipts {
        receipts: vec![receipt.clone()],
    };
    let ends = |request: &EnclaveRequest| {
        let (_, effects) = effects_of(request, None, answer()).unwrap();
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::ConsentsEnded { .. }))
    };
    assert!(!ends(&recover(RecoveryAction::Unlock)));
    assert!(ends(&recover(RecoveryAction::ReplaceDevice {
        new_key: new.public().uri(),
        new_recovery_key: new.public().uri(),
    })));
}

#[test]
fn noted_requests_are_read_back_as_they_were() {
    let parties = Parties::new();
    let rotation = parties.asks(&KeyRotation {
        sub: parties.wallet.public().subject(),
        service: parties.service.clone(),
        new_key: parties.enclave.public().uri(),
        nonce: Nonce::random(&SystemEntropy),
        iat: NOW,
    });
    let request = EnclaveRequest::RotateKey {
        possession: rotation.clone(),
        rotation,
    };
    assert_eq!(decode(&encode(&request).unwrap()).unwrap(), request);
}

#[test]
fn only_a_refused_template_leaves_something_to_remove() {
    let parties = Parties::new();
    let enrolment = EnrolmentId::random(&SystemEntropy);
    let statement = Enrolment {
        sub: parties.wallet.public().subject(),
        service: parties.service.clone(),
        enrolment,
        replaces: None,
        consent: Digest::of("c", b""),
        purpose: Purpose::Authentication,
        profile: blindprint_core::profiles()[0].id(),
        key: Digest::of("k", b""),
        submission: Digest::of("s", b""),
        nonce: Nonce::random(&SystemEntropy),
        recovery_key: parties.enclave.public().uri(),
        iat: NOW,
    };
    let register = EnclaveRequest::Register {
        recovery: None,
        enrolment: parties.asks(&statement),
        checks: Vec::new(),
    };
    assert_eq!(
        effects_of_refusal(&register),
        [Effect::EnrolmentRefused { enrolment }]
    );
    assert_eq!(effects_of_refusal(&EnclaveRequest::Health), []);
}
