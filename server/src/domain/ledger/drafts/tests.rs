use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, ServiceId, SystemEntropy,
    statement::{ErasedConsent, ErasedEnrolment, Statement, Withdrawal},
};
use blindprint_did::{KeyType, SigningKey, sign};

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn digest() -> Digest {
    let entropy: &dyn Entropy = &SystemEntropy;
    Digest::from_bytes(entropy.bytes())
}

fn service() -> ServiceId {
    "https://id.example.org".parse().unwrap()
}

struct Enclave(SigningKey);

impl Enclave {
    fn new() -> Self {
        Self(SigningKey::generate(KeyType::Ed25519, &SystemEntropy))
    }

    fn subject(&self) -> SubjectId {
        self.0.public().subject()
    }

    fn says<T: Statement>(&self, statement: &T) -> Jws {
        sign(&self.0, statement).unwrap()
    }

    fn consent(&self, state: ConsentState, handle: Nonce) -> Jws {
        self.says(&ConsentReceipt {
            iss: service(),
            sub: self.subject(),
            consent: ConsentId::random(&SystemEntropy),
            statement: digest(),
            state,
            expires: NOW,
            head: digest(),
            handle,
            iat: NOW,
        })
    }

    fn erasure(&self, handle: Nonce) -> Jws {
        self.says(&ErasureReceipt {
            iss: service(),
            sub: self.subject(),
            enrolment: EnrolmentId::random(&SystemEntropy),
            template: digest(),
            handle,
            iat: NOW,
        })
    }
}

fn entries(drafts: &[Draft]) -> Vec<Entry> {
    let salt = Salt::random(&SystemEntropy);
    let entry = |draft: &Draft| draft.entry(&salt, NOW).unwrap();
    drafts.iter().map(entry).collect()
}

#[test]
fn a_withdrawal_and_what_it_destroys_are_tombstones_of_what_the_enclave_named() {
    let enclave = Enclave::new();
    let withdrawal = enclave.says(&Withdrawal {
        sub: enclave.subject(),
        service: service(),
        consent: ConsentId::random(&SystemEntropy),
        iat: NOW,
    });
    let handles = [(); 2].map(|()| Nonce::random(&SystemEntropy));
    let receipts = vec![
        enclave.consent(ConsentState::Withdrawn, handles[0]),
        enclave.erasure(handles[1]),
    ];
    let request = EnclaveRequest::Withdraw {
        withdrawal: withdrawal.clone(),
    };
    let answer = EnclaveResponse::Receipts {
        receipts: receipts.clone(),
    };
    let drafts = drafts_of(&request, &answer);
    let logged = entries(&drafts);
    let kinds: Vec<Kind> = logged.iter().map(Entry::kind).collect();
    assert_eq!(kinds, [Kind::ConsentWithdrawn, Kind::EnrolmentErased]);
    assert_eq!(logged[0].handles(), [handles[0]]);
    assert_eq!(logged[1].handles(), [handles[1]]);
    assert_eq!(
        drafts[0].event(),
        Some(withdrawal.as_str()),
        "the wallet has it"
    );
    assert_eq!(drafts[1].event(), Some(receipts[1].as_str()));
    let subject = enclave.subject();
    assert!(drafts.iter().all(|draft| draft.subject() == Some(&subject)));
    assert!(drafts.iter().all(|draft| draft.forgets().is_none()));
}

#[test]
fn an_erasure_names_everything_and_commits_to_nothing() {
    let enclave = Enclave::new();
    let handle = || Nonce::random(&SystemEntropy);
    let word = SubjectErasureReceipt {
        iss: service(),
        sub: enclave.subject(),
        handle: handle(),
        enrolments: (0..60)
            .map(|_| ErasedEnrolment {
                enrolment: EnrolmentId::random(&SystemEntropy),
                template: digest(),
                handle: handle(),
            })
            .collect(),
        consents: (0..60)
            .map(|_| ErasedConsent {
                consent: ConsentId::random(&SystemEntropy),
                handle: handle(),
            })
            .collect(),
        data_keys_destroyed: 60,
        ordered: true,
        iat: NOW,
    };
    let drafts = erased(&word);
    let logged = entries(&drafts);
    let named: Vec<Nonce> = logged
        .iter()
        .flat_map(|entry| entry.handles().to_vec())
        .collect();
    assert_eq!(named.len(), 121);
    assert_eq!(named[0], word.handle);
    assert_eq!(logged.len(), 2);
    assert!(logged.iter().all(|entry| entry.commitment().is_none()));
    assert!(
        drafts
            .iter()
            .all(|draft| draft.forgets() == Some(&word.sub))
    );
}

#[test]
fn what_is_no_change_is_not_logged() {
    let request = EnclaveRequest::Health;
    let answer = EnclaveResponse::MatcherAdmitted;
    assert!(drafts_of(&request, &answer).is_empty());
}
