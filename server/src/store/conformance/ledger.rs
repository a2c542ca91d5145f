//! The transparency log: what is recorded is logged, once, and stays.

use blindprint_core::statement::EnrolmentReceipt;
use blindprint_did::{KeyType, SigningKey, sign};
use blindprint_log::{Commitment, Entry, Frontier, Kind, Tree, TreeHash};

use super::*;
use crate::{
    domain::{
        issued::{Ground, Issuance, IssuanceId, ListKind, Standing, Whose},
        ledger::{Draft, SignedHead},
    },
    store::LedgerStore as _,
};

async fn entries(store: &dyn Store) -> Vec<Entry> {
    let entries = store.log_entries(0, 1000).await.unwrap();
    entries
        .iter()
        .map(|entry| Entry::parse(entry).unwrap())
        .collect()
}

async fn kinds(store: &dyn Store) -> Vec<&'static str> {
    let entries = entries(store).await;
    entries.iter().map(|entry| entry.kind().as_str()).collect()
}

fn draft(event: &str) -> Draft {
    Draft::of(&alice(), Kind::Verdict, event)
}

/// What the stored hashes say of the whole log, and what its entries do.
async fn roots(store: &dyn Store) -> (TreeHash, TreeHash) {
    let size = store.log_size().await.unwrap();
    let places = Frontier::needs(size).unwrap();
    let nodes = store.log_hashes(&places).await.unwrap().unwrap();
    let mut tree = Tree::default();
    for entry in entries(store).await {
        tree.append(&entry);
    }
    assert_eq!(tree.size(), size);
    (Frontier::of(size, nodes).unwrap().root(), tree.root())
}

#[tokio::test]
async fn entries_have_positions_without_gaps_and_hashes_that_are_theirs() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    assert_eq!(store.log_size().await.unwrap(), 0);
    let mut expected = 0;
    for batch in [1_u64, 2, 5, 1, 300] {
        let drafts: Vec<Draft> = (0..batch).map(|n| draft(&n.to_string())).collect();
        let positions = store.append_entries(&drafts, stamp()).await.unwrap();
        assert!(positions.into_iter().eq(expected..expected + batch));
        expected += batch;
    }
    let (stored, computed) = roots(&**store).await;
    assert_eq!(stored, computed);
    let again = fixture.reopened().await;
    assert_eq!(again.log_size().await.unwrap(), expected);
    assert_eq!(again.log_entries(305, 1000).await.unwrap().len(), 4);
    assert_eq!(again.log_hashes(&[0, 1 << 40]).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_recorded_is_logged_with_it_once() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let sequence = store.begin_operation(&alice(), b"", NOW).await.unwrap();
    let (given, ..) = consent_given(&alice());
    let logged = [Draft::of(&alice(), Kind::ConsentGiven, "statement")];
    for _ in 0..2 {
        store
            .finish_operation(sequence, std::slice::from_ref(&given), &logged, stamp())
            .await
            .unwrap();
    }
    assert_eq!(kinds(store).await, ["consent.given"]);
    let pending = enrolled(store, &alice()).await;
    let verdict = VerdictRecord {
        challenge: nonce(),
        subject: alice(),
        enrolment: pending.enrolment.enrolment,
        probe: random_digest(),
        audience: "https://shop.example".parse().unwrap(),
        matched: true,
        jws: jws("verdict"),
        given: NOW.plus(7),
    };
    for _ in 0..2 {
        store
            .record_verdict(&verdict, &SystemEntropy)
            .await
            .unwrap();
    }
    assert_eq!(kinds(store).await, ["consent.given", "verdict"]);
    let last = entries(store).await.pop().unwrap();
    assert_eq!(last.at(), NOW.plus(7));
    let again = fixture.reopened().await;
    let own = again.own_entries(&alice(), 1, 10).await.unwrap();
    let [own] = own.as_slice() else { panic!() };
    assert_eq!(
        (own.index, own.event.as_str()),
        (1, jws("verdict").as_str())
    );
    let opened = Commitment::to(&own.salt, own.event.as_bytes());
    assert_eq!(last.commitment(), Some(&opened));
}

