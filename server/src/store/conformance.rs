//! What every database must do. Each case gets an empty store of its own.

use std::sync::Arc;

use blindprint_core::{
    ConsentId, Digest, EnrolmentId, Entropy, InvitationId, Jws, KeyUri, Nonce, ServiceId,
    SubjectId, SystemEntropy, UnixTime, profiles,
    statement::{Consent, Enrolment, Purpose},
};

use super::{SqliteStore, Store};
use crate::{
    Error,
    domain::record::{
        ChallengeRecord, Effect, EnrolmentState, InvitationRecord, NotBegun, PendingEnrolment,
        Recalled, StoredAnswer, SubjectKeys, VerdictRecord,
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
            purpose: Purpose::Authentication,
            notice: random_digest(),
            given: NOW,
            expires: NOW.plus(1000),
        },
        jws: jws("consent"),
        record,
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
    store.finish_operation(sequence, &[effect]).await.unwrap();
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
    store.finish_operation(sequence, &[effect]).await.unwrap();
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
async fn operations_survive_until_they_have_an_outcome() {
    let fixture = Fixture::sqlite().await;
    let bob: SubjectId = "did:key:z6MkBob".parse().unwrap();
    let first = fixture
        .store
        .begin_operation(&alice(), b"1", NOW)
        .await
        .unwrap();
    fixture
        .store
        .begin_operation(&bob, b"2", NOW)
        .await
        .unwrap();
    fixture
        .store
        .begin_operation(&alice(), b"3", NOW)
        .await
        .unwrap();
    let store = fixture.reopened().await;
    let store: &dyn Store = &store;
    let requests = async |subject: Option<&SubjectId>| -> Vec<Vec<u8>> {
        let operations = store.unfinished_operations(subject).await.unwrap();
        operations
            .into_iter()
            .map(|operation| operation.request)
            .collect()
    };
    assert_eq!(requests(None).await, [b"1", b"2", b"3"]);
    assert_eq!(requests(Some(&alice())).await, [b"1", b"3"]);
    store.finish_operation(first, &[]).await.unwrap();
    assert_eq!(requests(Some(&alice())).await, [b"3"]);
}

#[tokio::test]
async fn an_outcome_counts_once() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, record) = consent_given(&alice());
    let sequence = store.begin_operation(&alice(), b"", NOW).await.unwrap();
    store
        .finish_operation(sequence, std::slice::from_ref(&given))
        .await
        .unwrap();
    let withdrawn = Effect::ConsentWithdrawn {
        subject: alice(),
        consent: id,
        at: NOW.plus(5),
        withdrawal: jws("withdrawal"),
        receipt: jws("gone"),
    };
    apply(&**store, &alice(), withdrawn).await;
    store.finish_operation(sequence, &[given]).await.unwrap();
    let known = store.consent(&alice(), id).await.unwrap().unwrap();
    assert_eq!((known.record, known.withdrawn), (record, Some(NOW.plus(5))));
    assert_eq!(known.withdrawal_receipt, Some(jws("gone")));
    assert_eq!(store.consents_of(&alice()).await.unwrap().len(), 1);
    let keys = store.keys_of(&alice()).await.unwrap().unwrap();
    assert_eq!(
        keys,
        SubjectKeys {
            pinned: key("first"),
            recovery: None
        }
    );
}

#[tokio::test]
async fn one_subjects_consent_id_says_nothing_about_anothers() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let bob: SubjectId = "did:key:z6MkBob".parse().unwrap();
    let (given, id, _) = consent_given(&alice());
    apply(&**store, &alice(), given.clone()).await;
    let Effect::ConsentGiven {
        mut consent,
        jws,
        key,
        receipt,
        ..
    } = given
    else {
        panic!()
    };
    consent.sub = bob.clone();
    let record = random_digest();
    apply(
        &**store,
        &bob,
        Effect::ConsentGiven {
            consent,
            jws,
            record,
            key,
            receipt,
        },
    )
    .await;
    assert_ne!(
        store.consent(&alice(), id).await.unwrap().unwrap().record,
        store.consent(&bob, id).await.unwrap().unwrap().record
    );
}

#[tokio::test]
async fn an_enrolment_goes_live_with_its_receipt_and_recovery_key() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let id = pending.enrolment.enrolment;
    let known = store.enrolment(id).await.unwrap().unwrap();
    assert_eq!(known.state, EnrolmentState::Live);
    assert_eq!(known.receipt, Some(jws("enrolled")));
    assert_eq!(store.template(id).await.unwrap(), Some(pending.ciphertext));
    let keys = store.keys_of(&alice()).await.unwrap().unwrap();
    assert_eq!(keys.recovery, Some(key("recovery")));
}

