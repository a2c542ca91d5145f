//! What every database must do. Each case gets an empty store of its own.

mod admin;
mod changes;
mod consents;
mod credentials;
mod forgetting;
mod hosting;
mod ledger;
mod notices;
mod openid;
mod reports;
mod rights;

use std::sync::Arc;

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, InvitationId, Jws, KeyUri, Nonce, ServiceId,
    SubjectId, SystemEntropy, UnixTime, profiles,
    statement::{Consent, Decision, Enrolment, Purpose},
};

use super::{SqliteStore, Store};
use crate::{
    Error,
    domain::{
        ledger::Stamp,
        record::{
            ChallengeRecord, Effect, EnrolmentState, InvitationRecord, NotBegun, PendingEnrolment,
            Recalled, StoredAnswer, SubjectKeys, VerdictRecord,
        },
    },
};

const NOW: UnixTime = UnixTime(1_800_000_000);

struct Fixture {
    store: Arc<dyn Store>,
    sqlite: SqliteStore,
    folder: tempfile::TempDir,
}

impl Fixture {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(&folder.path().join("db.sqlite"))
            .await
            .unwrap();
        Self {
            store: Arc::new(sqlite.clone()),
            sqlite,
            folder,
        }
    }

    /// The same database, opened again without being closed, as after a crash.
    async fn reopened(&self) -> SqliteStore {
        SqliteStore::open(&self.folder.path().join("db.sqlite"))
            .await
            .unwrap()
    }
}

fn stamp() -> Stamp<'static> {
    Stamp {
        at: NOW,
        entropy: &SystemEntropy,
    }
}

fn random_digest() -> Digest {
    let entropy: &dyn Entropy = &SystemEntropy;
    Digest::from_bytes(entropy.bytes())
}

fn nonce() -> Nonce {
    Nonce::random(&SystemEntropy)
}

fn jws(text: &str) -> Jws {
    format!("{text}.e30.AA").parse().unwrap()
}

fn alice() -> SubjectId {
    "did:key:z6MkAlice".parse().unwrap()
}

fn key(name: &str) -> KeyUri {
    format!("did:key:z{name}").parse().unwrap()
}

fn service() -> ServiceId {
    "https://id.example.org".parse().unwrap()
}

fn consent_given(subject: &SubjectId) -> (Effect, ConsentId, Digest) {
    let id = ConsentId::random(&SystemEntropy);
    let record = random_digest();
    let effect = Effect::ConsentGiven {
        consent: Consent {
            id,
            sub: subject.clone(),
            service: service(),
            decision: Decision::Given,
            purpose: Purpose::Authentication,
            recipient: None,
            notice: random_digest(),
            record: random_digest(),
            previous: None,
            given: NOW,
            expires: NOW.plus(1000),
        },
        jws: jws("consent"),
        record,
        document: "{}".to_owned(),
        head: random_digest(),
        handle: nonce(),
        key: key("first"),
        receipt: jws("receipt"),
    };
    (effect, id, record)
}

async fn apply(store: &dyn Store, subject: &SubjectId, effect: Effect) {
    let sequence = store
        .begin_operation(subject, b"request", NOW)
        .await
        .unwrap();
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
}

fn pending(
    subject: &SubjectId,
    consent: Digest,
    invitation: Option<InvitationId>,
) -> PendingEnrolment {
    PendingEnrolment {
        enrolment: Enrolment {
            sub: subject.clone(),
            service: service(),
            enrolment: EnrolmentId::random(&SystemEntropy),
            replaces: None,
            consent,
            purpose: Purpose::Authentication,
            profile: profiles()[0].id(),
            key: random_digest(),
            submission: random_digest(),
            nonce: nonce(),
            recovery_key: key("recovery"),
            iat: NOW,
        },
        statement: random_digest(),
        template: random_digest(),
        ciphertext: b"CIPHERTEXT-MARKER".repeat(100),
        invitation,
    }
}

async fn enrolled(store: &dyn Store, subject: &SubjectId) -> PendingEnrolment {
    let (given, _, record) = consent_given(subject);
    apply(store, subject, given).await;
    let pending = pending(subject, record, None);
    let sequence = store
        .begin_enrolment(&pending, b"register", NOW)
        .await
        .unwrap()
        .unwrap();
    let effect = Effect::Enrolled {
        enrolment: pending.enrolment.enrolment,
        receipt: jws("enrolled"),
        replaced: None,
        at: NOW,
    };
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
    pending
}

#[tokio::test]
async fn a_proof_is_spent_once_and_forgotten_when_it_is_stale() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let jti = nonce();
    assert!(store.spend_proof(jti, NOW).await.unwrap());
    assert!(!store.spend_proof(jti, NOW).await.unwrap());
    store.forget_expired(NOW, NOW).await.unwrap();
    assert!(
        !store.spend_proof(jti, NOW).await.unwrap(),
        "still fresh in this second"
    );
    store.forget_expired(NOW.plus(1), NOW).await.unwrap();
    assert!(store.spend_proof(jti, NOW).await.unwrap());
}