#[tokio::test]
async fn credentials_are_logged_when_they_are_issued_and_whenever_their_status_changes() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let pending = enrolled(&**store, &alice()).await;
    let enrolment = pending.enrolment.enrolment;
    let issuance = Issuance {
        id: IssuanceId::random(&SystemEntropy),
        ground: Ground::Enrolment(alice(), enrolment),
        issuer: crate::domain::IssuerMethod::Web,
        entries: Some((ListKind::Token, 2)),
        issued: NOW,
    };
    let copies = store.record_issuance(&issuance, &SystemEntropy).await;
    let copies = copies.unwrap().unwrap();
    let whose = Whose::Anybody(copies[0]);
    for to in [Standing::Suspended, Standing::Suspended, Standing::Valid] {
        store.change_standing(&whose, to, stamp()).await.unwrap();
    }
    let erased = Effect::Erased {
        enrolment,
        receipt: None,
        at: NOW,
    };
    apply(&**store, &alice(), erased).await;
    assert_eq!(
        kinds(&**store).await,
        [
            "credential.issued",
            "credential.status",
            "credential.status",
            "credential.status"
        ],
        "suspended once, reinstated, revoked with the enrolment"
    );
    let own = store.own_entries(&alice(), 0, 10).await.unwrap();
    let states: Vec<serde_json::Value> = own[1..]
        .iter()
        .map(|own| serde_json::from_str(&own.event).unwrap())
        .collect();
    for (event, state) in states.iter().zip(["suspended", "valid", "revoked"]) {
        assert_eq!(event["state"], state);
        assert_eq!(event["issuance"], issuance.id.to_string());
    }
}

#[tokio::test]
async fn a_failure_leaves_neither_the_event_nor_its_entry() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let sequence = store.begin_operation(&alice(), b"", NOW).await.unwrap();
    let (given, id, _) = consent_given(&alice());
    // An entry of this kind names what it ends.
    let unfit = [Draft::of(&alice(), Kind::ConsentWithdrawn, "withdrawal")];
    let refused = store
        .finish_operation(sequence, std::slice::from_ref(&given), &unfit, stamp())
        .await;
    assert!(matches!(refused, Err(Error::Broken { .. })), "{refused:?}");
    assert_eq!(store.consent(&alice(), id).await.unwrap(), None);
    assert_eq!(store.log_size().await.unwrap(), 0);
    let unfinished = store.unfinished_operations(None).await.unwrap();
    assert_eq!(unfinished.len(), 1, "it can be recorded yet");
}

#[tokio::test]
async fn nothing_but_salts_can_be_changed_or_deleted() {
    let fixture = Fixture::sqlite().await;
    let drafts = [draft("a"), draft("b")];
    fixture
        .store
        .append_entries(&drafts, stamp())
        .await
        .unwrap();
    for statement in [
        "UPDATE log_entries SET entry = x'00' WHERE position = 0",
        "DELETE FROM log_entries WHERE position = 1",
        "UPDATE log_hashes SET hash = zeroblob(32) WHERE position = 0",
        "DELETE FROM log_hashes",
    ] {
        assert!(
            fixture.sqlite.tamper(statement).await.is_err(),
            "{statement}"
        );
    }
    let (stored, computed) = roots(&*fixture.store).await;
    assert_eq!(stored, computed);
}

#[tokio::test]
async fn after_an_erasure_no_file_holds_what_opens_the_subjects_commitments() {
    let fixture = Fixture::sqlite().await;
    let store = &*fixture.store;
    let bob: SubjectId = "did:key:z6MkBob".parse().unwrap();
    let theirs = Draft::of(&bob, Kind::Verdict, "BOBS-EVENT-MARKER");
    let drafts = [draft("ALICES-EVENT-MARKER"), theirs];
    store.append_entries(&drafts, stamp()).await.unwrap();
    let salt = *store.own_entries(&alice(), 0, 10).await.unwrap()[0]
        .salt
        .expose();
    let handle = nonce();
    let erased = Draft::erased(&alice(), vec![handle]);
    let positions = store.append_entries(&[erased], stamp()).await.unwrap();
    store.purge().await.unwrap();
    assert!(store.own_entries(&alice(), 0, 10).await.unwrap().is_empty());
    assert_eq!(store.own_entries(&bob, 0, 10).await.unwrap().len(), 1);
    let found = store.entry_of_handle(&handle).await.unwrap();
    assert_eq!(found, positions.first().copied());
    assert_eq!(store.entry_of_handle(&nonce()).await.unwrap(), None);
    for file in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds(&salt) && !holds(b"ALICES-EVENT-MARKER"));
    }
    let (stored, computed) = roots(store).await;
    assert_eq!(stored, computed, "the log itself is as it was");
}

