//! Changes on their way through the enclave, and what they leave behind.

use super::*;

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
    store
        .finish_operation(first, &[], &[], stamp())
        .await
        .unwrap();
    assert_eq!(requests(Some(&alice())).await, [b"3"]);
}

#[tokio::test]
async fn an_outcome_counts_once() {
    let Fixture { store, .. } = &Fixture::sqlite().await;
    let (given, id, record) = consent_given(&alice());
    let sequence = store.begin_operation(&alice(), b"", NOW).await.unwrap();
    store
        .finish_operation(sequence, std::slice::from_ref(&given), &[], stamp())
        .await
        .unwrap();
    let withdrawn = Effect::ConsentWithdrawn {
        subject: alice(),
        consent: id,
        at: NOW.plus(5),
        withdrawal: Some(jws("withdrawal")),
        head: random_digest(),
        receipt: jws("gone"),
    };
    apply(&**store, &alice(), withdrawn).await;
    store
        .finish_operation(sequence, &[given], &[], stamp())
        .await
        .unwrap();
    let known = store.consent(&alice(), id).await.unwrap().unwrap();
    let ended = known.lifecycle.ended();
    assert_eq!((known.record, ended), (record, Some(NOW.plus(5))));
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
        document,
        head,
        handle,
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
            document,
            head,
            handle,
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
    store
        .finish_operation(sequence, &[refused], &[], stamp())
        .await
        .unwrap();
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
    store
        .finish_operation(sequence, &[refused], &[], stamp())
        .await
        .unwrap();
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
async fn an_invitation_brings_in_no_more_subjects_than_it_has_uses() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let id = InvitationId::random(&SystemEntropy);
    let invitation = InvitationRecord {
        id,
        uses: 2,
        used: 0,
        expires: NOW.plus(10),
        note: None,
        created: NOW,
        revoked: None,
    };
    store.record_invitation(&invitation).await.unwrap();
    let reopened: &dyn Store = &fixture.reopened().await;
    let begin = async |name: &str, now: UnixTime| {
        let subject = format!("did:key:z6Mk{name}").parse().unwrap();
        let begun = reopened.begin_consent(&subject, Some(id), (b"", "{}"), now);
        begun.await.unwrap()
    };
    assert_eq!(begin("Alice", NOW.plus(10)).await, Err(NotBegun::Uninvited));
    assert!(begin("Alice", NOW).await.is_ok());
    assert!(begin("Bob", NOW).await.is_ok());
    assert_eq!(begin("Carol", NOW).await, Err(NotBegun::Uninvited));
    assert!(begin("Bob", NOW.plus(10)).await.is_ok(), "the same again");
    let operations = store.unfinished_operations(None).await.unwrap();
    assert_eq!(operations.len(), 3);
    assert_eq!(store.invitation(id).await.unwrap(), Some(invitation));
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
    store
        .finish_operation(sequence, &[effect], &[], stamp())
        .await
        .unwrap();
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
    store
        .finish_operation(sequence, &effects, &[], stamp())
        .await
        .unwrap();
    assert_eq!(store.keys_of(&alice()).await.unwrap(), Some(keys));
    let consent = store.consent(&alice(), id).await.unwrap().unwrap();
    assert!(!consent.is_live(NOW.plus(4)));
    assert_eq!(consent.withdrawal_receipt, None);
}