#[tokio::test]
async fn an_answer_is_recalled_for_the_same_request_only() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let request = random_digest();
    let answer = StoredAnswer {
        status: 201,
        body: b"{}".to_vec(),
    };
    assert_eq!(
        store.claim_key("a", "k", request, NOW).await.unwrap(),
        Recalled::New
    );
    assert_eq!(
        store.claim_key("a", "k", request, NOW).await.unwrap(),
        Recalled::New,
        "an attempt that was cut off is made again"
    );
    assert_eq!(
        store
            .claim_key("a", "k", random_digest(), NOW)
            .await
            .unwrap(),
        Recalled::Different
    );
    store.keep_answer("a", "k", &answer).await.unwrap();
    store.release_key("a", "k").await.unwrap();
    let again = fixture.reopened().await;
    let again: &dyn Store = &again;
    assert_eq!(
        again.claim_key("a", "k", request, NOW).await.unwrap(),
        Recalled::Answered(answer)
    );
    assert_eq!(
        store
            .claim_key("b", "k", random_digest(), NOW)
            .await
            .unwrap(),
        Recalled::New
    );
    store.release_key("b", "k").await.unwrap();
    assert_eq!(
        store
            .claim_key("b", "k", random_digest(), NOW)
            .await
            .unwrap(),
        Recalled::New
    );
    store.forget_expired(NOW, NOW.plus(1)).await.unwrap();
    assert_eq!(
        store
            .claim_key("a", "k", random_digest(), NOW)
            .await
            .unwrap(),
        Recalled::New
    );
}

#[tokio::test]
async fn a_challenge_is_for_one_probe_and_a_verdict_is_kept() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let challenge = ChallengeRecord {
        challenge: nonce(),
        subject: alice(),
        enrolment: pending.enrolment.enrolment,
        audience: "https://shop.example".parse().unwrap(),
        purpose: Purpose::Authentication,
        template: pending.template,
        profile: pending.enrolment.profile,
        key: pending.enrolment.key,
        expires: NOW.plus(100),
        probe: None,
    };
    store.record_challenge(&challenge).await.unwrap();
    let id = challenge.challenge;
    assert_eq!(store.challenge(id).await.unwrap(), Some(challenge.clone()));
    let probe = random_digest();
    assert!(store.claim_challenge(id, probe).await.unwrap());
    assert!(
        store.claim_challenge(id, probe).await.unwrap(),
        "the same probe may be retried"
    );
    assert!(!store.claim_challenge(id, random_digest()).await.unwrap());
    assert!(!store.claim_challenge(nonce(), probe).await.unwrap());
    let verdict = VerdictRecord {
        challenge: id,
        subject: alice(),
        enrolment: challenge.enrolment,
        probe,
        audience: challenge.audience,
        matched: true,
        jws: jws("verdict"),
        given: NOW,
    };
    store
        .record_verdict(&verdict, &SystemEntropy)
        .await
        .unwrap();
    store
        .record_verdict(
            &VerdictRecord {
                matched: false,
                ..verdict.clone()
            },
            &SystemEntropy,
        )
        .await
        .unwrap();
    store.forget_expired(NOW.plus(101), NOW).await.unwrap();
    assert_eq!(store.challenge(id).await.unwrap(), None);
    assert_eq!(store.verdict(id).await.unwrap(), Some(verdict));
    assert_eq!(store.count_verdicts(&alice()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_full_disk_changes_nothing_and_says_so() {
    let fixture = Fixture::sqlite().await;
    let (given, _, record) = consent_given(&alice());
    apply(&*fixture.store, &alice(), given).await;
    fixture.sqlite.limit_pages(40).await;
    let mut stored = 0;
    let refused = loop {
        let next = pending(&alice(), record, None);
        match fixture.store.begin_enrolment(&next, b"", NOW).await {
            Ok(begun) => {
                begun.unwrap();
                stored += 1;
                assert!(stored < 1000, "the limit does not bite");
            }
            Err(error) => break (error, next),
        }
    };
    assert!(matches!(refused.0, Error::Full), "{:?}", refused.0);
    assert_eq!(
        fixture
            .store
            .enrolment(refused.1.enrolment.enrolment)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        fixture
            .store
            .unfinished_operations(None)
            .await
            .unwrap()
            .len(),
        stored
    );
    fixture.sqlite.limit_pages(100_000).await;
    assert!(
        fixture
            .store
            .begin_enrolment(&refused.1, b"", NOW)
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn material_digests_are_kept() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (key, digest) = (random_digest(), random_digest());
    assert_eq!(store.material_digest(key, "crs").await.unwrap(), None);
    store
        .record_material(key, "crs", random_digest())
        .await
        .unwrap();
    store.record_material(key, "crs", digest).await.unwrap();
    assert_eq!(
        store.material_digest(key, "crs").await.unwrap(),
        Some(digest)
    );
    store.ping().await.unwrap();
}