#[tokio::test]
async fn a_pending_enrolment_is_durable_takes_its_id_and_vanishes_when_refused() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let (given, _, record) = consent_given(&alice());
    apply(&**store, &alice(), given).await;
    let first = pending(&alice(), record, None);
    let id = first.enrolment.enrolment;
    let sequence = store
        .begin_enrolment(&first, b"", NOW)
        .await
        .unwrap()
        .unwrap();
    let reopened = fixture.reopened().await;
    let reopened: &dyn Store = &reopened;
    let known = reopened.enrolment(id).await.unwrap().unwrap();
    assert_eq!(known.state, EnrolmentState::Pending);
    assert_eq!(
        store.template(id).await.unwrap(),
        None,
        "pending templates are not compared with"
    );
    assert_eq!(
        store.begin_enrolment(&first, b"", NOW).await.unwrap(),
        Err(NotBegun::Taken)
    );
    let refused = Effect::EnrolmentRefused { enrolment: id };
    store.finish_operation(sequence, &[refused]).await.unwrap();
    assert_eq!(store.enrolment(id).await.unwrap(), None);
    assert!(
        store
            .begin_enrolment(&first, b"", NOW)
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn an_invitation_is_used_with_the_enrolment_and_given_back_with_its_refusal() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, _, record) = consent_given(&alice());
    apply(&**store, &alice(), given).await;
    let id = InvitationId::random(&SystemEntropy);
    let invitation = InvitationRecord {
        id,
        uses: 1,
        used: 0,
        expires: NOW.plus(10),
        note: Some("for alice".to_owned()),
        created: NOW,
        revoked: None,
    };
    store.record_invitation(&invitation).await.unwrap();
    store
        .record_invitation(&InvitationRecord {
            uses: 9,
            ..invitation.clone()
        })
        .await
        .unwrap();
    assert_eq!(store.invitation(id).await.unwrap(), Some(invitation));
    let late = pending(&alice(), record, Some(id));
    assert_eq!(
        store
            .begin_enrolment(&late, b"", NOW.plus(10))
            .await
            .unwrap(),
        Err(NotBegun::Uninvited)
    );
    assert_eq!(
        store.enrolment(late.enrolment.enrolment).await.unwrap(),
        None
    );
    let first = pending(&alice(), record, Some(id));
    let sequence = store
        .begin_enrolment(&first, b"", NOW)
        .await
        .unwrap()
        .unwrap();
    let second = pending(&alice(), record, Some(id));
    assert_eq!(
        store.begin_enrolment(&second, b"", NOW).await.unwrap(),
        Err(NotBegun::Uninvited)
    );
    let refused = Effect::EnrolmentRefused {
        enrolment: first.enrolment.enrolment,
    };
    store.finish_operation(sequence, &[refused]).await.unwrap();
    assert_eq!(store.invitation(id).await.unwrap().unwrap().used, 0);
    assert!(
        store
            .begin_enrolment(&second, b"", NOW)
            .await
            .unwrap()
            .is_ok()
    );
    assert!(store.revoke_invitation(id, NOW).await.unwrap());
    assert!(
        !store
            .revoke_invitation(InvitationId::random(&SystemEntropy), NOW)
            .await
            .unwrap()
    );
    assert_eq!(store.invitations().await.unwrap()[0].revoked, Some(NOW));
}

#[tokio::test]
async fn erasure_leaves_no_byte_of_the_ciphertext_in_any_file() {
    let fixture = Fixture::sqlite().await;
    let pending = enrolled(&*fixture.store, &alice()).await;
    let on_disk = || {
        std::fs::read_dir(fixture.folder.path())
            .unwrap()
            .any(|entry| {
                let bytes = std::fs::read(entry.unwrap().path()).unwrap();
                bytes
                    .windows(17)
                    .any(|window| window == b"CIPHERTEXT-MARKER")
            })
    };
    assert!(on_disk());
    let id = pending.enrolment.enrolment;
    let erased = Effect::Erased {
        enrolment: id,
        receipt: Some(jws("erased")),
        at: NOW,
    };
    assert!(erased.destroys());
    apply(&*fixture.store, &alice(), erased).await;
    fixture.store.purge().await.unwrap();
    assert!(!on_disk());
    let known = fixture.store.enrolment(id).await.unwrap().unwrap();
    assert_eq!(known.state, EnrolmentState::Erased);
    assert_eq!(known.erasure_receipt, Some(jws("erased")));
    assert_eq!(fixture.store.template(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_renewal_destroys_the_template_that_it_replaces() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let old = enrolled(&**store, &alice()).await;
    let new = pending(&alice(), old.enrolment.consent, None);
    let sequence = store
        .begin_enrolment(&new, b"", NOW)
        .await
        .unwrap()
        .unwrap();
    let effect = Effect::Enrolled {
        enrolment: new.enrolment.enrolment,
        receipt: jws("renewed"),
        replaced: Some(old.enrolment.enrolment),
        at: NOW,
    };
    store.finish_operation(sequence, &[effect]).await.unwrap();
    let states: Vec<_> = store
        .enrolments_of(&alice())
        .await
        .unwrap()
        .into_iter()
        .map(|enrolment| (enrolment.id == new.enrolment.enrolment, enrolment.state))
        .collect();
    assert!(states.contains(&(true, EnrolmentState::Live)));
    assert!(states.contains(&(false, EnrolmentState::Erased)));
}

#[tokio::test]
async fn a_recovery_changes_keys_and_ends_consents() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, _) = consent_given(&alice());
    apply(&**store, &alice(), given).await;
    let keys = SubjectKeys {
        pinned: key("new"),
        recovery: Some(key("paper")),
    };
    let effects = [
        Effect::KeysChanged {
            subject: alice(),
            keys: keys.clone(),
        },
        Effect::ConsentsEnded {
            subject: alice(),
            at: NOW.plus(3),
        },
    ];
    let sequence = store.begin_operation(&alice(), b"", NOW).await.unwrap();
    store.finish_operation(sequence, &effects).await.unwrap();
    assert_eq!(store.keys_of(&alice()).await.unwrap(), Some(keys));
    let consent = store.consent(&alice(), id).await.unwrap().unwrap();
    assert!(!consent.is_live(NOW.plus(4)));
    assert_eq!(consent.withdrawal_receipt, None);
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
    store.record_verdict(&verdict).await.unwrap();
    store
        .record_verdict(&VerdictRecord {
            matched: false,
            ..verdict.clone()
        })
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