#[tokio::test]
async fn a_fact_is_logged_when_it_changes() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let draft = |value: &str| Draft::own(Kind::ConfigChanged, value);
    for (fact, value, index) in [
        ("configuration", "a", Some(0)),
        ("configuration", "a", None),
        ("identity", "a", Some(1)),
        ("configuration", "b", Some(2)),
        ("configuration", "a", Some(3)),
    ] {
        let logged = store.log_fact(fact, value, &draft(value), stamp()).await;
        assert_eq!(logged.unwrap(), index, "{fact} {value}");
    }
}

#[tokio::test]
async fn the_largest_head_is_the_latest_and_one_size_has_one_head() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let head = |size: u64, note: &str| SignedHead {
        size,
        note: note.to_owned(),
    };
    assert_eq!(store.latest_head(false).await.unwrap(), None);
    for (size, note) in [(5, "five"), (3, "three"), (5, "another five")] {
        store.record_head(&head(size, note), NOW).await.unwrap();
    }
    store
        .record_cosigned(&head(3, "three, cosigned"))
        .await
        .unwrap();
    let again = fixture.reopened().await;
    assert_eq!(
        again.latest_head(false).await.unwrap(),
        Some(head(5, "five"))
    );
    let cosigned = Some(head(3, "three, cosigned"));
    assert_eq!(again.latest_head(true).await.unwrap(), cosigned);
    assert_eq!(again.head_of(3).await.unwrap(), cosigned);
    assert_eq!(again.head_of(4).await.unwrap(), None);
}

#[tokio::test]
async fn what_ends_without_a_receipt_of_its_own_is_a_tombstone_too() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let store = &**store;
    let enclave = SigningKey::generate(KeyType::Ed25519, &SystemEntropy);
    let (given, _, consent) = consent_given(&alice());
    let Effect::ConsentGiven { handle, .. } = &given else {
        panic!()
    };
    let consents_handle = *handle;
    apply(store, &alice(), given).await;
    let enrolments_handle = nonce();
    let mut replaced = None;
    for handle in [enrolments_handle, nonce()] {
        let pending = pending(&alice(), consent, None);
        let enrolment = pending.enrolment.enrolment;
        let receipt = EnrolmentReceipt {
            iss: service(),
            sub: alice(),
            enrolment,
            template: pending.template,
            submission: pending.enrolment.submission,
            consent,
            profile: pending.enrolment.profile,
            key: pending.enrolment.key,
            pinned_key: key("first"),
            replaced,
            handle,
            iat: NOW,
        };
        let begun = store.begin_enrolment(&pending, b"", NOW).await;
        let effect = Effect::Enrolled {
            enrolment,
            receipt: sign(&enclave, &receipt).unwrap(),
            replaced,
            at: NOW,
        };
        store
            .finish_operation(begun.unwrap().unwrap(), &[effect], &[], stamp())
            .await
            .unwrap();
        replaced = Some(enrolment);
    }
    let ended = Effect::ConsentsEnded {
        subject: alice(),
        at: NOW,
    };
    apply(store, &alice(), ended).await;
    let logged = entries(store).await;
    let [template, consent] = logged.as_slice() else {
        panic!("{logged:?}")
    };
    assert_eq!(template.kind(), Kind::EnrolmentErased);
    assert_eq!(template.handles(), [enrolments_handle]);
    assert_eq!(consent.kind(), Kind::ConsentWithdrawn);
    assert_eq!(consent.handles(), [consents_handle]);
}
